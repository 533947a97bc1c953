//! Text for language models: documents from files, tokenizers, and datasets built from both.
//!
//! ```text
//! paths, crates or a synthetic language ─▶ documents ─▶ deduplicated, in hash order, split ─▶ tokens
//! ```

mod build;
pub mod default_text;
mod document;
mod error;
mod filter;
mod read;
mod source;
mod split;
mod synthetic;
mod tokenizer;

pub use build::{
    BuildOptions, BuildRecord, Built, Cut, Read, TOKENIZER_FILE, TokenizerChoice, build_dataset,
};
pub use default_text::{CrateSources, NoDefaultText, cargo_sources};
pub use document::{Document, count_words};
pub use error::CorpusError;
pub use filter::{Broken, FilterSettings, UnknownRules};
pub use read::{ReadLimits, Skipped, TextPaths, read_paths};
pub use source::DocumentSource;
pub use split::SplitFractions;
pub use synthetic::{Floor, Language, SyntheticText, true_floor};
pub use tokenizer::{END_OF_TEXT, Tokenizer};
