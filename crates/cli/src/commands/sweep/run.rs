//! Brings the runs of an experiment home: each a process, longest first, one a core, tried three times.

use super::RunArguments;
use super::study::{Study, cost, planned};
use super::trainer;
use super::until::{self, Standing};
use crate::execute::host;
use crate::output;
use crate::progress::{Display, clock};
use crate::signals;
use crate::tables::{curve_rows, run_row};
use anyhow::Context;
use scalelaw_core::number::short;
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_experiment::PlannedRun;
use scalelaw_runs::process::{Exit, run_to_end};
use scalelaw_runs::scheduler::{Attempt, Fate, Limits, Order, Task, bring_home};
use scalelaw_runs::{
    Claim, Claimed, FinishedRun, Outcome, Owner, Prepared, RunStage, finished_run, foreign, last_eval,
    life_sign, prepare, record_failure, stage, write_atomically,
};
use scalelaw_table::{CurveRow, Format, Row, RunRow, write_rows};
use scalelaw_train::RunData;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Times a run is tried by one call.
const ATTEMPTS: u32 = 3;
/// How often the running runs are looked at for the progress line.
const LOOK: Duration = Duration::from_millis(500);
/// Share of the free memory that runs may use.
const MEMORY_SHARE: f64 = 0.8;

/// What a call did.
#[derive(Serialize)]
struct Summary {
    runs: usize,
    finished: usize,
    finished_before: usize,
    diverged: Vec<String>,
    failed: Vec<Failure>,
    left: usize,
    seconds: f64,
    /// How well the target is known, with --until.
    until: Option<Standing>,
    table: String,
}

/// A run that was given up.
#[derive(Serialize)]
struct Failure {
    run: String,
    reason: String,
}

/// Runs what is not finished.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable. A run that fails is in the summary.
pub fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let stop = signals::stop_flag()?;
    let display = Display::new();
    let mut study = Study::open(arguments, &display)?;
    let dropped = study.keep(arguments)?;
    if dropped > 0 {
        display.say(&format!(
            "{dropped} runs that {} listed here earlier are not in it as it is now (its sets, its text or --eval changed): \
             they stay in {} and in no set of this sweep",
            arguments.file.display(),
            study.dir.display()
        ));
    }
    std::fs::create_dir_all(&study.dir).with_context(|| format!("cannot create {}", study.dir.display()))?;
    if arguments.until.is_some() {
        until::rejoin(&mut study, arguments)?;
    }
    let mut brought = Brought::default();
    brought.bring(&study, 0, arguments, &stop, &display)?;
    let standing = match arguments.until.zip(arguments.spend) {
        Some((goal, spend)) if brought.left == 0 => {
            let standing =
                until::pursue(goal, spend, &mut study, arguments, &display, &mut |study, first| {
                    brought.bring(study, first, arguments, &stop, &display)
                });
            Some(standing)
        }
        _ => None,
    };
    let finished = finished_of(&study)?;
    let table = write_tables(&study, &arguments.out)?;
    display.finish();
    let summary = Summary {
        runs: study.runs.len(),
        finished: finished.len(),
        finished_before: brought.finished_before,
        diverged: finished.iter().filter(|r| !r.is_complete()).filter_map(diverged).collect(),
        left: brought.left,
        failed: brought.failed,
        seconds: started.elapsed().as_secs_f64(),
        until: standing.transpose()?,
        table,
    };
    summary.print(arguments.json)?;
    Ok(summary.exit())
}

/// What became of the runs so far.
#[derive(Default)]
struct Brought {
    finished_before: usize,
    left: usize,
    failed: Vec<Failure>,
}

