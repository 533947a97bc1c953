//! Token datasets: files of token ids in a fixed random order of documents, nested subsets that are
//! prefixes of them, the loader that turns a step number into training sequences, and the fixed
//! held-out windows that every model is tested on.
//!
//! A dataset is a directory:
//!
//! ```text
//! train.bin valid.bin test.bin   token ids, little-endian u16 (u32 when n_vocab > 65,536)
//! token_bytes.bin                bytes of text behind each id, little-endian u16, n_vocab entries
//! manifest.json                  counts and digests of all this; written last: it means "complete"
//! ```
//!
//! Every document is followed by the end-of-text token. Nothing here knows how text becomes tokens.

mod dataset;
mod error;
mod eval;
mod loader;
mod manifest;
mod permutation;
mod tokens;
mod writer;

pub use dataset::Dataset;
pub use error::TokensError;
pub use eval::EvalSet;
pub use loader::Loader;
pub use manifest::{FORMAT_VERSION, Manifest, Source, Split, SplitCounts, Splits};
pub use permutation::Permutation;
pub use tokens::Tokens;
pub use writer::{DatasetWriter, Document, Vocabulary};
