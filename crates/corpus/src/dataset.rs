//! The one writer of token datasets: documents become tokens of one tokenizer, which is stored beside them.

use crate::document::count_words;
use crate::error::CorpusError;
use crate::tokenizer::Tokenizer;
use scalelaw_core::Observer;
use scalelaw_core::observer::Progress;
use scalelaw_files::write_atomically;
use scalelaw_tokens::{Dataset, DatasetWriter, Document, Source, Split};
use std::path::{Path, PathBuf};

/// Name of the tokenizer's file in a dataset's directory.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// Trains a tokenizer on a sample.
pub(crate) fn train_tokenizer(
    sample: &[&str],
    n_vocab: u32,
    observer: &dyn Observer,
) -> Result<Tokenizer, CorpusError> {
    let total = sample.iter().map(|text| text.len() as u64).sum();
    let stage = |done| Progress::Stage { name: "training the tokenizer", done, total, unit: "bytes" };
    observer.progress(stage(0));
    let tokenizer = Tokenizer::train(sample, n_vocab)?;
    observer.progress(stage(total));
    Ok(tokenizer)
}

/// The error of a split without documents.
pub(crate) fn empty_split(split: Split, documents: u64) -> CorpusError {
    CorpusError::TooLittleText {
        what: "documents for training, validation and test",
        found: format!("{documents} in all and none for {split}"),
        needed: "about 100 in all".into(),
    }
}

/// A dataset being written; complete once [`finish`](Self::finish) returns, absent before.
pub(crate) struct TokenWriter<'t> {
    dir: PathBuf,
    tokenizer: &'t Tokenizer,
    writer: DatasetWriter,
}

impl<'t> TokenWriter<'t> {
    pub(crate) fn create(dir: &Path, tokenizer: &'t Tokenizer) -> Result<Self, CorpusError> {
        let writer = DatasetWriter::create(dir, tokenizer.vocabulary())?;
        Ok(Self { dir: dir.to_path_buf(), tokenizer, writer })
    }

    pub(crate) fn tokenizer(&self) -> &'t Tokenizer {
        self.tokenizer
    }

    /// Tokens written to a split so far.
    pub(crate) fn n_tokens(&self, split: Split) -> u64 {
        self.writer.n_tokens(split)
    }

    /// Encodes documents in parallel and appends them, until the split has `max_tokens`.
    pub(crate) fn push_texts(
        &mut self,
        split: Split,
        texts: &[&str],
        max_tokens: u64,
    ) -> Result<(), CorpusError> {
        for (text, tokens) in texts.iter().zip(self.tokenizer.encode_all(texts)?) {
            if self.n_tokens(split) >= max_tokens {
                break;
            }
            let (bytes, words) = (text.len() as u64, count_words(text));
            self.push(split, Document { tokens: &tokens, bytes, words })?;
        }
        Ok(())
    }

    /// Appends a document whose tokens are known.
    pub(crate) fn push(&mut self, split: Split, document: Document<'_>) -> Result<(), CorpusError> {
        Ok(self.writer.push(split, document)?)
    }

    /// Writes the tokenizer and the manifest.
    pub(crate) fn finish(
        self,
        sources: Vec<Source>,
        build: serde_json::Value,
    ) -> Result<Dataset, CorpusError> {
        write_atomically(&self.dir.join(TOKENIZER_FILE), self.tokenizer.json())?;
        self.writer.finish(sources, build)?;
        Ok(Dataset::open(&self.dir)?)
    }
}
