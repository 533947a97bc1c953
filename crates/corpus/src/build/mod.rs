//! From documents in memory to a dataset of tokens, within budgets of text and tokens.

mod hold;
mod record;

pub use record::{BuildRecord, Cut, Read};

use crate::dataset::{TOKENIZER_FILE, TokenWriter, empty_split, train_tokenizer};
use crate::document::Document;
use crate::error::CorpusError;
use crate::source::DocumentSource;
use crate::split::SplitFractions;
use crate::tokenizer::Tokenizer;
use hold::Held;
use scalelaw_core::Observer;
use scalelaw_core::observer::Progress;
use scalelaw_tokens::{Dataset, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// How a dataset is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildOptions {
    /// Shares of the documents that are held out.
    pub split: SplitFractions,
    /// Training takes documents until it has this many tokens.
    pub max_train_tokens: u64,
    /// Validation and test each take documents until they have this many tokens.
    pub max_eval_tokens: u64,
    /// Reading stops after this many bytes of text; the rest of the input is ignored.
    pub max_read_bytes: u64,
    /// Of the documents read, those first in hash order are held in memory, up to this many bytes.
    pub max_held_bytes: u64,
}

impl Default for BuildOptions {
    /// All of the text, up to 4 GiB of memory.
    fn default() -> Self {
        Self {
            split: SplitFractions::default(),
            max_train_tokens: u64::MAX,
            max_eval_tokens: u64::MAX,
            max_read_bytes: u64::MAX,
            max_held_bytes: 4 << 30,
        }
    }
}

/// The tokenizer of a dataset.
#[derive(Clone, Copy, Debug)]
pub enum TokenizerChoice<'a> {
    /// Trained on the first training documents.
    Train {
        /// Size of the vocabulary.
        n_vocab: u32,
        /// Most bytes of text to train on.
        sample_bytes: u64,
    },
    /// An existing one.
    Given(&'a Tokenizer),
}

/// Whether a dataset was built now or existed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// It was built now.
    New,
    /// The same inputs and options had been built here before.
    Reused,
}

/// No tokenizer of natural text or code reaches this many bytes a token, so text beyond it need not be held.
const MAX_BYTES_PER_TOKEN: u64 = 8;
/// Bytes of text encoded at a time.
const BATCH_BYTES: usize = 4 << 20;

/// Builds a dataset in `dir`: documents without exact duplicates, in the order of their digests (a fixed
/// random shuffle), split by digest, as tokens; and the tokenizer beside them.
///
/// Where `dir` already holds the dataset of the same inputs and options, it is opened and nothing is done.
///
/// # Errors
/// Names the file that cannot be read or written; too little text for three splits or for the vocabulary.
pub fn build_dataset(
    source: &dyn DocumentSource,
    tokenizer: TokenizerChoice<'_>,
    options: &BuildOptions,
    dir: &Path,
    observer: &dyn Observer,
) -> Result<(Dataset, Built), CorpusError> {
    options.split.validate()?;
    let sources = source.sources()?;
    let inputs = record::inputs_digest(&sources, &tokenizer, options);
    if let Some(dataset) = reusable(dir, &inputs) {
        return Ok((dataset, Built::Reused));
    }

    let max_eval_bytes = options.max_eval_tokens.saturating_mul(MAX_BYTES_PER_TOKEN);
    let train_share = options.split.share(Split::Train);
    let wanted = if options.split == SplitFractions::EVALUATION {
        u64::MAX
    } else {
        (options.max_train_tokens.saturating_mul(MAX_BYTES_PER_TOKEN) as f64 / train_share) as u64
    };
    let mut held = Held::new(options.max_held_bytes.min(wanted));
    let (read, skipped) = read_documents(source, options.max_read_bytes, &mut held, observer)?;
    if held.is_empty() {
        return Err(CorpusError::TooLittleText {
            what: "documents",
            found: format!("0 (skipped: {skipped})"),
            needed: "3".into(),
        });
    }
    let duplicates = held.duplicates();
    let (documents, cut) = held.cut(&options.split, max_eval_bytes);
    let mut splits: BTreeMap<Split, Vec<&str>> = BTreeMap::new();
    for (id, text) in &documents {
        splits.entry(options.split.split_of(id)).or_default().push(text);
    }
    for split in Split::ALL {
        if options.split.share(split) > 0.0 && !splits.contains_key(&split) {
            return Err(empty_split(split, documents.len() as u64));
        }
    }

    let trained;
    let (tokenizer, sample_bytes) = match tokenizer {
        TokenizerChoice::Given(tokenizer) => (tokenizer, 0),
        TokenizerChoice::Train { n_vocab, sample_bytes } => {
            let texts = splits.get(&Split::Train).map_or(&[][..], Vec::as_slice);
            let sample = leading(texts, sample_bytes);
            let bytes = sample.iter().map(|text| text.len() as u64).sum();
            trained = train_tokenizer(&sample, n_vocab, observer)?;
            (&trained, bytes)
        }
    };

    let mut writer = TokenWriter::create(dir, tokenizer)?;
    for split in Split::ALL {
        let limit = match split {
            Split::Train => options.max_train_tokens,
            Split::Valid | Split::Test => options.max_eval_tokens,
        };
        let texts = splits.get(&split).map_or(&[][..], Vec::as_slice);
        write_split(&mut writer, split, texts, limit, observer)?;
    }
    let skipped = crate::Skipped { duplicate: duplicates, ..skipped };
    let record = BuildRecord { inputs, options: options.clone(), read, skipped, cut, sample_bytes };
    Ok((writer.finish(sources, record.to_json())?, Built::New))
}

