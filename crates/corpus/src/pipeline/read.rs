//! Stage 1: raw records become documents that pass the filter, in parts on disk.

use super::store::{DOCUMENT_BYTES, Store, Stored, write_part};
use super::{Interrupted, Run};
use crate::error::CorpusError;
use crate::filter::FilterSettings;
use crate::read::{Found, ReadOptions, Reason, Skipped, Unit, Units};
use rayon::prelude::*;
use scalelaw_core::observer::Progress;
use scalelaw_links::Links;
use scalelaw_tokens::Source;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Memory of a part's documents.
const PART_BYTES: u64 = 128 << 20;
/// An interruption loses at most this much work. Where a part ends does not change the output.
const PART_TIME: Duration = Duration::from_secs(60);
/// Raw records processed at a time, in bytes …
const BATCH_BYTES: usize = 16 << 20;
/// … and in number.
const BATCH_RECORDS: usize = 4096;
/// Examples of what each rule dropped.
const SAMPLES: usize = 5;
/// Characters of an example.
const EXCERPT_CHARS: usize = 200;

/// What reading found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadCounts {
    /// Records: documents and what was left out.
    pub records: u64,
    /// Documents that had text.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// Records without a document, by reason.
    pub skipped: Skipped,
    /// Documents that the filter dropped, by the first rule they broke.
    pub filtered: BTreeMap<String, Dropped>,
    /// Documents that passed the filter.
    pub kept: u64,
    /// Bytes of their text.
    pub kept_bytes: u64,
}

/// Documents dropped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// Those of the smallest digests.
    pub samples: Vec<Sample>,
}

/// An example of the documents that were dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// blake3 of its text, in hex.
    pub id: String,
    /// What was found: the rule's value, or the document that it nearly duplicates.
    pub found: String,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<crate::document::Origin>>,
    /// How it begins.
    pub excerpt: String,
}

impl Sample {
    pub(super) fn new(stored: &Stored, found: String) -> Self {
        Self {
            id: blake3::Hash::from_bytes(stored.id).to_hex().to_string(),
            found,
            origin: stored.document.origin.clone(),
            excerpt: stored.document.text.chars().take(EXCERPT_CHARS).collect(),
        }
    }
}

impl Dropped {
    pub(super) fn add(&mut self, bytes: u64, sample: Sample) {
        self.documents += 1;
        self.bytes += bytes;
        self.keep(sample);
    }

    /// Counts a document and keeps it as an example if it is one of the first by digest.
    pub(super) fn add_with(
        &mut self,
        bytes: u64,
        id: &[u8; 32],
        sample: impl FnOnce() -> Result<Sample, CorpusError>,
    ) -> Result<(), CorpusError> {
        self.documents += 1;
        self.bytes += bytes;
        let id = blake3::Hash::from_bytes(*id).to_hex();
        if self.samples.len() < SAMPLES || self.samples.last().is_some_and(|last| *id < *last.id) {
            self.keep(sample()?);
        }
        Ok(())
    }

    fn keep(&mut self, sample: Sample) {
        let at = self.samples.partition_point(|kept| kept.id <= sample.id);
        if at < SAMPLES {
            self.samples.insert(at, sample);
            self.samples.truncate(SAMPLES);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        other.samples.into_iter().for_each(|sample| self.keep(sample));
    }
}

impl ReadCounts {
    fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.skipped.merge(&other.skipped);
        for (rule, dropped) in other.filtered {
            self.filtered.entry(rule).or_default().merge(dropped);
        }
        self.kept += other.kept;
        self.kept_bytes += other.kept_bytes;
    }
}

/// Where reading continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    unit: usize,
    /// Records of the unit that are done.
    records: u64,
}

/// Metadata of a part.
#[derive(Serialize, Deserialize)]
struct PartMeta {
    next: Position,
    counts: ReadCounts,
    /// The units that ended in this part.
    sources: Vec<Source>,
    /// URLs of the wanted pages in this part.
    found: Vec<String>,
}

/// What stage 1 leaves.
pub(super) struct ReadStage {
    pub(super) store: Store,
    pub(super) counts: ReadCounts,
    pub(super) sources: Vec<Source>,
}

