//! A corpus from raw material: each stage leaves files for the next, so that an interrupted build resumes where it was.
//!
//! ```text
//! records ─read, extract, filter─▶ parts ─by digest─▶ buckets ─words, bands, pairs─▶ what is kept ─▶ documents, tokens
//! ```
//!
//! Documents are stored by the first bits of their digests, so a bucket is read in the order of digests whatever order
//! the documents came in. Everything after that is a function of the documents alone: the output has the same bytes for
//! any number of threads, order of inputs and interruptions. Memory holds one bucket, tables of a few bytes per document,
//! and a bounded set of held-out runs of words.

mod documents;
mod evals;
mod index;
mod leaks;
mod manifest;
mod near;
mod read;
mod segments;
mod settings;
mod store;
mod subset;
mod write;

pub use manifest::{
    CORPUS_FORMAT, CORPUS_MANIFEST, CorpusCounts, CorpusManifest, DocumentFile, DuplicateCounts, EvalSummary,
    HeldOutLeaks, LeakCounts, LinkSummary,
};
pub use read::{Dropped, ReadCounts, Sample};
pub use settings::{
    CorpusSettings, DocumentFormat, EvalSettings, InputSettings, LeakSettings, LinkSettings, OutputSettings,
    TokenizerSettings,
};
pub use subset::{Subset, open_tokens, write_subset};

use crate::dataset::{TOKENIZER_FILE, TokenWriter, empty_split, train_tokenizer};
use crate::error::CorpusError;
use crate::read::{ReadLimits, ReadOptions, Units, units};
use crate::tokenizer::Tokenizer;
use leaks::{HeldOut, HeldOutText};
use scalelaw_core::Observer;
use scalelaw_files::{is_temporary, write_atomically};
use scalelaw_links::{LinkOptions, Links};
use scalelaw_tokens::{Dataset, Source, Split};
use serde::{Serialize, de::DeserializeOwned};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use write::Kept;

/// The folder of the token dataset in a corpus.
pub const CORPUS_TOKENS: &str = "tokens";
/// The folder of an unfinished build.
const WORK: &str = "work";
/// Most sources that a manifest names one by one; more become one entry with the digest of their list.
const NAMED_SOURCES: usize = 1000;

/// How a build ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CorpusBuild {
    /// The corpus is complete.
    Built(Box<CorpusManifest>),
    /// It was complete before.
    Found(Box<CorpusManifest>),
    /// It was asked to stop; the same call resumes.
    Stopped,
}

/// Why a stage did not finish.
enum Interrupted {
    Stopped,
    Failed(CorpusError),
}

impl<E: Into<CorpusError>> From<E> for Interrupted {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A build under way.
struct Run<'a> {
    work: PathBuf,
    observer: &'a dyn Observer,
    stop: &'a (dyn Fn() -> bool + Sync),
}

impl Run<'_> {
    fn check(&self) -> Result<(), Interrupted> {
        if (self.stop)() { Err(Interrupted::Stopped) } else { Ok(()) }
    }

    /// The folder of a stage.
    fn stage(&self, name: &str) -> Result<PathBuf, CorpusError> {
        let folder = self.work.join(name);
        std::fs::create_dir_all(&folder).map_err(CorpusError::io(&folder, "create the directory"))?;
        Ok(folder)
    }

    /// What a finished step recorded.
    fn finished<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, CorpusError> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CorpusError::io(path, "read")(error)),
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|_| segments::damaged(path)),
        }
    }

    /// Records what a step found.
    fn finish<T: Serialize>(&self, path: &Path, found: &T) -> Result<(), CorpusError> {
        let text = serde_json::to_vec(found).expect("steps leave JSON with string keys");
        Ok(write_atomically(path, &text)?)
    }
}

