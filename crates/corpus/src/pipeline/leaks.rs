//! Runs of words that training documents share with held-out ones.

use super::evals;
use super::manifest::{HeldOutLeaks, LeakCounts};
use super::settings::CorpusSettings;
use super::store::Store;
use super::{Interrupted, Run};
use crate::dedup::{ngram_hashes, terms};
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::Split;

/// Most held-out runs kept in memory; where there are more, those with small hashes are a sample of all.
const MOST_RUNS: usize = 8 << 20;
/// Held-out documents with more than this share of their runs in training are counted separately.
const WORTH_COUNTING: f64 = 0.1;
/// The sets of held-out documents: the two splits, and further ones in the order of the settings.
const VALID: usize = 0;
const TEST: usize = 1;
const FIRST_EVAL: usize = 2;
/// Most further sets that [`HeldOut::sets`] has bits for.
pub(super) const MOST_EVALS: usize = 29;
/// The bit of runs that occur in training.
const IN_TRAIN: u32 = 1 << 31;

/// The documents that are held out.
#[derive(Clone, Copy)]
pub(super) struct HeldOutText<'a> {
    pub(super) store: &'a Store,
    pub(super) kept: &'a [Vec<bool>],
    pub(super) settings: &'a CorpusSettings,
}

impl HeldOutText<'_> {
    /// Calls `visit` with each document's set and its distinct runs of words.
    fn each(&self, run: &Run<'_>, visit: &mut dyn FnMut(usize, Vec<u64>)) -> Result<(), Interrupted> {
        let words = self.settings.leaks.words;
        let total = self.kept.len() as u64;
        for (bucket, kept) in self.kept.iter().enumerate() {
            run.check()?;
            let done = bucket as u64;
            run.observer.progress(Progress::Stage { name: "held-out text", done, total, unit: "buckets" });
            let documents = self.store.bucket(bucket)?.documents;
            let held_out: Vec<(usize, Vec<u64>)> = documents
                .par_iter()
                .zip(kept)
                .filter(|(_, kept)| **kept)
                .filter_map(|(stored, _)| {
                    let set = match self.settings.split.split_of(&stored.id) {
                        Split::Train => return None,
                        Split::Valid => VALID,
                        Split::Test => TEST,
                    };
                    Some((set, runs(&stored.document.text, words)))
                })
                .collect();
            held_out.into_iter().for_each(|(set, runs)| visit(set, runs));
        }
        for (set, eval) in (FIRST_EVAL..).zip(&self.settings.evals) {
            evals::each_batch(run, self.settings, eval, &mut |documents| {
                let all: Vec<_> = documents.par_iter().map(|one| runs(&one.text, words)).collect();
                all.into_iter().for_each(|runs| visit(set, runs));
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The distinct runs of words of a text; none is 0.
fn runs(text: &str, words: usize) -> Vec<u64> {
    let mut runs: Vec<u64> = ngram_hashes(&terms(text), words).map(|hash| hash.max(1)).collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

/// The runs of words of held-out documents, and which of them occur in training.
pub(super) struct HeldOut {
    words: usize,
    /// Only hashes up to this are considered: all of them, or a half, a quarter, …
    largest: u64,
    /// Open addressing with linear probing, at most half full; 0 is no run.
    slots: Vec<u64>,
    n_runs: usize,
    /// Of each slot: the sets that have the run, as bits, and [`IN_TRAIN`].
    sets: Vec<u32>,
}

/// What a training document shares with held-out ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared {
    /// Runs that were checked.
    pub(super) looked_at: usize,
    /// Of these, runs of a held-out document.
    pub(super) runs: Vec<u64>,
    /// The sets that have one of them, as bits.
    pub(super) sets: u32,
}

impl HeldOut {
    fn new(words: usize) -> Self {
        Self { words, largest: u64::MAX, slots: vec![0; 2], n_runs: 0, sets: vec![0; 2] }
    }

    /// Collects the runs of the held-out documents.
    pub(super) fn collect(run: &Run<'_>, text: HeldOutText<'_>) -> Result<Self, Interrupted> {
        let mut this = Self::new(text.settings.leaks.words);
        text.each(run, &mut |set, runs| this.add(set, &runs))?;
        Ok(this)
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

    fn add(&mut self, set: usize, runs: &[u64]) {
        for &run in runs {
            if run <= self.largest {
                self.insert(run, 1 << set);
            }
            while self.n_runs > MOST_RUNS {
                self.largest /= 2;
                self.rebuild(self.slots.len());
            }
            if 2 * self.n_runs > self.slots.len() {
                self.rebuild(2 * self.slots.len());
            }
        }
    }

    fn insert(&mut self, run: u64, sets: u32) {
        let at = self.slot(run);
        self.n_runs += usize::from(self.slots[at] == 0);
        self.slots[at] = run;
        self.sets[at] |= sets;
    }

    fn rebuild(&mut self, n_slots: usize) {
        let slots = std::mem::replace(&mut self.slots, vec![0; n_slots]);
        let sets = std::mem::replace(&mut self.sets, vec![0; n_slots]);
        self.n_runs = 0;
        for (run, sets) in slots.into_iter().zip(sets) {
            if run != 0 && run <= self.largest {
                self.insert(run, sets);
            }
        }
    }

    /// What a training document shares with the held-out ones.
    pub(super) fn shared(&self, text: &str) -> Shared {
        let mut shared = Shared { runs: runs(text, self.words), ..Shared::default() };
        shared.runs.retain(|&run| run <= self.largest);
        shared.looked_at = shared.runs.len();
        shared.runs.retain(|&run| {
            let sets = self.sets[self.slot(run)] & !IN_TRAIN;
            shared.sets |= sets;
            sets != 0
        });
        shared
    }

    /// Marks these runs as occurring in training.
    pub(super) fn mark(&mut self, runs: &[u64]) {
        for &run in runs {
            let at = self.slot(run);
            if self.slots[at] == run {
                self.sets[at] |= IN_TRAIN;
            }
        }
    }

    /// The result for each set: how much of it occurs in training, and how many training documents contain a run of it.
    pub(super) fn count(
        self,
        run: &Run<'_>,
        text: HeldOutText<'_>,
        train_documents: &[u64],
        counts: &mut LeakCounts,
    ) -> Result<Vec<HeldOutLeaks>, Interrupted> {
        counts.looked_at = self.largest as f64 / u64::MAX as f64;
        let mut sets = vec![HeldOutLeaks::default(); FIRST_EVAL + text.settings.evals.len()];
        for (set, documents) in sets.iter_mut().zip(train_documents) {
            set.train_documents = *documents;
        }
        text.each(run, &mut |set, mut runs| {
            runs.retain(|&run| run <= self.largest);
            let in_train = runs.iter().filter(|&&run| self.sets[self.slot(run)] & IN_TRAIN != 0).count();
            let set = &mut sets[set];
            set.documents += 1;
            set.runs += runs.len() as u64;
            set.runs_in_train += in_train as u64;
            set.documents_above_tenth += u64::from(in_train as f64 > WORTH_COUNTING * runs.len() as f64);
        })?;
        (counts.valid, counts.test) = (sets[VALID], sets[TEST]);
        Ok(sets.split_off(FIRST_EVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_runs_are_found_in_training_documents() {
        let mut held_out = HeldOut::new(3);
        let (test, eval) = ("One two three, four five.", "Four, one two three!");
        held_out.add(TEST, &runs(test, 3));
        held_out.add(FIRST_EVAL, &runs(eval, 3));
        assert_eq!(held_out.n_runs, 4);
        let shared = |text: &str| {
            let Shared { looked_at, runs, sets } = held_out.shared(text);
            (looked_at, runs.len(), sets)
        };
        assert_eq!(shared("and one TWO three again"), (3, 1, 1 << TEST | 1 << FIRST_EVAL));
        assert_eq!(shared(test), (3, 3, 1 << TEST | 1 << FIRST_EVAL));
        assert_eq!(shared("three four five"), (1, 1, 1 << TEST));
        assert_eq!(shared("four one two three four one two"), (4, 3, 1 << TEST | 1 << FIRST_EVAL));
        assert_eq!(shared("three two one"), (1, 0, 0));
        assert_eq!(shared("one two"), (0, 0, 0));
        held_out.mark(&runs("one two three", 3));
        held_out.mark(&runs("not held out", 3));
        assert_eq!(held_out.sets.iter().filter(|sets| **sets & IN_TRAIN != 0).count(), 1);
        assert_eq!(held_out.shared("one two three").sets, 1 << TEST | 1 << FIRST_EVAL);
    }

    #[test]
    fn held_out_set_beyond_memory_is_a_share_of_all() {
        let mut held_out = HeldOut::new(1);
        let hash = |i: u64| crate::dedup::ngram_hashes(&terms(&format!("w{i}")), 1).next().unwrap();
        let many: Vec<u64> = (0..MOST_RUNS as u64 / 64).map(hash).collect();
        held_out.add(TEST, &many);
        assert_eq!((held_out.n_runs, held_out.largest), (many.len(), u64::MAX));
        held_out.largest /= 4;
        held_out.rebuild(held_out.slots.len());
        let share = held_out.n_runs as f64 / many.len() as f64;
        assert!((share - 0.25).abs() < 0.01, "{share}");
        assert!(
            many.iter()
                .filter(|&&run| run <= held_out.largest)
                .all(|&run| held_out.sets[held_out.slot(run)] == 1 << TEST)
        );
    }
}
