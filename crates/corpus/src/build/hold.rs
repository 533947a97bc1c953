//! The documents held in memory: those first in hash order, each text once.

use super::record::Cut;
use crate::document::Document;
use crate::split::{SplitFractions, pieces};
use std::collections::BTreeMap;

/// A document is cut when it is longer than this share of a held-out split …
const LARGEST_SHARE: f64 = 0.25;
/// … into pieces of this share at most, so that a split has about sixteen of them or more.
const PIECE_SHARE: f64 = 1.0 / 16.0;
/// Shorter documents are never cut, in bytes.
const SHORTEST_CUT: f64 = 4096.0;

/// Texts by digest, as far as a number of bytes holds them.
///
/// Its final contents depend on the documents offered, not on their order: it always keeps the smallest digests,
/// so what fits is an unbiased sample.
pub(super) struct Held {
    texts: BTreeMap<[u8; 32], String>,
    bytes: u64,
    max_bytes: u64,
    duplicates: u64,
}

impl Held {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { texts: BTreeMap::new(), bytes: 0, max_bytes, duplicates: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Exact duplicates of documents that were held when they were offered.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    pub(super) fn offer(&mut self, document: Document) {
        let id = document.id();
        let full = self.bytes >= self.max_bytes;
        if full && self.texts.last_key_value().is_some_and(|(last, _)| id > *last) {
            return;
        }
        if self.texts.contains_key(&id) {
            self.duplicates += 1;
            return;
        }
        self.bytes += document.text.len() as u64;
        self.texts.insert(id, document.text);
        // Drop the last while the others are enough.
        while let Some(last) = self.texts.last_entry() {
            let without = self.bytes - last.get().len() as u64;
            if without < self.max_bytes || self.texts.len() == 1 {
                break;
            }
            self.texts.pop_last();
            self.bytes = without;
        }
    }

    /// The documents in hash order, the largest cut into pieces: a document longer than a quarter of a
    /// held-out split, which has `max_eval_bytes` at most where there is nothing else, would make that split a
    /// matter of luck (a corpus may be one file).
    pub(super) fn cut(
        self,
        fractions: &SplitFractions,
        max_eval_bytes: u64,
    ) -> (BTreeMap<[u8; 32], String>, Cut) {
        let held_out = if *fractions == SplitFractions::EVALUATION {
            self.bytes.min(max_eval_bytes) as f64
        } else {
            self.bytes as f64 * fractions.valid.min(fractions.test)
        };
        let longest = (held_out * LARGEST_SHARE).max(SHORTEST_CUT);
        let piece_bytes = (longest * PIECE_SHARE / LARGEST_SHARE) as usize;
        let mut cut = Cut { longer_than: longest as u64, documents: 0, pieces: 0 };
        let mut texts = BTreeMap::new();
        for (id, text) in self.texts {
            if text.len() as f64 <= longest {
                texts.insert(id, text);
                continue;
            }
            cut.documents += 1;
            for piece in pieces(&text, piece_bytes) {
                let piece = Document::new(piece.to_string());
                cut.pieces += 1;
                texts.insert(piece.id(), piece.text);
            }
        }
        (texts, cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hold(texts: &[String], max_bytes: u64) -> Held {
        let mut held = Held::new(max_bytes);
        texts.iter().for_each(|text| held.offer(Document::new(text.clone())));
        held
    }

    proptest! {
        #[test]
        fn held_documents_do_not_depend_on_order(
            (texts, shuffled) in prop::collection::vec("[ab]{1,9}", 1..40)
                .prop_flat_map(|texts| (Just(texts.clone()), Just(texts).prop_shuffle())),
            max_bytes in 1u64..200,
        ) {
            let (held, other) = (hold(&texts, max_bytes), hold(&shuffled, max_bytes));
            prop_assert_eq!(&held.texts, &other.texts);
            let unique: std::collections::BTreeSet<_> = texts.iter().collect();
            let all: u64 = unique.iter().map(|t| t.len() as u64).sum();
            prop_assert!(held.bytes >= max_bytes.min(all));
            // A prefix of the hash order, and not a document more than is needed.
            let everything = hold(&texts, u64::MAX);
            prop_assert!(everything.texts.iter().zip(&held.texts).all(|(a, b)| a == b));
            let last = held.texts.last_key_value().unwrap().1.len() as u64;
            prop_assert!(held.texts.len() == 1 || held.bytes - last < max_bytes);
        }
    }

    #[test]
    fn held_duplicates_are_counted_once_each() {
        let texts = ["a", "b", "a", "a"].map(String::from);
        let held = hold(&texts, u64::MAX);
        assert_eq!((held.texts.len(), held.duplicates()), (2, 2));
    }

    #[test]
    fn cut_splits_only_the_documents_that_are_too_large() {
        let large = "a line of text\n\n".repeat(5000);
        let small = "small".repeat(10);
        let (texts, cut) =
            hold(&[large.clone(), small.clone()], u64::MAX).cut(&SplitFractions::default(), u64::MAX);
        assert_eq!(cut.documents, 1);
        assert_eq!(cut.longer_than, 4096);
        assert_eq!(cut.pieces, 80_000u64.div_ceil(1024));
        assert!(texts.values().any(|text| *text == small));
        assert!(texts.values().all(|text| text.len() <= 1024));
    }
}