impl Brought {
    /// Runs what is not finished of the study's runs from index `first` on; whether all of them came home.
    fn bring(
        &mut self,
        study: &Study,
        first: usize,
        arguments: &RunArguments,
        stop: &AtomicBool,
        display: &Display,
    ) -> anyhow::Result<bool> {
        let mut todo: Vec<&PlannedRun> = Vec::new();
        for run in &study.runs[first..] {
            if stage(&study.dir_of(run))? != RunStage::Finished {
                todo.push(run);
            }
        }
        let (all, before) = (study.runs.len() - first, study.runs.len() - first - todo.len());
        self.finished_before += before;
        display.say(&format!(
            "{all} runs, {before} of them finished already; {} cores",
            arguments.workers.max(1)
        ));
        let fates = bring_all_home(study, &todo, arguments, stop, display);
        for (run, fate) in todo.iter().zip(&fates) {
            if let Fate::Failed { reason } = fate {
                // On a full disk this may fail too; the summary says the reason all the same.
                if let Err(error) = record_failure(&study.dir_of(run), ATTEMPTS, reason) {
                    display.say(&error.to_string());
                }
                self.failed.push(Failure { run: run.key.clone(), reason: reason.clone() });
            }
        }
        self.left += fates.iter().filter(|fate| **fate == Fate::Left).count();
        Ok(fates.iter().all(|fate| *fate == Fate::Finished))
    }
}

fn diverged(run: &FinishedRun) -> Option<String> {
    matches!(run.result.outcome, Outcome::Diverged { .. }).then(|| run.key.clone())
}

fn bring_all_home(
    study: &Study,
    todo: &[&PlannedRun],
    arguments: &RunArguments,
    stop: &AtomicBool,
    display: &Display,
) -> Vec<Fate> {
    let cores = arguments.workers.max(1);
    let limits = Limits { cores, memory: arguments.memory.unwrap_or_else(free_memory), attempts: ATTEMPTS };
    let index_of: HashMap<&str, usize> = todo.iter().enumerate().map(|(i, run)| (&*run.key, i)).collect();
    // A trunk that is not to be run is finished.
    let trunk = |run: &PlannedRun| index_of.get(run.spec.training.parent_run.as_deref()?).copied();
    let tasks: Vec<Task> = todo
        .iter()
        .map(|run| Task {
            cost: cost(&run.spec),
            memory: memory(study, run, 1),
            after: trunk(run),
            resumes: study.file.trainer.is_none(),
        })
        .collect();
    let costs = todo.iter().zip(&tasks).map(|(run, task)| (run.key.clone(), task.cost));
    display.begin_runs(costs.collect::<HashMap<_, _>>(), cores);
    let running: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let over = AtomicBool::new(false);
    let attempts =
        Attempts { study, display, lease: arguments.lease, signs: Mutex::default(), begun: Mutex::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| watch(study, todo, &running, &over, display));
        let stops = || stop.load(Ordering::Relaxed);
        let left = |index: usize| attempts.time_left(todo[index]);
        let fates = bring_home(&tasks, limits, &stops, &left, &|order| {
            let index = order.index;
            let set_running = |on: bool| {
                if let Ok(mut running) = running.lock() {
                    running.retain(|other| *other != index);
                    running.extend(on.then_some(index));
                }
            };
            set_running(true);
            let attempt = attempt(&attempts, todo[index], order)
                .unwrap_or_else(|error| Attempt::Failed(format!("{error:#}")));
            set_running(false);
            if let Attempt::Failed(reason) = &attempt {
                let first = reason.lines().next().unwrap_or_default();
                display.say(&format!("{} failed: {first}", todo[index].key));
            }
            attempt
        });
        over.store(true, Ordering::Relaxed);
        fates
    })
}

