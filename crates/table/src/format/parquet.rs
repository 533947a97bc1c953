//! Apache Parquet, flat columns only, through the low-level column API (the arrow feature would triple the build).

use super::{MOST_BYTES, check_size, pages};
use crate::cell::{Cell, Kind};
use crate::error::TableError;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::types::Type;
use scalelaw_files::guarded;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn schema(columns: &[(String, Kind)]) -> Result<Arc<Type>, ParquetError> {
    let fields = columns
        .iter()
        .map(|(name, kind)| {
            let (physical, logical) = match kind {
                Kind::Integer => (Physical::INT64, Some(LogicalType::integer(64, false))),
                Kind::Number => (Physical::DOUBLE, None),
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let column = Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()?;
            Ok(Arc::new(column))
        })
        .collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
}

pub(crate) fn write(
    columns: &[(String, Kind)],
    rows: impl Iterator<Item = Vec<Cell>>,
    out: impl Write + Send,
) -> Result<(), TableError> {
    write_columns(columns, &rows.collect::<Vec<_>>(), out).map_err(|e| TableError::Write(e.into()))
}

fn write_columns(
    columns: &[(String, Kind)],
    rows: &[Vec<Cell>],
    out: impl Write + Send,
) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("scalelaw".to_string())
        .build();
    let mut file = SerializedFileWriter::new(out, schema(columns)?, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for (index, (_, kind)) in columns.iter().enumerate() {
        let Some(mut writer) = group.next_column()? else { break };
        let cells = || rows.iter().map(|row| &row[index]);
        let present: Vec<i16> = cells().map(|cell| i16::from(*cell != Cell::Missing)).collect();
        match kind {
            Kind::Integer => {
                let values: Vec<i64> = cells()
                    .filter_map(|cell| match cell {
                        // The bits of a u64, as the logical type says.
                        Cell::Integer(i) => Some(i.cast_signed()),
                        _ => None,
                    })
                    .collect();
                writer.typed::<Int64Type>().write_batch(&values, Some(&present), None)?;
            }
            Kind::Number => {
                let values: Vec<f64> = cells()
                    .filter_map(|cell| match cell {
                        Cell::Number(x) => Some(*x),
                        _ => None,
                    })
                    .collect();
                writer.typed::<DoubleType>().write_batch(&values, Some(&present), None)?;
            }
            Kind::Text => {
                let values: Vec<ByteArray> = cells()
                    .filter_map(|cell| match cell {
                        Cell::Text(t) => Some(ByteArray::from(t.as_str())),
                        _ => None,
                    })
                    .collect();
                writer.typed::<ByteArrayType>().write_batch(&values, Some(&present), None)?;
            }
        }
        writer.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(())
}

pub(crate) fn read(path: &Path, bytes: Vec<u8>) -> Result<Vec<Vec<(String, Cell)>>, TableError> {
    let wrong = |message: String| TableError::Format { path: path.to_path_buf(), format: "Parquet", message };
    let fail = |e: ParquetError| wrong(e.to_string());
    let bytes = bytes::Bytes::from(bytes);
    // The reader panics at some damaged files.
    let rows = guarded(|| -> Result<_, TableError> {
        let file = SerializedFileReader::new(bytes.clone()).map_err(fail)?;
        check_sizes(path, &bytes, file.metadata())?;
        let (mut rows, mut text) = (Vec::new(), 0);
        for row in file.get_row_iter(None).map_err(fail)? {
            let columns = row.map_err(fail)?.into_columns();
            let row: Vec<(String, Cell)> =
                columns.into_iter().map(|(name, field)| (name, cell(field))).collect();
            text += row
                .iter()
                .map(|(_, cell)| if let Cell::Text(t) = cell { t.len() as u64 } else { 0 })
                .sum::<u64>();
            if text > MOST_BYTES {
                return Err(TableError::TooLarge { path: path.to_path_buf(), most: MOST_BYTES });
            }
            rows.push(row);
        }
        Ok(rows)
    });
    rows.map_err(|panicked| wrong(panicked.to_string()))?
}

/// Refuses a file that says it holds more than is read, before anything is decompressed.
fn check_sizes(path: &Path, bytes: &[u8], metadata: &ParquetMetaData) -> Result<(), TableError> {
    let wrong = |message: String| TableError::Format { path: path.to_path_buf(), format: "Parquet", message };
    let mut total = 0;
    let (mut rows, mut columns) = (0u64, 0);
    for group in metadata.row_groups() {
        rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
        columns = columns.max(group.columns().len());
        for column in group.columns() {
            let begin = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let end = begin.checked_add(column.compressed_size());
            let range = end.and_then(|end| Some(usize::try_from(begin).ok()?..usize::try_from(end).ok()?));
            let pages = range
                .and_then(|range| bytes.get(range))
                .ok_or_else(|| wrong("a column lies outside of the file".into()))?;
            let values = u64::try_from(column.num_values()).unwrap_or(0);
            check_size(path, values, 1)?;
            pages::check(pages, values, &mut total)
                .map_err(|error| wrong(format!("column {}: {error}", column.column_path())))?;
        }
    }
    check_size(path, rows, columns)
}

/// The cell that a Parquet value is; nested and exotic types keep their text.
fn cell(field: Field) -> Cell {
    match field {
        Field::Null => Cell::Missing,
        Field::Byte(i) => signed(i64::from(i)),
        Field::Short(i) => signed(i64::from(i)),
        Field::Int(i) => signed(i64::from(i)),
        Field::Long(i) => signed(i),
        Field::UByte(i) => Cell::Integer(u64::from(i)),
        Field::UShort(i) => Cell::Integer(u64::from(i)),
        Field::UInt(i) => Cell::Integer(u64::from(i)),
        Field::ULong(i) => Cell::Integer(i),
        Field::Float(x) => Cell::Number(f64::from(x)),
        Field::Double(x) => Cell::Number(x),
        Field::Str(t) => Cell::Text(t),
        other => Cell::Text(other.to_string()),
    }
}

fn signed(i: i64) -> Cell {
    u64::try_from(i).map_or(Cell::Number(i as f64), Cell::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::BrotliLevel;

    #[test]
    fn pages_of_every_common_compression_are_read() {
        let loss = Type::primitive_type_builder("loss", Physical::DOUBLE).build().expect("a column");
        let schema =
            Type::group_type_builder("schema").with_fields(vec![Arc::new(loss)]).build().expect("a schema");
        let schema = Arc::new(schema);
        let brotli = Compression::BROTLI(BrotliLevel::default());
        for compression in
            [Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default()), brotli, Compression::LZ4_RAW]
        {
            let properties = WriterProperties::builder().set_compression(compression).build();
            let mut bytes = Vec::new();
            let mut file =
                SerializedFileWriter::new(&mut bytes, schema.clone(), Arc::new(properties)).expect("a file");
            let mut group = file.next_row_group().expect("a group");
            let mut column = group.next_column().expect("columns").expect("a column");
            column.typed::<DoubleType>().write_batch(&[3.5; 100], Some(&[1; 100]), None).expect("values");
            column.close().expect("a column");
            group.close().expect("a group");
            file.close().expect("a file");
            let rows = read(Path::new("t.parquet"), bytes).expect("rows");
            assert_eq!((rows.len(), &rows[99][0].1), (100, &Cell::Number(3.5)), "{compression:?}");
        }
    }
}
