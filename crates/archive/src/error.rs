//! What can be wrong with an archive.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// An archive that cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The first bytes are those of neither a WARC nor an ARC.
    #[error("not a web archive: {mismatch}")]
    NotAnArchive {
        /// What an archive begins with, and what these bytes are.
        mismatch: Mismatch,
    },
    /// Reading failed, or the bytes cannot be decompressed any further.
    #[error("at byte {offset}: the archive cannot be decompressed any further")]
    Decompress {
        /// Byte offset in the archive; of the compressed member, if there is one.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What was expected somewhere and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected.
    pub expected: Cow<'static, str>,
    /// What was found, where that says more than that it was something else.
    pub found: Option<Cow<'static, str>>,
}

impl Mismatch {
    /// Something was found instead of what was expected.
    pub fn new(expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), found: Some(found.into()) }
    }

    /// What was expected is missing.
    pub fn missing(expected: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), found: None }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)?;
        self.found.as_ref().map_or(Ok(()), |found| write!(f, ", found {found}"))
    }
}
