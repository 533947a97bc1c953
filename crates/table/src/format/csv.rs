//! CSV and TSV.

use crate::cell::{Cell, Kind};
use crate::error::TableError;
use crate::format::text;
use std::io::Write;
use std::path::Path;

pub(crate) fn write(
    columns: &[(String, Kind)],
    rows: impl Iterator<Item = Vec<Cell>>,
    delimiter: u8,
    out: impl Write,
) -> Result<(), TableError> {
    let fail = |e: csv::Error| TableError::Write(e.into());
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    writer.write_record(columns.iter().map(|(name, _)| name.as_str())).map_err(fail)?;
    for row in rows {
        writer.write_record(row.iter().map(written)).map_err(fail)?;
    }
    writer.flush().map_err(|e| TableError::Write(e.into()))
}

/// The shortest text that reads back as the same value.
fn written(cell: &Cell) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Integer(i) => i.to_string(),
        Cell::Number(x) => format!("{x:?}"),
        Cell::Text(t) => t.clone(),
    }
}

pub(crate) fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes)
}

pub(crate) fn read(path: &Path, bytes: &[u8], delimiter: u8) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    let fail = |e: csv::Error| TableError::Format {
        path: path.to_path_buf(),
        format: "CSV",
        message: e.to_string(),
    };
    let text = text::utf8(bytes);
    let found = text::delimited(&text, delimiter);
    let mut reader = reader(&found.bytes, found.delimiter);
    let header = reader.headers().map_err(fail)?.clone();
    reader
        .records()
        .enumerate()
        .map(|(i, record)| {
            let record = record.map_err(fail)?;
            if record.len() > header.len() {
                return Err(TableError::Format {
                    path: path.to_path_buf(),
                    format: "CSV",
                    message: format!(
                        "row {} has {} fields, the header {}",
                        i + 1,
                        record.len(),
                        header.len()
                    ),
                });
            }
            Ok(header
                .iter()
                .zip(record.iter())
                .map(|(n, t)| (n.to_string(), Cell::Text(t.to_string())))
                .collect())
        })
        .collect()
}
