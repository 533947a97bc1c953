//! Web archives: pages from WARC 1.0 and 1.1 and ARC 1 and 2, plain, gzipped or in Zstandard, record by record in
//! bounded memory; and WARC 1.1 records to write.
//!
//! A malformed record is left out with its place and with what was expected there, and reading continues with the
//! next one. Only bytes that cannot be decompressed end it.

mod error;
mod http;
mod members;
mod record;
#[cfg(test)]
mod tests;
mod write;

pub use error::{ArchiveError, Mismatch};
pub use http::Response;
pub use write::{info_record, page_records};

use record::{Kind, Next, Record, Records};
use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

/// What an archive holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A page or a text.
    Page(ArchivedPage),
    /// A record that is neither, or not one that is wanted.
    LeftOut(LeftOut),
}

/// A page or a text from an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedPage {
    /// Byte offset of its record in the archive; of the compressed member that holds it, if there is one.
    pub offset: u64,
    /// Its address: that of the link that led to it, where the archive records one.
    pub url: Option<String>,
    /// When it was fetched: `2014-01-03T03:03:21Z`.
    pub date: Option<String>,
    /// What the bytes are.
    pub kind: PageKind,
    /// The contents, decompressed.
    pub bytes: Vec<u8>,
    /// The encoding that the server declared.
    pub charset: Option<String>,
}

/// What the bytes of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// HTML or XHTML.
    Html,
    /// Plain text.
    PlainText,
}

/// A record without a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Byte offset of the record, as in [`ArchivedPage::offset`].
    pub offset: u64,
    /// Why.
    pub reason: Reason,
    /// What was expected there and what was found.
    pub detail: Mismatch,
}

/// Why a record is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is malformed.
    Malformed,
    /// It only says that a page had not changed.
    Revisit,
    /// It is not about a page: a request, a note of the crawler.
    NotAPage,
    /// The server's answer was not the page.
    HttpStatus,
    /// The server's answer was neither a page nor a text.
    OtherContent,
    /// The page is longer than the limit.
    TooLong,
    /// The page is not wanted.
    NotWanted,
}

/// What to read.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// Longer pages, decompressed, are left out.
    pub page_bytes: usize,
    /// Pages whose address this refuses are left out unread.
    pub wants: &'a dyn Fn(&str) -> bool,
}

