//! Steps and evaluations of one run: a pure function of its spec and its data.

use crate::init::initial_parameters;
use crate::model;
use crate::optimizer::rule;
use crate::{RunData, TrainError};
use scalelaw_core::RunSpec;
use scalelaw_graph::{Batch, Device, DropoutKey, Plan, Rule, Session, SessionOptions, State, Tensor, Update};
use scalelaw_runs::StepRecord;
use scalelaw_tokens::EvalSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Windows evaluated at a time, per thread.
const EVAL_BLOCK: u64 = 32;

/// A model in training.
#[derive(Debug)]
pub struct Trainer {
    spec: RunSpec,
    data: RunData,
    plan: Arc<Plan>,
    rule: Rule,
    session: Box<dyn Session>,
    threads: usize,
    step: u64,
    tokens: Vec<u32>,
    load_time: Duration,
}

/// Mean loss on a fixed set of windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Nats per token.
    pub loss: f64,
    /// Standard error of the mean over windows (over tokens when there is a single window).
    pub standard_error: f64,
    /// Tokens predicted.
    pub n_tokens: u64,
    /// Mean loss of each position of the context, nats.
    pub position_losses: Vec<f64>,
}

impl Trainer {
    /// A trainer at step 0 on a device, with so many threads of the host; their number changes no result.
    ///
    /// # Errors
    /// When the spec is impossible or the data is not the spec's.
    pub fn new(
        device: &dyn Device,
        spec: &RunSpec,
        data: &RunData,
        threads: usize,
    ) -> Result<Self, TrainError> {
        Self::with_options(device, spec, data, SessionOptions { threads, chunk: None })
    }

    /// The same with other options of the session, none of which changes a result.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_options(
        device: &dyn Device,
        spec: &RunSpec,
        data: &RunData,
        options: SessionOptions,
    ) -> Result<Self, TrainError> {
        spec.validate()?;
        data.check(spec)?;
        let plan = Arc::new(model::plan(&spec.model, spec.training.dropout));
        let mut session = device.open(Arc::clone(&plan), options);
        let rule = rule(&spec.optimizer);
        session.restore(State::new(&plan, &rule, initial_parameters(&plan, spec)))?;
        let threads = options.threads.max(1);
        let sequence = spec.model.n_ctx as usize + 1;
        let tokens = vec![0; spec.batch.sequences as usize * sequence];
        Ok(Self {
            spec: spec.clone(),
            data: data.clone(),
            plan,
            rule,
            session,
            threads,
            step: 0,
            tokens,
            load_time: Duration::ZERO,
        })
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// Time spent on reading batches, while no step is computed.
    pub fn load_time(&self) -> Duration {
        self.load_time
    }

    /// The model's plan: its tensors and their names.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The optimiser's moments: their names, and where they lie in a snapshot.
    pub fn moments(&self) -> Vec<Tensor> {
        self.rule.moments(self.plan.tensors())
    }

    /// One optimiser step on the next batch.
    ///
    /// # Errors
    /// When the data holds tokens that the model does not know.
    pub fn step(&mut self) -> Result<StepRecord, TrainError> {
        let sequences = u64::from(self.spec.batch.sequences);
        let length = self.spec.model.n_ctx as usize + 1;
        let began = Instant::now();
        for (i, sequence) in (0..).zip(self.tokens.chunks_exact_mut(length)) {
            self.data.train.sequence(self.step * sequences + i, sequence);
        }
        self.load_time += began.elapsed();
        let lr = self.spec.schedule.lr_at(self.step, self.spec.steps);
        let clip_norm = self.spec.training.clip_norm;
        let update = Update { rule: self.rule, lr, step: self.step + 1, clip_norm };
        let batch = Batch {
            tokens: &self.tokens,
            micro_sequences: self.spec.batch.micro_sequences as usize,
            dropout: DropoutKey { seed: self.spec.seed, step: self.step },
        };
        let statistics = self.session.step(batch, &update)?;
        self.step += 1;
        Ok(StepRecord {
            lr,
            train_loss: statistics.loss,
            grad_sq_small: statistics.grad_sq_small,
            grad_sq_big: statistics.grad_sq_big,
        })
    }

    /// Mean loss on the run's test windows.
    ///
    /// # Errors
    /// When the data holds tokens that the model does not know.
    pub fn evaluate(&mut self) -> Result<Evaluation, TrainError> {
        let test = self.data.test.clone();
        self.evaluate_on(&test)
    }

    /// Mean loss on each of the spec's further sets, in its order, nats per token.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_sets(&mut self) -> Result<Vec<(String, f64)>, TrainError> {
        let sets = self.data.sets.clone();
        let names: Vec<String> = self.spec.measure.sets.iter().map(|set| set.name.clone()).collect();
        let losses = names.into_iter().zip(&sets);
        losses.map(|(name, set)| Ok((name, self.evaluate_on(set)?.loss))).collect()
    }

    /// Mean loss on other windows.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_on(&mut self, set: &EvalSet) -> Result<Evaluation, TrainError> {
        let (mut windows, mut tokens) = (Moments::default(), Moments::default());
        let mut positions = vec![0.0; self.plan.n_ctx()];
        self.token_losses(set, |losses| {
            losses.iter().for_each(|&loss| tokens.push(f64::from(loss)));
            let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
            windows.push(sum / losses.len() as f64);
            positions.iter_mut().zip(losses).for_each(|(sum, &loss)| *sum += f64::from(loss));
        })?;
        let spread = if windows.count > 1 { &windows } else { &tokens };
        Ok(Evaluation {
            loss: windows.mean(),
            standard_error: spread.standard_error(),
            n_tokens: tokens.count,
            position_losses: positions.iter().map(|sum| sum / windows.count as f64).collect(),
        })
    }

    /// The loss of every token of `set`, in nats, handed out window by window in order.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn token_losses(
        &mut self,
        set: &EvalSet,
        mut each_window: impl FnMut(&[f32]),
    ) -> Result<(), TrainError> {
        let n_ctx = self.plan.n_ctx();
        if set.n_ctx() != n_ctx {
            return Err(TrainError::OtherData {
                what: "evaluation context",
                found: set.n_ctx().to_string(),
                expected: n_ctx.to_string(),
            });
        }
        let block = EVAL_BLOCK * self.threads as u64;
        for from in (0..set.n_windows()).step_by(block as usize) {
            let count = block.min(set.n_windows() - from);
            let mut tokens = vec![0; count as usize * (n_ctx + 1)];
            for (i, window) in (from..).zip(tokens.chunks_exact_mut(n_ctx + 1)) {
                set.window(i, window);
            }
            self.session.evaluate(&tokens)?.chunks_exact(n_ctx).for_each(&mut each_window);
        }
        Ok(())
    }

    /// Everything that steps change.
    pub fn snapshot(&self) -> (u64, State) {
        (self.step, self.session.snapshot())
    }

    /// Goes on from a snapshot: what follows has the same bits as without the interruption.
    ///
    /// # Errors
    /// When the snapshot is of another model.
    pub fn restore(&mut self, step: u64, state: State) -> Result<(), TrainError> {
        self.session.restore(state)?;
        self.step = step;
        Ok(())
    }
}

/// Mean and spread of numbers as they come (Welford 1962).
#[derive(Default)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, x: f64) {
        self.count += 1;
        let delta = x - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (x - self.mean);
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    /// Of the mean; 0 for fewer than two numbers.
    fn standard_error(&self) -> f64 {
        let n = self.count as f64;
        if self.count < 2 { 0.0 } else { libm::sqrt(self.squares / (n - 1.0) / n) }
    }
}
