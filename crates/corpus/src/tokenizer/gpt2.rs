//! GPT-2's tokenizer, from the merges that the crate tiktoken-rs carries.

use super::{END_OF_TEXT, Tokenizer, bytes};
use crate::error::CorpusError;
use std::collections::HashMap;
use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, Vocab};

/// Ids of byte strings; the end-of-text token is the one after them.
const BYTE_STRINGS: u32 = 50_256;

impl Tokenizer {
    /// GPT-2's 50,257 tokens, as Kaplan et al. 2020 used them.
    ///
    /// # Errors
    /// Never with the tokens as published.
    pub fn gpt2() -> Result<Self, CorpusError> {
        let published = tiktoken_rs::r50k_base_singleton();
        let mut strings = Vec::with_capacity(BYTE_STRINGS as usize);
        let mut ranks: HashMap<Vec<u8>, u32> = HashMap::new();
        for id in 0..BYTE_STRINGS {
            let string = published.decode_bytes(&[id]).map_err(|_| CorpusError::Gpt2Token { token: id })?;
            ranks.insert(string.clone(), id);
            strings.push(string);
        }
        let mut merges = Vec::new();
        for (id, string) in (0..).zip(&strings).filter(|(_, string)| string.len() > 1) {
            let cut = last_cut(string, id, &ranks).ok_or(CorpusError::Gpt2Token { token: id })?;
            merges.push((bytes::from_bytes(&string[..cut]), bytes::from_bytes(&string[cut..])));
        }
        let mut vocabulary: Vocab =
            (0..).zip(&strings).map(|(id, string)| (bytes::from_bytes(string), id)).collect();
        vocabulary.insert(END_OF_TEXT.to_string(), BYTE_STRINGS);
        let model =
            BPE::builder().vocab_and_merges(vocabulary, merges).build().map_err(CorpusError::Tokenizer)?;
        Self::byte_level(model, vec![AddedToken::from(END_OF_TEXT, true)])
    }
}

/// Where the last of the merges that make a token cuts it: the token's own rank is the rank of that merge, so
/// merging by lower ranks leaves its two parts.
fn last_cut(token: &[u8], rank: u32, ranks: &HashMap<Vec<u8>, u32>) -> Option<usize> {
    let mut cuts: Vec<usize> = (0..=token.len()).collect();
    while cuts.len() > 3 {
        let pair = |i: usize| ranks.get(&token[cuts[i]..cuts[i + 2]]).copied().filter(|&r| r < rank);
        let (_, lowest) = (0..cuts.len() - 2).filter_map(|i| pair(i).map(|r| (r, i))).min()?;
        cuts.remove(lowest + 1);
    }
    Some(cuts[1])
}
