//! Stage 5: the documents that are kept, as files and as tokens.

use super::documents::{DocumentLine, write_documents};
use super::index::Index;
use super::leaks::{HeldOut, Shared};
use super::manifest::{CorpusCounts, DocumentFile, LeakCounts};
use super::near::Drops;
use super::read::{Dropped, Sample};
use super::segments::{SegmentWriter, Segments, damaged, to_bytes, to_u64s};
use super::settings::CorpusSettings;
use super::store::{Store, Stored};
use super::{Interrupted, Run};
use crate::dataset::TokenWriter;
use crate::document::count_words;
use crate::error::CorpusError;
use crate::tokenizer::Tokenizer;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::{Document as TokenDocument, Split};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Number of the largest leaks that a manifest shows.
const WORST: usize = 10;

/// Metadata of a written bucket; its segments are the tokens of each split and the held-out runs of words that occur
/// in training.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) splits: [CorpusCounts; 3],
    pub(super) files: Vec<DocumentFile>,
    pub(super) near: Dropped,
    pub(super) leaks: Leaks,
}

/// Training documents of a bucket that share runs with held-out ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Leaks {
    documents: u64,
    /// Of each held-out set: how many share runs with it.
    by_set: Vec<u64>,
    dropped: Dropped,
    worst: Vec<(f64, Sample)>,
}

/// Segment of the held-out runs that occur in training.
const RUNS: usize = 3;

/// What stage 5 leaves.
pub(super) struct WriteStage {
    buckets: Vec<Segments>,
    pub(super) written: Written,
}

/// What writing takes from the stages before.
pub(super) struct Kept<'a> {
    pub(super) store: &'a Store,
    pub(super) index: &'a Index,
    pub(super) drops: &'a [Drops],
    pub(super) kept: &'a [Vec<bool>],
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) settings: &'a CorpusSettings,
}

/// Writes the buckets that are not written yet, and marks in `held_out` which of its runs occur in training.
pub(super) fn write(
    run: &Run<'_>,
    from: &Kept<'_>,
    held_out: &mut HeldOut,
    out: &Path,
) -> Result<WriteStage, Interrupted> {
    let folder = run.stage("written")?;
    let n = from.store.n_buckets();
    let mut stage = WriteStage { buckets: Vec::new(), written: Written::default() };
    for bucket in 0..n {
        let (done, total) = (bucket as u64, n as u64);
        run.observer.progress(Progress::Stage { name: "writing", done, total, unit: "buckets" });
        let path = folder.join(format!("{bucket:04}"));
        if Segments::open::<Written>(&path)?.is_none() {
            run.check()?;
            write_bucket(&path, from, held_out, bucket, out)?;
        }
        let (segments, written) = Segments::open::<Written>(&path)?.ok_or_else(|| damaged(&path))?;
        held_out.mark(&to_u64s(&segments.read(RUNS..RUNS + 1)?));
        stage.buckets.push(segments);
        stage.written.merge(written);
    }
    Ok(stage)
}

impl Written {
    fn merge(&mut self, other: Self) {
        for (sum, split) in self.splits.iter_mut().zip(other.splits) {
            *sum = sum.plus(split);
        }
        self.files.extend(other.files);
        self.near.merge(other.near);
        self.leaks.documents += other.leaks.documents;
        add(&mut self.leaks.by_set, &other.leaks.by_set);
        self.leaks.dropped.merge(other.leaks.dropped);
        self.leaks.worst.extend(other.leaks.worst);
        self.leaks.worst.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.id.cmp(&y.id)));
        self.leaks.worst.truncate(WORST);
    }
}

fn add(sums: &mut Vec<u64>, counts: &[u64]) {
    sums.resize(sums.len().max(counts.len()), 0);
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

impl Leaks {
    /// As the manifest has them, without what held-out documents say; and what they say of each held-out set.
    pub(super) fn counts(self) -> (LeakCounts, Vec<u64>) {
        let counts = LeakCounts {
            train_documents: self.documents,
            dropped: self.dropped,
            worst: self.worst.into_iter().map(|(_, sample)| sample).collect(),
            ..LeakCounts::default()
        };
        (counts, self.by_set)
    }
}

/// A document on its way out.
struct Ready<'a> {
    stored: &'a Stored,
    split: Split,
    ids: Vec<u32>,
    /// What a training document shares with held-out ones.
    shared: Shared,
}

