//! Progress on stderr: one live line on a terminal, a plain line every few seconds elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scalelaw_core::number::short;
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_lab::quickstart::{QuickstartEvent, QuickstartWatcher};
use scalelaw_lab::sweep::{Standing, SweepEvent, SweepWatcher};
use scalelaw_runs::worker::{RunEvent, Watcher};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Seconds between plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Shows stages and runs to a person.
pub struct Display {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    last_line: Instant,
    stage: Option<Stage>,
    runs: Option<Runs>,
}

/// The current stage.
struct Stage {
    name: String,
    started: Instant,
    /// Units that were done when the stage was first seen. An earlier call did them, so they say nothing about speed.
    done_before: u64,
}

/// What is known about the current runs.
struct Runs {
    started: Instant,
    /// Expected cost of each run that was not finished before, in any unit.
    cost: HashMap<String, f64>,
    /// Share of each run that is done.
    share: HashMap<String, f64>,
    workers: usize,
    finished: usize,
    tokens: u64,
    flops: f64,
}

impl Display {
    /// A display that draws on a terminal and writes plain lines elsewhere.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let last_line = Instant::now();
        Self { bar, state: Mutex::new(State { last_line, stage: None, runs: None }) }
    }

    /// Says something that stays on the screen.
    pub fn say(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{message}")),
            None => eprintln!("{message}"),
        }
    }

    /// Begins a batch of runs: expected cost by run, in any unit.
    pub fn begin_runs(&self, cost: HashMap<String, f64>, workers: usize) {
        let share = cost.keys().map(|run| (run.clone(), 0.0)).collect();
        self.state().runs =
            Some(Runs { started: Instant::now(), cost, share, workers, finished: 0, tokens: 0, flops: 0.0 });
    }

    /// Takes the live line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that a drawing thread died; the numbers are still good to show.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &mut State, line: &str, always: bool) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
        } else if always || state.last_line.elapsed() >= PLAIN_EVERY {
            state.last_line = Instant::now();
            eprintln!("{line}");
        }
    }
}

impl Observer for Display {
    fn progress(&self, progress: Progress<'_>) {
        let mut state = self.state();
        match progress {
            Progress::Stage { name, done, total, unit } => {
                let known =
                    state.stage.take().filter(|stage| stage.name == name && stage.done_before <= done);
                let stage = known.unwrap_or_else(|| Stage {
                    name: name.to_owned(),
                    started: Instant::now(),
                    done_before: done,
                });
                let line = stage.line(done, total, unit);
                state.stage = Some(stage);
                self.show(&mut state, &line, false);
            }
            Progress::Run { run_id, step, steps, new_tokens, new_flops, train_loss } => {
                let Some(runs) = &mut state.runs else { return };
                runs.tokens += new_tokens;
                runs.flops += new_flops;
                let share = step as f64 / steps.max(1) as f64;
                runs.share.insert(run_id.to_owned(), share);
                runs.finished = runs.share.values().filter(|s| **s >= 1.0).count();
                let line = format!("{} · {run_id} loss {train_loss:.3}", runs.line());
                self.show(&mut state, &line, false);
            }
            Progress::Note(note) => self.say(note),
            _ => {}
        }
    }
}

impl Watcher for Display {
    fn run_event(&self, event: RunEvent<'_>) {
        match event {
            RunEvent::Begun { todo, cores } => {
                self.begin_runs(todo.iter().map(|work| (work.key.clone(), work.cost)).collect(), cores);
            }
            RunEvent::SpecRepaired { run } => {
                self.say(&format!("{run}: its spec was damaged and has been written again"));
            }
            RunEvent::CurveRepaired { run, lines } => {
                self.say(&format!("{run}: dropped {lines} incomplete lines from its curve"));
            }
            RunEvent::Held { run, owner } => {
                self.say(&format!("{run}: process {} on {} has it; waiting for it", owner.pid, owner.host));
            }
            RunEvent::TakenOver { run, owner, silent } => {
                let silent = clock(silent.as_secs_f64());
                self.say(&format!("{run}: {} showed no sign of life for {silent}; taken over", owner.host));
            }
            RunEvent::Failed { run, failure } => {
                let reason = failure.reason();
                self.say(&format!("{run} failed: {}", reason.lines().next().unwrap_or_default()));
            }
            RunEvent::NotRecorded { run, error } => self.say(&format!("{run}: {error}")),
            _ => {}
        }
    }
}

