//! What a file that is no log looks like.

use crate::format::text::looks_like;

/// What the beginning of a file says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contents {
    /// It is a directory.
    Directory,
    /// Nothing.
    Empty,
    /// A file of a known kind that is no log: what it is, for a person.
    Known(&'static str),
    /// Text, and its first line that is not blank.
    Text(String),
    /// Bytes that are no text.
    Bytes,
}

impl Contents {
    /// What a file that begins like this is.
    pub(super) fn of(beginning: &[u8]) -> Self {
        const LONGEST: usize = 80;
        if let Some(known) = looks_like(beginning).filter(|found| *found != "text") {
            return Self::Known(known);
        }
        if beginning.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        let text = String::from_utf8_lossy(beginning);
        let odd = text.chars().filter(|c| *c == '\u{fffd}' || (c.is_control() && !c.is_whitespace())).count();
        if odd * 20 > text.chars().count() {
            return Self::Bytes;
        }
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Self::Text(first.chars().take(LONGEST).collect())
    }
}

impl std::fmt::Display for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory => f.write_str("it is a directory"),
            Self::Empty => f.write_str("it is empty"),
            Self::Known(known) => write!(f, "it looks like {known}"),
            Self::Text(line) => {
                write!(f, "no line of it is one of a trainer that is known; it begins with {line:?}")
            }
            Self::Bytes => f.write_str("it is not text"),
        }
    }
}
