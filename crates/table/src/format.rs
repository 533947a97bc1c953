//! File formats by name, and compression around them.

pub(crate) mod csv;
pub(crate) mod jsonl;
pub(crate) mod parquet;

use crate::cell::Cell;
use crate::cell::Kind;
use crate::error::TableError;
use crate::rows::Row;
use scalelaw_files::Compression;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// A format tables are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values separated by the byte given, with a header line.
    Csv {
        /// Separator: a comma, or a tab for `.tsv`.
        delimiter: u8,
    },
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
    /// [`TableError::UnknownFormat`], for compressed files too: they are only read.
    pub fn to_write(path: &Path) -> Result<Self, TableError> {
        match Self::of(path)? {
            (format, Compression::None) => Ok(format),
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
    let evalsets: BTreeSet<String> = rows.iter().flat_map(Row::evalsets).collect();
    let evalsets: Vec<String> = evalsets.into_iter().collect();
    let mut order: Vec<&R> = rows.iter().collect();
    order.sort_by_cached_key(|row| row.sort_key());
    let columns = R::columns(&evalsets);
    let cells = order.into_iter().map(|row| row.to_cells(&evalsets));
    write_cells(&columns, cells, format, out)
}

pub(crate) fn write_cells(
    columns: &[(String, Kind)],
    cells: impl Iterator<Item = Vec<Cell>>,
    format: Format,
    out: impl Write + Send,
) -> Result<(), TableError> {
    match format {
        Format::Csv { delimiter } => csv::write(columns, cells, delimiter, out),
        Format::Jsonl => jsonl::write(columns, cells, out),
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
    let (format, compression) = Format::of(path)?;
    cells(path, format, scalelaw_files::read(path, compression)?)
}

/// The named cells of every row of a file's decompressed bytes.
pub(crate) fn cells(
    path: &Path,
    format: Format,
    bytes: Vec<u8>,
) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    match format {
        Format::Csv { delimiter } => csv::read(path, &bytes, delimiter),
        Format::Jsonl => jsonl::read(path, &bytes),
        Format::Parquet => parquet::read(path, bytes),
    }
}
