//! Byte-pair merges within one word.

use scalelaw_random::GOLDEN;
use serde::Deserialize;
use std::collections::HashMap;

/// No merge has this rank.
const NO_RANK: u32 = u32::MAX;
/// No pair of ids has this key, since ids are below 2^24.
const NO_PAIR: u64 = u64::MAX;

/// The merges of a vocabulary, found by pair.
///
/// A word's merges are done in the order of their ranks, leftmost first, exactly as the tokenizers library
/// does them; the shape of its tables is what makes it fast.
#[derive(Debug)]
pub(super) struct Merges {
    byte_ids: [u32; 256],
    /// Open addressing with linear probing, at most half full: key of a pair and rank of its merge.
    slots: Vec<(u64, u32)>,
    shift: u32,
    /// What the merge of each rank makes.
    products: Vec<u32>,
}

/// What is read of the `model` of a `tokenizer.json`.
#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
    merges: Vec<Pair>,
}

/// A merge, in either of the two spellings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pair {
    Two(String, String),
    Spaced(String),
}

impl Merges {
    /// The merges in a `tokenizer.json`; `None` when a byte has no token or a merge no product.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct File {
            model: Model,
        }
        let Model { vocab, merges } = serde_json::from_slice::<File>(json).ok()?.model;
        let mut byte_ids = [0; 256];
        for (byte, id) in byte_ids.iter_mut().enumerate() {
            *id = *vocab.get(&super::bytes::from_bytes(&[byte as u8]))?;
        }
        let n_slots = (2 * merges.len()).next_power_of_two().max(2);
        let mut this = Self {
            byte_ids,
            slots: vec![(NO_PAIR, NO_RANK); n_slots],
            shift: u64::BITS - n_slots.trailing_zeros(),
            products: Vec::with_capacity(merges.len()),
        };
        for pair in &merges {
            let (left, right) = match pair {
                Pair::Two(left, right) => (left.as_str(), right.as_str()),
                Pair::Spaced(both) => both.split_once(' ')?,
            };
            let product = *vocab.get(&format!("{left}{right}"))?;
            let (slot, key) = this.slot(*vocab.get(left)?, *vocab.get(right)?);
            this.slots[slot] = (key, this.products.len() as u32);
            this.products.push(product);
        }
        Some(this)
    }

    /// Where a pair is, or would be; and its key.
    fn slot(&self, left: u32, right: u32) -> (usize, u64) {
        let key = u64::from(left) << 32 | u64::from(right);
        // Fibonacci hashing of a key whose two halves are mixed first.
        let mixed = (key ^ (key >> 29)).wrapping_mul(GOLDEN);
        let mut at = (mixed >> self.shift) as usize;
        while self.slots[at].0 != key && self.slots[at].0 != NO_PAIR {
            at = (at + 1) & (self.slots.len() - 1);
        }
        (at, key)
    }

    fn rank(&self, left: u32, right: u32) -> u32 {
        self.slots[self.slot(left, right).0].1
    }

    /// Appends the ids of a word to `ids`. Its time grows with the square of the word's length.
    pub(super) fn merge(&self, word: &[u8], ids: &mut Vec<u32>, scratch: &mut Vec<u32>) {
        let first = ids.len();
        ids.extend(word.iter().map(|&byte| self.byte_ids[usize::from(byte)]));
        // scratch[i] is the rank of the pair (i, i + 1).
        let ranks = scratch;
        ranks.clear();
        ranks.extend(ids[first..].windows(2).map(|pair| self.rank(pair[0], pair[1])));
        loop {
            let mut lowest = (NO_RANK, 0);
            for (i, &rank) in ranks.iter().enumerate() {
                if rank < lowest.0 {
                    lowest = (rank, i);
                }
            }
            let (rank, i) = lowest;
            if rank == NO_RANK {
                return;
            }
            ids[first + i] = self.products[rank as usize];
            ids.remove(first + i + 1);
            ranks.remove(i);
            if i > 0 {
                ranks[i - 1] = self.rank(ids[first + i - 1], ids[first + i]);
            }
            if i < ranks.len() {
                ranks[i] = self.rank(ids[first + i], ids[first + i + 1]);
            }
        }
    }
}
