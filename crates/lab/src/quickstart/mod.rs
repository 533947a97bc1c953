//! The whole study in miniature, from text to a [`Study`] that a report draws: a dataset, a ladder of models that fits
//! the time there is, its runs, their laws, the next run.

mod error;
mod findings;
mod ladder;
pub mod laws;
mod plan;
mod speed;
mod study;
mod text;

pub use error::{NoNextRun, QuickstartError};
pub use findings::Findings;
pub use plan::{FACTOR, NextRun};
pub use text::Origin;

use crate::execute::{Executor, Inputs, Run, Training, execute};
use crate::forecasts;
use crate::study::{Forecast, Study};
use scalelaw_core::RunSpec;
use scalelaw_core::units::FlopConvention;
use scalelaw_experiment::{ExperimentFile, PlannedRun};
use scalelaw_files::{FileError, write_atomically};
use scalelaw_runs::worker::Watcher;
use scalelaw_runs::{Outcome, RunStage, finished_run, stage};
use scalelaw_tokens::Dataset;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Wall clock kept for fitting and drawing.
const REPORT_RESERVE: Duration = Duration::from_secs(6);
/// Share of the remaining time that the runs are planned to take: machines are not steady.
const PLANNED_SHARE: f64 = 0.93;

/// On which text, for how long, and where.
#[derive(Clone, Debug)]
pub struct QuickstartRequest {
    /// The text.
    pub origin: Origin,
    /// Wall clock that the study may take, from `started`.
    pub budget: Duration,
    /// When it began.
    pub started: Instant,
    /// Where everything goes; a study that is there is resumed.
    pub out: PathBuf,
    /// The command that asked for it, for the report.
    pub command: String,
}

/// A study that was done.
#[derive(Clone, Debug)]
pub struct QuickstartReport {
    /// Everything that was found.
    pub findings: Findings,
    /// The same as a report draws it.
    pub study: Study,
}

/// What happens to a quickstart, besides what happens to its runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum QuickstartEvent<'a> {
    /// The study that this experiment file in the output directory describes goes on.
    Resuming {
        /// The file.
        experiment: &'a Path,
    },
    /// The dataset is there; the speed of the machine is measured next.
    Text {
        /// Name of the text.
        name: &'a str,
        /// Training tokens.
        train_tokens: u64,
        /// Time since the study began.
        took: Duration,
    },
    /// The runs that fit the budget are chosen.
    Chosen {
        /// The budget.
        budget: Duration,
        /// The file that they were written to.
        experiment: &'a Path,
    },
    /// The runs begin.
    Begun {
        /// Runs.
        runs: usize,
        /// Their training FLOPs with head and attention.
        flops: f64,
        /// Cores.
        cores: usize,
        /// Runs that were finished before.
        finished: usize,
    },
    /// A run diverged; it is in the table and in no fit.
    Diverged {
        /// Its key.
        run: &'a str,
        /// The step.
        step: u64,
    },
}

