//! Files of documents with their origin.

use super::settings::DocumentFormat;
use super::store::Stored;
use crate::document::Origin;
use crate::error::CorpusError;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use rayon::prelude::*;
use scalelaw_files::write_atomically;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// Level of compression of files that are kept.
const LEVEL: i32 = 6;
/// Lines that are compressed together; files of several frames decompress as one.
const FRAME_BYTES: usize = 8 << 20;

/// A document as it is written to a file.
#[derive(Serialize)]
pub(super) struct DocumentLine<'a> {
    text: &'a str,
    id: String,
    #[serde(flatten)]
    origin: Option<&'a Origin>,
}

impl<'a> DocumentLine<'a> {
    pub(super) fn of(stored: &'a Stored) -> Self {
        let id = blake3::Hash::from_bytes(stored.id).to_hex().to_string();
        Self { text: &stored.document.text, id, origin: stored.document.origin.as_deref() }
    }
}

impl DocumentFormat {
    /// What the names of its files end in.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl.zst",
            Self::Parquet => "parquet",
        }
    }
}

/// Writes a file of documents; returns its size and its blake3 in hex.
pub(super) fn write_documents(
    path: &Path,
    lines: &[DocumentLine<'_>],
    format: DocumentFormat,
) -> Result<(u64, String), CorpusError> {
    let contents = match format {
        DocumentFormat::JsonLines => json_lines(lines).map_err(CorpusError::io(path, "compress"))?,
        DocumentFormat::Parquet => parquet(lines)
            .map_err(|error| CorpusError::io(path, "write as Parquet")(std::io::Error::other(error)))?,
    };
    write_atomically(path, &contents)?;
    Ok((contents.len() as u64, blake3::hash(&contents).to_hex().to_string()))
}

fn json_lines(lines: &[DocumentLine<'_>]) -> std::io::Result<Vec<u8>> {
    let mut frames: Vec<&[DocumentLine<'_>]> = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|line| {
            let before = bytes;
            bytes += line.text.len();
            before < FRAME_BYTES
        });
        let (frame, after) = rest.split_at(fits.count());
        frames.push(frame);
        rest = after;
    }
    let frames: Vec<Vec<u8>> = frames
        .into_par_iter()
        .map(|lines| {
            let mut raw = Vec::new();
            for line in lines {
                serde_json::to_writer(&mut raw, line)?;
                raw.push(b'\n');
            }
            zstd::bulk::compress(&raw, LEVEL)
        })
        .collect::<std::io::Result<_>>()?;
    Ok(frames.concat())
}

const SCHEMA: &str = "message document {
    optional binary text (STRING);
    optional binary id (STRING);
    optional int64 record;
    optional binary file (STRING);
    optional binary url (STRING);
    optional binary date (STRING);
    optional binary title (STRING);
    optional binary language (STRING);
    optional binary charset (STRING);
}";

/// The columns after `record`, in the schema's order.
const ORIGIN_STRINGS: [fn(&Origin) -> Option<&str>; 6] = [
    |origin| Some(&origin.file),
    |origin| origin.url.as_deref(),
    |origin| origin.date.as_deref(),
    |origin| origin.title.as_deref(),
    |origin| origin.language.as_deref(),
    |origin| origin.charset.as_deref(),
];

fn parquet(lines: &[DocumentLine<'_>]) -> parquet::errors::Result<Vec<u8>> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        .set_dictionary_enabled(false)
        .set_created_by("scalelaw".into())
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let string = |value: Option<&str>| value.map(ByteArray::from);
    put::<ByteArrayType>(&mut group, lines.iter().map(|line| string(Some(line.text))))?;
    put::<ByteArrayType>(&mut group, lines.iter().map(|line| string(Some(&line.id))))?;
    put::<Int64Type>(&mut group, lines.iter().map(|line| line.origin.map(|origin| origin.record as i64)))?;
    for field in ORIGIN_STRINGS {
        put::<ByteArrayType>(&mut group, lines.iter().map(|line| string(line.origin.and_then(field))))?;
    }
    group.close()?;
    writer.into_inner()
}

/// Writes the next column.
fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> parquet::errors::Result<()> {
    let mut column = group.next_column()?.expect("the schema has a column for each call");
    let values: Vec<Option<T::T>> = values.collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<T::T> = values.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    column.close()
}
