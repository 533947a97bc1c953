//! The data of a sweep: built from the text that its experiment names, or found.

use super::RunArguments;
use crate::execute::host;
use crate::progress::Display;
use anyhow::{Context, bail};
use scalelaw_corpus::{
    BuildOptions, DocumentSource, Language, ReadLimits, SyntheticText, TextPaths, TokenizerChoice,
    build_dataset,
};
use scalelaw_experiment::{DataOrigin, ExperimentFile, Facts};
use scalelaw_runs::{Claim, Claimed};
use scalelaw_tokens::Dataset;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Text that the tokenizer learns from.
const TOKENIZER_SAMPLE: u64 = 8 << 20;
/// More text than a token of the synthetic language stands for, so that it never runs out.
const SYNTHETIC_BYTES_PER_TOKEN: u64 = 6;
/// Held-out tokens of each kind.
const EVAL_TOKENS: u64 = 1 << 18;

/// Opens the data of an experiment, building them in `<out>/data` where it names a text.
///
/// # Errors
/// When there is no text, it is too little, or the dataset is another than the experiment's.
pub fn open(
    file: &ExperimentFile,
    arguments: &RunArguments,
    display: &Display,
) -> anyhow::Result<(Dataset, Facts)> {
    let here = arguments.out.join("data");
    let dataset = match (&arguments.data, &file.data.origin) {
        (Some(dir), _) => Dataset::open(dir)?,
        (None, _) if !arguments.text.is_empty() => build(file, &texts(&arguments.text), &here, display)?,
        (None, DataOrigin::Text(paths)) => {
            let folder = arguments.file.parent().unwrap_or(Path::new("."));
            let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
            build(file, &texts(&paths), &here, display)?
        }
        (None, DataOrigin::Synthetic(seed)) => {
            let tokens = file
                .data
                .max_train_tokens
                .context("[data] synthetic needs max_train_tokens: a language has no end")?;
            let bytes = tokens.saturating_mul(SYNTHETIC_BYTES_PER_TOKEN);
            build(file, &SyntheticText::new(Language::new(*seed), bytes), &here, display)?
        }
        (None, DataOrigin::Dataset(dir)) => {
            Dataset::open(&arguments.file.parent().unwrap_or(Path::new(".")).join(dir))?
        }
        (None, DataOrigin::Here) => Dataset::open(&here).with_context(|| {
            format!("{} names no data: give --text PATH or --data DIR", arguments.file.display())
        })?,
    };
    let facts = facts(file, &dataset)?;
    Ok((dataset, facts))
}

/// What the experiment needs to know of a dataset.
///
/// # Errors
/// When the experiment says the digest of another one.
pub fn facts(file: &ExperimentFile, dataset: &Dataset) -> anyhow::Result<Facts> {
    let digest = dataset.digest();
    if let Some(wanted) = file.data.digest.as_ref().filter(|wanted| **wanted != digest) {
        bail!("{} has digest {digest}, but the experiment is about {wanted}", dataset.dir().display());
    }
    Ok(Facts {
        name: file.data.name.clone().unwrap_or_else(|| source_names(dataset)),
        digest,
        n_vocab: dataset.manifest().n_vocab,
        train_tokens: dataset.train().len(),
        test_tokens: 0,
    })
}

fn source_names(dataset: &Dataset) -> String {
    let names: Vec<&str> = dataset.manifest().sources.iter().map(|source| source.name.as_str()).collect();
    match names.as_slice() {
        [] => "data".into(),
        [one] => (*one).to_owned(),
        [first, .., last] => format!("{first} … {last}"),
    }
}

fn texts(paths: &[PathBuf]) -> TextPaths {
    TextPaths::new(paths.to_vec(), ReadLimits::default())
}

fn build(
    file: &ExperimentFile,
    source: &dyn DocumentSource,
    dir: &Path,
    display: &Display,
) -> anyhow::Result<Dataset> {
    let n_vocab =
        file.n_vocab().context("to train a tokenizer the recipe must say n_vocab as a plain number")?;
    let options = BuildOptions {
        max_train_tokens: file.data.max_train_tokens.unwrap_or(u64::MAX),
        max_eval_tokens: EVAL_TOKENS,
        ..BuildOptions::default()
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    // Two sweeps that start together need one dataset, not two builds of it.
    let _claim = if dir.join("manifest.json").exists() { None } else { Some(claim(dir)?) };
    let tokenizer = TokenizerChoice::Train { n_vocab, sample_bytes: TOKENIZER_SAMPLE };
    Ok(build_dataset(source, tokenizer, &options, dir, display)?.0)
}

fn claim(dir: &Path) -> anyhow::Result<Claim> {
    loop {
        match Claim::acquire(dir, &host())? {
            Claimed::Ours(claim) => return Ok(claim),
            Claimed::Held(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
