//! Text to token ids.

use super::merges::Merges;
use super::table::{Cache, Key, SingleTokens};
use super::words::Words;
use super::{Tokenizer, bytes};
use crate::error::CorpusError;
use rayon::prelude::*;
use tokenizers::Model;
use tokenizers::models::bpe::BPE;

/// Words up to this many bytes are merged here, longer ones by the library, whose time does not grow with the
/// square of their length.
const LONGEST_MERGED: usize = 128;

/// Encodes word by word: most words are a token, most others were seen before, the rest is merged.
#[derive(Debug)]
pub(super) struct WordEncoder {
    tokens: SingleTokens,
    merges: Merges,
    library: BPE,
}

impl WordEncoder {
    /// Of a `tokenizer.json` with GPT-2's words and plain merges; `None` when a byte has no token.
    pub(super) fn new(json: &[u8], bytes_of_ids: &[Box<[u8]>], library: &BPE) -> Option<Self> {
        let merges = Merges::from_json(json)?;
        let tokens = SingleTokens::new(bytes_of_ids, &merges);
        let mut library = library.clone();
        library.clear_cache();
        library.resize_cache(0);
        Some(Self { tokens, merges, library })
    }

    fn encode(&self, text: &str, cache: &mut Cache) -> Result<Vec<u32>, CorpusError> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut start = 0;
        for word in Words::new(text) {
            let key = Key::of(text.as_bytes(), start, word.len());
            start += word.len();
            if let Some(key) = key {
                if let Some(id) = self.tokens.get(key) {
                    ids.push(id);
                    continue;
                }
                if cache.append(key, &mut ids) {
                    continue;
                }
            }
            let first = ids.len();
            if word.len() <= LONGEST_MERGED {
                self.merges.merge(word.as_bytes(), &mut ids, &mut cache.scratch);
            } else {
                let tokens = self.library.tokenize(&bytes::to_chars(word)).map_err(CorpusError::Tokenizer)?;
                ids.extend(tokens.iter().map(|token| token.id));
            }
            if let Some(key) = key {
                cache.insert(key, &ids[first..]);
            }
        }
        Ok(ids)
    }
}

impl Tokenizer {
    /// The ids of a text, without an end-of-text token.
    ///
    /// # Errors
    /// Only when the tokenizers library fails on a text, which a valid tokenizer never does.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, CorpusError> {
        let Some(words) = &self.words else {
            let encoding = self.library.encode_fast(text, false).map_err(CorpusError::Tokenizer)?;
            return Ok(encoding.get_ids().to_vec());
        };
        let mut cache = self.caches.lock().ok().and_then(|mut caches| caches.pop()).unwrap_or_default();
        let ids = words.encode(text, &mut cache);
        if let Ok(mut caches) = self.caches.lock() {
            caches.push(cache);
        }
        ids
    }

    /// The ids of many texts, in their order, by all threads of the current pool.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, CorpusError> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }
}
