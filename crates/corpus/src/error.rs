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
    /// A Parquet file that cannot be read.
    #[error("{}: not a Parquet file that can be read", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A Parquet file without the column of the text.
    #[error("{}: expected a column `{column}`, found the columns {}", path.display(), columns.join(", "))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns that it has.
        columns: Vec<String>,
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
    /// A tokenizer that is neither known by its name nor a file.
    #[error("{name} is neither a known tokenizer nor a file; the known tokenizers are: {}", known.join(", "))]
    UnknownTokenizer {
        /// The name.
        name: String,
        /// Names of the tokenizers that the program has.
        known: &'static [&'static str],
    },
    /// A tokenizer file that cannot be used.
    #[error("{}: {problem}", path.display())]
    TokenizerFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: TokenizerProblem,
    },
    /// A file of settings that cannot be understood.
    #[error("{}: not the settings of a corpus", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The manifest of a corpus that cannot be understood.
    #[error("{}: not the manifest of a corpus", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest is not that of a corpus, or of one of another format.
    #[error("{}: not the manifest of a corpus of format {expected}", path.display())]
    ManifestFormat {
        /// The file.
        path: PathBuf,
        /// The format that this program reads.
        expected: u32,
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
    #[error("the tokenizers library failed")]
    Tokenizer(#[source] tokenizers::Error),
    /// GPT-2's published tokens are not a byte-pair vocabulary: never with the tokens as published.
    #[error("GPT-2's token {token} is not a pair of other tokens")]
    Gpt2Token {
        /// Its id.
        token: u32,
    },
    /// The dataset could not be written or opened.
    #[error(transparent)]
    Tokens(#[from] scalelaw_tokens::TokensError),
}

/// Why a `tokenizer.json` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerProblem {
    /// The tokenizers library cannot read it.
    #[error("not a tokenizer.json: {0}")]
    Unreadable(tokenizers::Error),
    /// Its decoder is not byte-level, so the bytes behind a token are unknown.
    #[error("not a byte-level tokenizer: the bytes behind its tokens are unknown")]
    NotByteLevel,
    /// It has no end-of-text token.
    #[error("no end-of-text token: expected {expected} in the vocabulary")]
    NoEndOfText {
        /// The token.
        expected: &'static str,
    },
    /// It has too many tokens.
    #[error("{n_vocab} token ids: expected at most 16,777,216")]
    TooManyTokens {
        /// How many.
        n_vocab: usize,
    },
    /// A token has a character that stands for no byte.
    #[error("token {id} ({token:?}) is not spelt in the byte-level alphabet")]
    Spelling {
        /// Its id.
        id: u32,
        /// The token.
        token: String,
    },
    /// A token stands for too many bytes.
    #[error("token {id} stands for {bytes} bytes: expected at most 65,535")]
    TokenTooLong {
        /// Its id.
        id: u32,
        /// How many.
        bytes: usize,
    },
}

impl CorpusError {
    /// For `map_err`: a [`FileError`] as this error.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let file_error = FileError::new(path, action);
        move |source| file_error(source).into()
    }
}
