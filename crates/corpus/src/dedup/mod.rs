//! Near-duplicates: candidates by MinHash and bands, decided by the words that two documents have in common.
//!
//! Exact duplicates meet wherever documents are sorted by their digests.

mod alignment;
mod minhash;
mod terms;

pub(crate) use alignment::{most_same_words, same_words};
pub use minhash::NearDuplicates;
pub(crate) use minhash::{MinHash, Scratch};
pub(crate) use terms::{ngram_hashes, terms};
