//! Web archives: WARC 1.0 and 1.1 and ARC, plain, gzipped or in zstd, record by record in bounded memory.
//!
//! A record that is not as it should be is left out with its place and what was expected there, and reading goes
//! on at the next; only bytes that cannot be unpacked end it.

mod http;
mod members;
mod record;
#[cfg(test)]
mod tests;

use crate::document::Origin;
use crate::error::CorpusError;
use crate::read::{Found, LeftOut, RawBody, RawDocument, ReadOptions, Reason};
pub(crate) use http::Response;
pub(crate) use record::LINK_HEADER;
use record::{Kind, Next, Record, Records};
use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::Path;

/// Calls `visit` with the pages of an archive that comes from anywhere, and with what is none, in order, until it breaks.
///
/// WARC 1.0 and 1.1 and ARC 1 and 2, plain, gzipped (as a whole or record by record) or in zstd; which of these, the
/// bytes tell. `name` is what [`Origin::file`] and the errors say.
///
/// # Errors
/// Where the archive is none or cannot be unpacked any further; a record that is broken by itself is left out.
pub fn read_archive(
    archive: impl BufRead,
    name: &str,
    options: &ReadOptions,
    visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, CorpusError> {
    visit_archive(archive, (Path::new(name), name), options, visit)
}

/// Calls `visit` with the pages of an archive and with what is none, in order.
pub(crate) fn visit_archive(
    file: impl BufRead,
    (path, name): (&Path, &str),
    options: &ReadOptions,
    visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, CorpusError> {
    let broken =
        |offset: u64, reason: String| CorpusError::Archive { path: path.to_path_buf(), offset, reason };
    let unpack = CorpusError::io(path, "unpack");
    let mut records = match Records::open(file) {
        Ok(Ok(records)) => records,
        Ok(Err(reason)) => return Err(broken(0, reason)),
        Err(error) => return Err(unpack(error)),
    };
    loop {
        let next = records.next().map_err(|error| broken(records.stream.offset(), unpacking(&error)))?;
        let found = match next {
            Next::End => return Ok(ControlFlow::Continue(())),
            Next::Broken { offset, reason } => left(name, offset, Reason::BrokenRecord, reason),
            Next::Record(record) => {
                let offset = record.offset;
                contents(&mut records, record, name, options)
                    .map_err(|error| broken(offset, unpacking(&error)))?
            }
        };
        if visit(found).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn unpacking(error: &std::io::Error) -> String {
    format!("the archive cannot be unpacked any further: {error}")
}

fn left(name: &str, record: u64, reason: Reason, detail: String) -> Found {
    Found::Left(LeftOut { reason, file: name.to_owned(), record, detail })
}

/// Reads or passes over the contents of a record.
fn contents<R: BufRead>(
    records: &mut Records<R>,
    record: Record,
    name: &str,
    options: &ReadOptions,
) -> std::io::Result<Found> {
    let limit = options.limits.page_bytes;
    let unwanted =
        record.url.as_deref().filter(|url| options.wanted.as_ref().is_some_and(|links| !links.wants(url)));
    let refusal = match record.kind {
        Kind::Other => Some((Reason::OtherRecord, "expected a page, found a note or a request".to_owned())),
        // Crawlers keep their own logs as resources.
        Kind::Resource if !is_address(record.url.as_deref().unwrap_or_default()) => Some((
            Reason::OtherRecord,
            format!("expected a page, found {:?}", record.url.as_deref().unwrap_or_default()),
        )),
        Kind::Revisit => {
            Some((Reason::Revisit, "expected a page, found that it was the same as before".to_owned()))
        }
        _ if unwanted.is_some() => {
            Some((Reason::NotLinked, format!("no link leads to {}", unwanted.unwrap_or_default())))
        }
        _ if record.length > limit as u64 => {
            Some((Reason::PageTooLong, format!("expected at most {limit} bytes, found {}", record.length)))
        }
        _ => None,
    };
    let cut_off = |found: u64| {
        let reason = format!("expected {} bytes of contents, found {found} before the end", record.length);
        left(name, record.offset, Reason::BrokenRecord, reason)
    };
    if let Some((reason, detail)) = refusal {
        let skipped = records.stream.skip(record.length)?;
        return Ok(if skipped < record.length {
            cut_off(skipped)
        } else {
            left(name, record.offset, reason, detail)
        });
    }
    let block = records.stream.take_bytes(record.length)?;
    if (block.len() as u64) < record.length {
        return Ok(cut_off(block.len() as u64));
    }
    let offset = record.offset;
    Ok(match page(record, &block, name, limit) {
        Ok(raw) => Found::Raw(raw),
        Err((reason, detail)) => left(name, offset, reason, detail),
    })
}

fn is_address(url: &str) -> bool {
    ["http:", "https:", "file:", "ftp:"].iter().any(|scheme| url.starts_with(scheme))
}

/// The statuses of an answer that holds what was asked for.
pub(crate) const PAGE_STATUS: [u16; 2] = [200, 203];
const HTML: [&str; 2] = ["text/html", "application/xhtml+xml"];
const PLAIN_TEXT: &str = "text/plain";

/// Whether something of this `Content-Type` is read, if only after a look at it.
pub(crate) fn may_be_page(declared: &str) -> bool {
    let (media_type, _) = media_type(declared);
    media_type.is_empty() || media_type == PLAIN_TEXT || HTML.contains(&&*media_type)
}

/// The page in the contents of a record, or why there is none.
fn page(record: Record, block: &[u8], name: &str, limit: usize) -> Result<RawDocument, (Reason, String)> {
    let is_http = record.kind == Kind::Response || block.starts_with(b"HTTP/");
    let (content_type, body) = if is_http {
        let response = Response::parse(block).map_err(|reason| (Reason::BrokenRecord, reason))?;
        if !PAGE_STATUS.contains(&response.status) {
            return Err((Reason::HttpStatus, format!("expected status 200, found {}", response.status)));
        }
        let body = response.body(limit);
        let body =
            body.ok_or_else(|| (Reason::PageTooLong, format!("expected at most {limit} bytes unpacked")))?;
        (response.content_type, body)
    } else {
        (record.content_type, Cow::Borrowed(block))
    };
    let declared = content_type.as_deref().unwrap_or_default();
    let (media_type, charset) = media_type(declared);
    let origin = Origin {
        file: name.to_owned(),
        record: record.offset,
        url: record.url,
        date: record.date,
        ..Origin::default()
    };
    let is_page = match &*media_type {
        PLAIN_TEXT => false,
        "" if body.trim_ascii_start().starts_with(b"<") => true,
        html if HTML.contains(&html) => true,
        _ => {
            return Err((
                Reason::OtherContent,
                format!("expected text/html or text/plain, found {declared:?}"),
            ));
        }
    };
    let bytes = body.into_owned();
    let body = if is_page { RawBody::Page { bytes, charset } } else { RawBody::Plain { bytes, charset } };
    Ok(RawDocument { origin, body })
}

/// `text/html; charset="x"` in its parts, in lower case.
fn media_type(declared: &str) -> (String, Option<String>) {
    let mut parts = declared.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| {
        let value = part.strip_prefix("charset")?.trim_start().strip_prefix('=')?.trim();
        Some(value.trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}
