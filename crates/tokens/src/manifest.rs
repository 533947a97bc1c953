//! `manifest.json`: what is in a dataset and where it came from.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the directory layout that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// One of the three disjoint parts of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What models learn from.
    Train,
    /// What choices are made on.
    Valid,
    /// What losses are reported on.
    Test,
}

impl Split {
    /// All splits, in the order of the manifest.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// The split's name, also the stem of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// Name of the split's token file.
    pub fn file_name(self) -> String {
        format!("{}.bin", self.name())
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one split holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// Documents, each followed by one end-of-text token.
    pub documents: u64,
    /// Bytes of their text in UTF-8.
    pub bytes: u64,
    /// Words of their text, as `wc -w` counts them.
    pub words: u64,
    /// Tokens, end-of-text tokens included.
    pub tokens: u64,
    /// blake3 of the token file, in hex.
    pub blake3: String,
}

/// The counts of the three splits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// Training documents.
    pub train: SplitCounts,
    /// Validation documents.
    pub valid: SplitCounts,
    /// Test documents.
    pub test: SplitCounts,
}

impl Splits {
    /// The counts of one split.
    pub fn get(&self, split: Split) -> &SplitCounts {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    pub(crate) fn get_mut(&mut self, split: Split) -> &mut SplitCounts {
        match split {
            Split::Train => &mut self.train,
            Split::Valid => &mut self.valid,
            Split::Test => &mut self.test,
        }
    }
}

/// One input that the text came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name, without the directories that differ between machines.
    pub name: String,
    /// Bytes read from it.
    pub bytes: u64,
    /// Digest of those bytes, prefixed by its kind (`blake3:…`, `sha256:…`).
    pub digest: String,
}

/// The manifest of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// Size of the vocabulary.
    pub n_vocab: u32,
    /// The token after every document.
    pub end_of_text: u32,
    /// blake3 of the tokenizer's file, in hex.
    pub tokenizer_blake3: String,
    /// blake3 of `token_bytes.bin`, in hex.
    pub token_bytes_blake3: String,
    /// The splits.
    pub splits: Splits,
    /// Where the text came from.
    pub sources: Vec<Source>,
    /// The builder's own record: its options, what it read, what it skipped and why.
    pub build: serde_json::Value,
}

impl Manifest {
    /// Identity of the dataset for a run key: its tokenizer and its tokens, not where they came from.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"scalelaw dataset\0");
        hasher.update(&self.format.to_le_bytes());
        hasher.update(&self.n_vocab.to_le_bytes());
        hasher.update(&self.end_of_text.to_le_bytes());
        hasher.update(self.tokenizer_blake3.as_bytes());
        for split in Split::ALL {
            hasher.update(self.splits.get(split).blake3.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}
