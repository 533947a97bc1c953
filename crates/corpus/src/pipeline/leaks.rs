//! Runs of words that training documents share with held-out ones.

use super::manifest::{HeldOutLeaks, LeakCounts};
use super::store::{Store, Stored};
use super::{Interrupted, Run};
use crate::dedup::{ngram_hashes, terms};
use crate::split::SplitFractions;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::Split;

/// Held-out runs that are held in memory; where there are more, those of small hashes stand for all.
const MOST_RUNS: usize = 8 << 20;
/// A held-out document with more than this share of its runs in training is counted by itself.
const WORTH_COUNTING: f64 = 0.1;

/// The runs of words of held-out documents, and which of them training has.
pub(super) struct HeldOut {
    words: usize,
    /// Larger hashes are not looked at: all of them, or a half, a quarter, …
    largest: u64,
    /// Open addressing with linear probing, at most half full; 0 is no run.
    slots: Vec<u64>,
    n_runs: usize,
    /// Of each slot: whether training has it.
    in_train: Vec<bool>,
}

impl HeldOut {
    fn new(words: usize) -> Self {
        Self { words, largest: u64::MAX, slots: vec![0; 2], n_runs: 0, in_train: vec![false; 2] }
    }

    /// Collects the runs of the held-out documents that are kept.
    pub(super) fn collect(
        run: &Run<'_>,
        store: &Store,
        split: &SplitFractions,
        words: usize,
        kept: &[Vec<bool>],
    ) -> Result<Self, Interrupted> {
        let mut this = Self::new(words);
        this.each(run, store, split, kept, |this, _, runs| this.add(&runs))?;
        this.in_train = vec![false; this.slots.len()];
        Ok(this)
    }

    /// Calls `visit` with the split and the runs of each held-out document.
    fn each(
        &mut self,
        run: &Run<'_>,
        store: &Store,
        split: &SplitFractions,
        kept: &[Vec<bool>],
        mut visit: impl FnMut(&mut Self, Split, Vec<u64>),
    ) -> Result<(), Interrupted> {
        let total = kept.len() as u64;
        for (bucket, kept) in kept.iter().enumerate() {
            run.check()?;
            let done = bucket as u64;
            run.observer.progress(Progress::Stage { name: "held-out text", done, total, unit: "buckets" });
            let documents = store.bucket(bucket)?.documents;
            let held_out: Vec<(Split, Vec<u64>)> = documents
                .par_iter()
                .zip(kept)
                .map(|(stored, kept)| (split.split_of(&stored.id), stored, kept))
                .filter(|(split, _, kept)| **kept && *split != Split::Train)
                .map(|(split, stored, _)| (split, self.runs(stored)))
                .collect();
            held_out.into_iter().for_each(|(split, runs)| visit(self, split, runs));
        }
        Ok(())
    }

    /// The distinct runs of a document that are looked at; never 0.
    fn runs(&self, stored: &Stored) -> Vec<u64> {
        let terms = terms(&stored.document.text);
        let hashes = ngram_hashes(&terms, self.words).map(|hash| hash.max(1));
        let mut runs: Vec<u64> = hashes.filter(|&hash| hash <= self.largest).collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    fn slot(&self, run: u64) -> usize {
        let mask = self.slots.len() - 1;
        // Hashes are mixed; their low bits are not used for the choice of what is looked at.
        let mut at = run as usize & mask;
        while self.slots[at] != run && self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    fn add(&mut self, runs: &[u64]) {
        for &run in runs {
            if run > self.largest {
                continue;
            }
            let at = self.slot(run);
            if self.slots[at] == run {
                continue;
            }
            self.slots[at] = run;
            self.n_runs += 1;
            while self.n_runs > MOST_RUNS {
                self.largest /= 2;
                self.rebuild(self.slots.len());
            }
            if 2 * self.n_runs >= self.slots.len() {
                self.rebuild(2 * self.slots.len());
            }
        }
    }

    fn rebuild(&mut self, n_slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![0; n_slots]);
        self.n_runs = 0;
        for run in old.into_iter().filter(|&run| run != 0 && run <= self.largest) {
            let at = self.slot(run);
            self.slots[at] = run;
            self.n_runs += 1;
        }
    }

    /// How many runs of a document are looked at, and those that a held-out document has.
    pub(super) fn shared(&self, stored: &Stored) -> (usize, Vec<u64>) {
        let mut runs = self.runs(stored);
        let looked_at = runs.len();
        runs.retain(|&run| self.slots[self.slot(run)] == run);
        (looked_at, runs)
    }

    /// Remembers that training has these runs.
    pub(super) fn mark(&mut self, runs: &[u64]) {
        for &run in runs {
            let at = self.slot(run);
            self.in_train[at] = self.slots[at] == run;
        }
    }

    /// What is found in the end, of each held-out split.
    pub(super) fn count(
        mut self,
        run: &Run<'_>,
        store: &Store,
        split: &SplitFractions,
        kept: &[Vec<bool>],
        counts: &mut LeakCounts,
    ) -> Result<(), Interrupted> {
        counts.looked_at = self.largest as f64 / u64::MAX as f64;
        self.each(run, store, split, kept, |this, split, runs| {
            let of_split: &mut HeldOutLeaks = match split {
                Split::Test => &mut counts.test,
                _ => &mut counts.valid,
            };
            let in_train = runs.iter().filter(|&&run| this.in_train[this.slot(run)]).count();
            of_split.documents += 1;
            of_split.runs += runs.len() as u64;
            of_split.runs_in_train += in_train as u64;
            of_split.documents_above_tenth += u64::from(in_train as f64 > WORTH_COUNTING * runs.len() as f64);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn stored(text: &str) -> Stored {
        Stored::new(Document::new(text.into()))
    }

    #[test]
    fn held_out_runs_are_found_in_training_documents() {
        let mut held_out = HeldOut::new(3);
        let test = stored("One two three, four five.");
        let runs = held_out.runs(&test);
        assert_eq!(runs.len(), 3);
        held_out.add(&runs);
        held_out.in_train = vec![false; held_out.slots.len()];
        assert_eq!(held_out.shared(&stored("and one TWO three again")).1.len(), 1);
        assert_eq!(held_out.shared(&test), (3, runs));
        assert_eq!(held_out.shared(&stored("three two one")), (1, vec![]));
        assert_eq!(held_out.shared(&stored("one two")), (0, vec![]));
    }

    #[test]
    fn held_out_set_beyond_memory_is_a_share_of_all() {
        let mut held_out = HeldOut::new(1);
        let hash = |i: u64| crate::dedup::ngram_hashes(&terms(&format!("w{i}")), 1).next().unwrap();
        let many: Vec<u64> = (0..MOST_RUNS as u64 / 64).map(hash).collect();
        held_out.add(&many);
        assert_eq!((held_out.n_runs, held_out.largest), (many.len(), u64::MAX));
        held_out.largest /= 4;
        held_out.rebuild(held_out.slots.len());
        let share = held_out.n_runs as f64 / many.len() as f64;
        assert!((share - 0.25).abs() < 0.01, "{share}");
        assert!(
            many.iter()
                .filter(|&&run| run <= held_out.largest)
                .all(|&run| held_out.slots[held_out.slot(run)] == run)
        );
    }
}