/// What attempts at runs share.
struct Attempts<'a> {
    study: &'a Study,
    display: &'a Display,
    lease: Duration,
    /// The last sign of life of runs that other hosts have, and when it was first seen here.
    signs: Mutex<HashMap<String, (Option<SystemTime>, Instant)>>,
    /// When the attempt at a run began here, and the step that it began from.
    begun: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Attempts<'_> {
    /// Time that a run has to go at the pace of this attempt.
    fn time_left(&self, run: &PlannedRun) -> Option<Duration> {
        let (since, from) = *self.begun.lock().ok()?.get(&run.key)?;
        let step = last_eval(&self.study.dir_of(run))?.step;
        let pace = since.elapsed().as_secs_f64() / step.checked_sub(from).filter(|done| *done > 0)? as f64;
        Some(Duration::from_secs_f64(pace * run.spec.steps.saturating_sub(step) as f64))
    }

    /// Whether a run that another host has shows no sign of life any more. Only that a sign changes counts, by
    /// the clock of this host: those of two hosts need not agree.
    fn is_gone(&self, run: &PlannedRun, dir: &Path, owner: &Owner) -> bool {
        if owner.host == host() {
            return false; // the lock of a living process of this host says so by itself
        }
        let sign = life_sign(dir);
        let Ok(mut signs) = self.signs.lock() else { return false };
        let (seen, since) = signs.entry(run.key.clone()).or_insert((sign, Instant::now()));
        if *seen != sign {
            (*seen, *since) = (sign, Instant::now());
        }
        let gone = since.elapsed() >= self.lease;
        if gone {
            let lease = clock(self.lease.as_secs_f64());
            self.display
                .say(&format!("{}: {} showed no sign of life for {lease}: taken over", run.key, owner.host));
        }
        gone
    }
}