/// Reads the input that is not read yet.
pub(super) fn read(
    run: &Run<'_>,
    units: &Units,
    options: &ReadOptions,
    filter: &FilterSettings,
) -> Result<ReadStage, Interrupted> {
    let folder = run.work.join("parts");
    std::fs::create_dir_all(&folder).map_err(CorpusError::io(&folder, "create the directory"))?;
    let name = |part: usize| folder.join(format!("{part:06}.part"));
    let (store, metas) = Store::open::<PartMeta>(name)?;
    remove_later_parts(&folder, metas.len())?;
    let position = metas.last().map_or(Position::default(), |meta| meta.next);
    let mut part = metas.len();
    drop((store, metas));
    if position.unit < units.units.len() || part == 0 {
        read_parts(run, units, options, filter, position, &mut part, &name)?;
    }
    let (store, metas) = Store::open::<PartMeta>(name)?;
    let mut stage = ReadStage { store, counts: ReadCounts::default(), sources: Vec::new() };
    stage.counts.skipped.other_kind = units.other_kind;
    for meta in metas {
        stage.counts.merge(meta.counts);
        stage.sources.extend(meta.sources);
        if let Some(links) = &options.wanted {
            meta.found.iter().for_each(|url| {
                links.mark_found(url);
            });
        }
    }
    Ok(stage)
}

/// Deletes the parts after a missing one: they belong to an earlier attempt.
fn remove_later_parts(folder: &Path, parts: usize) -> Result<(), CorpusError> {
    for entry in std::fs::read_dir(folder).map_err(CorpusError::io(folder, "list"))? {
        let path = entry.map_err(CorpusError::io(folder, "list"))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if number.is_none_or(|number: usize| number >= parts) {
            std::fs::remove_file(&path).map_err(CorpusError::io(&path, "remove"))?;
        }
    }
    Ok(())
}

/// Records on their way from the reader.
struct Batch {
    records: Vec<Found>,
    /// Where reading continues after them.
    next: Position,
    /// How far that is into its unit, in bytes.
    place: u64,
    /// The units that end in them.
    sources: Vec<Source>,
}

/// Reads from `position` to the end, one part at a time; when asked to stop, it first writes what it has.
fn read_parts(
    run: &Run<'_>,
    units: &Units,
    options: &ReadOptions,
    filter: &FilterSettings,
    position: Position,
    part: &mut usize,
    name: &dyn Fn(usize) -> PathBuf,
) -> Result<(), Interrupted> {
    let total: u64 = units.units.iter().map(|unit| unit.bytes).sum();
    let done_before =
        |position: Position| units.units[..position.unit].iter().map(|unit| unit.bytes).sum::<u64>();
    std::thread::scope(|scope| {
        let (sender, batches): (_, Receiver<Result<Batch, CorpusError>>) = sync_channel(2);
        scope.spawn(move || send_batches(&units.units, options, position, &sender));
        let mut building = Part::new(position);
        for batch in &batches {
            let batch = batch?;
            let (done, unit) = (done_before(batch.next) + batch.place, "bytes of input");
            building.take(batch, filter, options.wanted.as_deref());
            run.observer.progress(Progress::Stage { name: "reading", done, total, unit });
            let stopped = run.check();
            let full = building.bytes() >= PART_BYTES || building.begun.elapsed() >= PART_TIME;
            if full || stopped.is_err() {
                building = building.write(part, name)?;
            }
            stopped?;
        }
        building.write(part, name)?;
        Ok(())
    })
}

/// A part being filled.
struct Part {
    begun: Instant,
    documents: Vec<Stored>,
    meta: PartMeta,
}

impl Part {
    fn new(next: Position) -> Self {
        let meta = PartMeta { next, counts: ReadCounts::default(), sources: Vec::new(), found: Vec::new() };
        Self { begun: Instant::now(), documents: Vec::new(), meta }
    }

    /// Approximate memory of its documents.
    fn bytes(&self) -> u64 {
        self.meta.counts.kept_bytes + DOCUMENT_BYTES * self.documents.len() as u64
    }

