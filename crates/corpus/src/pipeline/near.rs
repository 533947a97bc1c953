//! Stages 3 and 4: pairs of documents with an equal band, and which of them are dropped.
//!
//! Documents are visited in the order of their digests; one is dropped when it nearly duplicates an earlier document
//! that is kept. So what is kept is a function of the documents alone.

use super::index::{Index, Place};
use super::segments::{SegmentWriter, Segments, damaged, to_bytes, to_u64s};
use super::{Interrupted, Run};
use crate::dedup::{NearDuplicates, most_same_words, same_words};
use crate::error::CorpusError;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use serde::{Deserialize, Serialize};

/// A document is compared with the first document of its band and with this many before it: in a band of a thousand
/// documents, a million comparisons would find no more.
const COMPARED_BEFORE: usize = 4;
/// Pairs compared at a time.
const BATCH: usize = 1 << 14;

/// The documents of a bucket that are dropped.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drops {
    /// Numbers in the bucket, each with the document that it nearly duplicates and their similarity.
    pub(super) dropped: Vec<(usize, Like)>,
    /// Pairs that were compared.
    pub(super) compared: u64,
}

/// The document that a dropped one nearly duplicates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Like {
    place: u64,
    same_words: f64,
}

impl Like {
    pub(super) fn describe(&self, index: &Index) -> Result<String, CorpusError> {
        Ok(format!("{:.3} of the words of {}", self.same_words, index.id(Place(self.place))?))
    }
}

/// Compares the pairs that are not compared yet; returns what each bucket drops.
pub(super) fn near_duplicates(
    run: &Run<'_>,
    index: &Index,
    near: &NearDuplicates,
) -> Result<Vec<Drops>, Interrupted> {
    let n = index.n_buckets();
    if !near.are_wanted() {
        return Ok(vec![Drops::default(); n]);
    }
    let folder = run.stage("pairs")?;
    let mut pairs = Vec::new();
    for part in 0..n {
        let (done, total) = (part as u64, n as u64);
        run.observer.progress(Progress::Stage { name: "comparing: bands", done, total, unit: "buckets" });
        let path = folder.join(format!("{part:04}"));
        if Segments::open::<()>(&path)?.is_none() {
            run.check()?;
            write_pairs(&path, &index.bands(part)?, n)?;
        }
        let (segments, ()) = Segments::open(&path)?.ok_or_else(|| damaged(&path))?;
        pairs.push(segments);
    }
    let folder = run.stage("drops")?;
    let mut kept: Vec<Vec<bool>> = Vec::new();
    let mut all = Vec::new();
    for bucket in 0..n {
        let (done, total) = (bucket as u64, n as u64);
        run.observer.progress(Progress::Stage { name: "comparing: pairs", done, total, unit: "buckets" });
        let path = folder.join(format!("{bucket:04}.json"));
        kept.push(vec![true; index.meta(bucket).documents as usize]);
        let drops = match run.finished(&path)? {
            Some(drops) => drops,
            None => {
                run.check()?;
                let drops = decide(run, index, near, &pairs, bucket, &kept)?;
                run.finish(&path, &drops)?;
                drops
            }
        };
        for (number, _) in &drops.dropped {
            *kept[bucket].get_mut(*number).ok_or_else(|| damaged(&path))? = false;
        }
        all.push(drops);
    }
    Ok(all)
}

/// Writes the pairs of the documents that share a band, by the bucket of the later one.
fn write_pairs(path: &std::path::Path, bands: &[(u64, Place)], n_buckets: usize) -> Result<(), CorpusError> {
    let mut pairs: Vec<(Place, Place)> = bands
        .par_chunk_by(|a, b| a.0 == b.0)
        .flat_map_iter(|group| {
            (1..group.len()).flat_map(move |later| {
                let before = later.saturating_sub(COMPARED_BEFORE).max(1)..later;
                std::iter::once(0).chain(before).map(move |earlier| (group[later].1, group[earlier].1))
            })
        })
        .collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    let mut writer = SegmentWriter::create(path)?;
    let mut rest = &pairs[..];
    for bucket in 0..n_buckets {
        let (of_bucket, after) = rest.split_at(rest.partition_point(|(later, _)| later.bucket() <= bucket));
        let numbers: Vec<u64> = of_bucket.iter().flat_map(|(later, earlier)| [later.0, earlier.0]).collect();
        writer.push(&to_bytes(&numbers, u64::to_le_bytes))?;
        rest = after;
    }
    writer.finish(&())
}

/// Which documents of a bucket nearly duplicate one that is kept.
fn decide(
    run: &Run<'_>,
    index: &Index,
    near: &NearDuplicates,
    pairs: &[Segments],
    bucket: usize,
    kept: &[Vec<bool>],
) -> Result<Drops, Interrupted> {
    // Ordered by the earlier document, so that those of one bucket are at hand together.
    let mut candidates: Vec<(Place, Place)> = Vec::new();
    for segments in pairs {
        let numbers = to_u64s(&segments.read(bucket..bucket + 1)?);
        candidates.extend(
            numbers
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[later, earlier]| (Place(*earlier), Place(*later)))
                .filter(|(earlier, _)| {
                    earlier.bucket() == bucket || kept[earlier.bucket()][earlier.number()]
                }),
        );
    }
    candidates.par_sort_unstable();
    candidates.dedup();
    let compared = candidates.len() as u64;
    let starts = index.starts(bucket)?;
    let mut like: Vec<(Place, Place, f64)> = Vec::new();
    for group in candidates.chunk_by(|a, b| a.0.bucket() == b.0.bucket()) {
        let earlier_starts = index.starts(group[0].0.bucket())?;
        for batch in group.chunks(BATCH) {
            run.check()?;
            let found: Vec<Option<(Place, Place, f64)>> = batch
                .par_iter()
                .map(|&(earlier, later)| {
                    let length = |place: Place, starts: &[u64]| {
                        (starts[place.number() + 1] - starts[place.number()]) as usize
                    };
                    let most = most_same_words(length(earlier, &earlier_starts), length(later, &starts));
                    if most < near.same_words {
                        return Ok(None);
                    }
                    let same =
                        same_words(&index.words(earlier, &earlier_starts)?, &index.words(later, &starts)?);
                    Ok((same >= near.same_words).then_some((later, earlier, same)))
                })
                .collect::<Result<_, CorpusError>>()?;
            like.extend(found.into_iter().flatten());
        }
    }
    like.sort_unstable_by_key(|&(later, earlier, _)| (later, earlier));
    let mut here = kept[bucket].clone();
    let mut dropped = Vec::new();
    for of_one in like.chunk_by(|a, b| a.0 == b.0) {
        let is_kept = |earlier: Place| match earlier.bucket() {
            same if same == bucket => here[earlier.number()],
            _ => true,
        };
        if let Some(&(later, earlier, same_words)) = of_one.iter().find(|(_, earlier, _)| is_kept(*earlier)) {
            here[later.number()] = false;
            dropped.push((later.number(), Like { place: earlier.0, same_words }));
        }
    }
    Ok(Drops { dropped, compared })
}
