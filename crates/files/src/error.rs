//! The one error of every file operation.

use std::io;
use std::path::{Path, PathBuf};

/// A file or directory operation that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot {action}", path.display())]
pub struct FileError {
    /// The file or directory.
    pub path: PathBuf,
    /// What was tried, as a verb: "read", "create".
    pub action: &'static str,
    /// The system's reason.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Names the file and the action that an [`io::Error`] belongs to; made for `map_err`.
    pub fn new(path: &Path, action: &'static str) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self { path: path.clone(), action, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_error_names_the_file_and_the_action() {
        let path = Path::new("/nowhere/at/all");
        let error = std::fs::read(path).map_err(FileError::new(path, "read")).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/at/all: cannot read");
    }
}