    fn take(&mut self, batch: Batch, filter: &FilterSettings, wanted: Option<&Links>) {
        let outcomes: Vec<Outcome> =
            batch.records.into_par_iter().map(|record| outcome(record, filter)).collect();
        let counts = &mut self.meta.counts;
        for outcome in outcomes {
            counts.records += 1;
            let (url, kept) = match outcome {
                Outcome::Left(reason) => {
                    counts.skipped.count(reason);
                    continue;
                }
                Outcome::Dropped { rule, bytes, sample } => {
                    counts.documents += 1;
                    counts.bytes += bytes;
                    let url = sample.origin.as_ref().and_then(|origin| origin.url.clone());
                    counts.filtered.entry(rule.to_owned()).or_default().add(bytes, sample);
                    (url, None)
                }
                Outcome::Kept(stored) => {
                    let bytes = stored.document.text.len() as u64;
                    counts.documents += 1;
                    counts.bytes += bytes;
                    counts.kept += 1;
                    counts.kept_bytes += bytes;
                    (stored.document.origin.as_ref().and_then(|origin| origin.url.clone()), Some(stored))
                }
            };
            self.documents.extend(kept);
            if wanted.is_some() {
                self.meta.found.extend(url);
            }
        }
        self.meta.next = batch.next;
        self.meta.sources.extend(batch.sources);
    }

    /// Writes the part and begins the next.
    fn write(self, part: &mut usize, name: &dyn Fn(usize) -> PathBuf) -> Result<Self, CorpusError> {
        write_part(&name(*part), self.documents, &self.meta)?;
        *part += 1;
        Ok(Self::new(self.meta.next))
    }
}

/// What became of a record.
enum Outcome {
    Left(Reason),
    Dropped { rule: &'static str, bytes: u64, sample: Sample },
    Kept(Stored),
}

fn outcome(record: Found, filter: &FilterSettings) -> Outcome {
    let document = match record {
        Found::Raw(raw) => raw.into_document(),
        Found::Left(left) => Err(left),
    };
    let document = match document {
        Ok(document) => document,
        Err(left) => return Outcome::Left(left.reason),
    };
    let broken = filter.check(&document.text);
    let stored = Stored::new(document);
    match broken {
        Ok(()) => Outcome::Kept(stored),
        Err(broken) => {
            let bytes = stored.document.text.len() as u64;
            Outcome::Dropped { rule: broken.rule, bytes, sample: Sample::new(&stored, broken.found) }
        }
    }
}

/// Sends the records from a position on; ends early when the receiver is gone.
fn send_batches(
    units: &[Unit],
    options: &ReadOptions,
    position: Position,
    sender: &SyncSender<Result<Batch, CorpusError>>,
) {
    let empty = |next| Batch { records: Vec::new(), next, place: 0, sources: Vec::new() };
    let mut next = empty(position);
    let mut bytes = 0;
    for (number, unit) in units.iter().enumerate().skip(position.unit) {
        let done_before = if number == position.unit { position.records } else { 0 };
        let (mut seen, place) = (0, AtomicU64::new(0));
        let mut visit = |record: Found| {
            seen += 1;
            bytes += record_bytes(&record);
            // Records done earlier are skipped; an empty batch still reports progress.
            if seen > done_before {
                next.records.push(record);
                next.next = Position { unit: number, records: seen };
            }
            if bytes < BATCH_BYTES && next.records.len() < BATCH_RECORDS {
                return ControlFlow::Continue(());
            }
            bytes = 0;
            next.place = place.load(Ordering::Relaxed);
            let after = empty(next.next);
            match sender.send(Ok(std::mem::replace(&mut next, after))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let visited =
            unit.visit_from(options, &place, &mut visit).and_then(|flow| Ok((flow, unit.source()?)));
        match visited {
            Ok((ControlFlow::Continue(()), source)) => {
                next.next = Position { unit: number + 1, records: 0 };
                next.sources.push(source);
            }
            Ok((ControlFlow::Break(()), _)) => return,
            Err(error) => {
                let _ = sender.send(Err(error));
                return;
            }
        }
    }
    let _ = sender.send(Ok(next));
}

fn record_bytes(record: &Found) -> usize {
    match record {
        Found::Raw(raw) => raw.bytes(),
        Found::Left(_) => 0,
    }
}
