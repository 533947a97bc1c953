//! `scalelaw sweep status`: where every run of an output directory stands.

use super::study::{PlannedLine, planned};
use crate::execute::host;
use crate::output;
use crate::progress::clock;
use anyhow::Context;
use scalelaw_fit::{Ending, foretell_end};
use scalelaw_runs::{Claim, EvalRecord, Outcome, RunResult, evals_so_far, failure, foreign};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// Time between two pictures of `--watch`.
const EVERY: Duration = Duration::from_secs(2);
/// Rows shown to a person without `--all`.
const SHOWN: usize = 50;
/// Finished runs that foretell where a running one ends, at most.
const REFERENCES: usize = 100;
/// Losses in a sparkline.
const SPARKS: usize = 12;

/// Arguments of `scalelaw sweep status`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The output directory of a sweep or a quickstart
    dir: PathBuf,
    /// Look again every two seconds, until no run is left
    #[arg(long)]
    watch: bool,
    /// Every run, however many there are
    #[arg(long)]
    all: bool,
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Status {
    runs: usize,
    counts: BTreeMap<&'static str, usize>,
    list: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    run: String,
    sets: String,
    state: State,
    step: u64,
    steps: u64,
    /// Test loss so far, nats per token.
    loss: Option<f64>,
    /// Where it will end by the finished runs of its batch and schedule, once there are three.
    ending: Option<Ending>,
    /// Seconds to the end at the pace so far, of a run that is running.
    seconds_left: Option<f64>,
    /// Why it failed, diverged or stopped.
    reason: Option<String>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Running,
    Failed,
    Begun,
    Waiting,
    Diverged,
    Stopped,
    Finished,
}

impl State {
    fn name(self) -> &'static str {
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

/// Prints the status, once or again and again.
///
/// # Errors
/// When the directory is no sweep's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    loop {
        let status = Status::of(&arguments.dir)?;
        let text = if arguments.json {
            serde_json::to_string_pretty(&status)?
        } else {
            status.text(&arguments.dir.join("runs"), if arguments.all { usize::MAX } else { SHOWN })
        };
        if arguments.watch && std::io::stdout().is_terminal() {
            output::print(&format!("\x1b[2J\x1b[H{text}"))?; // clears the screen
        } else {
            output::print(&text)?;
        }
        let open = [State::Running, State::Begun, State::Waiting];
        if !arguments.watch || !status.list.iter().any(|line| open.contains(&line.state)) {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(EVERY);
    }
}

impl Status {
    fn of(out: &Path) -> anyhow::Result<Self> {
        let (dir, host) = (out.join("runs"), host());
        let planned = planned(out)?;
        let mut list = Vec::new();
        for run in &planned {
            list.push(line(&dir.join(&run.run), run, &host)?);
        }
        foretell(&dir, &planned, &mut list);
        let mut counts = BTreeMap::new();
        for line in &list {
            *counts.entry(line.state.name()).or_default() += 1;
        }
        Ok(Self { runs: list.len(), counts, list })
    }

    fn text(&self, dir: &Path, shown: usize) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
        let mut rows: Vec<&Line> = self.list.iter().collect();
        rows.sort_by_key(|line| line.state); // stable: in the order of the experiment within a state
        let rows = &rows[..rows.len().min(shown)];
        let width = rows.iter().map(|line| line.run.len()).max().unwrap_or(3);
        let sets = rows.iter().map(|line| line.sets.len()).max().unwrap_or(3).max(3);
        let mut lines = vec![
            format!("{} runs: {}", self.runs, counts.join(", ")),
            String::new(),
            format!(
                "{:<width$}  {:<sets$}  {:<8}  {:>6}  {:>7}  {:<SPARKS$}  {:<22}  {:>7}",
                "run", "set", "state", "done", "loss", "curve", "will end at (95%)", "left"
            ),
        ];
        for line in rows {
            let evals = evals_so_far(&dir.join(&line.run));
            let mut text = format!(
                "{:<width$}  {:<sets$}  {:<8}  {:>5.0}%  {:>7}  {:<SPARKS$}  {:<22}  {:>7}",
                line.run,
                line.sets,
                line.state.name(),
                100.0 * line.step as f64 / line.steps.max(1) as f64,
                line.loss.map_or("-".into(), |loss| format!("{loss:.4}")),
                sparkline(&evals),
                line.ending.map_or_else(String::new, |Ending { loss, pi95: [low, high], .. }| {
                    format!("{loss:.3} ({low:.3} to {high:.3})")
                }),
                line.seconds_left.map_or("-".into(), clock),
            );
            if let Some(reason) = &line.reason {
                text += &format!("  {}", reason.lines().next().unwrap_or_default());
            }
            lines.push(text);
        }
        if self.runs > rows.len() {
            lines.push(format!("… and {} more; --all shows them", self.runs - rows.len()));
        }
        lines.join("\n")
    }
}

/// Foretells where the runs that have begun will end.
fn foretell(dir: &Path, planned: &[PlannedLine], list: &mut [Line]) {
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
        list[i].ending = foretell_end(line.step as f64, loss, curves);
    }
}

/// The curve of a run, step and test loss.
fn curve(dir: &Path) -> Vec<(f64, f64)> {
    evals_so_far(dir).iter().map(|eval| (eval.step as f64, eval.test_loss)).collect()
}

fn line(dir: &Path, planned: &PlannedLine, host: &str) -> anyhow::Result<Line> {
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
            serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
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

/// The test losses so far, the highest bar being the highest loss.
fn sparkline(evals: &[EvalRecord]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let losses: Vec<f64> = evals.iter().map(|eval| eval.test_loss).filter(|loss| loss.is_finite()).collect();
    let (low, high) =
        losses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let span = (high - low).max(f64::MIN_POSITIVE);
    let shown = losses.len().min(SPARKS);
    (0..shown)
        .map(|i| {
            let loss = losses[if shown > 1 { i * (losses.len() - 1) / (shown - 1) } else { 0 }];
            BARS[(((loss - low) / span) * 7.0).round() as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparkline_falls_with_the_loss() {
        let eval = |step: u64| EvalRecord {
            step,
            tokens: step,
            train_loss: None,
            test_loss: 8.0 - step as f64,
            ..EvalRecord::default()
        };
        let evals: Vec<EvalRecord> = (1..=7).map(eval).collect();
        assert_eq!(sparkline(&evals), "█▇▆▅▃▂▁");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&evals[..1]), "▁");
    }

    #[test]
    fn begun_run_is_told_its_end_by_finished_runs_of_its_regime_only() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, regime: &str, state: State, factor: f64, evals: u64| {
            let folder = dir.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let loss = |step: u64| factor * (2.0 + 1.0 / step as f64);
            let eval = |step| EvalRecord { step, test_loss: loss(step), ..EvalRecord::default() };
            let lines = (1..=evals).map(|step| serde_json::to_string(&eval(step)).unwrap() + "\n");
            std::fs::write(folder.join("events.jsonl"), lines.collect::<String>()).unwrap();
            let planned =
                PlannedLine { run: name.into(), sets: vec![], steps: 10, regime: regime.to_owned() };
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
        foretell(dir.path(), &planned, &mut list);
        let ending = list[3].ending.unwrap();
        assert!((ending.loss - 1.5 * 2.1).abs() < 1e-9 && ending.runs == 3, "{ending:?}");
        assert!(list[4].ending.is_none() && list[0].ending.is_none());
    }
}
