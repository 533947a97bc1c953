//! Tables from short words to their ids.

use super::merges::Merges;

/// Longer words are not looked up.
const LONGEST: usize = 15;
/// Words that a cache has room for; its 32 bytes each stay in the second-level cache of a core.
const CACHED: usize = 1 << 14;
/// Ids that a cached word may have.
const CACHED_IDS: usize = 4;
/// Fills up the ids of a word that has fewer.
const NO_ID: u32 = u32::MAX;

/// A word of 1 to 15 bytes and its length; never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    low: u64,
    high: u64,
}

impl Key {
    /// The key of the `len` bytes at `start`, or `None` when they are too many.
    #[inline]
    pub(super) fn of(text: &[u8], start: usize, len: usize) -> Option<Self> {
        if len > LONGEST {
            return None;
        }
        let tail = &text[start..];
        let window = match tail.first_chunk::<16>() {
            Some(chunk) => *chunk,
            None => {
                let mut padded = [0; 16];
                padded[..tail.len()].copy_from_slice(tail);
                padded
            }
        };
        let bytes = u128::from_le_bytes(window) & ((1 << (8 * len)) - 1);
        let key = bytes | (len as u128) << 120;
        Some(Self { low: key as u64, high: (key >> 64) as u64 })
    }

    #[inline]
    fn hash(self) -> usize {
        // The folded product of wyhash (Wang Yi, public domain).
        let product =
            u128::from(self.low ^ 0xA076_1D64_78BD_642F) * u128::from(self.high ^ 0xE703_7ED1_A0B4_28DB);
        (product as u64 ^ (product >> 64) as u64) as usize
    }
}

/// The words that are a single token: open addressing with linear probing, at most half full.
#[derive(Debug)]
pub(super) struct SingleTokens {
    slots: Vec<(Key, u32)>,
}

impl SingleTokens {
    /// The tokens of a vocabulary that their own bytes merge into.
    pub(super) fn new(bytes_of_ids: &[Box<[u8]>], merges: &Merges) -> Self {
        let n_slots = (2 * bytes_of_ids.len()).next_power_of_two().max(2);
        let mut this = Self { slots: vec![(Key::default(), 0); n_slots] };
        let (mut ids, mut scratch) = (Vec::new(), Vec::new());
        for (id, bytes) in (0..).zip(bytes_of_ids).filter(|(_, bytes)| !bytes.is_empty()) {
            let Some(key) = Key::of(bytes, 0, bytes.len()) else { continue };
            ids.clear();
            merges.merge(bytes, &mut ids, &mut scratch);
            if ids == [id] {
                let slot = this.slot(key);
                this.slots[slot] = (key, id);
            }
        }
        this
    }

    #[inline]
    fn slot(&self, key: Key) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = key.hash() & mask;
        while self.slots[at].0 != key && self.slots[at].0 != Key::default() {
            at = (at + 1) & mask;
        }
        at
    }

    /// The id of a word that is a single token.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<u32> {
        let (found, id) = self.slots[self.slot(key)];
        (found == key).then_some(id)
    }
}

/// Words of several tokens seen before; a word takes the place of another with the same hash.
#[derive(Debug)]
pub(super) struct Cache {
    slots: Vec<(Key, [u32; CACHED_IDS])>,
    pub(super) scratch: Vec<u32>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { slots: vec![(Key::default(), [NO_ID; CACHED_IDS]); CACHED], scratch: Vec::new() }
    }
}

impl Cache {
    /// Appends the ids of a word to `ids` and says whether it knew them.
    #[inline]
    pub(super) fn append(&self, key: Key, ids: &mut Vec<u32>) -> bool {
        let (found, known) = &self.slots[key.hash() % CACHED];
        if *found != key {
            return false;
        }
        let n = known.iter().position(|&id| id == NO_ID).unwrap_or(CACHED_IDS);
        ids.extend_from_slice(&known[..n]);
        true
    }

    /// Remembers the ids of a word, unless they are too many.
    pub(super) fn insert(&mut self, key: Key, ids: &[u32]) {
        if ids.len() <= CACHED_IDS {
            let mut kept = [NO_ID; CACHED_IDS];
            kept[..ids.len()].copy_from_slice(ids);
            self.slots[key.hash() % CACHED] = (key, kept);
        }
    }
}
