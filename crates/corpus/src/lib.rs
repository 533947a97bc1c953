//! Text for language models: documents from files, tokenizers, and datasets built from both.
//!
//! ```text
//! paths, crates or a synthetic language ─▶ documents ─▶ deduplicated, in hash order, split ─▶ tokens
//! ```

mod build;
mod dataset;
mod dedup;
pub mod default_text;
mod document;
mod error;
mod filter;
mod pipeline;
mod read;
mod source;
mod split;
mod synthetic;
mod tokenizer;

pub use build::{BuildOptions, BuildRecord, Built, Cut, Read, TokenizerChoice, build_dataset};
pub use dataset::TOKENIZER_FILE;
pub use dedup::NearDuplicates;
pub use default_text::{CrateSources, NoDefaultText, cargo_sources};
pub use document::{Document, Origin, count_words};
pub use error::{CorpusError, TokenizerProblem};
pub use filter::{Broken, FilterSettings, UnknownRules};
pub use pipeline::{
    CORPUS_FORMAT, CORPUS_MANIFEST, CORPUS_TOKENS, CorpusBuild, CorpusCounts, CorpusManifest, CorpusSettings,
    DocumentFile, DocumentFormat, Dropped, DuplicateCounts, EvalSettings, EvalSummary, HeldOutLeaks,
    InputSettings, LeakCounts, LeakSettings, LinkSettings, LinkSummary, OutputSettings, ReadCounts, Sample,
    Subset, TokenizerSettings, build_corpus, open_tokens, write_subset,
};
pub use read::{
    Found, LeftOut, RawBody, RawDocument, ReadLimits, ReadOptions, Reason, Skipped, TextPaths, Unit, Units,
    read_paths, units,
};
pub use source::DocumentSource;
pub use split::SplitFractions;
pub use synthetic::{Floor, Language, SyntheticText, true_floor};
pub use tokenizer::{END_OF_TEXT, Encoding, Tokenizer, TrainedOnFiles};