/// One attempt at one run.
fn attempt(attempts: &Attempts<'_>, run: &PlannedRun, order: Order<'_>) -> anyhow::Result<Attempt> {
    let Attempts { study, display, .. } = attempts;
    let dir = study.dir_of(run);
    if stage(&dir)? == RunStage::Finished {
        return Ok(Attempt::Finished);
    }
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let claim = match Claim::acquire_unless(&dir, &host(), &|owner| attempts.is_gone(run, &dir, owner))? {
        Claimed::Held(owner) => return Ok(Attempt::Held(owner)),
        Claimed::Ours(claim) => claim,
    };
    // It may have been finished between the look and the claim.
    if stage(&dir)? == RunStage::Finished {
        return Ok(Attempt::Finished);
    }
    if prepare(&dir, &run.spec)? == Prepared::SpecRepaired {
        display.say(&format!("{}: its spec was damaged and is repaired", run.key));
    }
    let is_foreign = study.file.trainer.is_some();
    if is_foreign && dir.join(foreign::TRAINED).exists() {
        // Its trainer came to the end after its scheduler was gone.
        if foreign::finish(&dir, &run.spec).is_ok() {
            return Ok(Attempt::Finished);
        }
        let path = dir.join(foreign::TRAINED);
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    let torn = foreign::repair(&dir)?;
    if torn > 0 {
        display.say(&format!("{}: {torn} broken lines of its curve are taken away", run.key));
    }
    let command = trainer::command(study, run, &dir, order.threads)?;
    if let Ok(mut begun) = attempts.begun.lock() {
        begun.insert(run.key.clone(), (Instant::now(), last_eval(&dir).map_or(0, |eval| eval.step)));
    }
    let log = dir.join("trainer.log");
    Ok(match run_to_end(command, &claim, &log, order.stop)? {
        Exit::Stopped => Attempt::Stopped,
        Exit::Failure(reason) => Attempt::Failed(reason),
        Exit::Success if is_foreign => {
            foreign::finish(&dir, &run.spec)?;
            Attempt::Finished
        }
        Exit::Success => match stage(&dir)? {
            RunStage::Finished => {
                // Of a run that is fine nobody wants the log; one that stays does no harm.
                let _ = std::fs::remove_file(&log);
                Attempt::Finished
            }
            _ => Attempt::Failed("the trainer ended well but left no result".into()),
        },
    })
}

/// Bytes that a run needs; a trainer of the user's own is not ours to measure.
pub fn memory(study: &Study, run: &PlannedRun, threads: usize) -> u64 {
    if study.file.trainer.is_some() {
        return 0;
    }
    scalelaw_train::footprint(&*scalelaw_lab::device(run.spec.device), &run.spec, threads).bytes() as u64
}

/// Most of the memory that is free now; no bound where the system does not say.
pub fn free_memory() -> u64 {
    let kilobytes = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    kilobytes.map_or(u64::MAX, |k| (k * 1024.0 * MEMORY_SHARE) as u64)
}

/// Tells the display of the progress of the running runs, from their logs, until `over`.
fn watch(
    study: &Study,
    todo: &[&PlannedRun],
    running: &Mutex<Vec<usize>>,
    over: &AtomicBool,
    display: &Display,
) {
    let mut seen: BTreeMap<usize, u64> = BTreeMap::new();
    let mut before: Vec<usize> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let now = running.lock().map(|running| running.clone()).unwrap_or_default();
        // Those that ended since the last look are looked at once more.
        let looked: BTreeSet<usize> = before.iter().chain(&now).copied().collect();
        before = now;
        for index in looked {
            let run = todo[index];
            let dir = study.dir_of(run);
            let logged = last_eval(&dir).map(|last| (last.step, last.test_loss));
            let Some((step, loss)) = logged.or_else(|| foreign::last_line(&dir)) else { continue };
            let known = seen.insert(index, step).unwrap_or(0);
            if step > known {
                let new_tokens = (step - known) * run.spec.batch_tokens();
                display.progress(Progress::Run {
                    run_id: &run.key,
                    step,
                    steps: run.spec.steps,
                    new_tokens,
                    new_flops: new_tokens as f64
                        * run.spec.model.train_flops_per_token(scalelaw_core::FlopConvention::Full),
                    train_loss: loss,
                });
            }
        }
        let slept = Instant::now();
        while slept.elapsed() < LOOK && !over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The finished runs of the experiment.
fn finished_of(study: &Study) -> anyhow::Result<Vec<FinishedRun>> {
    let mut finished = Vec::new();
    for run in &study.runs {
        finished.extend(finished_run(&study.dir_of(run))?);
    }
    Ok(finished)
}

/// Writes `tables/runs.csv` and `tables/curves.csv` of every experiment in the output directory, rows sorted by
/// run, nothing from the clock.
fn write_tables(study: &Study, out: &Path) -> anyhow::Result<String> {
    let tables = out.join("tables");
    std::fs::create_dir_all(&tables).with_context(|| format!("cannot create {}", tables.display()))?;
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
    Ok(path.display().to_string())
}

fn write_table<R: Row>(path: &Path, mut rows: Vec<R>) -> anyhow::Result<()> {
    rows.sort_by_key(Row::sort_key);
    let mut csv = Vec::new();
    write_rows(&rows, Format::CSV, &mut csv)?;
    Ok(write_atomically(path, &csv)?)
}

impl Summary {
    fn print(&self, json: bool) -> anyhow::Result<()> {
        for Failure { run, reason } in &self.failed {
            eprintln!("{run} failed {ATTEMPTS} times: {reason}");
        }
        if self.left > 0 {
            eprintln!("stopped with {} runs to go; the same command goes on from here", self.left);
        }
        if json {
            return output::print(&serde_json::to_string_pretty(self)?);
        }
        let mut line = format!(
            "{} of {} runs finished, {} of them now, in {}",
            self.finished,
            self.runs,
            self.finished.saturating_sub(self.finished_before),
            clock(self.seconds)
        );
        for (count, what) in [(self.diverged.len(), "diverged"), (self.failed.len(), "failed")] {
            if count > 0 {
                line += &format!("; {count} {what}");
            }
        }
        if let Some(Standing { target_flops, loss, width, wanted, reached, runs, spent, why }) = &self.until {
            let (at, verdict) = (short(*target_flops), if *reached { "reached" } else { "NOT reached" });
            line += &format!(
                "\nloss at the optimum of {at} FLOPs: {loss:.4}, 95% interval {width:.4} wide by {runs} runs, {} \
                 FLOPs beyond the experiment; wanted {wanted:.4}: {verdict}",
                short(*spent)
            );
            if let Some(why) = why {
                line += &format!(" ({why})");
            }
        }
        output::print(&format!("{line}\n{}", self.table))
    }

    fn exit(&self) -> ExitCode {
        if self.until.as_ref().is_some_and(|standing| !standing.reached) {
            return ExitCode::from(3);
        }
        match (self.finished, self.runs) {
            (finished, runs) if finished == runs => ExitCode::SUCCESS,
            (0, _) if self.left == 0 => ExitCode::FAILURE,
            _ => ExitCode::from(3),
        }
    }
}
