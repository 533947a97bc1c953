//! What reading a file finds: records that may become documents, and what is left out.

use crate::document::{Document, Origin};
use scalelaw_archive::{ArchivedPage, Mismatch, PageKind};
use scalelaw_page::{Page, decode, page_to_text};
use std::fmt;

/// The next thing found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A record that may become a document.
    Raw(RawDocument),
    /// A record that cannot become one, or is not wanted.
    Left(LeftOut),
}

/// A record as it was read; [`RawDocument::into_document`] does the expensive part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    /// Where it comes from.
    pub origin: Origin,
    /// What it holds.
    pub body: RawBody,
}

/// The contents of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawBody {
    /// Text.
    Text(String),
    /// Text whose encoding is not determined yet.
    Plain {
        /// As they came.
        bytes: Vec<u8>,
        /// The encoding that the server declared.
        charset: Option<String>,
    },
    /// A web page.
    Page {
        /// As they came, unpacked.
        bytes: Vec<u8>,
        /// The encoding that the server declared.
        charset: Option<String>,
    },
}

impl RawDocument {
    /// A page from this archive.
    pub(super) fn of_archived(page: ArchivedPage, file: &str) -> Self {
        let ArchivedPage { offset, url, date, kind, bytes, charset } = page;
        let origin = Origin { file: file.to_owned(), record: offset, url, date, ..Origin::default() };
        let body = match kind {
            PageKind::Html => RawBody::Page { bytes, charset },
            PageKind::PlainText => RawBody::Plain { bytes, charset },
        };
        Self { origin, body }
    }

    /// Bytes of the contents.
    pub fn bytes(&self) -> usize {
        match &self.body {
            RawBody::Text(text) => text.len(),
            RawBody::Plain { bytes, .. } | RawBody::Page { bytes, .. } => bytes.len(),
        }
    }

    /// The document in this record: decodes it and takes the main text of a page. Depends on nothing else.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn into_document(self) -> Result<Document, LeftOut> {
        let Self { mut origin, body } = self;
        let (text, no_text) = match body {
            RawBody::Text(text) => (text, Reason::Empty),
            RawBody::Plain { bytes, charset } => {
                let (text, found) = decode(&bytes, charset.as_deref());
                origin.charset = Some(found.to_owned());
                (text.into_owned(), Reason::Empty)
            }
            RawBody::Page { bytes, charset } => {
                let Page { extracted, charset } = page_to_text(&bytes, charset.as_deref());
                origin.charset = Some(charset.to_owned());
                (origin.title, origin.language) = (extracted.title, extracted.language);
                (extracted.text, Reason::NoMainText)
            }
        };
        let reason = match problem(&text) {
            None => return Ok(Document { text, origin: Some(Box::new(origin)) }),
            Some(Reason::Empty) => no_text,
            Some(reason) => reason,
        };
        let detail = Mismatch::missing("text");
        Err(LeftOut { reason, file: origin.file, record: origin.record, detail })
    }
}

/// Why a text cannot be a document, if it cannot.
pub(crate) fn problem(text: &str) -> Option<Reason> {
    if text.as_bytes().contains(&0) {
        Some(Reason::Binary)
    } else if text.trim().is_empty() {
        Some(Reason::Empty)
    } else {
        None
    }
}

/// A record that did not become a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub reason: Reason,
    /// The file, as in [`Origin::file`].
    pub file: String,
    /// The place in it, as in [`Origin::record`].
    pub record: u64,
    /// What was expected there and what was found.
    pub detail: Mismatch,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: at {}: {}: {}", self.file, self.record, self.reason, self.detail)
    }
}

impl From<scalelaw_archive::Reason> for Reason {
    fn from(reason: scalelaw_archive::Reason) -> Self {
        use scalelaw_archive::Reason as Archive;
        match reason {
            Archive::Revisit => Self::Revisit,
            Archive::NotAPage => Self::OtherRecord,
            Archive::HttpStatus => Self::HttpStatus,
            Archive::OtherContent => Self::OtherContent,
            Archive::TooLong => Self::PageTooLong,
            Archive::NotWanted => Self::NotLinked,
            // Whatever else is wrong with a record.
            _ => Self::BrokenRecord,
        }
    }
}

/// Why a record is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It has a NUL byte.
    Binary,
    /// It is not UTF-8.
    InvalidUtf8,
    /// It has no character other than white space.
    Empty,
    /// A line that is not a JSON object.
    BrokenJson,
    /// A JSON object or a row without a string where the text should be.
    NoText,
    /// A line longer than the limit.
    TooLong,
    /// A page longer than the limit.
    PageTooLong,
    /// A page without a main text.
    NoMainText,
    /// A malformed record of an archive.
    BrokenRecord,
    /// A record that only says that a page had not changed.
    Revisit,
    /// A record of an archive that is not about a page: a request, a note.
    OtherRecord,
    /// A server's answer other than the page.
    HttpStatus,
    /// Neither a page nor a text.
    OtherContent,
    /// A page that no wanted link leads to.
    NotLinked,
}
