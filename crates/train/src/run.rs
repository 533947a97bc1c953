//! One run from its spec to `result.json`, however often it is interrupted.

use crate::trainer::Evaluation;
use crate::{RunData, TrainError, Trainer, branch, checkpoint};
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_core::spec::{SpecError, TRAINER};
use scalelaw_core::{FlopConvention, RunSpec};
use scalelaw_files::FileError;
use scalelaw_graph::Device;
use scalelaw_runs::{EvalRecord, Outcome, RunDir, RunResult, RunsError, StepRecord, TimingRecord};
use std::path::Path;
use std::time::{Duration, Instant};

/// Wall-clock time between checkpoints. When they are written depends on the clock; what is in them does not.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
/// Wall-clock time between reports to the observer.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// A run whose test loss is above this many times ln n_vocab, the loss of knowing nothing, ...
const HOPELESS: f64 = 2.0;
/// ... at this many evaluations in a row has diverged.
const HOPELESS_EVALUATIONS: usize = 3;

/// How a call of [`run`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// The run is finished: now, or it was before.
    Finished(RunResult),
    /// It was asked to stop; a checkpoint was written and the next call goes on from it.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

/// How to execute a run. Among CPU devices, nothing here changes a byte of it.
#[derive(Clone, Copy)]
pub struct RunOptions<'a> {
    /// Where it is executed.
    pub device: &'a dyn Device,
    /// Threads of the host.
    pub threads: usize,
    /// Receives progress.
    pub observer: &'a dyn Observer,
    /// Called before every step; `true` stops the run there, resumable.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Trains the run of `spec` in `dir` to its end, from its newest checkpoint if it has one, or from the state
/// of its parent, whose directory lies beside `dir` under its key.
///
/// `steps.bin`, `events.jsonl`, `result.json` and the checkpoints are a pure function of spec and data: the
/// same bytes for any number of threads and any interruptions.
///
/// # Errors
/// Impossible specs, data or a parent that are not the spec's, and files that cannot be read or written.
pub fn run(
    spec: &RunSpec,
    data: &RunData,
    dir: &Path,
    options: RunOptions<'_>,
) -> Result<RunEnd, TrainError> {
    if spec.trainer != TRAINER {
        let (value, expected) =
            (spec.trainer.clone(), "scalelaw: another trainer's run cannot be trained here");
        return Err(SpecError::Value { key: "trainer", value, expected }.into());
    }
    let mut dir = RunDir::open(dir, spec)?;
    if let Some(result) = dir.result()? {
        return Ok(RunEnd::Finished(result));
    }
    let mut trainer = Trainer::new(options.device, spec, data, options.threads)?;
    let mut evals = vec![];
    let earlier = match dir.resume()? {
        None => branch::start(spec, &mut dir)?,
        resumed => resumed,
    };
    if let Some((found, earlier)) = earlier {
        let state = checkpoint::state(&trainer, &found)?;
        trainer.restore(found.step, state)?;
        evals = earlier;
    }
    let step = trainer.steps_done();
    let last_eval = evals.last().map_or(0, |eval: &EvalRecord| eval.step);
    let session = RunSession {
        spec,
        run_id: spec.key(),
        since_eval: train_losses(dir.path(), last_eval..step)?,
        dir,
        trainer,
        evals,
        options,
        unwritten: vec![],
        logged: step,
        from_step: step,
        reported: step,
        started: Instant::now(),
        eval_time: Duration::ZERO,
    };
    session.finish()
}

/// The train losses of these steps in `steps.bin`.
fn train_losses(dir: &Path, steps: std::ops::Range<u64>) -> Result<Vec<f64>, TrainError> {
    let path = dir.join("steps.bin");
    let bytes = std::fs::read(&path).map_err(FileError::new(&path, "read")).map_err(RunsError::from)?;
    let (records, _) = bytes.as_chunks::<{ StepRecord::BYTES }>();
    let records = records.iter().take(steps.end as usize).skip(steps.start as usize);
    Ok(records.map(|record| StepRecord::from_bytes(record).train_loss).collect())
}

/// Whether a run with these evaluations has diverged: its test loss stays far above that of knowing nothing.
fn is_hopeless(spec: &RunSpec, evals: &[EvalRecord]) -> bool {
    let bound = HOPELESS * libm::log(f64::from(spec.model.n_vocab));
    evals.iter().rev().take_while(|eval| eval.test_loss > bound).count() >= HOPELESS_EVALUATIONS
}

/// Whether the spec's patience has run out: that many evaluations in a row above the best one before them.
fn is_out_of_patience(spec: &RunSpec, evals: &[EvalRecord]) -> bool {
    let patience = spec.evaluation.patience as usize;
    let best = evals.iter().enumerate().min_by(|a, b| a.1.test_loss.total_cmp(&b.1.test_loss));
    patience > 0 && best.is_some_and(|(best, _)| evals.len() - 1 - best >= patience)
}

/// The state of one call of [`run`].
struct RunSession<'a> {
    spec: &'a RunSpec,
    run_id: String,
    dir: RunDir,
    trainer: Trainer,
    evals: Vec<EvalRecord>,
    options: RunOptions<'a>,
    /// Records of steps that are not yet in `steps.bin`.
    unwritten: Vec<StepRecord>,
    /// Train losses since the last evaluation.
    since_eval: Vec<f64>,
    /// Steps that have a record, written or not.
    logged: u64,
    from_step: u64,
    /// Step of the last report to the observer.
    reported: u64,
    started: Instant,
    eval_time: Duration,
}

