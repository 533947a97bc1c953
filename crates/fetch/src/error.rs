//! What can stop a crawl; a link that cannot be fetched does not, it is an [`Outcome`](crate::Outcome).

use scalelaw_files::FileError;
use std::path::PathBuf;

/// A crawl that cannot begin or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file or directory operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting is outside its range.
    #[error("{setting} is {value}: expected {expected}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A file of certificates has none.
    #[error("{}: expected certificates in PEM, found none", path.display())]
    NoCertificates {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds archives that no crawl of ours wrote.
    #[error("{}: not fetched into this folder: {log} is missing", archive.display())]
    ForeignArchive {
        /// An archive in the folder.
        archive: PathBuf,
        /// The log that would be beside it.
        log: &'static str,
    },
    /// A line of the log cannot be understood.
    #[error("{}: line {line} is not a line of a fetch log", path.display())]
    LogLine {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// An archive lacks pages that the log names.
    #[error("{}: missing or shortened: the log names {pages} pages in it", archive.display())]
    LostPages {
        /// The archive.
        archive: PathBuf,
        /// Pages of it in the log.
        pages: usize,
    },
    /// Another process writes into the folder.
    #[error("{}: another process is writing it", path.display())]
    InUse {
        /// The file that it holds.
        path: PathBuf,
    },
}
