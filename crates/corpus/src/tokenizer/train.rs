//! Training of byte-level BPE with the tokenizers library.

use super::words::Words;
use super::{END_OF_TEXT, Tokenizer, bytes};
use crate::error::CorpusError;
use crate::read::{ReadLimits, Skipped, read_paths};
use std::ops::ControlFlow;
use std::path::PathBuf;
use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::tokenizer::Trainer;

/// 256 bytes and the end-of-text token.
const MIN_VOCAB: u32 = 257;
/// The library's trainer counts pairs in i32, and a pair may occur once a byte.
const MAX_SAMPLE_BYTES: usize = i32::MAX as usize;

/// A tokenizer trained on files.
#[derive(Debug)]
pub struct TrainedOnFiles {
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// Documents that it was trained on.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// What was left out.
    pub skipped: Skipped,
}

impl Tokenizer {
    /// Trains a byte-level BPE tokenizer on the first documents of files and folders that together have
    /// `sample_bytes` bytes.
    ///
    /// # Errors
    /// Names the path that cannot be read; as [`Tokenizer::train`].
    pub fn train_on_files(
        paths: &[PathBuf],
        n_vocab: u32,
        sample_bytes: u64,
    ) -> Result<TrainedOnFiles, CorpusError> {
        let (mut texts, mut bytes) = (Vec::new(), 0);
        let skipped = read_paths(paths, ReadLimits::default(), &mut |document| {
            bytes += document.text.len() as u64;
            texts.push(document.text);
            if bytes < sample_bytes { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let sample: Vec<&str> = texts.iter().map(String::as_str).collect();
        let tokenizer = Self::train(&sample, n_vocab)?;
        Ok(TrainedOnFiles { tokenizer, documents: texts.len() as u64, bytes, skipped })
    }

    /// Trains a tokenizer of exactly `n_vocab` ids (256 bytes, the end-of-text token, and merges) on texts.
    ///
    /// The same texts, in any order and with any number of threads, give the same bytes.
    ///
    /// # Errors
    /// When `n_vocab` is below 257, the texts are 2 GiB or more, or they have too few pairs for `n_vocab`.
    pub fn train(texts: &[&str], n_vocab: u32) -> Result<Self, CorpusError> {
        if !(MIN_VOCAB..=1 << 24).contains(&n_vocab) {
            return Err(CorpusError::Option {
                option: "n_vocab",
                value: n_vocab.to_string(),
                expected: "257 (256 bytes and the end-of-text token) to 16,777,216",
            });
        }
        let sample: usize = texts.iter().map(|text| text.len()).sum();
        if sample > MAX_SAMPLE_BYTES {
            return Err(CorpusError::Option {
                option: "bytes of text to train a tokenizer on",
                value: sample.to_string(),
                expected: "below 2,147,483,648 (pairs are counted in 32 bits): a sample of 50 MB is plenty",
            });
        }
        let mut trainer = BpeTrainerBuilder::new()
            .show_progress(false)
            .vocab_size(n_vocab as usize)
            .initial_alphabet(bytes::CHAR_OF_BYTE.iter().copied().collect())
            .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
            .build();
        trainer
            .feed(texts.iter(), |text| Ok(Words::new(text).map(bytes::to_chars).collect()))
            .map_err(CorpusError::Tokenizer)?;
        let mut model = BPE::default();
        let special = trainer.train(&mut model).map_err(CorpusError::Tokenizer)?;
        let tokenizer = Self::byte_level(model, special)?;
        if tokenizer.n_vocab() != n_vocab {
            return Err(CorpusError::TooLittleText {
                what: "pairs of bytes to merge into a vocabulary",
                found: format!("{} tokens", tokenizer.n_vocab()),
                needed: format!("{n_vocab} tokens"),
            });
        }
        Ok(tokenizer)
    }
}
