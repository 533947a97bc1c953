//! An experiment file with its data and its resolved runs.

use super::RunArguments;
use super::data::{self, Data};
use crate::progress::Display;
use anyhow::Context;
use scalelaw_core::RunSpec;
use scalelaw_core::schedule::Schedule;
use scalelaw_core::units::FlopConvention;
use scalelaw_experiment::{ExperimentFile, Facts, PlannedRun};
use scalelaw_runs::write_atomically;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folder of the experiments that were run in an output directory, and of their lists of runs.
const EXPERIMENTS: &str = "experiments";
/// What the name of a list of runs ends in.
const LIST: &str = "runs.jsonl";

/// What a sweep is about.
pub struct Study {
    /// The file.
    pub file: ExperimentFile,
    /// Its text.
    pub text: String,
    /// What it is resolved on.
    pub facts: Facts,
    /// The data, unless the trainer is the user's own and brings its own.
    pub data: Option<Data>,
    /// All runs.
    pub runs: Vec<PlannedRun>,
    /// Folder of the run directories.
    pub dir: PathBuf,
}

impl Study {
    /// Reads the experiment, opens or builds its data and resolves its runs.
    ///
    /// # Errors
    /// When any of them is not usable.
    pub fn open(arguments: &RunArguments, display: &Display) -> anyhow::Result<Self> {
        let (text, file) = read(&arguments.file)?;
        let out = &arguments.out;
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let (data, facts) = match &file.trainer {
            Some(trainer) => (None, Facts { name: trainer.name.clone(), ..Facts::default() }),
            None => {
                let (data, facts) = data::open(&file, arguments, display)?;
                (Some(data), facts)
            }
        };
        let runs = file.runs(&facts)?;
        if let (Some(trainer), Some(run)) = (&file.trainer, runs.first()) {
            trainer.shell_line(&run.spec, out, 1)?; // a mistake in the command shows before anything runs
        }
        Ok(Self { file, text, facts, data, runs, dir: out.join("runs") })
    }

    /// Keeps the experiment and the list of its runs in the output directory; how many runs an earlier form of the
    /// experiment listed there that this one does not.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, arguments: &RunArguments) -> anyhow::Result<usize> {
        // A list that is damaged is mended by being written again.
        let earlier =
            listed(&copy_of(&arguments.out, &arguments.file).with_extension(LIST)).unwrap_or_default();
        let known: BTreeSet<&str> = self.runs.iter().map(|run| run.key.as_str()).collect();
        keep(&arguments.out, &arguments.file, &self.text, &self.runs)?;
        Ok(earlier.iter().filter(|line| !known.contains(line.run.as_str())).count())
    }

    /// Adds the runs of another experiment in the same output directory, and keeps the list of them.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn add(&mut self, runs: Vec<PlannedRun>, path: &Path, text: &str) -> anyhow::Result<()> {
        let out = self.dir.parent().unwrap_or(Path::new("."));
        keep(out, path, text, &runs)?;
        let known: BTreeSet<String> = self.runs.iter().map(|run| run.key.clone()).collect();
        self.runs.extend(runs.into_iter().filter(|run| !known.contains(&run.key)));
        Ok(())
    }

    /// The directory of a run.
    pub fn dir_of(&self, run: &PlannedRun) -> PathBuf {
        self.dir.join(&run.key)
    }
}

/// Reads an experiment file: its text and what it says.
///
/// # Errors
/// When it cannot be read, or the first thing that is wrong with it.
pub fn read(path: &Path) -> anyhow::Result<(String, ExperimentFile)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = ExperimentFile::parse(&path.display().to_string(), &text)?;
    Ok((text, file))
}

/// A run as `<out>/experiments/<name>.runs.jsonl` lists it, for whoever looks on from outside.
#[derive(Serialize, Deserialize)]
pub struct PlannedLine {
    /// Its key.
    pub run: String,
    /// Its sets.
    pub sets: Vec<String>,
    /// Its steps.
    pub steps: u64,
    /// Batch and schedule, without the rate: runs of one regime have curves of one kind.
    #[serde(default)]
    pub regime: String,
}

