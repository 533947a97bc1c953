//! What was left out and why.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Counts of what was not used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// Files whose ending is none of those read (inside folders only).
    pub other_kind: u64,
    /// Documents with a NUL byte.
    pub binary: u64,
    /// Documents that are not UTF-8.
    pub invalid_utf8: u64,
    /// Documents without a character other than white space.
    pub empty: u64,
    /// JSON lines that are not a JSON object.
    pub broken_json: u64,
    /// JSON lines without a string `text`.
    pub no_text: u64,
    /// JSON lines longer than the limit.
    pub too_long: u64,
    /// Files that are mostly digits and punctuation (default text only).
    pub not_prose: u64,
    /// Documents with the same text as another.
    pub duplicate: u64,
}

impl Skipped {
    /// The reasons and counts, in a fixed order, zeros included.
    pub fn by_reason(&self) -> [(&'static str, u64); 9] {
        [
            ("other kind of file", self.other_kind),
            ("binary", self.binary),
            ("not UTF-8", self.invalid_utf8),
            ("empty", self.empty),
            ("broken JSON", self.broken_json),
            ("no `text`", self.no_text),
            ("line too long", self.too_long),
            ("mostly digits and punctuation", self.not_prose),
            ("duplicate", self.duplicate),
        ]
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.by_reason().into_iter().filter(|(_, n)| *n > 0).peekable();
        if parts.peek().is_none() {
            return f.write_str("nothing");
        }
        for (i, (reason, n)) in parts.enumerate() {
            write!(f, "{}{n} {reason}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
