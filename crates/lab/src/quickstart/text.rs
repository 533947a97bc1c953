//! The text of a quickstart: given, found or made.

use super::ladder::N_VOCAB;
use scalelaw_core::Observer;
use scalelaw_core::number::short;
use scalelaw_corpus::{
    BuildOptions, BuildRecord, CorpusError, CrateSources, DocumentSource, Language, ReadLimits,
    SplitFractions, SyntheticText, TextPaths, TokenizerChoice, build_dataset,
};
use scalelaw_experiment::Facts;
use scalelaw_tokens::{Dataset, Split};
use std::path::{Path, PathBuf};

/// Seed of the synthetic language.
const LANGUAGE_SEED: u64 = 0;
/// Training tokens per second of one core: about what a full run sees, twice over.
const MOST_TOKENS_PER_SECOND: f64 = 15_000.0;
/// Text that the tokenizer learns from.
const TOKENIZER_SAMPLE: u64 = 8 << 20;
/// More text than a token of the synthetic language stands for, so that it never runs out.
const SYNTHETIC_BYTES_PER_TOKEN: u64 = 6;
/// Held-out tokens of each kind, more than an evaluation uses.
const EVAL_TOKENS: u64 = 1 << 18;

/// Where the text comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Files and folders.
    Paths(Vec<PathBuf>),
    /// The sources of crates that a program was built with.
    Crates(CrateSources),
    /// A language whose entropy is known.
    Synthetic(Box<Language>),
}

impl Origin {
    /// The synthetic language of every quickstart.
    pub fn synthetic() -> Self {
        Self::Synthetic(Box::new(Language::new(LANGUAGE_SEED)))
    }

    /// A name for people.
    pub fn name(&self) -> String {
        match self {
            Self::Paths(paths) => {
                let names: Vec<String> = paths
                    .iter()
                    .map(|p| p.file_name().unwrap_or(p.as_os_str()).to_string_lossy().into_owned())
                    .collect();
                names.join(" + ")
            }
            Self::Crates(_) => "Rust crates".into(),
            Self::Synthetic(_) => "a synthetic language".into(),
        }
    }

    fn source(&self, tokens: u64) -> Box<dyn DocumentSource + '_> {
        match self {
            Self::Paths(paths) => Box::new(TextPaths::new(paths.clone(), ReadLimits::default())),
            Self::Crates(sources) => Box::new(sources.clone()),
            Self::Synthetic(language) => {
                let bytes = tokens.saturating_mul(SYNTHETIC_BYTES_PER_TOKEN);
                Box::new(SyntheticText::new(language.as_ref().clone(), bytes))
            }
        }
    }

    /// Builds the dataset in `dir`, or opens the one that was built there from the same text.
    ///
    /// # Errors
    /// When the text cannot be read or is too little.
    pub(super) fn dataset(
        &self,
        dir: &Path,
        core_seconds: f64,
        observer: &dyn Observer,
    ) -> Result<Dataset, CorpusError> {
        let max_train_tokens = (core_seconds * MOST_TOKENS_PER_SECOND) as u64;
        let options = BuildOptions {
            split: SplitFractions::default(),
            max_train_tokens,
            max_eval_tokens: EVAL_TOKENS,
            ..BuildOptions::default()
        };
        let tokenizer = TokenizerChoice::Train { n_vocab: N_VOCAB, sample_bytes: TOKENIZER_SAMPLE };
        let (dataset, _) =
            build_dataset(self.source(max_train_tokens).as_ref(), tokenizer, &options, dir, observer)?;
        Ok(dataset)
    }
}

/// What the ladder must know of a dataset.
pub fn describe(name: &str, data: &Dataset) -> Facts {
    Facts {
        name: name.to_owned(),
        digest: data.digest(),
        n_vocab: data.manifest().n_vocab,
        train_tokens: data.train().len(),
        test_tokens: data.tokens(Split::Test).len(),
        evals: vec![],
    }
}

/// Counts and choices for a person: each with its name.
pub fn facts(data: &Dataset) -> Vec<(String, String)> {
    let manifest = data.manifest();
    let mut facts = Vec::new();
    for split in Split::ALL {
        let counts = manifest.splits.get(split);
        let text = format!(
            "{} documents, {} bytes, {} words, {} tokens",
            counts.documents,
            short(counts.bytes as f64),
            short(counts.words as f64),
            short(counts.tokens as f64)
        );
        facts.push((split.name().to_owned(), text));
    }
    let train = manifest.splits.get(Split::Train);
    facts.push((
        "tokenizer".into(),
        format!(
            "byte-level BPE, {} entries, {:.2} bytes per token",
            manifest.n_vocab,
            train.bytes as f64 / train.tokens.max(1) as f64
        ),
    ));
    if let Some(record) = BuildRecord::from_json(&manifest.build) {
        let all = if record.read.complete { "all of the source" } else { "as much as the budget can use" };
        facts.push((
            "read".into(),
            format!("{} documents, {} bytes: {all}", record.read.documents, short(record.read.bytes as f64)),
        ));
        facts.push(("skipped".into(), record.skipped.to_string()));
        if record.cut.documents > 0 {
            facts.push((
                "cut".into(),
                format!(
                    "{} documents longer than {} bytes into {} pieces, which count as documents",
                    record.cut.documents, record.cut.longer_than, record.cut.pieces
                ),
            ));
        }
    }
    facts
}
