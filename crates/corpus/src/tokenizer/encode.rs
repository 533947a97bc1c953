//! Text to token ids.

use super::words::Words;
use super::{Route, Tokenizer, bytes};
use crate::error::CorpusError;
use rayon::prelude::*;
use std::collections::HashMap;
use tokenizers::Model;

/// Words kept in a cache; a cache that is full starts again. About 100 bytes each.
const CACHED_WORDS: usize = 1 << 18;
/// Longer words are not worth keeping.
const CACHED_BYTES: usize = 64;

/// Ids of words already encoded.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Where the ids of a word lie in `ids`: start and number.
    words: HashMap<Box<str>, (u32, u32)>,
    ids: Vec<u32>,
}

impl Tokenizer {
    /// The ids of a text, without an end-of-text token.
    ///
    /// # Errors
    /// Only when the tokenizers library fails on a text, which a valid tokenizer never does.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CorpusError> {
        let Route::Words(bpe) = &self.route else {
            let encoding =
                self.library.encode_fast(text, false).map_err(|e| CorpusError::Tokenizer(e.to_string()))?;
            return Ok(encoding.get_ids().to_vec());
        };
        let mut cache = self.caches.lock().ok().and_then(|mut caches| caches.pop()).unwrap_or_default();
        let mut ids = Vec::with_capacity(text.len() / 2);
        for word in Words::new(text) {
            if let Some(&(start, n)) = cache.words.get(word) {
                ids.extend_from_slice(&cache.ids[start as usize..(start + n) as usize]);
                continue;
            }
            let tokens = bpe
                .tokenize(&bytes::to_chars(word))
                .map_err(|error| CorpusError::Tokenizer(error.to_string()))?;
            let first = ids.len();
            ids.extend(tokens.iter().map(|token| token.id));
            if word.len() <= CACHED_BYTES {
                cache.insert(word, &ids[first..]);
            }
        }
        if let Ok(mut caches) = self.caches.lock() {
            caches.push(cache);
        }
        Ok(ids)
    }

    /// The ids of many texts, in their order, by all threads of the current pool.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, CorpusError> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }
}

impl Cache {
    fn insert(&mut self, word: &str, ids: &[u32]) {
        if self.words.len() >= CACHED_WORDS {
            self.words.clear();
            self.ids.clear();
        }
        let place = (self.ids.len() as u32, ids.len() as u32);
        self.ids.extend_from_slice(ids);
        self.words.insert(word.into(), place);
    }
}
