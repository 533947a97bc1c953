//! What a device offers: a session on a plan.

use crate::ops::dropout::DropoutKey;
use crate::plan::Plan;
use crate::update::{Rule, Update};
use std::sync::Arc;

/// Why a device refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A token id that the model's table does not have.
    #[error("token {token} at position {index} of the batch: expected an id below n_vocab = {n_vocab}")]
    Token {
        /// The id.
        token: u32,
        /// Where it was among the batch's tokens.
        index: usize,
        /// Ids the model knows.
        n_vocab: usize,
    },
    /// A batch that is not whole sequences.
    #[error("{tokens} tokens: expected a positive multiple of {unit} ({what})")]
    Batch {
        /// Tokens given.
        tokens: usize,
        /// Tokens wanted a unit.
        unit: usize,
        /// What the unit is.
        what: &'static str,
    },
    /// Parameters or moments of another model.
    #[error("{got} numbers for {expected} {what}: this state belongs to another model or optimiser")]
    State {
        /// "parameters" or "moments".
        what: &'static str,
        /// Length given.
        got: usize,
        /// Length that plan and rule say.
        expected: usize,
    },
}

/// How a session uses its device. Nothing here changes a bit of any result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Threads; micro-batches are shared out among them.
    pub threads: usize,
    /// Sequences carried through the network at a time; `None` chooses what keeps activations near the core.
    pub chunk: Option<usize>,
}

/// Sequences of `n_ctx + 1` tokens, back to back: each gives inputs `x[..n_ctx]` and targets `x[1..]`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Token ids.
    pub tokens: &'a [u32],
    /// Sequences of a micro-batch: the leaf of the gradient sum.
    pub micro_sequences: usize,
    /// What dropout draws its masks from, if the plan has any.
    pub dropout: DropoutKey,
}

/// What a step says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepStatistics {
    /// Mean loss before the update, nats per token.
    pub loss: f64,
    /// Mean of |gᵢ|² over micro-batches, gᵢ the gradient of a micro-batch's mean loss.
    pub grad_sq_small: f64,
    /// |G|² of the batch's mean gradient.
    pub grad_sq_big: f64,
}

/// Everything that a step changes; enough to go on exactly.
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
}

/// Memory that a session will hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Parameters, moments, their gradient and packed weights.
    pub parameters: usize,
    /// Activations, gradients and scratch of all threads.
    pub workspace: usize,
}

impl Footprint {
    /// Bytes in all.
    pub fn bytes(&self) -> usize {
        self.parameters + self.workspace
    }
}

/// Something that executes plans.
pub trait Device {
    /// Its sessions.
    type Session: Session;

    /// Bytes that a session would hold, without allocating it.
    fn footprint(&self, plan: &Plan, rule: &Rule, options: SessionOptions) -> Footprint;

    /// Opens a session with all parameters zero and no moments: [`Session::restore`] brings both.
    fn open(&self, plan: Arc<Plan>, options: SessionOptions) -> Self::Session;
}

/// A model in a device's memory.
pub trait Session {
    /// One optimiser step over all micro-batches of a batch.
    ///
    /// # Errors
    /// A batch that does not fit the plan, or moments of another rule; nothing was changed.
    fn step(&mut self, batch: Batch<'_>, update: &Update) -> Result<StepStatistics, DeviceError>;

    /// The mean gradient of a batch's loss, without an update, and the loss.
    ///
    /// # Errors
    /// A batch that does not fit the plan.
    fn gradient(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, Vec<f32>), DeviceError>;

    /// The loss of every token of sequences of `n_ctx + 1` tokens, in order, in nats.
    ///
    /// # Errors
    /// Tokens that do not fit the plan.
    fn evaluate(&mut self, tokens: &[u32]) -> Result<Vec<f32>, DeviceError>;

    /// A copy of parameters and moments.
    fn snapshot(&self) -> State;

    /// Puts parameters and moments back.
    ///
    /// # Errors
    /// When the number of parameters is not the plan's.
    fn restore(&mut self, state: State) -> Result<(), DeviceError>;
}
