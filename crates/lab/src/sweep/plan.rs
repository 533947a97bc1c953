//! What a sweep will cost, before a single step.

use super::study::Study;
use super::{Request, SweepError};
use crate::execute::{available_memory, cost, memory, train_flops};
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_core::{Observer, RunSpec};
use scalelaw_experiment::PlannedRun;
use scalelaw_runs::scheduler::makespan;
use scalelaw_runs::{RunStage, StepRecord, stage};
use scalelaw_train::{RunData, TrainError, Trainer};
use serde::Serialize;
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

/// What a sweep costs.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The experiment's question.
    pub question: String,
    /// Runs.
    pub runs: usize,
    /// Of which nothing is there.
    pub new: usize,
    /// Of which were begun or given up.
    pub begun: usize,
    /// Of which are finished.
    pub finished: usize,
    /// Training FLOPs of all runs, 6N.
    pub flops_6n: f64,
    /// Training FLOPs with the head.
    pub flops_matmul: f64,
    /// Training FLOPs with head and attention.
    pub flops_full: f64,
    /// Seconds of wall clock for what is not finished; absent for a trainer that cannot be measured.
    pub seconds: Option<f64>,
    /// Cores.
    pub cores: usize,
    /// Measured sizes (FLOPs a token) and GFLOP/s of one core while all are busy.
    pub gflops_per_core: Vec<(u64, f64)>,
    /// Bytes of memory when the runs that need most run together.
    pub memory_bytes: u64,
    /// Bytes of memory that runs may use now.
    pub memory_free_bytes: u64,
    /// Bytes of the run directories when all runs are finished.
    pub disk_bytes: u64,
    /// Every run.
    pub list: Vec<Line>,
}

/// A run of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its key.
    pub run: String,
    /// Its sets.
    pub sets: String,
    /// How far it is: new, begun, failed or finished.
    pub stage: &'static str,
    /// Parameters, non-embedding.
    pub n_nonembed: u64,
    /// Tokens.
    pub tokens: u64,
    /// Steps.
    pub steps: u64,
    /// Peak learning rate.
    pub lr: f64,
    /// Training FLOPs with head and attention.
    pub flops_full: f64,
    /// Seconds on one core; absent for a trainer that cannot be measured.
    pub seconds: Option<f64>,
}

/// Plans a sweep on so many cores: opens or builds its data and measures a few sizes, all cores busy.
///
/// # Errors
/// When the experiment or its data are not usable.
pub fn plan(request: &Request, cores: usize, observer: &dyn Observer) -> Result<Plan, SweepError> {
    let study = Study::open(request, observer)?;
    let cores = cores.max(1);
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
    Ok(Plan::new(&study, &stages, &left, &speeds, cores))
}

/// Measured speed at a size: FLOPs a token, and FLOP/s of one core while all cores are busy.
type Speeds = Vec<(f64, f64)>;

/// Measures up to [`MEASURED`] sizes of the runs that are left.
fn measure(study: &Study, left: &[&PlannedRun], cores: usize) -> Result<Speeds, TrainError> {
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
        let measured: Vec<Result<f64, TrainError>> = std::thread::scope(|scope| {
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

fn one_core(spec: &RunSpec, data: &RunData) -> Result<f64, TrainError> {
    let mut trainer = Trainer::new(&*crate::device(spec.device), spec, data, 1)?;
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
        let mut needs: Vec<u64> = left.iter().map(|run| memory(&run.spec)).collect();
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
            memory_free_bytes: available_memory(),
            disk_bytes: study.runs.iter().map(|run| disk(study, &run.spec)).sum(),
            list,
        }
    }
}
