//! `scalelaw sweep plan`: what a sweep will cost, before a single step.

use super::RunArguments;
use super::run::{free_memory, memory};
use super::study::{Study, cost, train_flops};
use crate::output;
use crate::progress::{Display, clock};
use scalelaw_core::RunSpec;
use scalelaw_core::number::short;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_experiment::PlannedRun;
use scalelaw_runs::local::makespan;
use scalelaw_runs::{RunStage, StepRecord, stage};
use scalelaw_train::{RunData, Trainer};
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Sizes that are measured, spread over those of the experiment.
const MEASURED: usize = 4;
/// Wall-clock time spent on each.
const PER_SIZE: Duration = Duration::from_millis(70);
/// Checkpoints on disk at a time: two, and one being written.
const CHECKPOINTS: u64 = 3;
/// Weights and two moments, f32.
const STATE_BYTES: u64 = 12;
/// Bytes of an evaluation in `events.jsonl`, about.
const EVENT_BYTES: u64 = 130;
/// Runs listed for a person.
const LISTED: usize = 60;

#[derive(Serialize)]
struct Plan {
    question: String,
    runs: usize,
    new: usize,
    begun: usize,
    finished: usize,
    flops_6n: f64,
    flops_matmul: f64,
    flops_full: f64,
    /// Seconds of wall clock for what is not finished; absent for a trainer that cannot be measured.
    seconds: Option<f64>,
    cores: usize,
    gflops_per_core: Vec<(u64, f64)>,
    /// Bytes of memory when the runs that need most run together.
    memory_bytes: u64,
    memory_free_bytes: u64,
    disk_bytes: u64,
    list: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    run: String,
    sets: String,
    stage: &'static str,
    n_nonembed: u64,
    tokens: u64,
    steps: u64,
    lr: f64,
    flops_full: f64,
    seconds: Option<f64>,
}

/// Plans and prints.
///
/// # Errors
/// When the experiment or its data are not usable.
pub fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let display = Display::new();
    let study = Study::open(arguments, &display)?;
    let cores = arguments.workers.max(1);
    let mut stages = Vec::with_capacity(study.runs.len());
    for run in &study.runs {
        stages.push(stage(&study.dir_of(run))?);
    }
    let left: Vec<&PlannedRun> = study
        .runs
        .iter()
        .zip(&stages)
        .filter(|(_, s)| **s != RunStage::Finished)
        .map(|(run, _)| run)
        .collect();
    let speeds = measure(&study, &left, cores)?;
    display.finish();
    let plan = Plan::new(&study, &stages, &left, &speeds, cores);
    output::print(&if arguments.json { serde_json::to_string_pretty(&plan)? } else { plan.text() })?;
    Ok(ExitCode::SUCCESS)
}

/// Measured speed at a size: FLOPs a token, and FLOP/s of one core while all cores are busy.
type Speeds = Vec<(f64, f64)>;

/// Measures up to [`MEASURED`] sizes of the runs that are left.
fn measure(study: &Study, left: &[&PlannedRun], cores: usize) -> anyhow::Result<Speeds> {
    let Some(data) = &study.data else { return Ok(Speeds::new()) };
    let mut by_size: Vec<&RunSpec> = left.iter().map(|run| &run.spec).collect();
    by_size.sort_by(|a, b| per_token(a).total_cmp(&per_token(b)));
    by_size.dedup_by(|a, b| a.model == b.model);
    let count = by_size.len().min(MEASURED);
    let mut speeds = Speeds::with_capacity(count);
    for i in 0..count {
        let mut spec = by_size[if count > 1 { i * (by_size.len() - 1) / (count - 1) } else { 0 }].clone();
        // A step of one micro-batch does the same work a token.
        spec.batch.sequences = spec.batch.micro_sequences;
        spec.measure.sets.clear();
        let (spec, data) = (&spec, RunData::open(&data.dataset, &spec)?);
        let measured: Vec<anyhow::Result<f64>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| one_core(spec, &data))).collect();
            // A panic in a measurement is a bug and goes on as one.
            threads.into_iter().map(|t| t.join().unwrap_or_else(|p| std::panic::resume_unwind(p))).collect()
        });
        let mut slowest = f64::INFINITY;
        for speed in measured {
            slowest = slowest.min(speed?);
        }
        speeds.push((per_token(spec), slowest));
    }
    Ok(speeds)
}

fn one_core(spec: &RunSpec, data: &RunData) -> anyhow::Result<f64> {
    let mut trainer = Trainer::new(&*scalelaw_lab::device(spec.device), spec, data, 1)?;
    trainer.step()?; // warms caches and pages
    let (started, mut steps) = (Instant::now(), 0);
    while steps == 0 || started.elapsed() < PER_SIZE {
        trainer.step()?;
        steps += 1;
    }
    let flops = (steps * spec.batch_tokens()) as f64 * per_token(spec);
    Ok(flops / started.elapsed().as_secs_f64())
}

fn per_token(spec: &RunSpec) -> f64 {
    spec.model.train_flops_per_token(FlopConvention::Full)
}