impl RunSession<'_> {
    fn finish(mut self) -> Result<RunEnd, TrainError> {
        let Some(outcome) = self.train()? else {
            self.checkpoint()?;
            self.write_timing()?;
            return Ok(RunEnd::Interrupted { step: self.logged });
        };
        self.write_steps()?;
        if !matches!(outcome, Outcome::Diverged { .. }) {
            self.checkpoint()?;
        }
        self.write_timing()?;
        let tokens = self.logged * self.spec.batch_tokens();
        let result = RunResult::new(outcome, &self.spec.model, self.logged, tokens, &self.evals);
        self.dir.finish(&result)?;
        Ok(RunEnd::Finished(result))
    }

    /// Trains until the run ends. Returns `None` if it was asked to stop.
    fn train(&mut self) -> Result<Option<Outcome>, TrainError> {
        let grid = self.spec.evaluation_steps();
        let (mut checkpointed, mut told) = (Instant::now(), Instant::now());
        loop {
            if is_hopeless(self.spec, &self.evals) {
                return Ok(Some(Outcome::Diverged { step: self.logged }));
            }
            if self.logged >= self.spec.steps {
                return Ok(Some(Outcome::Completed));
            }
            if is_out_of_patience(self.spec, &self.evals) {
                return Ok(Some(Outcome::Stopped { reason: "patience".into() }));
            }
            if (self.options.stop)() {
                return Ok(None);
            }
            let record = self.trainer.step()?;
            if !(record.train_loss.is_finite() && record.grad_sq_big.is_finite()) {
                return Ok(Some(Outcome::Diverged { step: self.logged }));
            }
            self.unwritten.push(record);
            self.since_eval.push(record.train_loss);
            self.logged += 1;
            if grid.binary_search(&self.logged).is_ok() {
                let began = Instant::now();
                let evaluation = self.trainer.evaluate()?;
                let set_losses = self.trainer.evaluate_sets()?;
                self.eval_time += began.elapsed();
                let finite = set_losses.iter().all(|(_, loss)| loss.is_finite());
                if !(finite && evaluation.loss.is_finite()) {
                    return Ok(Some(Outcome::Diverged { step: self.logged }));
                }
                self.log(evaluation, set_losses)?;
            }
            if self.spec.training.branch_steps.binary_search(&self.logged).is_ok() {
                self.write_steps()?;
                checkpoint::save(&mut self.dir, &self.trainer, RunDir::save_branch)?;
            }
            if checkpointed.elapsed() >= CHECKPOINT_EVERY {
                self.checkpoint()?;
                checkpointed = Instant::now();
            }
            if told.elapsed() >= REPORT_EVERY || self.logged == self.spec.steps {
                self.report(record.train_loss);
                told = Instant::now();
            }
        }
    }

    fn log(&mut self, evaluation: Evaluation, set_losses: Vec<(String, f64)>) -> Result<(), TrainError> {
        let record = EvalRecord {
            step: self.logged,
            tokens: self.logged * self.spec.batch_tokens(),
            train_loss: Some(self.since_eval.iter().sum::<f64>() / self.since_eval.len() as f64),
            test_loss: evaluation.loss,
            test_loss_se: Some(evaluation.standard_error),
            set_losses: set_losses.into_iter().collect(),
            position_losses: if self.spec.measure.position_losses {
                evaluation.position_losses
            } else {
                vec![]
            },
        };
        self.since_eval.clear();
        self.write_steps()?;
        self.dir.write_eval(&record)?;
        let best = self.evals.iter().all(|earlier| record.test_loss < earlier.test_loss);
        self.evals.push(record);
        if best && self.spec.evaluation.patience > 0 {
            checkpoint::save(&mut self.dir, &self.trainer, RunDir::save_best)?;
        }
        Ok(())
    }

    fn write_steps(&mut self) -> Result<(), TrainError> {
        self.dir.write_steps(self.logged - self.unwritten.len() as u64, &self.unwritten)?;
        self.unwritten.clear();
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        self.write_steps()?;
        checkpoint::save(&mut self.dir, &self.trainer, RunDir::save_checkpoint)
    }

    fn report(&mut self, train_loss: f64) {
        let new_tokens = (self.logged - self.reported) * self.spec.batch_tokens();
        self.reported = self.logged;
        self.options.observer.progress(Progress::Run {
            run_id: &self.run_id,
            step: self.logged,
            steps: self.spec.steps,
            new_tokens,
            new_flops: self.flops(new_tokens),
            train_loss,
        });
    }

    fn flops(&self, tokens: u64) -> f64 {
        tokens as f64 * self.spec.model.train_flops_per_token(FlopConvention::Full)
    }

    fn write_timing(&self) -> Result<(), TrainError> {
        let wall = self.started.elapsed();
        let training = wall.saturating_sub(self.eval_time).as_secs_f64();
        let flops = self.flops((self.logged - self.from_step) * self.spec.batch_tokens());
        self.dir.write_timing(&TimingRecord {
            from_step: self.from_step,
            to_step: self.logged,
            wall_s: wall.as_secs_f64(),
            eval_s: self.eval_time.as_secs_f64(),
            load_s: self.trainer.load_time().as_secs_f64(),
            threads: self.options.threads,
            gflops: if training > 0.0 { flops / training / 1e9 } else { 0.0 },
        })?;
        Ok(())
    }
}
