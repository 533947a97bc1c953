//! The runs of an experiment to completion, and their tables.

use super::study::{Study, list_of, planned};
use super::until::{Pursuit, Standing, pursue, rejoin};
use super::{Request, SweepError};
use crate::execute::{Executed, Executor, FailedRun};
use crate::rows::{curve_rows, run_row};
use scalelaw_files::{FileError, write_atomically};
use scalelaw_runs::worker::Watcher;
use scalelaw_runs::{FinishedRun, Outcome, finished_run};
use scalelaw_table::{CurveRow, Format, Row, RunRow, write_rows};
use scalelaw_train::RunData;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a sweep did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Runs.
    pub runs: usize,
    /// Of which are finished.
    pub finished: usize,
    /// Of which were finished before.
    pub finished_before: usize,
    /// Keys of runs that diverged.
    pub diverged: Vec<String>,
    /// Runs that were given up.
    pub failed: Vec<FailedRun>,
    /// Runs left for another call, because this one was asked to stop.
    pub left: usize,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// How well the target is known, if there is one.
    pub until: Option<Standing>,
    /// The run table.
    pub table: PathBuf,
}

/// What happens to a sweep, besides what happens to its runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SweepEvent<'a> {
    /// Runs that an earlier form of the experiment listed in the output directory are not in it as it is now.
    Dropped {
        /// How many.
        runs: usize,
        /// The experiment file.
        experiment: &'a Path,
        /// The folder of the runs, where they stay.
        dir: &'a Path,
    },
    /// The runs of the experiment, or of a round, begin.
    Begun {
        /// Runs.
        runs: usize,
        /// Of which were finished before.
        finished: usize,
        /// Cores.
        cores: usize,
    },
    /// How well the target is known now.
    Standing(&'a Standing),
    /// A further round of runs begins.
    Round {
        /// Its number, from 1.
        number: usize,
        /// Its experiment.
        experiment: &'a Path,
    },
}

/// Receives what happens to a sweep.
pub trait SweepWatcher: Watcher {
    /// Must return quickly.
    fn sweep_event(&self, event: SweepEvent<'_>);
}

/// A sweep that is ready for workers.
#[derive(Clone, Debug, Serialize)]
pub struct Queued {
    /// Runs.
    pub runs: usize,
    /// Of which are finished.
    pub finished: usize,
    /// Their list.
    pub list: PathBuf,
}

/// Builds the data and lists the runs in the output directory, for [`work`](super::work), and trains nothing.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable.
pub fn queue(request: &Request, watcher: &dyn SweepWatcher) -> Result<Queued, SweepError> {
    let study = open(request, watcher)?;
    Ok(Queued { runs: study.runs.len(), finished: study.finished(0)?, list: list_of(request) })
}

/// Opens the sweep and keeps its list of runs in the output directory.
fn open(request: &Request, watcher: &dyn SweepWatcher) -> Result<Study, SweepError> {
    let study = Study::open(request, watcher)?;
    let dropped = study.keep(request)?;
    if dropped > 0 {
        let (experiment, dir) = (request.experiment.as_path(), study.dir.as_path());
        watcher.sweep_event(SweepEvent::Dropped { runs: dropped, experiment, dir });
    }
    Ok(study)
}

/// Runs what is not finished, then, if there is a target, rounds of further runs; writes the tables.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable. A run that fails is in the report.
pub fn run(
    request: &Request,
    pursuit: Option<Pursuit>,
    executor: &Executor<'_>,
    watcher: &dyn SweepWatcher,
) -> Result<Report, SweepError> {
    let started = Instant::now();
    let mut study = open(request, watcher)?;
    if pursuit.is_some() {
        rejoin(&mut study, request)?;
    }
    let mut executed = Executed::default();
    let mut complete = |study: &Study, first: usize| -> Result<bool, SweepError> {
        let (runs, finished) = (study.runs.len() - first, study.finished(first)?);
        let cores = executor.resources.cores.max(1);
        watcher.sweep_event(SweepEvent::Begun { runs, finished, cores });
        let done = study.execute(first, executor)?;
        let all = done.is_complete();
        executed.add(done);
        Ok(all && !(executor.stop)())
    };
    complete(&study, 0)?;
    let standing = match pursuit {
        Some(pursuit) if !(executor.stop)() => {
            let cores = executor.resources.cores.max(1);
            Some(pursue(pursuit, &mut study, request, cores, watcher, &mut complete))
        }
        _ => None,
    };
    let finished = finished_of(&study)?;
    let table = write_tables(&study, &request.out)?;
    Ok(Report {
        runs: study.runs.len(),
        finished: finished.len(),
        finished_before: executed.finished_before,
        diverged: finished.iter().filter_map(diverged).collect(),
        left: executed.left,
        failed: executed.failed,
        seconds: started.elapsed().as_secs_f64(),
        until: standing.transpose()?,
        table,
    })
}

fn diverged(run: &FinishedRun) -> Option<String> {
    matches!(run.result.outcome, Outcome::Diverged { .. }).then(|| run.key.clone())
}

/// The finished runs of the experiment.
fn finished_of(study: &Study) -> Result<Vec<FinishedRun>, SweepError> {
    let mut finished = Vec::new();
    for run in &study.runs {
        finished.extend(finished_run(&study.dir_of(run))?);
    }
    Ok(finished)
}

/// Writes `tables/runs.csv` and `tables/curves.csv` of every experiment in the output directory, rows sorted by
/// run, nothing from the clock.
fn write_tables(study: &Study, out: &Path) -> Result<PathBuf, SweepError> {
    let tables = out.join("tables");
    std::fs::create_dir_all(&tables).map_err(FileError::new(&tables, "create"))?;
    let (mut rows, mut curves): (Vec<RunRow>, Vec<CurveRow>) = (vec![], vec![]);
    for line in planned(out)? {
        let Some(run) = finished_run(&study.dir.join(&line.run))? else { continue };
        let ours = study.data.as_ref().filter(|data| data.dataset.digest() == run.spec.data.digest);
        let test =
            ours.map(|data| RunData::open(&data.dataset, &run.spec)).transpose()?.map(|data| data.test);
        rows.push(run_row(&run, test.as_ref()));
        curves.extend(curve_rows(&run));
    }
    let path = tables.join("runs.csv");
    write_table(&path, rows)?;
    write_table(&tables.join("curves.csv"), curves)?;
    Ok(path)
}

fn write_table<R: Row>(path: &Path, mut rows: Vec<R>) -> Result<(), SweepError> {
    rows.sort_by_key(Row::sort_key);
    let mut csv = Vec::new();
    write_rows(&rows, Format::CSV, &mut csv)?;
    Ok(write_atomically(path, &csv)?)
}
