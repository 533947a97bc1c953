//! File formats by name, and compression around them.

pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod jsonl;
mod pages;
pub(crate) mod parquet;
pub(crate) mod text;

use crate::cell::Cell;
use crate::cell::Kind;
use crate::error::TableError;
use crate::rows::Row;
use scalelaw_files::{Compression, FileError};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;

/// A format tables are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values separated by the byte given, with a header line.
    Csv {
        /// Separator: a comma, or a tab for `.tsv`.
        delimiter: u8,
    },
    /// One JSON document: rows as objects, or columns as arrays.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Comma-separated.
    pub const CSV: Self = Self::Csv { delimiter: b',' };

    /// The format that the name of a file to write says.
    ///
    /// # Errors
    /// [`TableError::UnknownFormat`], for compressed files and `.json` too: they are only read.
    pub fn to_write(path: &Path) -> Result<Self, TableError> {
        match Self::of(path)? {
            (format, Compression::None) if format != Self::Json => Ok(format),
            _ => Err(TableError::UnknownFormat { path: path.to_path_buf() }),
        }
    }

    /// The format and the compression that a file name says.
    ///
    /// # Errors
    /// [`TableError::Directory`] and [`TableError::UnknownFormat`].
    pub(crate) fn of(path: &Path) -> Result<(Self, Compression), TableError> {
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        let (stem, compression) = Compression::of_name(&name);
        let format = match stem.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => Self::CSV,
            Some("tsv") => Self::Csv { delimiter: b'\t' },
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            Some("parquet") => Self::Parquet,
            _ if path.is_dir() => return Err(TableError::Directory { path: path.to_path_buf() }),
            _ => return Err(TableError::UnknownFormat { path: path.to_path_buf() }),
        };
        Ok((format, compression))
    }
}

/// Writes rows, sorted by run id (and step), with stable column names.
///
/// # Errors
/// [`TableError::Write`] when `out` refuses.
pub fn write_rows<R: Row>(rows: &[R], format: Format, out: impl Write + Send) -> Result<(), TableError> {
    let (columns, cells) = sorted(rows);
    write_cells(&columns, cells.into_iter(), format, out)
}

/// As [`write_rows`], without the columns in which no row has a value: in a table of what others know of their
/// runs they would say that there is something to use.
///
/// # Errors
/// [`TableError::Write`] when `out` refuses.
pub fn write_filled<R: Row>(rows: &[R], format: Format, out: impl Write + Send) -> Result<(), TableError> {
    let (columns, cells) = sorted(rows);
    let filled: Vec<bool> =
        (0..columns.len()).map(|i| cells.iter().any(|row| row[i] != Cell::Missing)).collect();
    let columns: Vec<_> =
        columns.into_iter().zip(&filled).filter(|(_, filled)| **filled).map(|(c, _)| c).collect();
    let cells = cells.into_iter().map(|row| {
        row.into_iter().zip(&filled).filter(|(_, filled)| **filled).map(|(cell, _)| cell).collect()
    });
    write_cells(&columns, cells, format, out)
}

/// The columns, and the cells of the rows in their order.
fn sorted<R: Row>(rows: &[R]) -> (Vec<(String, Kind)>, Vec<Vec<Cell>>) {
    let evalsets: BTreeSet<String> = rows.iter().flat_map(Row::evalsets).collect();
    let evalsets: Vec<String> = evalsets.into_iter().collect();
    let mut order: Vec<&R> = rows.iter().collect();
    order.sort_by_cached_key(|row| row.sort_key());
    (R::columns(&evalsets), order.into_iter().map(|row| row.to_cells(&evalsets)).collect())
}

pub(crate) fn write_cells(
    columns: &[(String, Kind)],
    cells: impl Iterator<Item = Vec<Cell>>,
    format: Format,
    out: impl Write + Send,
) -> Result<(), TableError> {
    match format {
        Format::Csv { delimiter } => csv::write(columns, cells, delimiter, out),
        Format::Json | Format::Jsonl => jsonl::write(columns, cells, out),
        Format::Parquet => parquet::write(columns, cells, out),
    }
}

/// Reads rows written by [`write_rows`]; the file name says the format.
///
/// # Errors
/// [`TableError`] names the file, and the row and column of a cell that does not fit.
pub fn read_rows<R: Row>(path: &Path) -> Result<Vec<R>, TableError> {
    (1..).zip(read_cells(path)?).map(|(row, cells)| R::from_cells(path, row, cells)).collect()
}

/// The named cells of every row; the file name says the format.
pub(crate) fn read_cells(path: &Path) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    let (format, bytes) = bytes(path)?;
    cells(path, format, bytes)
}

/// Most decompressed bytes of a table: far more than any that a law is fitted to.
pub(crate) const MOST_BYTES: u64 = 1 << 29;

/// Most bytes of JSON, whose cells take many times as much memory as their text.
const MOST_JSON_BYTES: u64 = 1 << 27;

/// Most cells of a table.
const MOST_CELLS: u64 = 1 << 24;

/// The format that a file's name says, and the file's decompressed bytes.
///
/// # Errors
/// The file cannot be read, is larger than a table may be, or looks like another format.
pub(crate) fn bytes(path: &Path) -> Result<(Format, Vec<u8>), TableError> {
    if path.is_dir() {
        return Err(TableError::Directory { path: path.to_path_buf() });
    }
    let (format, compression) = Format::of(path)?;
    Ok((format, bytes_of(path, format, compression)?))
}

/// As [`bytes`], for a file whose name does not say its format.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn bytes_of(path: &Path, format: Format, compression: Compression) -> Result<Vec<u8>, TableError> {
    let most = match format {
        Format::Json | Format::Jsonl => MOST_JSON_BYTES,
        Format::Csv { .. } | Format::Parquet => MOST_BYTES,
    };
    let mut bytes = Vec::new();
    let mut reader = scalelaw_files::open(path, compression)?.take(most + 1);
    reader.read_to_end(&mut bytes).map_err(FileError::new(path, "read"))?;
    if bytes.len() as u64 > most {
        return Err(TableError::TooLarge { path: path.to_path_buf(), most });
    }
    let found = text::looks_like(&bytes);
    let (expected, wrong) = match format {
        Format::Csv { .. } => ("text", found.filter(|found| *found != "text")),
        Format::Json | Format::Jsonl => {
            ("JSON", found.filter(|found| *found != "text" && !found.starts_with("JSON")))
        }
        Format::Parquet => ("Parquet", found.filter(|_| !bytes.starts_with(b"PAR1"))),
    };
    match wrong {
        Some(found) => Err(TableError::LooksLike { path: path.to_path_buf(), format: expected, found }),
        None => Ok(bytes),
    }
}

/// Refuses a table that is too large to be held.
pub(crate) fn check_size(path: &Path, rows: u64, columns: usize) -> Result<(), TableError> {
    let most = MOST_CELLS;
    match rows.checked_mul(columns as u64) {
        Some(cells) if cells <= most => Ok(()),
        _ => Err(TableError::TooManyCells { path: path.to_path_buf(), rows, columns, most }),
    }
}

/// The named cells of every row of a file's decompressed bytes.
pub(crate) fn cells(
    path: &Path,
    format: Format,
    bytes: Vec<u8>,
) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    match format {
        Format::Csv { delimiter } => csv::read(path, &bytes, delimiter),
        Format::Json => json::read(path, &bytes),
        Format::Jsonl => jsonl::read(path, &bytes),
        Format::Parquet => parquet::read(path, bytes),
    }
}
