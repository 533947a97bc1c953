//! The documents of an unfinished build: written in the order they come, read in the order of their digests.
//!
//! A part holds its documents in [`SLOTS`] segments by the first bits of the digest. A bucket is a range of slots,
//! read from all parts: memory is bounded, and the order of reading cannot matter.

use super::segments::{SegmentWriter, Segments, damaged};
use crate::document::{Document, Origin};
use crate::error::CorpusError;
use rayon::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// Segments of a part.
pub(super) const SLOTS: usize = 4096;
/// Approximate memory of a bucket: its text, and [`DOCUMENT_BYTES`] per document.
const BUCKET_BYTES: u64 = 64 << 20;
/// Memory of a document besides its text: its origin and, mostly, the keys of its bands.
pub(super) const DOCUMENT_BYTES: u64 = 1 << 10;

/// A document and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: [u8; 32],
    pub(super) document: Document,
}

impl Stored {
    pub(super) fn new(document: Document) -> Self {
        Self { id: document.id(), document }
    }

    fn slot(&self) -> usize {
        usize::from(self.id[0]) << 4 | usize::from(self.id[1]) >> 4
    }

    fn write(&self, out: &mut Vec<u8>) {
        let origin = serde_json::to_vec(&self.document.origin).expect("an origin has only string keys");
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&(self.document.text.len() as u64).to_le_bytes());
        out.extend_from_slice(&(origin.len() as u64).to_le_bytes());
        out.extend_from_slice(self.document.text.as_bytes());
        out.extend_from_slice(&origin);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let id = *bytes.split_off(..32)?.first_chunk()?;
        let mut length = || Some(u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?) as usize);
        let (text, origin) = (length()?, length()?);
        let text = std::str::from_utf8(bytes.split_off(..text)?).ok()?.to_owned();
        let origin: Option<Box<Origin>> = serde_json::from_slice(bytes.split_off(..origin)?).ok()?;
        Some(Self { id, document: Document { text, origin } })
    }
}

/// Writes a part. The order of `documents` does not matter.
pub(super) fn write_part<M: Serialize>(
    path: &Path,
    mut documents: Vec<Stored>,
    meta: &M,
) -> Result<(), CorpusError> {
    documents.par_sort_unstable_by_key(|stored| stored.id);
    let slots: Vec<&[Stored]> = documents.chunk_by(|a, b| a.slot() == b.slot()).collect();
    let frames: Vec<std::io::Result<Vec<u8>>> = slots
        .par_iter()
        .map(|documents| {
            let mut raw = Vec::new();
            documents.iter().for_each(|stored| stored.write(&mut raw));
            zstd::bulk::compress(&raw, 1).map(|frame| {
                let mut sized = (raw.len() as u64).to_le_bytes().to_vec();
                sized.extend(frame);
                sized
            })
        })
        .collect();
    let mut writer = SegmentWriter::create(path)?;
    let mut next = 0;
    for (documents, frame) in slots.iter().zip(frames) {
        let slot = documents[0].slot();
        (next..slot).try_for_each(|_| writer.push(&[]))?;
        writer.push(&frame.map_err(CorpusError::io(path, "compress"))?)?;
        next = slot + 1;
    }
    (next..SLOTS).try_for_each(|_| writer.push(&[]))?;
    writer.finish(meta)
}

/// All parts of an unfinished build.
#[derive(Debug, Default)]
pub(super) struct Store {
    parts: Vec<(std::path::PathBuf, Segments)>,
    n_buckets: usize,
}

/// A bucket's documents in the order of their digests, each text once.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) documents: Vec<Stored>,
    /// How many documents had the text of another.
    pub(super) duplicates: u64,
}

impl Store {
    /// Opens parts by their names, in order, up to the first that is missing; returns the metadata of each.
    pub(super) fn open<M: DeserializeOwned>(
        name: impl Fn(usize) -> std::path::PathBuf,
    ) -> Result<(Self, Vec<M>), CorpusError> {
        let (mut parts, mut metas) = (Vec::new(), Vec::new());
        while let Some((segments, meta)) = Segments::open(&name(parts.len()))? {
            if segments.n_segments() != SLOTS {
                return Err(damaged(&name(parts.len())));
            }
            parts.push((name(parts.len()), segments));
            metas.push(meta);
        }
        Ok((Self { parts, n_buckets: 1 }, metas))
    }