/// Builds a corpus in `out`, or resumes building it.
///
/// ```text
/// documents/   files of documents with their origin, by split, in the order of their digests
/// tokens/      the token dataset, with its tokenizer
/// eval/<name>/ further held-out sets as token datasets
/// manifest.json   settings, sources, counts, samples, digests; written last
/// ```
///
/// # Errors
/// Names the file, the option or the row that is wrong; `out` holding a corpus of other inputs.
pub fn build_corpus(
    settings: &CorpusSettings,
    out: &Path,
    observer: &dyn Observer,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<CorpusBuild, CorpusError> {
    settings.validate()?;
    let units = units(&settings.input.paths)?;
    let inputs = inputs_digest(settings, &units)?;
    if out.join(CORPUS_MANIFEST).exists() {
        let manifest = CorpusManifest::open(out)?;
        return if manifest.inputs == inputs {
            Ok(CorpusBuild::Found(Box::new(manifest)))
        } else {
            Err(CorpusError::OtherCorpus { dir: out.to_owned() })
        };
    }
    for folder in [out.to_owned(), out.join("documents"), out.join(CORPUS_TOKENS)] {
        remove_half_written(&folder)?;
    }
    let run = Run { work: out.join(WORK), observer, stop };
    std::fs::create_dir_all(&run.work).map_err(CorpusError::io(&run.work, "create the directory"))?;
    let identity = run.work.join("inputs.json");
    match run.finished::<String>(&identity)? {
        Some(found) if found != inputs => return Err(CorpusError::OtherCorpus { dir: out.to_owned() }),
        Some(_) => {}
        None => run.finish(&identity, &inputs)?,
    }
    match build(&run, settings, &units, inputs, out) {
        Ok(manifest) => {
            std::fs::remove_dir_all(&run.work).map_err(CorpusError::io(&run.work, "remove"))?;
            Ok(CorpusBuild::Built(Box::new(manifest)))
        }
        Err(Interrupted::Stopped) => Ok(CorpusBuild::Stopped),
        Err(Interrupted::Failed(error)) => Err(error),
    }
}

fn build(
    run: &Run<'_>,
    settings: &CorpusSettings,
    units: &Units,
    inputs: String,
    out: &Path,
) -> Result<CorpusManifest, Interrupted> {
    let given = match &settings.tokenizer {
        TokenizerSettings::Named(name) => Some(Tokenizer::named(name)?),
        TokenizerSettings::Train { .. } => None,
    };
    let links = settings.links.as_ref().map(read_links).transpose()?;
    let options = ReadOptions {
        limits: ReadLimits::default(),
        text_key: settings.input.text_key.clone(),
        wanted: links.clone(),
    };
    let read = read::read(run, units, &options, &settings.filter)?;
    if read.counts.kept == 0 {
        return Err(nothing_kept(&read.counts).into());
    }
    let store = read.store.with_buckets_for(read.counts.kept, read.counts.kept_bytes);
    let index = index::index(run, &store, &settings.near_duplicates)?;
    let drops = near::near_duplicates(run, &index, &settings.near_duplicates)?;
    let kept: Vec<Vec<bool>> = (0..store.n_buckets())
        .map(|bucket| {
            let mut kept = vec![true; index.meta(bucket).documents as usize];
            drops[bucket].dropped.iter().for_each(|(number, _)| kept[*number] = false);
            kept
        })
        .collect();
    let tokenizer = match given {
        Some(tokenizer) => tokenizer,
        None => trained(run, settings, &store, &kept)?,
    };
    for folder in ["documents", CORPUS_TOKENS] {
        let folder = out.join(folder);
        std::fs::create_dir_all(&folder).map_err(CorpusError::io(&folder, "create the directory"))?;
    }
    let held_out_text = HeldOutText { store: &store, kept: &kept, settings };
    let mut held_out = HeldOut::collect(run, held_out_text)?;
    let from =
        Kept { store: &store, index: &index, drops: &drops, kept: &kept, tokenizer: &tokenizer, settings };
    let mut stage = write::write(run, &from, &mut held_out, out)?;
    let written = std::mem::take(&mut stage.written);
    for split in Split::ALL {
        if written.splits[split as usize].documents == 0 {
            let documents = written.splits.iter().map(|counts| counts.documents).sum();
            return Err(empty_split(split, documents).into());
        }
    }
    let (mut leaks, train_documents) = written.leaks.counts();
    let eval_leaks = held_out.count(run, held_out_text, &train_documents, &mut leaks)?;
    let sources = few(read.sources);
    let dataset = write_dataset(run, &stage, &tokenizer, &sources, &inputs, &out.join(CORPUS_TOKENS))?;
    let evals = evals::write(run, settings, &tokenizer, &eval_leaks, out)?;
    let manifest = CorpusManifest {
        format: CORPUS_FORMAT,
        inputs,
        settings: settings.clone(),
        sources,
        read: read.counts,
        duplicates: DuplicateCounts {
            exact: (0..store.n_buckets()).map(|bucket| index.meta(bucket).duplicates).sum(),
            near: written.near,
            compared: drops.iter().map(|drops| drops.compared).sum(),
        },
        leaks,
        links: links.map(|links| list_missing(&links, out)).transpose()?,
        splits: written.splits,
        files: written.files,
        dataset: dataset.digest(),
        evals,
    };
    let mut text = serde_json::to_vec_pretty(&manifest).expect("a manifest has only string keys");
    text.push(b'\n');
    write_atomically(&out.join(CORPUS_MANIFEST), &text)?;
    Ok(manifest)
}

/// Deletes temporary files left behind by an interrupted build.
fn remove_half_written(folder: &Path) -> Result<(), CorpusError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(CorpusError::io(folder, "list"))?.path();
        if path.is_file() && is_temporary(&path) {
            std::fs::remove_file(&path).map_err(CorpusError::io(&path, "remove"))?;
        }
    }
    Ok(())
}

fn nothing_kept(counts: &ReadCounts) -> CorpusError {
    let filtered: Vec<String> =
        counts.filtered.iter().map(|(rule, dropped)| format!("{} by {rule}", dropped.documents)).collect();
    CorpusError::TooLittleText {
        what: "documents that pass the filter",
        found: format!(
            "0 of {} records (skipped: {}; filtered: {})",
            counts.records,
            counts.skipped,
            if filtered.is_empty() { "none".into() } else { filtered.join(", ") }
        ),
        needed: "about 100; `[filter] rules = \"none\"` drops none".into(),
    }
}