/// Calls `visit` with each record of an archive, in order, until it breaks.
///
/// WARC 1.0 and 1.1 and ARC 1 and 2, plain, gzipped (as a whole or record by record) or in Zstandard; the first
/// bytes decide which.
///
/// # Errors
/// When the bytes are not an archive, or cannot be decompressed any further. A malformed record is left out instead.
///
/// # Example
/// ```
/// use scalelaw_archive::{Item, ReadOptions, page_records, read};
/// use std::ops::ControlFlow;
///
/// let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Hello";
/// let warc = page_records("http://a.example/", None, "2026-11-22T00:00:00Z", b"GET / HTTP/1.1\r\n\r\n", answer);
/// let options = ReadOptions { page_bytes: 1 << 20, wants: &|_| true };
/// let mut pages = Vec::new();
/// let _ = read(&*warc, options, &mut |item| {
///     if let Item::Page(page) = item {
///         pages.push(page);
///     }
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(pages[0].url.as_deref(), Some("http://a.example/"));
/// assert_eq!(pages[0].bytes, b"<p>Hello");
/// # Ok::<(), scalelaw_archive::ArchiveError>(())
/// ```
pub fn read(
    archive: impl BufRead,
    options: ReadOptions<'_>,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ArchiveError> {
    let undecompressable = |offset| move |source| ArchiveError::Decompress { offset, source };
    let mut records = Records::open(archive)
        .map_err(undecompressable(0))?
        .map_err(|mismatch| ArchiveError::NotAnArchive { mismatch })?;
    loop {
        let next = records.next().map_err(|error| undecompressable(records.stream.offset())(error))?;
        let item = match next {
            Next::End => return Ok(ControlFlow::Continue(())),
            Next::Broken { offset, detail } => left(offset, Reason::Malformed, detail),
            Next::Record(record) => {
                let offset = record.offset;
                contents(&mut records, record, options).map_err(undecompressable(offset))?
            }
        };
        if visit(item).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn left(offset: u64, reason: Reason, detail: Mismatch) -> Item {
    Item::LeftOut(LeftOut { offset, reason, detail })
}

/// Reads or skips the contents of a record.
fn contents<R: BufRead>(
    records: &mut Records<R>,
    record: Record,
    options: ReadOptions<'_>,
) -> std::io::Result<Item> {
    let limit = options.page_bytes;
    let url = record.url.as_deref().unwrap_or_default();
    let refusal = match record.kind {
        Kind::Other => Some((Reason::NotAPage, Mismatch::new("a page", "a note or a request"))),
        // Crawlers keep their own logs as resources.
        Kind::Resource if !is_address(url) => {
            Some((Reason::NotAPage, Mismatch::new("a page", format!("{url:?}"))))
        }
        Kind::Revisit => Some((Reason::Revisit, Mismatch::new("a page", "that it was the same as before"))),
        _ if record.url.is_some() && !(options.wants)(url) => {
            Some((Reason::NotWanted, Mismatch::new("the address of a wanted page", url.to_owned())))
        }
        _ if record.length > limit as u64 => Some((
            Reason::TooLong,
            Mismatch::new(format!("at most {limit} bytes"), record.length.to_string()),
        )),
        _ => None,
    };
    let cut_off = |found: u64| {
        let expected = format!("{} bytes of contents", record.length);
        left(record.offset, Reason::Malformed, Mismatch::new(expected, format!("{found} before the end")))
    };
    if let Some((reason, detail)) = refusal {
        let skipped = records.stream.skip(record.length)?;
        return Ok(if skipped < record.length {
            cut_off(skipped)
        } else {
            left(record.offset, reason, detail)
        });
    }
    let block = records.stream.take_bytes(record.length)?;
    if (block.len() as u64) < record.length {
        return Ok(cut_off(block.len() as u64));
    }
    let offset = record.offset;
    Ok(match page(record, &block, limit) {
        Ok(page) => Item::Page(page),
        Err((reason, detail)) => left(offset, reason, detail),
    })
}

fn is_address(url: &str) -> bool {
    ["http:", "https:", "file:", "ftp:"].iter().any(|scheme| url.starts_with(scheme))
}

/// Whether an answer with this status holds what was asked for.
pub fn is_page_status(status: u16) -> bool {
    matches!(status, 200 | 203)
}

const HTML: [&str; 2] = ["text/html", "application/xhtml+xml"];
const PLAIN_TEXT: &str = "text/plain";

/// Whether contents of this `Content-Type` may be a page or a text; of an empty one, the contents decide.
pub fn may_be_page(declared: &str) -> bool {
    let (media_type, _) = media_type(declared);
    media_type.is_empty() || media_type == PLAIN_TEXT || HTML.contains(&&*media_type)
}

/// The page in the contents of a record, or why there is none.
fn page(record: Record, block: &[u8], limit: usize) -> Result<ArchivedPage, (Reason, Mismatch)> {
    let is_http = record.kind == Kind::Response || block.starts_with(b"HTTP/");
    let (content_type, body) = if is_http {
        let response = Response::parse(block).map_err(|detail| (Reason::Malformed, detail))?;
        if !is_page_status(response.status) {
            return Err((Reason::HttpStatus, Mismatch::new("status 200", response.status.to_string())));
        }
        let too_long = || (Reason::TooLong, Mismatch::new(format!("at most {limit} bytes"), "more"));
        let body = response.body(limit).ok_or_else(too_long)?;
        (response.content_type, body)
    } else {
        (record.content_type, Cow::Borrowed(block))
    };
    let declared = content_type.as_deref().unwrap_or_default();
    let (media_type, charset) = media_type(declared);
    let kind = match &*media_type {
        PLAIN_TEXT => PageKind::PlainText,
        "" if body.trim_ascii_start().starts_with(b"<") => PageKind::Html,
        html if HTML.contains(&html) => PageKind::Html,
        _ => {
            let detail = Mismatch::new("text/html or text/plain", format!("{declared:?}"));
            return Err((Reason::OtherContent, detail));
        }
    };
    let Record { offset, url, date, .. } = record;
    Ok(ArchivedPage { offset, url, date, kind, bytes: body.into_owned(), charset })
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
