//! What can go wrong while writing a report.

use std::path::PathBuf;

/// Why a report or a figure could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A picture of no pixels, or of more than memory holds, was asked for.
    #[error("cannot make a picture of {width} x {height} pixels; ask for a width between 1 and 20000")]
    PictureSize {
        /// Width asked for.
        width: u32,
        /// Height that follows from it.
        height: u32,
    },
    /// The PNG encoder refused the picture.
    #[error("cannot encode the picture as PNG: {reason}")]
    PictureEncoding {
        /// The encoder's words.
        reason: String,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}
