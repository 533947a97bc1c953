//! An experiment file with its data and its resolved runs.

use super::data::{self, Data};
use super::{Request, SweepError};
use crate::execute::{Executed, Executor, Inputs, Run, Training, execute};
use scalelaw_core::schedule::Schedule;
use scalelaw_core::{Observer, RunSpec};
use scalelaw_experiment::{ExperimentFile, Facts, PlannedRun};
use scalelaw_files::{FileError, write_atomically};
use scalelaw_runs::{RunStage, RunsError, stage};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folder of the experiments that were run in an output directory, and of their lists of runs.
const EXPERIMENTS: &str = "experiments";
/// What the name of a list of runs ends in.
const LIST: &str = "runs.jsonl";
/// What the name of the file that says where a list's data are ends in.
const INPUTS: &str = "inputs.json";

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
    /// How the runs are trained.
    pub training: Training,
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
    pub fn open(request: &Request, observer: &dyn Observer) -> Result<Self, SweepError> {
        let (text, file) = read(&request.experiment)?;
        let out = &request.out;
        std::fs::create_dir_all(out).map_err(FileError::new(out, "create"))?;
        let (data, training, facts) = match &file.trainer {
            Some(trainer) => {
                let facts = Facts { name: trainer.name.clone(), ..Facts::default() };
                (None, Training::Foreign(trainer.clone()), facts)
            }
            None => {
                let (data, facts) = data::open(&file, request, observer)?;
                let inputs = Inputs {
                    dataset: data.dataset.dir().to_owned(),
                    evals: data.evals.iter().map(|set| set.dir().to_owned()).collect(),
                };
                (Some(data), Training::Own(inputs), facts)
            }
        };
        let runs = file.runs(&facts)?;
        if let (Some(trainer), Some(run)) = (&file.trainer, runs.first()) {
            trainer.shell_line(&run.spec, out, 1)?; // a mistake in the command shows before anything runs
        }
        Ok(Self { file, text, facts, data, training, runs, dir: out.join("runs") })
    }

    /// Keeps the experiment and the list of its runs in the output directory; how many runs an earlier form of the
    /// experiment listed there that this one does not.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, request: &Request) -> Result<usize, SweepError> {
        // A damaged list is repaired by being written again.
        let earlier = listed(&list_of(request)).unwrap_or_default();
        let known: BTreeSet<&str> = self.runs.iter().map(|run| run.key.as_str()).collect();
        keep(&request.out, &request.experiment, &self.text, &self.training, &self.runs)?;
        Ok(earlier.iter().filter(|line| !known.contains(line.run.as_str())).count())
    }

    /// Adds the runs of another experiment in the same output directory, and keeps the list of them.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn add(&mut self, runs: Vec<PlannedRun>, path: &Path, text: &str) -> Result<(), SweepError> {
        let out = self.dir.parent().unwrap_or(Path::new("."));
        keep(out, path, text, &self.training, &runs)?;
        let known: BTreeSet<String> = self.runs.iter().map(|run| run.key.clone()).collect();
        self.runs.extend(runs.into_iter().filter(|run| !known.contains(&run.key)));
        Ok(())
    }

    /// How many of the runs from index `first` on are finished.
    ///
    /// # Errors
    /// When a run directory cannot be examined.
    pub fn finished(&self, first: usize) -> Result<usize, RunsError> {
        let mut finished = 0;
        for run in &self.runs[first..] {
            finished += usize::from(stage(&self.dir_of(run))? == RunStage::Finished);
        }
        Ok(finished)
    }

    /// Executes the runs from index `first` on that are not finished.
    ///
    /// # Errors
    /// When the folder of the runs cannot be used.
    pub fn execute(&self, first: usize, executor: &Executor<'_>) -> Result<Executed, RunsError> {
        let runs = self.runs[first..].iter();
        let runs = runs.map(|run| Run { spec: run.spec.clone(), training: &self.training });
        execute(&self.dir, runs.collect(), executor)
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
pub fn read(path: &Path) -> Result<(String, ExperimentFile), SweepError> {
    let text = std::fs::read_to_string(path).map_err(FileError::new(path, "read"))?;
    let file = ExperimentFile::parse(&path.display().to_string(), &text)?;
    Ok((text, file))
}

/// A run as `<out>/experiments/<name>.runs.jsonl` lists it, for workers and for whoever looks on from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// What to run; lists of earlier versions do not say it.
    #[serde(default)]
    pub spec: Option<RunSpec>,
}

impl PlannedLine {
    fn new(key: String, sets: Vec<String>, spec: &RunSpec) -> Self {
        let Schedule { warmup_steps, decay, .. } = spec.schedule;
        let regime = format!("{} x {}, {warmup_steps}, {decay:?}", spec.steps, spec.batch_tokens());
        Self { run: key, sets, steps: spec.steps, regime, spec: Some(spec.clone()) }
    }
}

