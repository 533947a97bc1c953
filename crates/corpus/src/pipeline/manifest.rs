//! What a finished corpus says about itself.

use super::read::{Dropped, ReadCounts, Sample};
use super::settings::CorpusSettings;
use crate::error::CorpusError;
use scalelaw_tokens::{Source, Split};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Version of the folder's layout.
pub const CORPUS_FORMAT: u32 = 2;
/// Name of the manifest; its presence means that the corpus is complete.
pub const CORPUS_MANIFEST: &str = "manifest.json";

/// The manifest of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpusManifest {
    /// [`CORPUS_FORMAT`].
    pub format: u32,
    /// Digest of the settings and of what was read.
    pub inputs: String,
    /// The settings.
    pub settings: CorpusSettings,
    /// What was read.
    pub sources: Vec<Source>,
    /// From records to the documents that pass the filter.
    pub read: ReadCounts,
    /// From these to documents without duplicates.
    pub duplicates: DuplicateCounts,
    /// What training and held-out documents share.
    pub leaks: LeakCounts,
    /// Links, when only the pages of links were wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkSummary>,
    /// What came out, by split: `train`, `valid`, `test`.
    pub splits: [CorpusCounts; 3],
    /// Files of documents.
    pub files: Vec<DocumentFile>,
    /// Digest of the token dataset in `tokens/`.
    pub dataset: String,
    /// Further held-out sets, each a dataset in `eval/<name>/`.
    pub evals: Vec<EvalSummary>,
}

/// Duplicates that were dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DuplicateCounts {
    /// Documents with the same text as another.
    pub exact: u64,
    /// Near-duplicates of a document that was kept.
    pub near: Dropped,
    /// Pairs of documents that were compared word by word.
    pub compared: u64,
}

/// What the leak check found; runs are counted once a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakCounts {
    /// Share of all runs that were checked.
    pub looked_at: f64,
    /// Training documents with a run that a held-out document has.
    pub train_documents: u64,
    /// Of these, dropped.
    pub dropped: Dropped,
    /// Those with the largest shares that were kept.
    pub worst: Vec<Sample>,
    /// The validation split.
    pub valid: HeldOutLeaks,
    /// The test split.
    pub test: HeldOutLeaks,
}

/// How much of a held-out set also occurs in training documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOutLeaks {
    /// Documents.
    pub documents: u64,
    /// Documents of which more than a tenth of the runs also occur in the training documents that were kept.
    pub documents_above_tenth: u64,
    /// Runs of words.
    pub runs: u64,
    /// Runs that also occur in the training documents that were kept.
    pub runs_in_train: u64,
    /// Training documents with one of its runs, including those dropped for it.
    pub train_documents: u64,
}

/// Links and their pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSummary {
    /// Links that are wanted.
    pub wanted: u64,
    /// Of these, links without a page in the input: they are listed in `links-missing.jsonl`.
    pub missing: u64,
}

/// A count of what a split, a file or a set holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusCounts {
    /// Documents.
    pub documents: u64,
    /// Bytes of their text in UTF-8.
    pub bytes: u64,
    /// Words as `wc -w` counts them.
    pub words: u64,
    /// Tokens, without the end-of-text token after each document.
    pub tokens: u64,
}

impl CorpusCounts {
    /// WebText2.
    ///
    /// # Source
    /// Kaplan et al. 2020 (arXiv 2001.08361), section 2.3.
    pub const WEBTEXT2: Self =
        Self { documents: 20_300_000, bytes: 96_000_000_000, words: 16_200_000_000, tokens: 22_900_000_000 };

    /// The sum of two counts.
    pub fn plus(self, other: Self) -> Self {
        Self {
            documents: self.documents + other.documents,
            bytes: self.bytes + other.bytes,
            words: self.words + other.words,
            tokens: self.tokens + other.tokens,
        }
    }
}

/// A file of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFile {
    /// Its path from the corpus folder.
    pub path: String,
    /// Its split.
    pub split: Split,
    /// Documents in it.
    pub documents: u64,
    /// Its size.
    pub bytes: u64,
    /// blake3 of the file, in hex.
    pub blake3: String,
}

/// A further held-out set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvalSummary {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub counts: CorpusCounts,
    /// Digest of its dataset.
    pub dataset: String,
    /// How much of it also occurs in training documents.
    pub leaks: HeldOutLeaks,
}

impl CorpusManifest {
    /// The manifest of a finished corpus.
    ///
    /// # Errors
    /// [`CorpusError::NotACorpus`] when there is none in the folder; also one of another format.
    pub fn open(dir: &Path) -> Result<Self, CorpusError> {
        let path = dir.join(CORPUS_MANIFEST);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CorpusError::NotACorpus { dir: dir.to_path_buf() });
            }
            text => text.map_err(CorpusError::io(&path, "read"))?,
        };
        let bad = |source| CorpusError::Manifest { path: path.clone(), source };
        let any: serde_json::Value = serde_json::from_slice(&text).map_err(bad)?;
        if any["format"] != CORPUS_FORMAT || any.get("settings").is_none() {
            return Err(CorpusError::ManifestFormat { path, expected: CORPUS_FORMAT });
        }
        serde_json::from_value(any).map_err(bad)
    }

    /// All splits together.
    pub fn total(&self) -> CorpusCounts {
        self.splits.iter().fold(CorpusCounts::default(), |sum, split| sum.plus(*split))
    }
}
