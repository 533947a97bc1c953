//! What reading a file finds: records to be made documents of, and what is left out.

use crate::document::{Document, Origin};
use crate::page::{Page, decode_text, page_to_text};
use std::fmt;

/// The next thing found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A record that may become a document.
    Raw(RawDocument),
    /// A record that is none, or none that is wanted.
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
    /// Text in an encoding yet to be found out.
    Plain {
        /// As they came.
        bytes: Vec<u8>,
        /// The encoding that the server named.
        charset: Option<String>,
    },
    /// A web page.
    Page {
        /// As they came, unpacked.
        bytes: Vec<u8>,
        /// The encoding that the server named.
        charset: Option<String>,
    },
}

impl RawDocument {
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
    /// Says why there is none: no text, or no text at all.
    pub fn into_document(self) -> Result<Document, LeftOut> {
        let Self { mut origin, body } = self;
        let (text, no_text) = match body {
            RawBody::Text(text) => (text, Reason::Empty),
            RawBody::Plain { bytes, charset } => {
                let (text, found) = decode_text(&bytes, charset.as_deref());
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
        let detail = "expected text".to_owned();
        Err(LeftOut { reason, file: origin.file, record: origin.record, detail })
    }
}

/// Why a text is not fit to be a document, if it is not.
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
    pub detail: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: at {}: {}: {}", self.file, self.record, self.reason, self.detail)
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
    /// A record of an archive that is not as it should be.
    BrokenRecord,
    /// A record that says only that a page had not changed.
    Revisit,
    /// A record of an archive that is no page: a request, a note.
    OtherRecord,
    /// A server's answer other than the page.
    HttpStatus,
    /// Something else than a page or a text.
    OtherContent,
    /// A page that no wanted link leads to.
    NotLinked,
}