/// The dataset in `dir`, when it is whole and was built from these inputs.
fn reusable(dir: &Path, inputs: &str) -> Option<Dataset> {
    let dataset = Dataset::open(dir).ok()?;
    let record = BuildRecord::from_json(&dataset.manifest().build)?;
    let tokenizer = std::fs::read(dir.join(TOKENIZER_FILE)).ok()?;
    let digest = blake3::hash(&tokenizer).to_hex();
    (record.inputs == inputs && *digest == *dataset.manifest().tokenizer_blake3).then_some(dataset)
}

fn read_documents(
    source: &dyn DocumentSource,
    max_bytes: u64,
    held: &mut Held,
    observer: &dyn Observer,
) -> Result<(Read, crate::Skipped), CorpusError> {
    let mut read = Read { documents: 0, bytes: 0, complete: true };
    let skipped = source.visit(&mut |document: Document| {
        if read.bytes >= max_bytes {
            read.complete = false;
            return ControlFlow::Break(());
        }
        read.documents += 1;
        read.bytes += document.text.len() as u64;
        held.offer(document);
        let total = if max_bytes == u64::MAX { 0 } else { max_bytes };
        observer.progress(Progress::Stage { name: "reading text", done: read.bytes, total, unit: "bytes" });
        ControlFlow::Continue(())
    })?;
    let (name, unit) = ("reading text", "bytes");
    observer.progress(Progress::Stage { name, done: read.bytes, total: read.bytes, unit });
    Ok((read, skipped))
}

/// The first texts, up to `bytes` of them; a first text that is longer is cut.
fn leading<'a>(texts: &[&'a str], bytes: u64) -> Vec<&'a str> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut sum = 0;
    let sample: Vec<_> = texts
        .iter()
        .copied()
        .take_while(|text| {
            sum += text.len();
            sum <= bytes
        })
        .collect();
    match (sample.is_empty(), texts.first()) {
        (true, Some(first)) => crate::split::pieces(first, bytes.max(1)).into_iter().take(1).collect(),
        _ => sample,
    }
}

fn write_split(
    writer: &mut TokenWriter<'_>,
    split: Split,
    texts: &[&str],
    max_tokens: u64,
    observer: &dyn Observer,
) -> Result<(), CorpusError> {
    let name = match split {
        Split::Train => "encoding train",
        Split::Valid => "encoding valid",
        Split::Test => "encoding test",
    };
    let total = texts.iter().map(|text| text.len() as u64).sum();
    let mut done = 0;
    let mut rest = texts;
    while !rest.is_empty() && writer.n_tokens(split) < max_tokens {
        observer.progress(Progress::Stage { name, done, total, unit: "bytes" });
        let batch;
        (batch, rest) = rest.split_at(leading(rest, BATCH_BYTES as u64).len());
        writer.push_texts(split, batch, max_tokens)?;
        done += batch.iter().map(|text| text.len() as u64).sum::<u64>();
    }
    observer.progress(Progress::Stage { name, done: total, total, unit: "bytes" });
    Ok(())
}
