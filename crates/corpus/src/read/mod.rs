//! Documents from files and folders, one at a time.

mod file;
mod found;
mod json;
mod kind;
mod parquet;
mod skipped;
mod unit;
mod walk;

pub(crate) use found::problem;
pub use found::{Found, LeftOut, RawBody, RawDocument, Reason};
pub use skipped::Skipped;
pub use unit::{Unit, Units, units};

use crate::document::Document;
use crate::error::CorpusError;
use crate::source::DocumentSource;
use scalelaw_links::Links;
use scalelaw_tokens::Source;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

/// Bounds on memory while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// A JSON line longer than this many bytes is skipped and counted.
    pub line_bytes: usize,
    /// A text file longer than this many bytes is cut into several documents, between paragraphs.
    pub file_bytes: usize,
    /// A web page longer than this many bytes, decompressed, is skipped and counted.
    pub page_bytes: usize,
}

impl Default for ReadLimits {
    /// 64 MiB each.
    fn default() -> Self {
        Self { line_bytes: 64 << 20, file_bytes: 64 << 20, page_bytes: 64 << 20 }
    }
}

/// How files are read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Bounds on memory.
    pub limits: ReadLimits,
    /// The key of JSON lines and the column of tables that hold the text.
    pub text_key: String,
    /// If given, only pages that these links lead to are read; texts without an address are not.
    pub wanted: Option<Arc<Links>>,
}

impl Default for ReadOptions {
    /// Everything, from `text`.
    fn default() -> Self {
        Self { limits: ReadLimits::default(), text_key: "text".to_owned(), wanted: None }
    }
}

/// Files and folders, read in sorted order: `.txt .md .rs .py` as one document each, `.html .htm .xhtml` as the main
/// text of a page, `.jsonl` as one per line (key `text`), web archives (`.warc .wet .arc`) as one per page, all of
/// them also with `.gz` or `.zst`; and `.parquet` as one per row (column `text`).
#[derive(Clone, Debug)]
pub struct TextPaths {
    paths: Vec<PathBuf>,
    options: ReadOptions,
}

impl TextPaths {
    /// These files and folders; none is opened before it is read.
    pub fn new(paths: Vec<PathBuf>, limits: ReadLimits) -> Self {
        Self { paths, options: ReadOptions { limits, ..ReadOptions::default() } }
    }
}

impl DocumentSource for TextPaths {
    fn sources(&self) -> Result<Vec<Source>, CorpusError> {
        self.paths.iter().map(|path| walk::describe(path)).collect()
    }

    fn visit(&self, visit: &mut dyn FnMut(Document) -> ControlFlow<()>) -> Result<Skipped, CorpusError> {
        let mut skipped = Skipped::default();
        for path in &self.paths {
            let found = units(std::slice::from_ref(path))?;
            skipped.other_kind += found.other_kind;
            for unit in &found.units {
                if unit.visit_documents(&self.options, &mut skipped, visit)?.is_break() {
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