impl SweepWatcher for Display {
    fn sweep_event(&self, event: SweepEvent<'_>) {
        match event {
            SweepEvent::Dropped { runs, experiment, dir } => self.say(&format!(
                "{runs} runs that {} listed here earlier are not in it as it is now (its sets, its text or --eval \
                 changed): they stay in {} and in no set of this sweep",
                experiment.display(),
                dir.display()
            )),
            SweepEvent::Begun { runs, finished, cores } => {
                self.say(&format!("{runs} runs, {finished} of them finished already; {cores} cores"));
            }
            SweepEvent::Standing(Standing { target_flops, loss, width, runs, wanted, .. }) => {
                let at = short(*target_flops);
                self.say(&format!(
                    "loss at the optimum of {at} FLOPs: {loss:.4}, 95% interval {width:.4} wide from {runs} runs; \
                     wanted {wanted:.4}"
                ));
            }
            SweepEvent::Round { number, experiment } => {
                self.say(&format!("round {number}: {}", experiment.display()));
            }
            _ => {}
        }
    }
}

impl QuickstartWatcher for Display {
    fn quickstart_event(&self, event: QuickstartEvent<'_>) {
        match event {
            QuickstartEvent::Resuming { experiment } => {
                self.say(&format!("Resuming {}", experiment.display()));
            }
            QuickstartEvent::Text { name, train_tokens, took } => self.say(&format!(
                "Text: {name}, {} training tokens ({:.1} s). Measuring this machine…",
                short(train_tokens as f64),
                took.as_secs_f64()
            )),
            QuickstartEvent::Chosen { budget, experiment } => self.say(&format!(
                "Chosen for {} and written to {}",
                clock(budget.as_secs_f64()),
                experiment.display()
            )),
            QuickstartEvent::Begun { runs, flops, cores, finished } => {
                let flops = short(flops);
                self.say(&format!("{runs} runs, {flops} FLOPs with head and attention, on {cores} cores"));
                if finished > 0 {
                    self.say(&format!("{finished} of {runs} runs are finished already"));
                }
            }
            QuickstartEvent::Diverged { run, step } => self.say(&format!(
                "{run} diverged at step {step}: it is in the table and excluded from the fits"
            )),
            _ => {}
        }
    }
}

impl Stage {
    fn line(&self, done: u64, total: u64, unit: &str) -> String {
        let mut line = format!("{}: {}", self.name, short(done as f64));
        if total > 0 {
            let percent = 100.0 * done as f64 / total as f64;
            line += &format!(" of {} {unit} ({percent:.0}%)", short(total as f64));
        } else {
            line += &format!(" {unit}");
        }
        let rate = (done - self.done_before) as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        if done > self.done_before && rate > 0.0 {
            line += &format!(" · {} {unit}/s", short(rate));
            if total > done {
                line += &format!(" · {} left", clock((total - done) as f64 / rate));
            }
        }
        line
    }
}

impl Runs {
    fn line(&self) -> String {
        let elapsed = self.started.elapsed().as_secs_f64();
        let done: f64 = self.cost.iter().map(|(run, cost)| cost * self.share.get(run).unwrap_or(&0.0)).sum();
        let left: Vec<f64> =
            self.cost.iter().map(|(run, cost)| cost * (1.0 - self.share.get(run).unwrap_or(&0.0))).collect();
        let mut line = format!(
            "runs {}/{} done · {} tokens/s · {:.1} GFLOP/s",
            self.finished,
            self.cost.len(),
            short(self.tokens as f64 / elapsed.max(1e-9)),
            self.flops / elapsed.max(1e-9) / 1e9,
        );
        // Costs are in any unit: the pace so far turns them into seconds.
        if done > 0.0 {
            let pace = elapsed * self.workers.min(self.cost.len()) as f64 / done;
            let time_left = scalelaw_runs::scheduler::makespan(&left, self.workers) * pace;
            line += &format!(" · {} left", clock(time_left));
        }
        line
    }
}

/// Seconds as `1h05m`, `2m10s` or `9s`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_reads_like_a_clock() {
        for (seconds, text) in [(0.2, "0s"), (9.4, "9s"), (130.0, "2m10s"), (3900.0, "1h05m")] {
            assert_eq!(clock(seconds), text);
        }
    }
}