/// Receives what happens to a quickstart.
pub trait QuickstartWatcher: Watcher {
    /// Must return quickly.
    fn quickstart_event(&self, event: QuickstartEvent<'_>);
}

/// Does the study, or resumes the one in the output directory; nothing if it was asked to stop, and then the same
/// request goes on there.
///
/// # Errors
/// When the text, the budget or the output directory are not usable, or no run finishes.
pub fn run(
    request: &QuickstartRequest,
    executor: &Executor<'_>,
    watcher: &dyn QuickstartWatcher,
) -> Result<Option<QuickstartReport>, QuickstartError> {
    let QuickstartRequest { origin, out, .. } = request;
    let cores = executor.resources.cores.max(1);
    std::fs::create_dir_all(out).map_err(FileError::new(out, "create"))?;
    let (data, planned) = prepare(request, cores, watcher)?;
    if (executor.stop)() {
        return Ok(None);
    }
    let specs: Vec<RunSpec> = planned.iter().map(|run| run.spec.clone()).collect();
    let flops: f64 = specs.iter().map(total_flops).sum();
    let runs_dir = out.join("runs");
    let mut before = 0;
    for spec in &specs {
        before += usize::from(stage(&runs_dir.join(spec.key()))? == RunStage::Finished);
    }
    watcher.quickstart_event(QuickstartEvent::Begun { runs: specs.len(), flops, cores, finished: before });
    let training = Training::Own(Inputs { dataset: data.dir().to_owned(), evals: vec![] });
    let runs = specs.iter().map(|spec| Run { spec: spec.clone(), training: &training });
    let executed = execute(&runs_dir, runs.collect(), executor)?;
    if executed.left > 0 {
        return Ok(None);
    }
    let mut finished = Vec::with_capacity(specs.len());
    for spec in &specs {
        finished.extend(finished_run(&runs_dir.join(spec.key()))?);
    }
    for run in &finished {
        if let Outcome::Diverged { step } = run.result.outcome {
            watcher.quickstart_event(QuickstartEvent::Diverged { run: &run.key, step });
        }
    }
    let findings = Findings::new(&planned, origin, &data, &finished, executed.failed)?;
    findings.write(out)?;
    let record = register_forecast(&findings, out)?;
    let study = study::study(&findings, origin, &data, record, &request.command);
    Ok(Some(QuickstartReport { findings, study }))
}

/// Registers the forecast of the next run, unless that was done before, and returns the record of all forecasts.
fn register_forecast(findings: &Findings, out: &Path) -> Result<Vec<Forecast>, QuickstartError> {
    let folder = out.join("forecasts");
    let path = folder.join("next-run.json");
    if let (Ok(next), false) = (&findings.next, path.exists()) {
        std::fs::create_dir_all(&folder).map_err(FileError::new(&folder, "create"))?;
        let law = findings.laws.budget.as_ref().ok();
        let digest = law.and_then(|fitted| fitted.law.data_digest.clone());
        let at = [("C", next.compute), ("N", next.n_params), ("D", next.tokens)];
        let at = at.map(|(name, value)| (name.to_string(), value));
        let made = forecasts::Forecast {
            data_digest: digest,
            loss_pi95: next.loss_pi95,
            status: law.map(|fitted| fitted.law.status),
            ..forecasts::Forecast::now("laws/nd-processed.json", &at, next.loss)
        };
        forecasts::register(&path, &made)?;
    }
    let entry = |(forecast, score): (forecasts::Forecast, Option<forecasts::Score>)| Forecast {
        made: forecast.made,
        law: forecast.law,
        at: forecast.at.into_iter().collect(),
        loss: forecast.loss,
        interval: forecast.loss_pi95.map(|[low, high]| (low, high)),
        came: score.map(|score| score.loss),
    };
    Ok(forecasts::record(&folder)?.into_iter().map(entry).collect())
}

/// The data and the chosen runs: read where an earlier call left them, made otherwise.
fn prepare(
    request: &QuickstartRequest,
    workers: usize,
    watcher: &dyn QuickstartWatcher,
) -> Result<(Dataset, Vec<PlannedRun>), QuickstartError> {
    let QuickstartRequest { origin, budget, started, out, .. } = request;
    let path = out.join("experiment.toml");
    let data_dir = out.join("data");
    if path.exists() {
        let toml = std::fs::read_to_string(&path).map_err(FileError::new(&path, "read"))?;
        let experiment = ExperimentFile::parse(&path.display().to_string(), &toml)?;
        let data = Dataset::open(&data_dir)?;
        let text = text::describe(&origin.name(), &data);
        let of = &experiment.data;
        if of.digest.as_ref() != Some(&text.digest) || of.name.as_ref() != Some(&text.name) {
            let held = of.name.clone();
            return Err(QuickstartError::OtherStudy { dir: out.clone(), held, text: text.name });
        }
        watcher.quickstart_event(QuickstartEvent::Resuming { experiment: &path });
        return Ok((data, experiment.runs(&text)?));
    }
    let seconds = budget.as_secs_f64();
    let data = origin.dataset(&data_dir, seconds * workers as f64, watcher)?;
    let text = text::describe(&origin.name(), &data);
    let (name, train_tokens, took) = (text.name.as_str(), text.train_tokens, started.elapsed());
    watcher.quickstart_event(QuickstartEvent::Text { name, train_tokens, took });
    let speeds = speed::measure(&data, &text, workers)?;
    let left = seconds - started.elapsed().as_secs_f64() - REPORT_RESERVE.as_secs_f64();
    let speed = |d_model| ladder::interpolate(&speeds, d_model);
    let experiment = ladder::choose(&text, &speed, workers, left * PLANNED_SHARE)?;
    write_atomically(&path, experiment.text().as_bytes())?;
    watcher.quickstart_event(QuickstartEvent::Chosen { budget: *budget, experiment: &path });
    Ok((data, experiment.runs(&text)?))
}

fn total_flops(spec: &RunSpec) -> f64 {
    spec.tokens() as f64 * spec.model.train_flops_per_token(FlopConvention::Full)
}
