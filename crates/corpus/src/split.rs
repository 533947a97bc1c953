//! Which split a document belongs to, and the cutting of documents too large to be split.

use crate::error::CorpusError;
use scalelaw_tokens::Split;
use serde::{Deserialize, Serialize};

/// Shares of the documents that are held out; the rest is for training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFractions {
    /// Share of validation documents.
    pub valid: f64,
    /// Share of test documents.
    pub test: f64,
}

impl Default for SplitFractions {
    /// 90% / 5% / 5%.
    fn default() -> Self {
        Self { valid: 0.05, test: 0.05 }
    }
}

impl SplitFractions {
    /// Everything is test text: a set for evaluation only.
    pub const EVALUATION: Self = Self { valid: 0.0, test: 1.0 };

    /// Checks that all three splits get a share, or that everything is [`Self::EVALUATION`].
    ///
    /// # Errors
    /// When a share is not positive or they leave nothing to train on.
    pub fn validate(&self) -> Result<(), CorpusError> {
        if *self == Self::EVALUATION {
            return Ok(());
        }
        for (option, value) in [("split fraction `valid`", self.valid), ("split fraction `test`", self.test)]
        {
            if !(value > 0.0 && self.valid + self.test < 1.0) {
                return Err(CorpusError::Option {
                    option,
                    value: value.to_string(),
                    expected: "above 0, and valid + test below 1",
                });
            }
        }
        Ok(())
    }

    /// Share of the documents that a split has.
    pub fn share(&self, split: Split) -> f64 {
        match split {
            Split::Train => 1.0 - self.valid - self.test,
            Split::Valid => self.valid,
            Split::Test => self.test,
        }
    }

    /// The split of the document with this identity, independent of all other documents.
    ///
    /// It reads the last eight bytes of the digest, the order of documents the first ones: the two are
    /// independent.
    pub fn split_of(&self, id: &[u8; 32]) -> Split {
        let last = id.last_chunk::<8>().expect("32 bytes have a last chunk of 8");
        let uniform = scalelaw_random::unit_of(u64::from_le_bytes(*last));
        if uniform < self.test {
            Split::Test
        } else if uniform < self.test + self.valid {
            Split::Valid
        } else {
            Split::Train
        }
    }
}

/// Where to cut a text longer than `limit` bytes: at most there, and in the latter half after a blank line,
/// else after a line end, else after a space, else between two characters.
pub(crate) fn cut_at(text: &str, limit: usize) -> usize {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == text.len() {
        return end;
    }
    let head = &text.as_bytes()[..end];
    let after = |what: &[u8]| {
        let from = end / 2;
        head[from..].windows(what.len()).rposition(|window| window == what).map(|at| from + at + what.len())
    };
    let cut = after(b"\n\n").or_else(|| after(b"\n")).or_else(|| after(b" ")).unwrap_or(end);
    // A limit shorter than one character would cut nothing off, for ever.
    if cut == 0 { text.chars().next().map_or(0, char::len_utf8) } else { cut }
}

/// The pieces of a text, none longer than `limit` bytes.
pub(crate) fn pieces(mut text: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(cut_at(text, limit));
        pieces.push(piece);
        text = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_of_any_text_are_short_and_whole(text in "[a-cé\u{1F600} \n]{0,200}", limit in 4usize..50) {
            let pieces = pieces(&text, limit);
            prop_assert_eq!(pieces.concat(), &*text);
            prop_assert!(pieces.iter().all(|p| !p.is_empty() && p.len() <= limit));
        }
    }

    #[test]
    fn cut_at_prefers_paragraphs_then_lines_then_words() {
        assert_eq!(cut_at("aaaaaa\n\nbb\ncc dd", 12), 8);
        assert_eq!(cut_at("aaaaaa\nbb cc dd", 12), 7);
        assert_eq!(cut_at("aaaaaa bbb ccccc", 12), 11);
        assert_eq!(cut_at("aaaaaaaaaaaaaaaa", 12), 12);
        assert_eq!(cut_at("ééé", 3), 2);
        assert_eq!(cut_at("short", 12), 5);
    }

    #[test]
    fn split_of_many_documents_follows_the_fractions() {
        let fractions = SplitFractions { valid: 0.1, test: 0.2 };
        let mut counts = [0u32; 3];
        for i in 0u32..20_000 {
            counts[fractions.split_of(&blake3::hash(&i.to_le_bytes()).into()) as usize] += 1;
        }
        // Three standard deviations are about 170.
        for (count, expected) in counts.into_iter().zip([14_000u32, 2000, 4000]) {
            assert!(count.abs_diff(expected) < 170, "{counts:?}");
        }
    }

    #[test]
    fn fractions_without_a_share_for_every_split_are_refused() {
        for (valid, test) in [(0.0, 0.1), (0.1, 0.0), (0.5, 0.5), (f64::NAN, 0.1), (-0.1, 0.1)] {
            assert!(SplitFractions { valid, test }.validate().is_err(), "{valid} {test}");
        }
        SplitFractions::default().validate().unwrap();
    }
}
