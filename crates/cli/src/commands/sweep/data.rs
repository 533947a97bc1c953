//! The data of a sweep, and its further evaluation sets: built from the text that its experiment names, or found.

use super::RunArguments;
use crate::execute::host;
use crate::progress::Display;
use anyhow::{Context, bail};
use scalelaw_core::measure::EvaluationSet;
use scalelaw_corpus::{
    BuildOptions, DocumentSource, Language, ReadLimits, SplitFractions, SyntheticText, TOKENIZER_FILE,
    TextPaths, Tokenizer, TokenizerChoice, build_dataset,
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

/// What the runs of an experiment learn from and are measured on.
pub struct Data {
    /// Training and test text.
    pub dataset: Dataset,
    /// Further evaluation sets, in the order of the specs.
    pub evals: Vec<Dataset>,
}

/// Opens the data of an experiment, building them in `<out>/data` and `<out>/evals` where it names texts.
///
/// # Errors
/// When there is no text, it is too little, or the dataset is another than the experiment's.
pub fn open(
    file: &ExperimentFile,
    arguments: &RunArguments,
    display: &Display,
) -> anyhow::Result<(Data, Facts)> {
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
    let mut facts = facts(file, &dataset)?;
    let evals = eval_sets(file, arguments, &dataset, display)?;
    for (name, set) in &evals {
        let tokens = file.eval_tokens().unwrap_or(u64::MAX).min(set.manifest().splits.test.tokens);
        facts.evals.push(EvaluationSet { name: name.clone(), digest: set.digest(), tokens });
    }
    let evals = evals.into_iter().map(|(_, set)| set).collect();
    Ok((Data { dataset, evals }, facts))
}

/// The further evaluation sets by name: all their text, in tokens of the dataset's own tokenizer.
fn eval_sets(
    file: &ExperimentFile,
    arguments: &RunArguments,
    dataset: &Dataset,
    display: &Display,
) -> anyhow::Result<Vec<(String, Dataset)>> {
    let folder = arguments.file.parent().unwrap_or(Path::new("."));
    let of_file = file
        .evals
        .iter()
        .map(|(name, paths)| (name.as_str(), paths.iter().map(|path| folder.join(path)).collect()));
    let given = arguments.evals.iter().map(|(name, path)| (name.as_str(), vec![path.clone()]));
    let wanted: Vec<(&str, Vec<PathBuf>)> = of_file.chain(given).collect();
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let path = dataset.dir().join(TOKENIZER_FILE);
    let tokenizer = Tokenizer::from_file(&path)
        .with_context(|| "further evaluation sets are prepared with the dataset's own tokenizer")?;
    let options = BuildOptions {
        split: SplitFractions::EVALUATION,
        max_eval_tokens: file.eval_tokens().unwrap_or(EVAL_TOKENS),
        ..BuildOptions::default()
    };
    let mut sets = Vec::with_capacity(wanted.len());
    for (name, paths) in wanted {
        let dir = arguments.out.join("evals").join(name);
        let set = prepare(&texts(&paths), TokenizerChoice::Given(&tokenizer), &options, &dir, display)
            .with_context(|| format!("evaluation set {name}"))?;
        sets.push((name.to_owned(), set));
    }
    Ok(sets)
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
        evals: vec![],
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
    let tokenizer = TokenizerChoice::Train { n_vocab, sample_bytes: TOKENIZER_SAMPLE };
    prepare(source, tokenizer, &options, dir, display)
}

/// Builds a dataset, or opens it where it is built already.
fn prepare(
    source: &dyn DocumentSource,
    tokenizer: TokenizerChoice<'_>,
    options: &BuildOptions,
    dir: &Path,
    display: &Display,
) -> anyhow::Result<Dataset> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    // Two sweeps that start together need one dataset, not two builds of it.
    let _claim = if dir.join("manifest.json").exists() { None } else { Some(claim(dir)?) };
    Ok(build_dataset(source, tokenizer, options, dir, display)?.0)
}

fn claim(dir: &Path) -> anyhow::Result<Claim> {
    loop {
        match Claim::acquire(dir, &host())? {
            Claimed::Ours(claim) => return Ok(claim),
            Claimed::Held(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
