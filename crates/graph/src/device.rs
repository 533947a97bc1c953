//! What a device offers: a session on a plan.

use crate::ops::DropoutKey;
use crate::plan::Plan;
use crate::update::{Rule, Update};
use std::fmt::Debug;
use std::sync::Arc;

/// Why a device refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A token id outside the model's vocabulary.
    #[error("token {token} at position {index} of the batch: expected an id below n_vocab = {n_vocab}")]
    Token {
        /// The id.
        token: u32,
        /// Its position among the batch's tokens.
        index: usize,
        /// Size of the vocabulary.
        n_vocab: usize,
    },
    /// A batch that is not a whole number of sequences or micro-batches.
    #[error("{tokens} tokens: expected a positive multiple of {unit} ({what})")]
    Batch {
        /// Tokens given.
        tokens: usize,
        /// Tokens per unit.
        unit: usize,
        /// What the unit is.
        what: &'static str,
    },
    /// Parameters or moments of another model or optimiser.
    #[error("{got} numbers for {expected} {what}: this state belongs to another model or optimiser")]
    State {
        /// "parameters" or "moments".
        what: &'static str,
        /// Length given.
        got: usize,
        /// Length required by plan and rule.
        expected: usize,
    },
}

/// How a session uses its device. Nothing here changes a bit of any result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Threads of the host; micro-batches are distributed over them.
    pub threads: usize,
    /// Sequences carried through the network at a time; `None` lets the device choose.
    pub chunk: Option<usize>,
}

/// Sequences of `n_ctx + 1` tokens, back to back: each gives inputs `x[..n_ctx]` and targets `x[1..]`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Token ids.
    pub tokens: &'a [u32],
    /// Sequences of a micro-batch: the leaf of the gradient sum.
    pub micro_sequences: usize,
    /// Key of dropout's masks, if the plan has any dropout.
    pub dropout: DropoutKey,
}

impl Batch<'_> {
    /// Tokens of a micro-batch.
    ///
    /// # Errors
    /// When the batch is not a whole number of micro-batches, or has a token that the plan does not know.
    pub fn micro_batch_tokens(&self, plan: &Plan) -> Result<usize, DeviceError> {
        let unit = self.micro_sequences * (plan.n_ctx() + 1);
        check_tokens(plan, self.tokens, unit, "micro-batches of sequences of n_ctx + 1")?;
        Ok(unit)
    }
}

/// Checks tokens for an evaluation: whole sequences of `n_ctx + 1` tokens of the plan's vocabulary.
///
/// # Errors
/// When they are not.
pub fn check_sequences(plan: &Plan, tokens: &[u32]) -> Result<(), DeviceError> {
    check_tokens(plan, tokens, plan.n_ctx() + 1, "sequences of n_ctx + 1")
}

fn check_tokens(plan: &Plan, tokens: &[u32], unit: usize, what: &'static str) -> Result<(), DeviceError> {
    if tokens.is_empty() || !tokens.len().is_multiple_of(unit) {
        return Err(DeviceError::Batch { tokens: tokens.len(), unit, what });
    }
    let n_vocab = plan.n_vocab();
    match tokens.iter().position(|&token| token as usize >= n_vocab) {
        Some(index) => Err(DeviceError::Token { token: tokens[index], index, n_vocab }),
        None => Ok(()),
    }
}

/// Statistics of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepStatistics {
    /// Mean loss before the update, nats per token.
    pub loss: f64,
    /// Mean of |gᵢ|² over micro-batches, gᵢ the gradient of a micro-batch's mean loss.
    pub grad_sq_small: f64,
    /// |G|² of the batch's mean gradient.
    pub grad_sq_big: f64,
}

/// Everything that a step changes; enough to continue exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Parameters, flat, in the order of [`Plan::tensors`].
    pub parameters: Vec<f32>,
    /// The optimiser's moments, in the order of [`Rule::moments`].
    pub moments: Vec<f32>,
}

impl State {
    /// The state before the first step of `rule`: all moments are zero.
    pub fn new(plan: &Plan, rule: &Rule, parameters: Vec<f32>) -> Self {
        Self { parameters, moments: vec![0.0; rule.moments_len(plan.tensors())] }
    }

    /// Checks that there are as many parameters as the plan has.
    ///
    /// # Errors
    /// When there are not.
    pub fn check_parameters(&self, plan: &Plan) -> Result<(), DeviceError> {
        check_len("parameters", self.parameters.len(), plan.n_parameters())
    }

    /// Checks that the moments are those of `rule`.
    ///
    /// # Errors
    /// When their number is not.
    pub fn check_moments(&self, plan: &Plan, rule: &Rule) -> Result<(), DeviceError> {
        check_len("moments", self.moments.len(), rule.moments_len(plan.tensors()))
    }
}

fn check_len(what: &'static str, got: usize, expected: usize) -> Result<(), DeviceError> {
    if got == expected { Ok(()) } else { Err(DeviceError::State { what, got, expected }) }
}

/// Memory that a session will hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of parameters, moments, their gradient and copies of the weights.
    pub parameters: usize,
    /// Bytes of activations, their gradients and scratch memory.
    pub workspace: usize,
}

impl Footprint {
    /// Bytes in total.
    pub fn bytes(&self) -> usize {
        self.parameters + self.workspace
    }
}

/// Something that executes plans.
pub trait Device: Debug + Send + Sync {
    /// Bytes that a session would hold, without allocating it.
    fn footprint(&self, plan: &Plan, rule: &Rule, options: SessionOptions) -> Footprint;

    /// Opens a session with all parameters zero and no moments; [`Session::restore`] sets both.
    fn open(&self, plan: Arc<Plan>, options: SessionOptions) -> Box<dyn Session>;
}

/// A model in a device's memory.
///
/// Steps may be queued: [`submit`](Self::submit) may return before its step is computed, and
/// [`drain`](Self::drain) waits. Every other method sees the state after all submitted steps.
pub trait Session: Debug + Send {
    /// Submits one optimiser step over all micro-batches of a batch.
    ///
    /// # Errors
    /// When the batch does not fit the plan or the moments are another rule's; nothing was changed.
    fn submit(&mut self, batch: Batch<'_>, update: &Update) -> Result<(), DeviceError>;

    /// Waits for the submitted steps and returns the statistics of those not yet returned, in order.
    fn drain(&mut self) -> Vec<StepStatistics>;

    /// Submits one step, waits for it and returns its statistics. Statistics of earlier steps must have been drained.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn step(&mut self, batch: Batch<'_>, update: &Update) -> Result<StepStatistics, DeviceError> {
        self.submit(batch, update)?;
        Ok(self.drain().pop().expect("a submitted step has statistics"))
    }

    /// The mean gradient of a batch's loss, without an update, and its statistics.
    ///
    /// # Errors
    /// When the batch does not fit the plan.
    fn gradient(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, Vec<f32>), DeviceError>;

    /// The loss of every token of sequences of `n_ctx + 1` tokens, in order, in nats.
    ///
    /// # Errors
    /// When the tokens do not fit the plan.
    fn evaluate(&mut self, tokens: &[u32]) -> Result<Vec<f32>, DeviceError>;

    /// A copy of parameters and moments.
    fn snapshot(&self) -> State;

    /// Sets parameters and moments.
    ///
    /// # Errors
    /// When the number of parameters is not the plan's.
    fn restore(&mut self, state: State) -> Result<(), DeviceError>;
}
