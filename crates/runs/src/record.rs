use scalelaw_core::ModelShape;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one optimiser step measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRecord {
    /// Learning rate of the step.
    pub lr: f64,
    /// Mean loss of the batch before the step, nats per token.
    pub train_loss: f64,
    /// Mean over micro-batches of the squared gradient norm, |G_small|².
    pub grad_sq_small: f64,
    /// Squared norm of the batch's mean gradient before clipping, |G_big|².
    pub grad_sq_big: f64,
}

impl StepRecord {
    /// Bytes of one record in `steps.bin`.
    pub const BYTES: usize = 32;

    /// The record as it stands in `steps.bin`: four little-endian f64 in the order of the fields.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (slot, value) in
            bytes.chunks_exact_mut(8).zip([self.lr, self.train_loss, self.grad_sq_small, self.grad_sq_big])
        {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let value = |i: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[8 * i..8 * i + 8]);
            f64::from_le_bytes(word)
        };
        Self { lr: value(0), train_loss: value(1), grad_sq_small: value(2), grad_sq_big: value(3) }
    }
}

/// One evaluation: a line of `events.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvalRecord {
    /// Steps done.
    pub step: u64,
    /// Tokens processed.
    pub tokens: u64,
    /// Mean train loss over the steps since the evaluation before, nats per token; a trainer of the user's own
    /// need not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_loss: Option<f64>,
    /// Mean loss on the fixed test set, nats per token.
    pub test_loss: f64,
    /// Standard error of that mean over test windows, nats per token; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss_se: Option<f64>,
    /// Mean loss on the spec's further sets by name, nats per token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_losses: BTreeMap<String, f64>,
    /// Mean test loss of each position of the context, nats, if the spec wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub position_losses: Vec<f64>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All steps done.
    Completed,
    /// The loss or the gradient stopped being a finite number.
    Diverged {
        /// Step at which it was seen.
        step: u64,
    },
    /// Ended early by a rule of the spec.
    Stopped {
        /// Which rule.
        reason: String,
    },
}

/// `result.json`: what the run gave; a pure function of spec and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Steps done.
    pub steps: u64,
    /// Tokens processed.
    pub tokens: u64,
    /// Test loss of the last evaluation, nats per token; absent when nothing finite was measured.
    pub loss: Option<f64>,
    /// Its standard error over test windows.
    pub loss_se: Option<f64>,
    /// Lowest logged test loss (early stopping), nats per token.
    pub loss_min: Option<f64>,
    /// Step of the lowest logged test loss.
    pub best_step: Option<u64>,
    /// Train loss beside the last evaluation, nats per token.
    pub train_loss: Option<f64>,
    /// Loss of the last evaluation on the spec's further sets by name, nats per token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_losses: BTreeMap<String, f64>,
    /// Parameters, non-embedding.
    pub n_nonembed: u64,
    /// Parameters, all.
    pub n_total: u64,
    /// Parameters in matrix products.
    pub n_matmul: u64,
    /// Training FLOPs, 6N.
    pub flops_6n: f64,
    /// Training FLOPs with the head.
    pub flops_matmul: f64,
    /// Training FLOPs with head and attention.
    pub flops_full: f64,
}

impl RunResult {
    /// Sums up a run from its evaluations.
    pub fn new(outcome: Outcome, model: &ModelShape, steps: u64, tokens: u64, evals: &[EvalRecord]) -> Self {
        let finite = |e: &&EvalRecord| e.test_loss.is_finite();
        let last = evals.last().filter(finite);
        let best = evals.iter().filter(finite).min_by(|a, b| a.test_loss.total_cmp(&b.test_loss));
        let flops = |c| model.train_flops_per_token(c) * tokens as f64;
        Self {
            outcome,
            steps,
            tokens,
            loss: last.map(|e| e.test_loss),
            loss_se: last.and_then(|e| e.test_loss_se),
            loss_min: best.map(|e| e.test_loss),
            best_step: best.map(|e| e.step),
            train_loss: last.and_then(|e| e.train_loss).filter(|l| l.is_finite()),
            set_losses: last.map_or_else(BTreeMap::new, |e| e.set_losses.clone()),
            n_nonembed: model.n_params(ParamConvention::NonEmbedding),
            n_total: model.n_params(ParamConvention::Total),
            n_matmul: model.n_params(ParamConvention::Matmul),
            flops_6n: flops(FlopConvention::SixN),
            flops_matmul: flops(FlopConvention::Matmul),
            flops_full: flops(FlopConvention::Full),
        }
    }
}

/// What depends on the clock or the host: a line of `timing.jsonl`, one per session of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingRecord {
    /// First step of this session.
    pub from_step: u64,
    /// Step reached.
    pub to_step: u64,
    /// Wall-clock seconds.
    pub wall_s: f64,
    /// Of which evaluation.
    pub eval_s: f64,
    /// Of which reading batches, while which no step is computed.
    #[serde(default)]
    pub load_s: f64,
    /// Threads used.
    pub threads: usize,
    /// Achieved rate over training steps, GFLOP/s with head and attention.
    pub gflops: f64,
}
