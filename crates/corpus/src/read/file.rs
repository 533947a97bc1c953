//! What one file holds.

use super::found::{Found, LeftOut, RawBody, RawDocument, Reason};
use super::json::{JsonDocument, WithTextIn};
use super::kind::Contents;
use super::parquet::visit_parquet;
use super::{ReadLimits, ReadOptions, Unit};
use crate::document::Origin;
use crate::error::CorpusError;
use crate::split::cut_at;
use scalelaw_archive::{Item, Mismatch};
use scalelaw_files::{Line, decompress, next_line};
use serde::de::DeserializeSeed;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a document must have where only the pages of links are read.
pub(super) const WANTED_URL: &str = "the URL of a wanted link";

pub(crate) type Visit<'a> = &'a mut dyn FnMut(Found) -> ControlFlow<()>;

/// Calls `visit` with what a file holds, in order; `place` is kept at the number of its bytes read so far.
pub(crate) fn visit(
    unit: &Unit,
    options: &ReadOptions,
    place: &AtomicU64,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, CorpusError> {
    let (contents, compression) = unit.kind;
    let (path, name) = (&*unit.path, &*unit.name);
    if contents == Contents::Parquet {
        return visit_parquet(unit, options, place, visit);
    }
    let file = File::open(path).map_err(CorpusError::io(path, "open"))?;
    let file = BufReader::with_capacity(1 << 16, Followed { file, place });
    if contents == Contents::Archive {
        return visit_archive(file, unit, options, visit);
    }
    let mut reader = decompress(file, compression).map_err(CorpusError::io(path, "decompress"))?;
    let limits = &options.limits;
    match contents {
        Contents::JsonLines => visit_json_lines(&mut *reader, name, options, visit),
        Contents::Page => visit_page(&mut *reader, name, limits, visit),
        _ => visit_text(&mut *reader, name, limits.file_bytes.max(16), visit),
    }
    .map_err(CorpusError::io(path, "read"))
}

/// A file that counts the bytes read from it.
struct Followed<'p> {
    file: File,
    place: &'p AtomicU64,
}

impl Read for Followed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.place.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The pages of a web archive.
fn visit_archive(
    reader: impl BufRead,
    unit: &Unit,
    options: &ReadOptions,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, CorpusError> {
    let wants = |url: &str| options.wanted.as_ref().is_none_or(|links| links.wants(url));
    let of_archive = scalelaw_archive::ReadOptions { page_bytes: options.limits.page_bytes, wants: &wants };
    let name = &*unit.name;
    scalelaw_archive::read(reader, of_archive, &mut |item| {
        visit(match item {
            Item::Page(page) => Found::Raw(RawDocument::of_archived(page, name)),
            Item::LeftOut(record) => left(name, record.offset, record.reason.into(), record.detail),
        })
    })
    .map_err(|source| CorpusError::Archive { path: unit.path.clone(), source })
}

/// One document, or several of at most `limit` bytes.
fn visit_text(
    reader: &mut dyn BufRead,
    name: &str,
    limit: usize,
    visit: Visit<'_>,
) -> std::io::Result<ControlFlow<()>> {
    let (mut bytes, mut offset) = (Vec::new(), 0);
    loop {
        let room = limit + 1 - bytes.len();
        reader.take(room as u64).read_to_end(&mut bytes)?;
        let ended = bytes.len() <= limit;
        let valid = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            // A character may straddle the end of the piece, but not the end of the file.
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            Err(error) => {
                let reason = if bytes.contains(&0) { Reason::Binary } else { Reason::InvalidUtf8 };
                let record = offset + error.valid_up_to() as u64;
                return Ok(visit(left(name, record, reason, Mismatch::missing("text in UTF-8"))));
            }
        };
        let text = std::str::from_utf8(&bytes[..valid]).expect("checked above");
        let end = if ended { valid } else { cut_at(text, limit) };
        let rest = bytes.split_off(end);
        let text = String::from_utf8(std::mem::replace(&mut bytes, rest)).expect("checked above");
        if visit(raw(name, offset, RawBody::Text(text))).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        offset += end as u64;
        if ended {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

fn visit_page(
    reader: &mut dyn BufRead,
    name: &str,
    limits: &ReadLimits,
    visit: Visit<'_>,
) -> std::io::Result<ControlFlow<()>> {
    let mut bytes = Vec::new();
    reader.take(limits.page_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(visit(if bytes.len() > limits.page_bytes {
        left(name, 0, Reason::PageTooLong, Mismatch::missing(format!("at most {} bytes", limits.page_bytes)))
    } else {
        raw(name, 0, RawBody::Page { bytes, charset: None })
    }))
}

fn visit_json_lines(
    reader: &mut dyn BufRead,
    name: &str,
    options: &ReadOptions,
    visit: Visit<'_>,
) -> std::io::Result<ControlFlow<()>> {
    let mut buffer = Vec::new();
    for record in 1.. {
        let found = match next_line(reader, &mut buffer, options.limits.line_bytes)? {
            Line::End => break,
            Line::TooLong => {
                let limit = options.limits.line_bytes;
                Some(left(
                    name,
                    record,
                    Reason::TooLong,
                    Mismatch::missing(format!("a line of at most {limit} bytes")),
                ))
            }
            Line::Whole => json_line(&buffer, name, record, options),
        };
        if found.is_some_and(|found| visit(found).is_break()) {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The document of a line, or why there is none; nothing of an empty line.
fn json_line(line: &[u8], name: &str, record: u64, options: &ReadOptions) -> Option<Found> {
    let Ok(line) = std::str::from_utf8(line) else {
        return Some(left(name, record, Reason::InvalidUtf8, Mismatch::missing("JSON in UTF-8")));
    };
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() {
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(line);
    let parsed =
        WithTextIn(&options.text_key).deserialize(&mut json).and_then(|found| json.end().map(|()| found));
    let no_text = || Mismatch::missing(format!("a string `{}`", options.text_key));
    Some(match parsed {
        Ok(JsonDocument { text: Some(text), url, title }) => {
            if let Some(links) = &options.wanted
                && !url.as_deref().is_some_and(|url| links.wants(url))
            {
                return Some(left(name, record, Reason::NotLinked, Mismatch::missing(WANTED_URL)));
            }
            let origin = Origin { file: name.to_owned(), record, url, title, ..Origin::default() };
            Found::Raw(RawDocument { origin, body: RawBody::Text(text.into_owned()) })
        }
        Ok(JsonDocument { text: None, .. }) => left(name, record, Reason::NoText, no_text()),
        // Other values than objects are data errors too, but a line must be an object.
        Err(error) if error.is_data() && line.starts_with('{') => {
            left(name, record, Reason::NoText, no_text())
        }
        Err(error) => {
            left(name, record, Reason::BrokenJson, Mismatch::new("a JSON object", error.to_string()))
        }
    })
}

pub(super) fn raw(name: &str, record: u64, body: RawBody) -> Found {
    Found::Raw(RawDocument { origin: Origin { file: name.to_owned(), record, ..Origin::default() }, body })
}

pub(super) fn left(name: &str, record: u64, reason: Reason, detail: Mismatch) -> Found {
    Found::Left(LeftOut { reason, file: name.to_owned(), record, detail })
}