/// Keeps a copy of the experiment beside its runs, and the list of them.
fn keep(
    out: &Path,
    path: &Path,
    text: &str,
    training: &Training,
    runs: &[PlannedRun],
) -> Result<(), SweepError> {
    let folder = out.join(EXPERIMENTS);
    std::fs::create_dir_all(&folder).map_err(FileError::new(&folder, "create"))?;
    let copy = copy_of(out, path);
    let mut list = String::new();
    for run in runs {
        let line = PlannedLine::new(run.key.clone(), run.sets.clone(), &run.spec);
        list += &json(&copy, &line)?;
        list.push('\n');
    }
    let mut files = Vec::with_capacity(3);
    if let Training::Own(inputs) = training {
        files.push((copy.with_extension(INPUTS), json(&copy, &InputsFile::new(out, inputs)?)? + "\n"));
    }
    // The list comes last: a worker that sees it finds everything else.
    files.push((copy.clone(), text.to_owned()));
    files.push((copy.with_extension(LIST), list));
    for (path, text) in files {
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

/// Where an output directory keeps the list of an experiment's runs.
pub fn list_of(request: &Request) -> PathBuf {
    copy_of(&request.out, &request.experiment).with_extension(LIST)
}

/// The runs of a list.
fn listed(path: &Path) -> Result<Vec<PlannedLine>, SweepError> {
    let text = std::fs::read_to_string(path).map_err(FileError::new(path, "read"))?;
    let line = |line| {
        serde_json::from_str(line).map_err(|source| SweepError::DamagedList { path: path.to_owned(), source })
    };
    text.lines().map(line).collect()
}

/// Every run that was planned in an output directory, in the order of the experiments' names; the run
/// directories themselves where nothing is listed, as in a quickstart's.
///
/// # Errors
/// When the directory holds neither.
pub fn planned(out: &Path) -> Result<Vec<PlannedLine>, SweepError> {
    let lists = lists(out)?;
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
        .map_err(FileError::new(&dir, "list"))
        .map_err(|source| SweepError::NoSweep { dir: out.to_owned(), source })?;
    for entry in entries {
        let path = entry.map_err(FileError::new(&dir, "list"))?.path().join("spec.toml");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let spec = RunSpec::from_toml(&text).map_err(|source| RunsError::Spec { path, source })?;
            runs.push(PlannedLine::new(spec.key(), vec![], &spec));
        }
    }
    runs.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(runs)
}

/// The lists of runs in an output directory, in the order of their names.
fn lists(out: &Path) -> Result<Vec<PathBuf>, SweepError> {
    let folder = out.join(EXPERIMENTS);
    let mut lists = Vec::new();
    if let Ok(entries) = std::fs::read_dir(&folder) {
        for entry in entries {
            lists.push(entry.map_err(FileError::new(&folder, "list"))?.path());
        }
    }
    lists.retain(|path| path.to_string_lossy().ends_with(LIST));
    lists.sort();
    Ok(lists)
}

/// `<out>/experiments/<name>.inputs.json`: where the data of a list's runs are; relative to the output directory if
/// they lie in it, for a shared file system may have another path on another host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputsFile {
    dataset: PathBuf,
    evals: Vec<PathBuf>,
}

impl InputsFile {
    fn new(out: &Path, inputs: &Inputs) -> Result<Self, FileError> {
        let path = |path: &PathBuf| match path.strip_prefix(out) {
            Ok(inside) => Ok(inside.to_owned()),
            Err(_) => std::path::absolute(path).map_err(FileError::new(path, "find")),
        };
        let Inputs { dataset, evals } = inputs;
        Ok(Self { dataset: path(dataset)?, evals: evals.iter().map(path).collect::<Result<_, _>>()? })
    }

    fn read(out: &Path, path: &Path) -> Result<Inputs, SweepError> {
        let text = std::fs::read(path).map_err(FileError::new(path, "read"))?;
        let Self { dataset, evals } = serde_json::from_slice(&text)
            .map_err(|source| SweepError::DamagedList { path: path.to_owned(), source })?;
        Ok(Inputs { dataset: out.join(dataset), evals: evals.into_iter().map(|set| out.join(set)).collect() })
    }
}

fn json<T: Serialize>(path: &Path, value: &T) -> Result<String, SweepError> {
    serde_json::to_string(value).map_err(|source| SweepError::DamagedList { path: path.to_owned(), source })
}

/// Does every run that was planned in an output directory and is not finished, until nothing is left: the loop of
/// `scalelaw worker`. Lists that appear meanwhile, such as further rounds of a sweep, are worked on too.
///
/// Any number of workers may do this at once, on any hosts that share the directory.
///
/// # Errors
/// When the directory holds no list of runs, or one is damaged. A run that fails is in the result.
pub fn work(out: &Path, executor: &Executor<'_>) -> Result<Executed, SweepError> {
    let mut done = Executed::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    loop {
        let mut trainings = Vec::new();
        let mut runs = Vec::new();
        let lists = lists(out)?;
        if lists.is_empty() {
            return Err(SweepError::NoQueue { dir: out.to_owned() });
        }
        for path in lists {
            let lines: Vec<PlannedLine> =
                listed(&path)?.into_iter().filter(|line| known.insert(line.run.clone())).collect();
            if lines.is_empty() {
                continue;
            }
            // `with_extension` leaves `<name>.runs`, whose extension is replaced once more.
            let experiment = path.with_extension("").with_extension("toml");
            let training = match read(&experiment)?.1.trainer {
                Some(trainer) => Training::Foreign(trainer),
                None => Training::Own(InputsFile::read(out, &experiment.with_extension(INPUTS))?),
            };
            for line in lines {
                let spec = line.spec.ok_or_else(|| SweepError::ListWithoutSpecs { path: path.clone() })?;
                runs.push((spec, trainings.len()));
            }
            trainings.push(training);
        }
        if runs.is_empty() || done.left > 0 {
            return Ok(done);
        }
        let runs = runs.into_iter().map(|(spec, index)| Run { spec, training: &trainings[index] });
        done.add(execute(&out.join("runs"), runs.collect(), executor)?);
    }
}
