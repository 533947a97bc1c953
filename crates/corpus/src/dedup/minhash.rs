//! MinHash of a document's pairs of words, in bands.

use super::terms::{Term, mix};
use crate::error::CorpusError;
use scalelaw_random::GOLDEN;
use serde::{Deserialize, Serialize};

/// How near-duplicates are found; recorded in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NearDuplicates {
    /// Two documents are near-duplicates when this share of their words, in order, is the same
    /// (2·LCS / (n + m) over their first 2,048 words); above 1 none are.
    pub same_words: f64,
    /// Bands: a pair of documents is compared when one of its bands is equal.
    pub bands: u32,
    /// Minima in a band.
    pub rows: u32,
    /// Seed of the hash functions.
    pub seed: u64,
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self { same_words: 0.75, bands: 50, rows: 3, seed: 0 }
    }
}

/// Two words of fewer characters together (of the, to have, from the) are in every text and are left out.
const FEWEST_CHARS: u32 = 8;

/// The hash functions of a signature.
///
/// # Source
/// Broder 1997, "On the resemblance and containment of documents"; bands: Leskovec, Rajaraman and Ullman, Mining of
/// Massive Datasets, section 3.4.
#[derive(Clone, Debug)]
pub(crate) struct MinHash {
    /// Functions x ↦ a·x + b mod 2^32, some at a time; a is odd, so that each is a bijection.
    functions: Vec<[(u32, u32); LANES]>,
    bands: usize,
    rows: usize,
}

/// Minima that are kept in registers while all shingles go by.
const LANES: usize = 8;

impl MinHash {
    pub(crate) fn new(settings: &NearDuplicates) -> Self {
        let (bands, rows) = (settings.bands as usize, settings.rows as usize);
        let function = |i: usize| {
            let bits = mix(mix(settings.seed) ^ (i as u64 + 1).wrapping_mul(GOLDEN));
            (bits as u32 | 1, (bits >> 32) as u32)
        };
        let blocks = (bands * rows).div_ceil(LANES);
        let functions = (0..blocks).map(|block| std::array::from_fn(|lane| function(block * LANES + lane)));
        Self { functions: functions.collect(), bands, rows }
    }

    /// Calls `emit` with the key of each band; not at all for a document without pairs of words.
    pub(crate) fn bands(&self, terms: &[Term], scratch: &mut Scratch, emit: impl FnMut(u64)) {
        scratch.shingles.clear();
        scratch.shingles.extend(
            terms
                .windows(2)
                .filter(|pair| pair[0].chars + pair[1].chars >= FEWEST_CHARS)
                .map(|pair| mix(pair[0].hash.rotate_left(7) ^ pair[1].hash) as u32),
        );
        if scratch.shingles.is_empty() {
            return;
        }
        scratch.minima.clear();
        for functions in &self.functions {
            let mut minima = [u32::MAX; LANES];
            for &x in &scratch.shingles {
                for (minimum, &(a, b)) in minima.iter_mut().zip(functions) {
                    *minimum = (*minimum).min(a.wrapping_mul(x).wrapping_add(b));
                }
            }
            scratch.minima.extend(minima);
        }
        let keys =
            scratch.minima.chunks_exact(self.rows).take(self.bands).zip(1u64..).map(|(minima, band)| {
                minima.iter().fold(mix(band), |key, &minimum| mix(key ^ u64::from(minimum)).rotate_left(17))
            });
        keys.for_each(emit);
    }
}

/// Buffers that live longer than a document.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    shingles: Vec<u32>,
    minima: Vec<u32>,
}

impl NearDuplicates {
    /// Whether any two documents can be near-duplicates at all.
    pub(crate) fn are_wanted(&self) -> bool {
        self.same_words <= 1.0
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// Names the option, its value and its range.
    pub(crate) fn validate(&self) -> Result<(), CorpusError> {
        let bad = |option, value: String, expected| Err(CorpusError::Option { option, value, expected });
        if !(self.same_words > 0.0 && self.same_words <= 2.0) {
            let expected = "above 0, at most 1; 2 turns the search off";
            return bad("near_duplicates.same_words", self.same_words.to_string(), expected);
        }
        if !(1..=1000).contains(&self.bands) {
            return bad("near_duplicates.bands", self.bands.to_string(), "1 to 1000");
        }
        if !(1..=20).contains(&self.rows) {
            return bad("near_duplicates.rows", self.rows.to_string(), "1 to 20");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::terms::terms;
    use super::*;

    #[test]
    fn minima_agree_as_often_as_sets_overlap() {
        // One row a band: the share of equal bands estimates the Jaccard similarity of the sets of pairs.
        let settings = NearDuplicates { bands: 1000, rows: 1, ..NearDuplicates::default() };
        let minhash = MinHash::new(&settings);
        let bands = |text: &str| {
            let mut keys = Vec::new();
            minhash.bands(&terms(text), &mut Scratch::default(), |key| keys.push(key));
            keys
        };
        let words =
            |from: usize, to: usize| (from..to).map(|i| format!("wordnumber{i} ")).collect::<String>();
        for (n, common) in [(40, 20), (200, 100), (1000, 300), (1000, 900)] {
            let (a, b) = (bands(&words(0, n)), bands(&words(n - common, 2 * n - common)));
            let equal = a.iter().zip(&b).filter(|(x, y)| x == y).count() as f64 / 1000.0;
            let jaccard = (common - 1) as f64 / (2 * (n - 1) - (common - 1)) as f64;
            let deviation = (jaccard * (1.0 - jaccard) / 1000.0).sqrt();
            assert!((equal - jaccard).abs() < 4.0 * deviation, "{equal} of {jaccard}");
        }
        assert_eq!(bands("of the in to it"), [0u64; 0]);
    }
}
