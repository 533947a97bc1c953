//! What can go wrong with a dataset on disk; every message names the file.

use scalelaw_files::FileError;
use std::path::PathBuf;

/// An error of a token dataset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no finished dataset here.
    #[error("{} is not a dataset (no manifest.json)", dir.display())]
    NoManifest {
        /// The directory.
        dir: PathBuf,
    },
    /// The manifest is not what this program writes.
    #[error("{}: not a dataset manifest", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Where it fails, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest contradicts itself or is of another format.
    #[error("{}: `{key}` is {found}, expected {expected}", path.display())]
    ManifestValue {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it should have been.
        expected: String,
    },
    /// A file has another size than its manifest says.
    #[error("{}: {found} bytes, but the manifest says {expected}: the dataset is damaged", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A file has other contents than its manifest says.
    #[error("{}: blake3 {found}, but the manifest says {expected}: the dataset is damaged", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// Digest by the manifest.
        expected: String,
        /// Digest found.
        found: String,
    },
    /// A token id that the vocabulary does not have.
    #[error("token {token} is outside the vocabulary of {n_vocab}")]
    TokenOutOfRange {
        /// The id.
        token: u32,
        /// Size of the vocabulary.
        n_vocab: u32,
    },
    /// A vocabulary that cannot be written.
    #[error(
        "a vocabulary of {n_vocab} with end-of-text token {end_of_text}: expected at least 2 and an id inside it"
    )]
    Vocabulary {
        /// Its size.
        n_vocab: usize,
        /// Its end-of-text token.
        end_of_text: u32,
    },
    /// Fewer tokens than one window, or than were asked for.
    #[error("{what} has {available} tokens, needs at least {needed}: use more text or a shorter context")]
    TooFewTokens {
        /// The split or subset.
        what: String,
        /// Tokens there are.
        available: u64,
        /// Tokens needed.
        needed: u64,
    },
}