fn write_bucket(
    path: &Path,
    from: &Kept<'_>,
    held_out: &HeldOut,
    bucket: usize,
    out: &Path,
) -> Result<(), CorpusError> {
    let documents = from.store.bucket(bucket)?.documents;
    let mut written = Written::default();
    for (number, like) in &from.drops[bucket].dropped {
        let stored = documents.get(*number).ok_or_else(|| damaged(path))?;
        let bytes = stored.document.text.len() as u64;
        written.near.add_with(bytes, &stored.id, || Ok(Sample::new(stored, like.describe(from.index)?)))?;
    }
    let ready: Vec<Ready<'_>> = documents
        .par_iter()
        .zip(&from.kept[bucket])
        .filter(|(_, kept)| **kept)
        .map(|(stored, _)| {
            let split = from.settings.split.split_of(&stored.id);
            let shared = match split {
                Split::Train => held_out.shared(&stored.document.text),
                Split::Valid | Split::Test => Shared::default(),
            };
            Ok(Ready { stored, split, ids: from.tokenizer.encode(&stored.document.text)?, shared })
        })
        .collect::<Result<_, CorpusError>>()?;
    let mut runs = Vec::new();
    let ready: Vec<Ready<'_>> =
        ready.into_iter().filter(|one| written.leaks.take(one, from.settings, &mut runs)).collect();
    runs.sort_unstable();
    runs.dedup();

    let mut writer = SegmentWriter::create(path)?;
    for split in Split::ALL {
        let of_split: Vec<&Ready<'_>> = ready.iter().filter(|one| one.split == split).collect();
        writer.push(&token_segment(&of_split, &mut written.splits[split as usize]))?;
        if of_split.is_empty() {
            continue;
        }
        let lines: Vec<DocumentLine<'_>> = of_split.iter().map(|one| DocumentLine::of(one.stored)).collect();
        let format = from.settings.output.documents;
        let name =
            format!("documents/{split}-{bucket:04}-of-{:04}.{}", from.store.n_buckets(), format.ending());
        let (bytes, blake3) = write_documents(&out.join(&name), &lines, format)?;
        written.files.push(DocumentFile { path: name, split, documents: lines.len() as u64, bytes, blake3 });
    }
    writer.push(&to_bytes(&runs, u64::to_le_bytes))?;
    writer.finish(&written)
}

impl Leaks {
    /// Whether a document is kept; counts what it shares.
    fn take(&mut self, one: &Ready<'_>, settings: &CorpusSettings, runs: &mut Vec<u64>) -> bool {
        let Shared { looked_at, runs: shared, sets } = &one.shared;
        if shared.is_empty() {
            return true;
        }
        self.documents += 1;
        add(&mut self.by_set, &std::array::from_fn::<u64, 32, _>(|set| u64::from(sets >> set & 1)));
        let share = shared.len() as f64 / *looked_at as f64;
        let sample =
            || Sample::new(one.stored, format!("{share:.4} of its runs of {} words", settings.leaks.words));
        if share > settings.leaks.drop_above {
            self.dropped.add(one.stored.document.text.len() as u64, sample());
            return false;
        }
        runs.extend(shared);
        self.worst.push((share, sample()));
        self.worst.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.id.cmp(&y.id)));
        self.worst.truncate(WORST);
        true
    }
}

/// Of each document: number of tokens, bytes, words (u64 each), and its tokens (u32 each).
fn token_segment(documents: &[&Ready<'_>], counts: &mut CorpusCounts) -> Vec<u8> {
    let mut segment = Vec::new();
    for one in documents {
        let text = &one.stored.document.text;
        let (tokens, bytes, words) = (one.ids.len() as u64, text.len() as u64, count_words(text));
        *counts = counts.plus(CorpusCounts { documents: 1, bytes, words, tokens });
        segment.extend(to_bytes(&[tokens, bytes, words], u64::to_le_bytes));
        segment.extend(to_bytes(&one.ids, u32::to_le_bytes));
    }
    segment
}

impl WriteStage {
    /// Appends all tokens to a dataset.
    pub(super) fn push_tokens(&self, run: &Run<'_>, writer: &mut TokenWriter<'_>) -> Result<(), Interrupted> {
        for (bucket, segments) in self.buckets.iter().enumerate() {
            run.check()?;
            let (done, total) = (bucket as u64, self.buckets.len() as u64);
            run.observer.progress(Progress::Stage { name: "token files", done, total, unit: "buckets" });
            for split in Split::ALL {
                let at = split as usize;
                let bytes = segments.read(at..at + 1)?;
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let broken = || segments.damaged();
                    let head = to_u64s(rest.split_off(..24).ok_or_else(broken)?);
                    let raw = rest.split_off(..4 * head[0] as usize).ok_or_else(broken)?;
                    let tokens = super::segments::to_u32s(raw);
                    let document = TokenDocument { tokens: &tokens, bytes: head[1], words: head[2] };
                    writer.push(split, document)?;
                }
            }
        }
        Ok(())
    }
}
