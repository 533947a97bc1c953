//! Where every run of an output directory stands.

use super::SweepError;
use super::study::{PlannedLine, planned};
use scalelaw_fit::{Ending, forecast_end};
use scalelaw_runs::{Claim, Outcome, RunResult, evals_so_far, failure, foreign, host_name};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Finished runs that the end of a running one is forecast from, at most.
const REFERENCES: usize = 100;

/// Where runs stand.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Runs.
    pub runs: usize,
    /// How many are in each state.
    pub counts: BTreeMap<&'static str, usize>,
    /// Every run, in the order of the experiments.
    pub list: Vec<Line>,
}

/// Where a run stands.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its key.
    pub run: String,
    /// Its sets.
    pub sets: String,
    /// What it is doing.
    pub state: State,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Test loss so far, nats per token.
    pub loss: Option<f64>,
    /// Where it will end by the finished runs of its batch and schedule, once there are three.
    pub ending: Option<Ending>,
    /// Seconds to the end at the pace so far, of a run that is running.
    pub seconds_left: Option<f64>,
    /// Why it failed, diverged or stopped.
    pub reason: Option<String>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody has it.
    Running,
    /// It was given up.
    Failed,
    /// It was begun, and nobody has it.
    Begun,
    /// Nothing is there.
    Waiting,
    /// Its loss or gradient stopped being a finite number, or its loss stayed hopeless.
    Diverged,
    /// A rule of its spec ended it early.
    Stopped,
    /// It did all its steps.
    Finished,
}

impl State {
    /// The state in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Begun => "begun",
            Self::Waiting => "waiting",
            Self::Diverged => "diverged",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }
}

/// Where every run of the output directory of a sweep or a quickstart stands.
///
/// # Errors
/// When the directory is neither's, or a result is damaged.
pub fn status(out: &Path) -> Result<Status, SweepError> {
    Status::of(out)
}

impl Status {
    fn of(out: &Path) -> Result<Self, SweepError> {
        let (dir, host) = (out.join("runs"), host_name());
        let planned = planned(out)?;
        let mut list = Vec::new();
        for run in &planned {
            list.push(line(&dir.join(&run.run), run, &host)?);
        }
        forecast_ends(&dir, &planned, &mut list);
        let mut counts = BTreeMap::new();
        for line in &list {
            *counts.entry(line.state.name()).or_default() += 1;
        }
        Ok(Self { runs: list.len(), counts, list })
    }
}

/// Forecasts where the runs that were begun will end.
fn forecast_ends(dir: &Path, planned: &[PlannedLine], list: &mut [Line]) {
    let mut finished: BTreeMap<&str, Vec<Vec<(f64, f64)>>> = BTreeMap::new();
    for i in 0..list.len() {
        let (line, regime) = (&list[i], planned[i].regime.as_str());
        let begun = matches!(line.state, State::Running | State::Begun) && line.step > 0;
        let (Some(loss), true) = (line.loss, begun && !regime.is_empty()) else { continue };
        let curves = finished.entry(regime).or_insert_with(|| {
            let like = (0..list.len()).filter(|j| planned[*j].regime == regime);
            let done = like.filter(|j| list[*j].state == State::Finished).take(REFERENCES);
            done.map(|j| curve(&dir.join(&list[j].run))).collect()
        });
        list[i].ending = forecast_end(line.step as f64, loss, curves);
    }
}

/// The curve of a run, step and test loss.
fn curve(dir: &Path) -> Vec<(f64, f64)> {
    evals_so_far(dir).iter().map(|eval| (eval.step as f64, eval.test_loss)).collect()
}

fn line(dir: &Path, planned: &PlannedLine, host: &str) -> Result<Line, SweepError> {
    let mut line = Line {
        run: planned.run.clone(),
        sets: planned.sets.join(" "),
        state: State::Waiting,
        step: 0,
        steps: planned.steps,
        loss: None,
        ending: None,
        seconds_left: None,
        reason: None,
    };
    let path = dir.join("result.json");
    if let Ok(bytes) = std::fs::read(&path) {
        let result: RunResult =
            serde_json::from_slice(&bytes).map_err(|source| SweepError::DamagedResult { path, source })?;
        (line.step, line.loss) = (result.steps, result.loss);
        (line.state, line.reason) = match result.outcome {
            Outcome::Completed => (State::Finished, None),
            Outcome::Diverged { step } => (State::Diverged, Some(format!("at step {step}"))),
            Outcome::Stopped { reason } => (State::Stopped, Some(reason)),
        };
        return Ok(line);
    }
    if !dir.exists() {
        return Ok(line);
    }
    let logged = scalelaw_runs::last_eval(dir).map(|eval| (eval.step, eval.test_loss));
    if let Some((step, loss)) = logged.or_else(|| foreign::last_line(dir)) {
        (line.step, line.loss) = (step, Some(loss));
    }
    if let Some(owner) = Claim::holder(dir, host)? {
        line.state = State::Running;
        line.reason = (owner.host != host).then(|| format!("on {}", owner.host));
        line.seconds_left = pace(dir).map(|pace| pace * line.steps.saturating_sub(line.step) as f64);
    } else if let Some(failure) = failure(dir) {
        line.state = State::Failed;
        line.reason = Some(format!("{} times: {}", failure.attempts, failure.reason));
    } else {
        line.state = State::Begun;
    }
    Ok(line)
}

/// Seconds a step of a run that is running: since its spec was written, so a run that once was interrupted
/// seems slower than it is.
fn pace(dir: &Path) -> Option<f64> {
    let changed = |name: &str| dir.join(name).metadata().and_then(|m| m.modified()).ok();
    let taken = changed("events.jsonl")?.duration_since(changed("spec.toml")?).ok()?;
    let age = SystemTime::now().duration_since(changed("events.jsonl")?).ok()?;
    let step = scalelaw_runs::last_eval(dir)?.step;
    (step > 0 && age < Duration::from_secs(86_400)).then(|| taken.as_secs_f64() / step as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_runs::EvalRecord;

    #[test]
    fn end_of_a_begun_run_is_forecast_from_finished_runs_of_its_regime_only() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, regime: &str, state: State, factor: f64, evals: u64| {
            let folder = dir.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let loss = |step: u64| factor * (2.0 + 1.0 / step as f64);
            let eval = |step| EvalRecord { step, test_loss: loss(step), ..EvalRecord::default() };
            let lines = (1..=evals).map(|step| serde_json::to_string(&eval(step)).unwrap() + "\n");
            std::fs::write(folder.join("events.jsonl"), lines.collect::<String>()).unwrap();
            let planned = PlannedLine {
                run: name.into(),
                sets: vec![],
                steps: 10,
                regime: regime.to_owned(),
                spec: None,
            };
            let mut made = line(&folder, &planned, "here").unwrap();
            (made.state, made.step, made.loss) = (state, evals, Some(loss(evals)));
            (planned, made)
        };
        let (planned, mut list): (Vec<_>, Vec<_>) = [
            make("a", "long", State::Finished, 1.0, 10),
            make("b", "long", State::Finished, 1.1, 10),
            make("c", "long", State::Finished, 1.2, 10),
            make("d", "long", State::Begun, 1.5, 5),
            make("e", "short", State::Begun, 1.5, 5),
        ]
        .into_iter()
        .unzip();
        forecast_ends(dir.path(), &planned, &mut list);
        let ending = list[3].ending.unwrap();
        assert!((ending.loss - 1.5 * 2.1).abs() < 1e-9 && ending.runs == 3, "{ending:?}");
        assert!(list[4].ending.is_none() && list[0].ending.is_none());
    }
}