/// Seconds of one core for a run, at the speed of the measured size nearest to it.
fn seconds(spec: &RunSpec, speeds: &Speeds) -> Option<f64> {
    let size = libm::log(per_token(spec));
    let off = |at: f64| libm::fabs(libm::log(at) - size);
    let (_, speed) = speeds.iter().min_by(|a, b| off(a.0).total_cmp(&off(b.0)))?;
    Some(cost(spec) / speed)
}

fn disk(study: &Study, spec: &RunSpec) -> u64 {
    if study.file.trainer.is_some() {
        return 0; // not ours to know
    }
    CHECKPOINTS * STATE_BYTES * spec.model.n_params(ParamConvention::Total)
        + spec.steps * StepRecord::BYTES as u64
        + spec.evaluation_steps().len() as u64 * EVENT_BYTES
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

impl Plan {
    fn new(study: &Study, stages: &[RunStage], left: &[&PlannedRun], speeds: &Speeds, cores: usize) -> Self {
        let list: Vec<Line> = study
            .runs
            .iter()
            .zip(stages)
            .map(|(run, stage)| Line {
                run: run.key.clone(),
                sets: run.sets.join(" "),
                stage: match stage {
                    RunStage::New => "new",
                    RunStage::Begun => "begun",
                    RunStage::Failed => "failed",
                    RunStage::Finished => "finished",
                },
                n_nonembed: run.spec.model.n_params(ParamConvention::NonEmbedding),
                tokens: run.spec.tokens(),
                steps: run.spec.steps,
                lr: run.spec.schedule.lr,
                flops_full: train_flops(&run.spec, FlopConvention::Full),
                seconds: seconds(&run.spec, speeds),
            })
            .collect();
        let flops = |c| study.runs.iter().map(|run| train_flops(&run.spec, c)).sum();
        let times: Option<Vec<f64>> = left.iter().map(|run| seconds(&run.spec, speeds)).collect();
        let mut needs: Vec<u64> = left.iter().map(|run| memory(study, run, 1)).collect();
        needs.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
        let count = |wanted: RunStage| stages.iter().filter(|s| **s == wanted).count();
        Self {
            question: study.file.question.clone(),
            runs: study.runs.len(),
            new: count(RunStage::New),
            begun: count(RunStage::Begun) + count(RunStage::Failed),
            finished: count(RunStage::Finished),
            flops_6n: flops(FlopConvention::SixN),
            flops_matmul: flops(FlopConvention::Matmul),
            flops_full: flops(FlopConvention::Full),
            seconds: times.map(|times| makespan(&times, cores)),
            cores,
            gflops_per_core: speeds.iter().map(|(size, speed)| (*size as u64, speed / 1e9)).collect(),
            memory_bytes: needs.iter().take(cores).sum(),
            memory_free_bytes: free_memory(),
            disk_bytes: study.runs.iter().map(|run| disk(study, &run.spec)).sum(),
            list,
        }
    }

    fn text(&self) -> String {
        let mut lines = vec![
            self.question.clone(),
            format!("{} runs: {} new, {} begun, {} finished", self.runs, self.new, self.begun, self.finished),
            format!(
                "training FLOPs: {:.3e} as 6N, {:.3e} with head, {:.3e} with head and attention",
                self.flops_6n, self.flops_matmul, self.flops_full
            ),
        ];
        lines.push(match self.seconds {
            Some(_) if self.finished == self.runs => "time: none, every run is finished".into(),
            Some(seconds) => format!(
                "time: {} on {} cores, at {} GFLOP/s a core, small to large models (measured now)",
                clock(seconds),
                self.cores,
                self.gflops_per_core.iter().map(|(_, g)| format!("{g:.1}")).collect::<Vec<_>>().join(" "),
            ),
            None => "time: unknown, the trainer is not this program's".into(),
        });
        lines.push(format!(
            "memory: {} for the {} that need most, {} to spare; disk: {}",
            megabytes(self.memory_bytes),
            self.cores.min(self.runs),
            megabytes(self.memory_free_bytes),
            megabytes(self.disk_bytes)
        ));
        lines.push(String::new());
        let width = self.list.iter().map(|line| line.run.len()).max().unwrap_or(0);
        let sets = self.list.iter().map(|line| line.sets.len()).max().unwrap_or(0).max(3);
        lines.push(format!(
            "{:<width$}  {:<sets$}  {:<8}  {:>7}  {:>7}  {:>7}  {:>8}  {:>8}  {:>6}",
            "run", "set", "stage", "N", "tokens", "steps", "lr", "FLOPs", "time"
        ));
        for line in self.list.iter().take(LISTED) {
            lines.push(format!(
                "{:<width$}  {:<sets$}  {:<8}  {:>7}  {:>7}  {:>7}  {:>8.2e}  {:>8.2e}  {:>6}",
                line.run,
                line.sets,
                line.stage,
                short(line.n_nonembed as f64),
                short(line.tokens as f64),
                line.steps,
                line.lr,
                line.flops_full,
                line.seconds.map_or("-".into(), clock)
            ));
        }
        if self.list.len() > LISTED {
            lines.push(format!("… and {} more; --json lists all", self.list.len() - LISTED));
        }
        lines.join("\n")
    }
}