impl PlannedLine {
    fn new(key: String, sets: Vec<String>, spec: &RunSpec) -> Self {
        let Schedule { warmup_steps, decay, .. } = spec.schedule;
        let regime = format!("{} x {}, {warmup_steps}, {decay:?}", spec.steps, spec.batch_tokens());
        Self { run: key, sets, steps: spec.steps, regime }
    }
}

/// Keeps a copy of the experiment beside its runs, and the list of them.
fn keep(out: &Path, path: &Path, text: &str, runs: &[PlannedRun]) -> anyhow::Result<()> {
    let folder = out.join(EXPERIMENTS);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let copy = copy_of(out, path);
    let mut list = String::new();
    for run in runs {
        let line = PlannedLine::new(run.key.clone(), run.sets.clone(), &run.spec);
        list += &serde_json::to_string(&line)?;
        list.push('\n');
    }
    for (path, text) in [(copy.with_extension(LIST), list.as_str()), (copy, text)] {
        if !std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            write_atomically(&path, text.as_bytes())?;
        }
    }
    Ok(())
}

/// Where an output directory keeps a copy of an experiment.
fn copy_of(out: &Path, path: &Path) -> PathBuf {
    out.join(EXPERIMENTS).join(path.file_name().unwrap_or(path.as_os_str()))
}

/// The runs of a list.
fn listed(path: &Path) -> anyhow::Result<Vec<PlannedLine>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = |line| {
        serde_json::from_str(line)
            .with_context(|| format!("{} is damaged: run the sweep again", path.display()))
    };
    text.lines().map(line).collect()
}

/// Every run that was planned in an output directory, in the order of the experiments' names; the run
/// directories themselves where nothing is listed, as in a quickstart's.
///
/// # Errors
/// When the directory holds neither.
pub fn planned(out: &Path) -> anyhow::Result<Vec<PlannedLine>> {
    let mut lists = Vec::new();
    if let Ok(entries) = std::fs::read_dir(out.join(EXPERIMENTS)) {
        for entry in entries {
            lists.push(entry?.path());
        }
    }
    lists.retain(|path| path.to_string_lossy().ends_with(LIST));
    lists.sort();
    let mut runs: Vec<PlannedLine> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for path in &lists {
        for run in listed(path)? {
            match known.get(&run.run) {
                Some(&index) => runs[index].sets.extend(run.sets),
                None => {
                    known.insert(run.run.clone(), runs.len());
                    runs.push(run);
                }
            }
        }
    }
    if !lists.is_empty() {
        return Ok(runs);
    }
    let dir = out.join("runs");
    let entries = std::fs::read_dir(&dir)
        .with_context(|| format!("{} holds no sweep and no quickstart", out.display()))?;
    for entry in entries {
        let spec = entry?.path().join("spec.toml");
        if let Ok(text) = std::fs::read_to_string(&spec) {
            let spec = RunSpec::from_toml(&text).with_context(|| spec.display().to_string())?;
            runs.push(PlannedLine::new(spec.key(), vec![], &spec));
        }
    }
    runs.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(runs)
}

/// Step at which a run begins: a branch begins where it leaves its trunk.
fn first_step(spec: &RunSpec) -> u64 {
    spec.training.parent_run.as_ref().and_then(|_| spec.branch_step()).unwrap_or(0)
}

/// Training FLOPs that a run spends.
pub fn train_flops(spec: &RunSpec, convention: FlopConvention) -> f64 {
    let trained = (spec.steps - first_step(spec)) * spec.batch_tokens();
    trained as f64 * spec.model.train_flops_per_token(convention)
}

/// FLOPs that a run spends with head and attention, its evaluations included: what it costs.
pub fn cost(spec: &RunSpec) -> f64 {
    let first = first_step(spec);
    let evaluations = spec.evaluation_steps().into_iter().filter(|step| *step > first).count();
    let tokens = spec.data.test_tokens + spec.measure.sets.iter().map(|set| set.tokens).sum::<u64>();
    let evaluated = evaluations as f64 * tokens as f64;
    train_flops(spec, FlopConvention::Full)
        + evaluated * spec.model.forward_flops_per_token(FlopConvention::Full)
}
