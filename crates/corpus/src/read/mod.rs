//! Documents from files and folders, one at a time.

mod file;
mod kind;
mod lines;
mod skipped;
mod walk;

pub use file::ReadLimits;
pub(crate) use file::offer;
pub use skipped::Skipped;

use crate::document::Document;
use crate::error::CorpusError;
use crate::source::DocumentSource;
use scalelaw_tokens::Source;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Text files and folders, read in sorted order: `.txt .md .rs .py .html` as one document each, `.jsonl` as
/// one a line (key `text`), all of them also with `.gz` or `.zst`.
#[derive(Clone, Debug)]
pub struct TextPaths {
    paths: Vec<PathBuf>,
    limits: ReadLimits,
}

impl TextPaths {
    /// These files and folders; none is touched before it is read.
    pub fn new(paths: Vec<PathBuf>, limits: ReadLimits) -> Self {
        Self { paths, limits }
    }
}

impl DocumentSource for TextPaths {
    fn sources(&self) -> Result<Vec<Source>, CorpusError> {
        self.paths.iter().map(|path| walk::describe(path)).collect()
    }

    fn visit(&self, visit: &mut dyn FnMut(Document) -> ControlFlow<()>) -> Result<Skipped, CorpusError> {
        let mut skipped = Skipped::default();
        for path in &self.paths {
            let found = walk::files(path)?;
            skipped.other_kind += found.other_kind;
            for file in &found.files {
                let flow = file::visit(&file.path, file.kind, &self.limits, &mut skipped, visit)?;
                if flow.is_break() {
                    return Ok(skipped);
                }
            }
        }
        Ok(skipped)
    }
}

/// Reads documents from files and folders; see [`TextPaths`].
///
/// # Errors
/// Names the path that is missing, unreadable or not of a kind that is read.
pub fn read_paths(
    paths: &[PathBuf],
    limits: ReadLimits,
    visit: &mut dyn FnMut(Document) -> ControlFlow<()>,
) -> Result<Skipped, CorpusError> {
    TextPaths::new(paths.to_vec(), limits).visit(visit)
}
