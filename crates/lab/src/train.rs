//! One run from its spec.

use scalelaw_core::{Observer, RunSpec};
use scalelaw_runs::RunResult;
use scalelaw_tokens::Dataset;
use scalelaw_train::{RunData, RunEnd, RunOptions, TrainError};
use std::path::{Path, PathBuf};

/// The run to train.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Its resolved spec.
    pub spec: &'a RunSpec,
    /// Folder of the dataset that the spec's digest names.
    pub dataset: &'a Path,
    /// Folders of the spec's further evaluation sets, in its order.
    pub evals: &'a [PathBuf],
    /// Folder that the run directory, named by the run's key, lies in.
    pub runs: &'a Path,
    /// Threads; any number gives the same bytes.
    pub threads: usize,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run directory.
    pub dir: PathBuf,
    /// The result, or `None` when the call was stopped before the end: the next one resumes there.
    pub result: Option<RunResult>,
}

/// Trains a run, or resumes where an earlier call was stopped.
///
/// # Errors
/// When the spec, the data or the directory are not usable.
pub fn train(
    request: &Request<'_>,
    observer: &dyn Observer,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Report, TrainError> {
    let Request { spec, dataset, evals, runs, threads } = *request;
    let mut data = RunData::open(&Dataset::open(dataset)?, spec)?;
    for set in evals {
        data.add_set(&Dataset::open(set)?, spec)?;
    }
    let dir = runs.join(spec.key());
    let device = crate::device(spec.device);
    let options = RunOptions { device: &*device, threads, observer, stop };
    let result = match scalelaw_train::run(spec, &data, &dir, options)? {
        RunEnd::Finished(result) => Some(result),
        RunEnd::Interrupted { .. } => None,
    };
    Ok(Report { dir, result })
}
