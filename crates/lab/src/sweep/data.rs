//! The data of a sweep, and its further evaluation sets: built from the text that its experiment names, or found.

use super::{Request, SweepError};
use scalelaw_core::Observer;
use scalelaw_core::measure::EvaluationSet;
use scalelaw_corpus::{
    BuildOptions, DocumentSource, Language, ReadLimits, SplitFractions, SyntheticText, TOKENIZER_FILE,
    TextPaths, Tokenizer, TokenizerChoice, build_dataset,
};
use scalelaw_experiment::{DataOrigin, ExperimentFile, Facts};
use scalelaw_files::FileError;
use scalelaw_runs::{Claim, Claimed, host_name};
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
    request: &Request,
    observer: &dyn Observer,
) -> Result<(Data, Facts), SweepError> {
    let here = request.out.join("data");
    let dataset = match (&request.dataset, &file.data.origin) {
        (Some(dir), _) => Dataset::open(dir)?,
        (None, _) if !request.text.is_empty() => build(file, &texts(&request.text), &here, observer)?,
        (None, DataOrigin::Text(paths)) => {
            let folder = request.experiment.parent().unwrap_or(Path::new("."));
            let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
            build(file, &texts(&paths), &here, observer)?
        }
        (None, DataOrigin::Synthetic(seed)) => {
            let tokens = file.data.max_train_tokens.ok_or(SweepError::EndlessLanguage)?;
            let bytes = tokens.saturating_mul(SYNTHETIC_BYTES_PER_TOKEN);
            build(file, &SyntheticText::new(Language::new(*seed), bytes), &here, observer)?
        }
        (None, DataOrigin::Dataset(dir)) => {
            Dataset::open(&request.experiment.parent().unwrap_or(Path::new(".")).join(dir))?
        }
        (None, DataOrigin::Here) => Dataset::open(&here)
            .map_err(|source| SweepError::NoData { experiment: request.experiment.clone(), source })?,
    };
    let mut facts = facts(file, &dataset)?;
    let evals = eval_sets(file, request, &dataset, observer)?;
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
    request: &Request,
    dataset: &Dataset,
    observer: &dyn Observer,
) -> Result<Vec<(String, Dataset)>, SweepError> {
    let folder = request.experiment.parent().unwrap_or(Path::new("."));
    let of_file = file
        .evals
        .iter()
        .map(|(name, paths)| (name.as_str(), paths.iter().map(|path| folder.join(path)).collect()));
    let given = request.evals.iter().map(|(name, path)| (name.as_str(), vec![path.clone()]));
    let wanted: Vec<(&str, Vec<PathBuf>)> = of_file.chain(given).collect();
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let path = dataset.dir().join(TOKENIZER_FILE);
    let tokenizer = Tokenizer::from_file(&path).map_err(SweepError::NoTokenizer)?;
    let options = BuildOptions {
        split: SplitFractions::EVALUATION,
        max_eval_tokens: file.eval_tokens().unwrap_or(EVAL_TOKENS),
        ..BuildOptions::default()
    };
    let mut sets = Vec::with_capacity(wanted.len());
    for (name, paths) in wanted {
        let dir = request.out.join("evals").join(name);
        let set = prepare(&texts(&paths), TokenizerChoice::Given(&tokenizer), &options, &dir, observer)
            .map_err(|e| SweepError::EvaluationSet { name: name.to_owned(), source: Box::new(e) })?;
        sets.push((name.to_owned(), set));
    }
    Ok(sets)
}

/// What the experiment needs to know of a dataset.
///
/// # Errors
/// When the experiment says the digest of another one.
fn facts(file: &ExperimentFile, dataset: &Dataset) -> Result<Facts, SweepError> {
    let digest = dataset.digest();
    if let Some(wanted) = file.data.digest.as_ref().filter(|wanted| **wanted != digest) {
        return Err(SweepError::OtherDataset {
            dataset: dataset.dir().to_owned(),
            found: digest,
            expected: wanted.clone(),
        });
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
    observer: &dyn Observer,
) -> Result<Dataset, SweepError> {
    let n_vocab = file.n_vocab().ok_or(SweepError::NoVocabulary)?;
    let options = BuildOptions {
        max_train_tokens: file.data.max_train_tokens.unwrap_or(u64::MAX),
        max_eval_tokens: EVAL_TOKENS,
        ..BuildOptions::default()
    };
    let tokenizer = TokenizerChoice::Train { n_vocab, sample_bytes: TOKENIZER_SAMPLE };
    prepare(source, tokenizer, &options, dir, observer)
}

/// Builds a dataset, or opens it where it is built already.
fn prepare(
    source: &dyn DocumentSource,
    tokenizer: TokenizerChoice<'_>,
    options: &BuildOptions,
    dir: &Path,
    observer: &dyn Observer,
) -> Result<Dataset, SweepError> {
    std::fs::create_dir_all(dir).map_err(FileError::new(dir, "create"))?;
    // Two sweeps that start together need one dataset, not two builds of it.
    let _claim = if dir.join("manifest.json").exists() { None } else { Some(claim(dir)?) };
    Ok(build_dataset(source, tokenizer, options, dir, observer)?.0)
}

fn claim(dir: &Path) -> Result<Claim, SweepError> {
    let host = host_name();
    loop {
        match Claim::acquire(dir, &host)? {
            Claimed::Ours(claim) => return Ok(claim),
            Claimed::Held(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