    /// Divides the documents into buckets that fit in memory; their number changes only the number of files written.
    pub(super) fn with_buckets_for(mut self, documents: u64, text_bytes: u64) -> Self {
        let bytes = text_bytes.saturating_add(documents.saturating_mul(DOCUMENT_BYTES));
        self.n_buckets = (bytes.div_ceil(BUCKET_BYTES).max(1).next_power_of_two() as usize).min(SLOTS);
        self
    }

    pub(super) fn n_buckets(&self) -> usize {
        self.n_buckets
    }

    /// Reads a bucket. Of equal texts, the one whose origin sorts first (as JSON) is kept.
    pub(super) fn bucket(&self, bucket: usize) -> Result<Bucket, CorpusError> {
        let width = SLOTS / self.n_buckets;
        let slots = bucket * width..(bucket + 1) * width;
        let read: Vec<Vec<Stored>> = self
            .parts
            .par_iter()
            .map(|(path, segments)| {
                let mut documents = Vec::new();
                let bytes = segments.read(slots.clone())?;
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    read_frames(&mut rest, &mut documents).ok_or_else(|| damaged(path))?;
                }
                Ok(documents)
            })
            .collect::<Result<_, CorpusError>>()?;
        let mut documents: Vec<Stored> = read.into_iter().flatten().collect();
        let all = documents.len();
        let origin = |stored: &Stored| serde_json::to_string(&stored.document.origin).unwrap_or_default();
        documents.par_sort_unstable_by(|a, b| a.id.cmp(&b.id).then_with(|| origin(a).cmp(&origin(b))));
        documents.dedup_by(|later, earlier| later.id == earlier.id);
        Ok(Bucket { duplicates: (all - documents.len()) as u64, documents })
    }
}

/// Reads the next frame; several may follow one another, each with its raw size before it.
fn read_frames(rest: &mut &[u8], documents: &mut Vec<Stored>) -> Option<()> {
    let size = u64::from_le_bytes(*rest.split_off(..8)?.first_chunk()?) as usize;
    let frame = zstd::zstd_safe::find_frame_compressed_size(rest).ok()?;
    let raw = zstd::bulk::decompress(rest.split_off(..frame)?, size).ok()?;
    let mut raw = &raw[..];
    while !raw.is_empty() {
        documents.push(Stored::read(&mut raw)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str, record: u64) -> Stored {
        let origin = Some(Box::new(Origin { file: "in.jsonl".into(), record, ..Origin::default() }));
        Stored::new(Document { text: text.into(), origin })
    }

    #[test]
    fn store_gives_documents_in_hash_order_whatever_the_parts() {
        let dir = tempfile::tempdir().unwrap();
        let documents: Vec<Stored> =
            (0..3000).map(|i| stored(&format!("document {}", i % 2500), 5000 - i)).collect();
        let mut results = Vec::new();
        for (parts, text_bytes) in [(1, 0), (7, 0), (7, 8 * BUCKET_BYTES), (2, u64::MAX >> 1)] {
            let folder = dir.path().join(format!("{parts}-{text_bytes}"));
            std::fs::create_dir(&folder).unwrap();
            let name = |part: usize| folder.join(part.to_string());
            for (part, documents) in documents.chunks(documents.len().div_ceil(parts)).enumerate() {
                write_part(&name(part), documents.to_vec(), &part).unwrap();
            }
            let (store, metas) = Store::open::<usize>(name).unwrap();
            assert_eq!(metas, (0..parts).collect::<Vec<_>>());
            let store = store.with_buckets_for(0, text_bytes);
            let buckets: Vec<Bucket> = (0..store.n_buckets()).map(|b| store.bucket(b).unwrap()).collect();
            assert_eq!(buckets.iter().map(|b| b.duplicates).sum::<u64>(), 500);
            results.push(buckets.into_iter().flat_map(|b| b.documents).collect::<Vec<_>>());
        }
        assert_eq!(results[0].len(), 2500);
        assert!(results[0].is_sorted_by_key(|stored| stored.id));
        assert!(results.iter().all(|other| *other == results[0]));
        let twice = results[0].iter().find(|s| s.document.text == "document 3").unwrap();
        assert_eq!(twice.document.origin.as_ref().unwrap().record, 5000 - 2503, "the first origin is kept");
    }
}
