//! How many words two texts have in common, in order.

use std::collections::HashMap;

/// The share of words that two sequences have in common: 2·LCS / (n + m), 1 for equal ones.
///
/// # Source
/// The bit-vector recurrence of Crochemore, Iliopoulos, Pinzon and Reid 2001, "A fast and practical bit-vector
/// algorithm for the longest common subsequence problem".
pub(crate) fn same_words(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return if a.len() == b.len() { 1.0 } else { 0.0 };
    }
    2.0 * longest_common_subsequence(a, b) as f64 / (a.len() + b.len()) as f64
}

/// The largest share that sequences of these lengths can have in common.
pub(crate) fn most_same_words(n: usize, m: usize) -> f64 {
    2.0 * n.min(m) as f64 / (n + m).max(1) as f64
}

fn longest_common_subsequence(a: &[u32], b: &[u32]) -> usize {
    let n_blocks = a.len().div_ceil(64);
    // Where each word of `a` stands, as bits.
    let mut index = HashMap::with_capacity(a.len());
    let mut places: Vec<u64> = Vec::new();
    for (at, word) in a.iter().enumerate() {
        let row = *index.entry(*word).or_insert_with(|| {
            places.resize(places.len() + n_blocks, 0);
            places.len() - n_blocks
        });
        places[row + at / 64] |= 1 << (at % 64);
    }
    // Zero bits of `state` are the words of `a` that end a common subsequence one longer than before them.
    let mut state = vec![u64::MAX; n_blocks];
    for word in b {
        let Some(&row) = index.get(word) else { continue };
        let mut carry = false;
        for (block, matches) in state.iter_mut().zip(&places[row..row + n_blocks]) {
            let matched = *block & matches;
            let (sum, first) = block.overflowing_add(matched);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *block = sum | (*block & !matches);
        }
    }
    let beyond = n_blocks * 64 - a.len();
    let zeros: usize = state.iter().map(|block| block.count_zeros() as usize).sum();
    // Bits beyond the end are ones, unless a carry ran out of `a` into them.
    let last = state[n_blocks - 1];
    let zeros_beyond = if beyond == 0 { 0 } else { (!last >> (64 - beyond)).count_ones() as usize };
    zeros - zeros_beyond
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The textbook table.
    fn table(a: &[u32], b: &[u32]) -> usize {
        let mut row = vec![0usize; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (j, y) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn common_subsequence_is_that_of_the_textbook(
            a in prop::collection::vec(0u32..6, 0..300), b in prop::collection::vec(0u32..6, 0..300)
        ) {
            let expected = table(&a, &b);
            if !a.is_empty() && !b.is_empty() {
                prop_assert_eq!(longest_common_subsequence(&a, &b), expected);
            }
            prop_assert!(same_words(&a, &b) <= most_same_words(a.len(), b.len()) || a.len() + b.len() == 0);
            prop_assert_eq!(same_words(&a, &a), 1.0);
        }
    }
}
