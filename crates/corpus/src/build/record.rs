//! How a dataset was built, as recorded in its manifest.

use super::{BuildOptions, TokenizerChoice};
use crate::read::Skipped;
use scalelaw_tokens::Source;
use serde::{Deserialize, Serialize};

/// Version of everything that decides which tokens come out of the same inputs; part of their digest.
const BUILD_VERSION: u32 = 1;

/// The `build` value of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRecord {
    /// Digest of sources, tokenizer choice and options: equal inputs need no second build.
    pub inputs: String,
    /// The options.
    pub options: BuildOptions,
    /// What was read.
    pub read: Read,
    /// What was left out.
    pub skipped: Skipped,
    /// Documents cut into pieces.
    pub cut: Cut,
    /// Bytes of training text that the tokenizer was trained on; 0 when it was given.
    pub sample_bytes: u64,
}

/// How much text was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Documents, before duplicates were dropped.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// Whether that is all that the sources have.
    pub complete: bool,
}

/// Documents that were too large to be split as they are; their pieces count as documents and may lie in
/// different splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Documents longer than this were cut, in bytes.
    pub longer_than: u64,
    /// How many were.
    pub documents: u64,
    /// Into how many pieces.
    pub pieces: u64,
}

impl BuildRecord {
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a record has only string keys")
    }

    /// The record of a manifest's `build` value, or `None` when another program wrote it.
    pub fn from_json(build: &serde_json::Value) -> Option<Self> {
        serde_json::from_value(build.clone()).ok()
    }
}

/// Identity of what a dataset is built from.
pub(super) fn inputs_digest(
    sources: &[Source],
    tokenizer: &TokenizerChoice<'_>,
    options: &BuildOptions,
) -> String {
    let tokenizer = match tokenizer {
        TokenizerChoice::Train { n_vocab, sample_bytes } => format!("train {n_vocab} {sample_bytes}"),
        TokenizerChoice::Given(tokenizer) => format!("given {}", tokenizer.digest()),
    };
    let inputs = serde_json::json!({
        "version": BUILD_VERSION,
        "sources": sources,
        "tokenizer": tokenizer,
        "options": options,
    });
    blake3::hash(inputs.to_string().as_bytes()).to_hex().to_string()
}
