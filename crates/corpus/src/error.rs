//! What can go wrong with text; every message names the file or the setting.

use scalelaw_files::FileError;
use std::path::{Path, PathBuf};

/// An error of reading text, making a tokenizer or building a dataset.
///
/// A document that cannot be used is not an error: it is skipped and counted in [`crate::Skipped`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// The operating system refused, or a compressed file is broken.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file named by the user of a kind that is not text.
    #[error("{}: not a kind of text that can be read: expected a folder or a file ending in {expected}", path.display())]
    UnknownKind {
        /// The file.
        path: PathBuf,
        /// The endings that are read.
        expected: String,
    },
    /// A file that is not a web archive, or cannot be decompressed to its end.
    #[error("{}: cannot read the archive", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: scalelaw_archive::ArchiveError,
    },
    /// Links that cannot be read.
    #[error(transparent)]
    Links(#[from] scalelaw_links::LinksError),
    /// A Parquet file that cannot be used.
    #[error("{}: not a Parquet file that can be read: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// Too little text for what was asked.
    #[error("{what}: found {found}, needs at least {needed}")]
    TooLittleText {
        /// What is missing.
        what: &'static str,
        /// How much there is, with its unit.
        found: String,
        /// How much is needed, with its unit.
        needed: String,
    },
    /// An option outside its range.
    #[error("{option} is {value}: expected {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A tokenizer file that cannot be used.
    #[error("{}: {reason}", path.display())]
    TokenizerFile {
        /// The file.
        path: PathBuf,
        /// Why not, and what would do.
        reason: String,
    },
    /// A file of settings, or a manifest, that is not as it should be.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where there are any.
        reason: String,
    },
    /// The folder holds no finished corpus.
    #[error("{} is not a corpus (no {})", dir.display(), crate::CORPUS_MANIFEST)]
    NotACorpus {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds another corpus.
    #[error("{}: holds a corpus, or part of one, of other inputs or settings", dir.display())]
    OtherCorpus {
        /// The folder.
        dir: PathBuf,
    },
    /// A file of an unfinished build is damaged; without it, the build makes it again.
    #[error("{}: damaged", path.display())]
    DamagedWork {
        /// The file.
        path: PathBuf,
    },
    /// The tokenizers library failed where it never should.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
    /// The dataset could not be written or opened.
    #[error(transparent)]
    Tokens(#[from] scalelaw_tokens::TokensError),
}

impl CorpusError {
    /// For `map_err`: a [`FileError`] as this error.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let file_error = FileError::new(path, action);
        move |source| file_error(source).into()
    }
}