/// Identity of a build: its settings, and names, sizes and modification times of its inputs, wherever it is called from.
fn inputs_digest(settings: &CorpusSettings, input: &Units) -> Result<String, CorpusError> {
    let mut choices = settings.clone();
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{CORPUS_FORMAT} {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    hash_files(&mut hasher, input.units.iter().map(|unit| (unit.name.clone(), unit.path.as_path())))?;
    choices.input.paths.clear();
    for eval in &mut choices.evals {
        let units = units(&eval.paths)?;
        hash_files(&mut hasher, units.units.iter().map(|unit| (unit.name.clone(), unit.path.as_path())))?;
        eval.paths.clear();
    }
    if let Some(links) = &mut choices.links {
        hash_files(&mut hasher, links.paths.iter().map(|path| (String::new(), path.as_path())))?;
        links.paths.clear();
    }
    if let TokenizerSettings::Named(name) = &mut choices.tokenizer
        && name != "gpt2"
    {
        *name = Tokenizer::from_file(Path::new(name))?.digest();
    }
    hasher.update(&serde_json::to_vec(&choices).expect("settings have only string keys"));
    Ok(hasher.finalize().to_hex().to_string())
}

fn hash_files<'a>(
    hasher: &mut blake3::Hasher,
    files: impl Iterator<Item = (String, &'a Path)>,
) -> Result<(), CorpusError> {
    for (name, path) in files {
        let metadata = std::fs::metadata(path).map_err(CorpusError::io(path, "read"))?;
        let modified =
            metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        hasher.update(format!("{name} {} {modified:?}\n", metadata.len()).as_bytes());
    }
    hasher.update(b"\n");
    Ok(())
}

fn read_links(settings: &LinkSettings) -> Result<Arc<Links>, CorpusError> {
    let options =
        LinkOptions { min_score: settings.min_score, excluded_domains: settings.excluded_domains.clone() };
    Ok(Arc::new(Links::read(&settings.paths, &options)?.0))
}

/// Lists the links whose pages were not in the input.
fn list_missing(links: &Links, out: &Path) -> Result<LinkSummary, CorpusError> {
    let mut list = Vec::new();
    let mut missing = 0;
    for (url, score) in links.missing() {
        missing += 1;
        let line = serde_json::json!({ "url": url, "score": score });
        writeln!(list, "{line}").expect("memory can be written");
    }
    write_atomically(&out.join("links-missing.jsonl"), &list)?;
    Ok(LinkSummary { wanted: links.len() as u64, missing })
}

/// The tokenizer trained on the first training documents, or the one that was trained before.
fn trained(
    run: &Run<'_>,
    settings: &CorpusSettings,
    store: &store::Store,
    kept: &[Vec<bool>],
) -> Result<Tokenizer, Interrupted> {
    let path = run.work.join(TOKENIZER_FILE);
    if path.exists() {
        return Ok(Tokenizer::from_file(&path)?);
    }
    let TokenizerSettings::Train { train, sample_bytes } = settings.tokenizer else {
        unreachable!("a tokenizer with a name is not trained");
    };
    let mut texts = Vec::new();
    let mut bytes = 0;
    for (bucket, kept) in kept.iter().enumerate() {
        for (stored, kept) in store.bucket(bucket)?.documents.into_iter().zip(kept) {
            let is_train = *kept && settings.split.split_of(&stored.id) == Split::Train;
            if is_train && bytes < sample_bytes {
                bytes += stored.document.text.len() as u64;
                texts.push(stored.document.text);
            }
        }
        if bytes >= sample_bytes {
            break;
        }
    }
    let sample: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tokenizer = train_tokenizer(&sample, train, run.observer)?;
    write_atomically(&path, tokenizer.json())?;
    Ok(tokenizer)
}

/// The sources, or one entry for all when there are very many.
fn few(sources: Vec<Source>) -> Vec<Source> {
    if sources.len() <= NAMED_SOURCES {
        return sources;
    }
    let mut list = blake3::Hasher::new();
    for source in &sources {
        list.update(format!("{}  {}\n", source.digest, source.name).as_bytes());
    }
    vec![Source {
        name: format!("{} files", sources.len()),
        bytes: sources.iter().map(|source| source.bytes).sum(),
        digest: format!("blake3-of-list:{}", list.finalize().to_hex()),
    }]
}

fn write_dataset(
    run: &Run<'_>,
    stage: &write::WriteStage,
    tokenizer: &Tokenizer,
    sources: &[Source],
    inputs: &str,
    dir: &Path,
) -> Result<Dataset, Interrupted> {
    let mut writer = TokenWriter::create(dir, tokenizer)?;
    stage.push_tokens(run, &mut writer)?;
    Ok(writer.finish(sources.to_vec(), serde_json::json!({ "corpus": inputs }))?)
}
