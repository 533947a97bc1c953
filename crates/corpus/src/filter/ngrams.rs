//! How much of a text is repeated runs of words.

use scalelaw_random::GOLDEN;
use twox_hash::XxHash64;

/// Runs of words, counted by their hashes.
pub(super) struct Ngrams {
    hashes: Vec<u64>,
    /// Bytes of the words before each word, and of all.
    starts: Vec<u64>,
    counts: Counts,
}

impl Ngrams {
    pub(super) fn of(words: &[&str]) -> Self {
        let mut bytes = 0;
        let mut starts = vec![0];
        starts.extend(words.iter().map(|word| {
            bytes += word.len() as u64;
            bytes
        }));
        let hashes = words.iter().map(|word| XxHash64::oneshot(0, word.as_bytes())).collect();
        Self { hashes, starts, counts: Counts::with_room(words.len()) }
    }

    /// The hash of the `n` words at `start`, and their bytes.
    fn run(&self, start: usize, n: usize) -> (u64, u64) {
        let hash = self.hashes[start..start + n]
            .iter()
            .fold(n as u64, |hash, &word| (hash.rotate_left(23) ^ word).wrapping_mul(GOLDEN));
        (hash, self.starts[start + n] - self.starts[start])
    }

    fn share(&self, bytes: u64) -> f64 {
        bytes as f64 / self.starts[self.hashes.len()].max(1) as f64
    }

    /// Share of bytes in the most frequent run of `n` words (the longest of those equally frequent), each time
    /// counted whole; a run that occurs once is not a repetition.
    pub(super) fn top_share(&mut self, n: usize) -> f64 {
        self.counts.clear();
        let mut top = (1, 0);
        for start in 0..(self.hashes.len() + 1).saturating_sub(n) {
            let (hash, bytes) = self.run(start, n);
            let count = self.counts.add(hash);
            if count > 1 {
                top = top.max((count, bytes));
            }
        }
        self.share(u64::from(top.0) * top.1)
    }

    /// Share of bytes in runs of `n` words that occurred earlier in the text; no byte counts twice.
    pub(super) fn repeated_share(&mut self, n: usize) -> f64 {
        self.counts.clear();
        let (mut start, mut repeated) = (0, 0);
        while start + n <= self.hashes.len() {
            let (hash, bytes) = self.run(start, n);
            if self.counts.add(hash) > 1 {
                repeated += bytes;
                start += n;
            } else {
                start += 1;
            }
        }
        self.share(repeated)
    }
}

/// Counts by hash: open addressing with linear probing, at most half full.
struct Counts {
    slots: Vec<(u64, u32)>,
}

impl Counts {
    fn with_room(n: usize) -> Self {
        Self { slots: vec![(0, 0); (2 * n).next_power_of_two().max(2)] }
    }

    fn clear(&mut self) {
        self.slots.fill((0, 0));
    }

    /// Counts a hash and returns how often it has been counted.
    fn add(&mut self, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        while self.slots[at].1 > 0 && self.slots[at].0 != hash {
            at = (at + 1) & mask;
        }
        self.slots[at].0 = hash;
        self.slots[at].1 += 1;
        self.slots[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ngrams(text: &str) -> Ngrams {
        Ngrams::of(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn shares_of_repeated_runs_are_those_counted_by_hand() {
        // 8 words of 2 bytes; "aa bb" stands there three times: 3 · 4 of 16 bytes.
        assert_eq!(ngrams("aa bb cc aa bb dd aa bb").top_share(2), 0.75);
        assert_eq!(ngrams("aa bb cc dd").top_share(2), 0.0);
        // Of 10 words the last 5 are the first 5 again.
        assert_eq!(ngrams("a b c d e a b c d e").repeated_share(5), 0.5);
        assert_eq!(ngrams("a b c d e a b c d f").repeated_share(5), 0.0);
        assert_eq!(ngrams("a a a a a a a a a a a").repeated_share(5), 10.0 / 11.0);
        for n in [2, 5, 10] {
            assert_eq!((ngrams("").top_share(n), ngrams("a").repeated_share(n)), (0.0, 0.0));
        }
    }
}
