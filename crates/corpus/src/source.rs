//! Where documents come from.

use crate::document::Document;
use crate::error::CorpusError;
use crate::read::Skipped;
use scalelaw_tokens::Source;
use std::ops::ControlFlow;

/// Something that yields documents, the same ones in the same order each time.
pub trait DocumentSource {
    /// What the documents are read from, with digests: equal answers mean equal documents.
    ///
    /// # Errors
    /// Names the file that is missing or unreadable.
    fn sources(&self) -> Result<Vec<Source>, CorpusError>;

    /// Calls `visit` with each document until there are no more or it breaks; returns what was left out.
    ///
    /// # Errors
    /// Names the file that is missing, unreadable or broken.
    fn visit(&self, visit: &mut dyn FnMut(Document) -> ControlFlow<()>) -> Result<Skipped, CorpusError>;
}
