//! What was left out and why, counted.

use super::found::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Counts of what was not used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// JSON lines and rows without a string `text`.
    pub no_text: u64,
    /// JSON lines longer than the limit.
    pub too_long: u64,
    /// Pages longer than the limit.
    pub page_too_long: u64,
    /// Pages without a main text.
    pub no_main_text: u64,
    /// Records of archives that are not as they should be.
    pub broken_record: u64,
    /// Records that say only that a page had not changed.
    pub revisit: u64,
    /// Records of archives that are no pages.
    pub other_record: u64,
    /// Answers of servers other than the page.
    pub http_status: u64,
    /// Records that are neither pages nor texts.
    pub other_content: u64,
    /// Pages that no wanted link leads to.
    pub not_linked: u64,
    /// Files that are mostly digits and punctuation (default text only).
    pub not_prose: u64,
    /// Documents with the same text as another.
    pub duplicate: u64,
}

impl Skipped {
    /// Counts one more.
    pub fn count(&mut self, reason: Reason) {
        let counter = match reason {
            Reason::Binary => &mut self.binary,
            Reason::InvalidUtf8 => &mut self.invalid_utf8,
            Reason::Empty => &mut self.empty,
            Reason::BrokenJson => &mut self.broken_json,
            Reason::NoText => &mut self.no_text,
            Reason::TooLong => &mut self.too_long,
            Reason::PageTooLong => &mut self.page_too_long,
            Reason::NoMainText => &mut self.no_main_text,
            Reason::BrokenRecord => &mut self.broken_record,
            Reason::Revisit => &mut self.revisit,
            Reason::OtherRecord => &mut self.other_record,
            Reason::HttpStatus => &mut self.http_status,
            Reason::OtherContent => &mut self.other_content,
            Reason::NotLinked => &mut self.not_linked,
        };
        *counter += 1;
    }

    /// Adds the counts of another part of the input.
    pub fn merge(&mut self, other: &Self) {
        let pairs = self.counters().into_iter().zip({ *other }.counters().map(|n| *n));
        pairs.for_each(|(n, more)| *n += more);
    }

    fn counters(&mut self) -> [&mut u64; 17] {
        let Self {
            other_kind,
            binary,
            invalid_utf8,
            empty,
            broken_json,
            no_text,
            too_long,
            page_too_long,
            no_main_text,
            broken_record,
            revisit,
            other_record,
            http_status,
            other_content,
            not_linked,
            not_prose,
            duplicate,
        } = self;
        [
            other_kind,
            binary,
            invalid_utf8,
            empty,
            broken_json,
            no_text,
            too_long,
            page_too_long,
            no_main_text,
            broken_record,
            revisit,
            other_record,
            http_status,
            other_content,
            not_linked,
            not_prose,
            duplicate,
        ]
    }

    /// The reasons and counts, in a fixed order, zeros included.
    pub fn by_reason(&self) -> [(&'static str, u64); 17] {
        let names = [
            "other kind of file",
            "binary",
            "not UTF-8",
            "empty",
            "broken JSON",
            "no `text`",
            "line too long",
            "page too long",
            "page without main text",
            "broken record",
            "unchanged page",
            "other record",
            "other HTTP status",
            "other content",
            "not linked",
            "mostly digits and punctuation",
            "duplicate",
        ];
        let mut copy = *self;
        let counts = copy.counters();
        std::array::from_fn(|i| (names[i], *counts[i]))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_merge_reach_every_reason() {
        let reasons = [
            Reason::Binary,
            Reason::InvalidUtf8,
            Reason::Empty,
            Reason::BrokenJson,
            Reason::NoText,
            Reason::TooLong,
            Reason::PageTooLong,
            Reason::NoMainText,
            Reason::BrokenRecord,
            Reason::Revisit,
            Reason::OtherRecord,
            Reason::HttpStatus,
            Reason::OtherContent,
            Reason::NotLinked,
        ];
        let mut all = Skipped::default();
        for reason in reasons {
            let mut one = Skipped::default();
            one.count(reason);
            assert_eq!(one.to_string(), format!("1 {reason}"));
            all.merge(&one);
        }
        all.merge(&{ all });
        assert_eq!(all.by_reason().iter().map(|(_, n)| n).sum::<u64>(), 2 * reasons.len() as u64);
    }
}
