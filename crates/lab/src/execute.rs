//! Execution of a list of runs: the one way in which a front end has runs done.

use scalelaw_core::RunSpec;
use scalelaw_core::spec::TRAINER;
use scalelaw_core::units::FlopConvention;
use scalelaw_experiment::Trainer;
use scalelaw_runs::launcher::Processes;
use scalelaw_runs::scheduler::{Failure, Fate, Limits};
use scalelaw_runs::worker::{CommandOf, Watcher, Work, Worker, unfinished};
use scalelaw_runs::{RunsError, host_name};
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Times a run is tried by one call.
pub const ATTEMPTS: u32 = 3;
/// Share of the available memory that runs may use.
const MEMORY_SHARE: f64 = 0.8;

/// What runs may use of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// Cores: runs at the same time.
    pub cores: usize,
    /// Bytes of memory for all runs together; most of what is available now if it is not said.
    pub memory: Option<u64>,
    /// How long a run that another host has may show no sign of life before it is taken over.
    pub lease: Duration,
}

/// How a front end has runs executed.
#[derive(Clone, Copy)]
pub struct Executor<'a> {
    /// What they may use.
    pub resources: Resources,
    /// The process that trains a run with this program's trainer: the front end knows its own command line.
    pub trainer: &'a (dyn Fn(&TrainOrder<'_>) -> Command + Sync),
    /// Who is told.
    pub watcher: &'a dyn Watcher,
    /// Whether to stop where it is, everything resumable.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What the process that trains a run must be told.
#[derive(Clone, Copy, Debug)]
pub struct TrainOrder<'a> {
    /// The resolved spec.
    pub spec: &'a Path,
    /// Data of the run.
    pub inputs: &'a Inputs,
    /// Folder of the run directories.
    pub runs: &'a Path,
    /// Threads.
    pub threads: usize,
}

/// What a run learns from and is measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Folder of the dataset.
    pub dataset: PathBuf,
    /// Folders of the further evaluation sets, in the order of the spec.
    pub evals: Vec<PathBuf>,
}

/// How a run is trained.
#[derive(Clone, Debug)]
pub enum Training {
    /// By this program, on these data.
    Own(Inputs),
    /// By a trainer of the user's own.
    Foreign(Trainer),
}

/// A run to be executed.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// What to run.
    pub spec: RunSpec,
    /// How.
    pub training: &'a Training,
}

/// What became of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Executed {
    /// Runs.
    pub runs: usize,
    /// Of which were finished before.
    pub finished_before: usize,
    /// Runs that were given up.
    pub failed: Vec<FailedRun>,
    /// Runs left for another call, because this one was asked to stop.
    pub left: usize,
}

/// A run that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRun {
    /// Its key.
    pub run: String,
    /// Why the last attempt failed, with its causes.
    pub reason: String,
}

impl Executed {
    /// Whether every run is finished.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.left == 0
    }

    /// Adds what became of further runs.
    pub fn add(&mut self, more: Self) {
        let Self { runs, finished_before, failed, left } = more;
        self.runs += runs;
        self.finished_before += finished_before;
        self.failed.extend(failed);
        self.left += left;
    }
}

/// Executes the runs that are not finished below `dir`.
///
/// The work is shared with any other call or worker on the same directory.
///
/// # Errors
/// When the directory cannot be used at all. A run that fails is in the result, and the rest continue.
pub fn execute(dir: &Path, runs: Vec<Run<'_>>, executor: &Executor<'_>) -> Result<Executed, RunsError> {
    std::fs::create_dir_all(dir).map_err(scalelaw_files::FileError::new(dir, "create"))?;
    let all = runs.len();
    let mut training: HashMap<String, &Training> = HashMap::with_capacity(all);
    let mut work = Vec::with_capacity(all);
    for Run { spec, training: how } in runs {
        let key = spec.key();
        training.insert(key.clone(), how);
        work.push(Work { cost: cost(&spec), memory: memory(&spec), key, spec });
    }
    let todo = unfinished(dir, work)?;
    let Executor { resources, trainer, watcher, stop } = *executor;
    let command: &CommandOf<'_> = &|work, run_dir, threads| {
        Ok(match training[&work.key] {
            Training::Own(inputs) => {
                trainer(&TrainOrder { spec: &run_dir.join("spec.toml"), inputs, runs: dir, threads })
            }
            Training::Foreign(foreign) => {
                let mut command = Command::new("sh");
                command.arg("-c").arg(foreign.shell_line(&work.spec, run_dir, threads)?);
                command
            }
        })
    };
    let host = host_name();
    let limits = Limits {
        cores: resources.cores.max(1),
        memory: resources.memory.unwrap_or_else(available_memory),
        attempts: ATTEMPTS,
    };
    let lease = resources.lease;
    let worker = Worker { dir, host: &host, limits, lease, launcher: &Processes, command, watcher, stop };
    let fates = worker.work(&todo);
    let mut executed = Executed { runs: all, finished_before: all - todo.len(), ..Executed::default() };
    for (work, fate) in todo.into_iter().zip(fates) {
        match fate {
            Fate::Finished => {}
            Fate::Left => executed.left += 1,
            Fate::Failed(failure) => {
                let reason = Failure::reason(&failure);
                executed.failed.push(FailedRun { run: work.key, reason });
            }
        }
    }
    Ok(executed)
}

/// Bytes that a run needs on one thread; what a trainer of the user's own needs is not known.
pub fn memory(spec: &RunSpec) -> u64 {
    if spec.trainer != TRAINER {
        return 0;
    }
    scalelaw_train::footprint(&*crate::device(spec.device), spec, 1).bytes() as u64
}

/// Most of the memory that is available now; no bound where the system does not say.
pub fn available_memory() -> u64 {
    let kilobytes = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    kilobytes.map_or(u64::MAX, |k| (k * 1024.0 * MEMORY_SHARE) as u64)
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
