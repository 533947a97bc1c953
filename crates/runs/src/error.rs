use scalelaw_files::FileError;
use std::io;
use std::path::PathBuf;

/// What can go wrong with the files of a run; every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file does not say what it must.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// The directory holds another run.
    #[error(
        "{} holds another run (key {found}, expected {expected}): use another output directory",
        path.display()
    )]
    OtherRun {
        /// The run directory.
        path: PathBuf,
        /// Key of the spec found there.
        found: String,
        /// Key of the spec that was to be run.
        expected: String,
    },
}

impl RunError {
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        FileError { path: path.to_owned(), action, source }.into()
    }

    pub(crate) fn content(path: &std::path::Path, problem: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), problem: problem.into() }
    }
}
