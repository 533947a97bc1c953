//! Stage 2: for each bucket, what is needed to compare its documents with others.

use super::segments::{SegmentWriter, Segments, to_bytes, to_u32s};
use super::store::{Bucket, Store};
use super::{Interrupted, Run};
use crate::dedup::{MinHash, NearDuplicates, Scratch, terms};
use crate::error::CorpusError;
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use serde::{Deserialize, Serialize};

/// Words of a document that are compared.
const COMPARED_WORDS: usize = 2048;

/// Segments after those of the bands.
#[derive(Clone, Copy)]
enum Extra {
    /// Number of words of each document, u32.
    Lengths,
    /// The words of all documents, u32.
    Words,
    /// The digests of all documents.
    Ids,
}

/// Metadata of an indexed bucket.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct IndexMeta {
    /// Documents, each text once.
    pub(super) documents: u64,
    /// Documents with the text of another.
    pub(super) duplicates: u64,
}

/// The indexed buckets.
pub(super) struct Index {
    buckets: Vec<(Segments, IndexMeta)>,
}

/// A document by its place: bucket and number in the bucket. Places are in the order of digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u64);

impl Place {
    pub(super) fn new(bucket: usize, number: usize) -> Self {
        Self((bucket as u64) << 32 | number as u64)
    }

    pub(super) fn bucket(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub(super) fn number(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Bytes of a band's record: its key and the place of its document.
const BAND_RECORD: usize = 16;

/// Indexes the buckets that are not indexed yet.
pub(super) fn index(run: &Run<'_>, store: &Store, near: &NearDuplicates) -> Result<Index, Interrupted> {
    let folder = run.stage("index")?;
    let minhash = near.are_wanted().then(|| MinHash::new(near));
    let mut buckets = Vec::new();
    for number in 0..store.n_buckets() {
        let (done, total) = (number as u64, store.n_buckets() as u64);
        run.observer.progress(Progress::Stage { name: "comparing: words", done, total, unit: "buckets" });
        let path = folder.join(format!("{number:04}"));
        let indexed = match Segments::open(&path)? {
            Some(indexed) => indexed,
            None => {
                run.check()?;
                write(&path, number, store.n_buckets(), &store.bucket(number)?, minhash.as_ref())?;
                Segments::open(&path)?.ok_or_else(|| super::segments::damaged(&path))?
            }
        };
        buckets.push(indexed);
    }
    Ok(Index { buckets })
}

fn write(
    path: &std::path::Path,
    number: usize,
    n_buckets: usize,
    bucket: &Bucket,
    minhash: Option<&MinHash>,
) -> Result<(), CorpusError> {
    // Of each document: the keys of its bands, and its words.
    let documents: Vec<(Vec<u64>, Vec<u32>)> = bucket
        .documents
        .par_iter()
        .map_init(Scratch::default, |scratch, stored| {
            let Some(minhash) = minhash else { return (Vec::new(), Vec::new()) };
            let terms = terms(&stored.document.text);
            let mut keys = Vec::new();
            minhash.bands(&terms, scratch, |key| keys.push(key));
            (keys, terms.iter().take(COMPARED_WORDS).map(|term| term.hash as u32).collect())
        })
        .collect();
    let mut bands = vec![Vec::new(); n_buckets];
    for (at, (keys, _)) in documents.iter().enumerate() {
        for &key in keys {
            // Keys are spread evenly, so their leading bits divide them evenly.
            let band = &mut bands[((u128::from(key) * n_buckets as u128) >> 64) as usize];
            band.extend_from_slice(&key.to_le_bytes());
            band.extend_from_slice(&Place::new(number, at).0.to_le_bytes());
        }
    }
    let mut writer = SegmentWriter::create(path)?;
    bands.iter().try_for_each(|band| writer.push(band))?;
    let lengths: Vec<u32> = documents.iter().map(|(_, words)| words.len() as u32).collect();
    writer.push(&to_bytes(&lengths, u32::to_le_bytes))?;
    writer.push(
        &documents.iter().flat_map(|(_, words)| to_bytes(words, u32::to_le_bytes)).collect::<Vec<_>>(),
    )?;
    writer.push(&bucket.documents.iter().flat_map(|stored| stored.id).collect::<Vec<_>>())?;
    writer.finish(&IndexMeta { documents: bucket.documents.len() as u64, duplicates: bucket.duplicates })
}

impl Index {
    pub(super) fn n_buckets(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn meta(&self, bucket: usize) -> IndexMeta {
        self.buckets[bucket].1
    }

    fn extra(&self, extra: Extra) -> usize {
        self.n_buckets() + extra as usize
    }

    /// The bands of one part of the keys, from all buckets, sorted: key and place.
    pub(super) fn bands(&self, part: usize) -> Result<Vec<(u64, Place)>, CorpusError> {
        let mut bands = Vec::new();
        for (segments, _) in &self.buckets {
            let bytes = segments.read(part..part + 1)?;
            bands.extend(bytes.as_chunks::<BAND_RECORD>().0.iter().map(|record| {
                let (key, place) = record.split_at(8);
                let number = |raw: &[u8]| u64::from_le_bytes(*raw.first_chunk().expect("half of 16 bytes"));
                (number(key), Place(number(place)))
            }));
        }
        bands.par_sort_unstable();
        Ok(bands)
    }

    /// Where the words of each document of a bucket begin, and where the last end.
    pub(super) fn starts(&self, bucket: usize) -> Result<Vec<u64>, CorpusError> {
        let lengths = self.extra(Extra::Lengths);
        let lengths = to_u32s(&self.buckets[bucket].0.read(lengths..lengths + 1)?);
        let mut starts = vec![0];
        let mut at = 0;
        starts.extend(lengths.into_iter().map(|length| {
            at += u64::from(length);
            at
        }));
        Ok(starts)
    }

    /// The words of a document, with the [`Index::starts`] of its bucket.
    pub(super) fn words(&self, place: Place, starts: &[u64]) -> Result<Vec<u32>, CorpusError> {
        let (from, to) = (starts[place.number()], starts[place.number() + 1]);
        let (segments, _) = &self.buckets[place.bucket()];
        Ok(to_u32s(&segments.read_part(self.extra(Extra::Words), 4 * from, 4 * (to - from) as usize)?))
    }

    /// The digest of a document, in hex.
    pub(super) fn id(&self, place: Place) -> Result<String, CorpusError> {
        let (segments, _) = &self.buckets[place.bucket()];
        let id = segments.read_part(self.extra(Extra::Ids), 32 * place.number() as u64, 32)?;
        Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
