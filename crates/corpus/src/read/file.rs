//! Documents of one file.

use super::kind::{Compression, Contents};
use super::lines::{Line, next_line};
use super::skipped::Skipped;
use crate::document::Document;
use crate::error::CorpusError;
use crate::split::cut_at;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

/// Bounds on memory while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// A JSON line longer than this many bytes is skipped and counted.
    pub line_bytes: usize,
    /// A text file longer than this many bytes becomes several documents, cut between paragraphs.
    pub file_bytes: usize,
}

impl Default for ReadLimits {
    /// 64 MiB each.
    fn default() -> Self {
        Self { line_bytes: 64 << 20, file_bytes: 64 << 20 }
    }
}

type Visit<'a> = &'a mut dyn FnMut(Document) -> ControlFlow<()>;

/// Calls `visit` with the documents of a file; what is left out is added to `skipped`.
pub(crate) fn visit(
    path: &Path,
    (contents, compression): (Contents, Compression),
    limits: &ReadLimits,
    skipped: &mut Skipped,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, CorpusError> {
    let mut reader = open(path, compression)?;
    match contents {
        Contents::Text => visit_text(&mut *reader, limits.file_bytes.max(16), skipped, visit),
        Contents::JsonLines => visit_json_lines(&mut *reader, limits.line_bytes, skipped, visit),
    }
    .map_err(CorpusError::io(path, "read"))
}

fn open(path: &Path, compression: Compression) -> Result<Box<dyn BufRead>, CorpusError> {
    let file = File::open(path).map_err(CorpusError::io(path, "open"))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(BufReader::with_capacity(1 << 17, MultiGzDecoder::new(file))),
        Compression::Zstd => {
            let decoder = zstd::Decoder::with_buffer(file).and_then(|mut decoder| {
                decoder.window_log_max(31)?; // files made with `zstd --long=31`
                Ok(decoder)
            });
            let decoder = decoder.map_err(CorpusError::io(path, "decompress"))?;
            Box::new(BufReader::with_capacity(1 << 17, decoder))
        }
    })
}

/// One document, or several of at most `limit` bytes.
fn visit_text(
    reader: &mut dyn BufRead,
    limit: usize,
    skipped: &mut Skipped,
    visit: Visit<'_>,
) -> std::io::Result<ControlFlow<()>> {
    let mut bytes = Vec::new();
    loop {
        let room = limit + 1 - bytes.len();
        reader.take(room as u64).read_to_end(&mut bytes)?;
        let ended = bytes.len() <= limit;
        let valid = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            // A character may straddle the end of the piece, but not the end of the file.
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            Err(_) if bytes.contains(&0) => {
                skipped.binary += 1;
                return Ok(ControlFlow::Continue(()));
            }
            Err(_) => {
                skipped.invalid_utf8 += 1;
                return Ok(ControlFlow::Continue(()));
            }
        };
        let text = std::str::from_utf8(&bytes[..valid]).expect("checked above");
        let end = if ended { valid } else { cut_at(text, limit) };
        let rest = bytes.split_off(end);
        let text = String::from_utf8(std::mem::replace(&mut bytes, rest)).expect("checked above");
        if offer(text, skipped, visit).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if ended {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

/// What is read of a JSON line; other keys are ignored.
#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

fn visit_json_lines(
    reader: &mut dyn BufRead,
    limit: usize,
    skipped: &mut Skipped,
    visit: Visit<'_>,
) -> std::io::Result<ControlFlow<()>> {
    let mut buffer = Vec::new();
    loop {
        match next_line(reader, &mut buffer, limit)? {
            Line::End => return Ok(ControlFlow::Continue(())),
            Line::TooLong => {
                skipped.too_long += 1;
                continue;
            }
            Line::Whole => {}
        }
        let Ok(line) = std::str::from_utf8(&buffer) else {
            skipped.invalid_utf8 += 1;
            continue;
        };
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        // Derived structs also accept arrays; a line must be an object.
        if !line.starts_with('{') {
            skipped.broken_json += 1;
            continue;
        }
        match serde_json::from_str::<JsonLine<'_>>(line) {
            Ok(JsonLine { text: Some(text) }) => {
                if offer(text.into_owned(), skipped, visit).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(JsonLine { text: None }) => skipped.no_text += 1,
            Err(error) if error.is_data() => skipped.no_text += 1,
            Err(_) => skipped.broken_json += 1,
        }
    }
}

/// Hands on a text that is fit to be a document, or counts why not.
pub(crate) fn offer(text: String, skipped: &mut Skipped, visit: Visit<'_>) -> ControlFlow<()> {
    if text.as_bytes().contains(&0) {
        skipped.binary += 1;
    } else if text.trim().is_empty() {
        skipped.empty += 1;
    } else {
        return visit(Document { text });
    }
    ControlFlow::Continue(())
}
