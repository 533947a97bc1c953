//! What was left out and why, counted.

use super::found::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// For each counter: what it counts, its name in a manifest, its name in messages, and the reason of the records that
/// it counts.
macro_rules! counters {
    ($($(#[$what:meta])* $field:ident $name:literal $($reason:ident)?,)*) => {
        /// Counts of what was not used, by reason.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Skipped {
            $($(#[$what])* pub $field: u64,)*
        }

        impl Skipped {
            /// Counts one more.
            pub fn count(&mut self, reason: Reason) {
                match reason {
                    $($(Reason::$reason => self.$field += 1,)?)*
                }
            }

            /// Adds the counts of another part of the input.
            pub fn merge(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }

            /// The reasons and counts, in a fixed order, zeros included.
            pub fn by_reason(&self) -> [(&'static str, u64); [$($name),*].len()] {
                [$(($name, self.$field)),*]
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($(Self::$reason => $name,)?)*
                })
            }
        }
    };
}

counters! {
    /// Files whose ending is none of those read (inside folders only).
    other_kind "other kind of file",
    /// Documents with a NUL byte.
    binary "binary" Binary,
    /// Documents that are not UTF-8.
    invalid_utf8 "not UTF-8" InvalidUtf8,
    /// Documents without a character other than white space.
    empty "empty" Empty,
    /// JSON lines that are not a JSON object.
    broken_json "broken JSON" BrokenJson,
    /// JSON lines and rows without a string `text`.
    no_text "no `text`" NoText,
    /// JSON lines longer than the limit.
    too_long "line too long" TooLong,
    /// Pages longer than the limit.
    page_too_long "page too long" PageTooLong,
    /// Pages without a main text.
    no_main_text "page without main text" NoMainText,
    /// Malformed records of archives.
    broken_record "broken record" BrokenRecord,
    /// Records that only say that a page had not changed.
    revisit "unchanged page" Revisit,
    /// Records of archives that are not about a page.
    other_record "other record" OtherRecord,
    /// Answers of servers other than the page.
    http_status "other HTTP status" HttpStatus,
    /// Records that are neither pages nor texts.
    other_content "other content" OtherContent,
    /// Pages that no wanted link leads to.
    not_linked "not linked" NotLinked,
    /// Files that are mostly digits and punctuation (default text only).
    not_prose "mostly digits and punctuation",
    /// Documents with the same text as another.
    duplicate "duplicate",
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
