//! The reference device: plans executed in f64, one sequence after the other, by plain loops.
//!
//! Every operation computes both passes from its inputs, as [`Op`](crate::ops::Op) says; nothing is fused, shared or kept.
//! Slow, and meant to be checked by eye: it is what other devices are tested against.

use crate::device::{
    Batch, Device, DeviceError, Footprint, Session, SessionOptions, State, StepStatistics, check_sequences,
};
use crate::ops::DropoutKey;
use crate::plan::Plan;
use crate::sequence::Sequence;
use crate::update::{Rule, Update};
use std::sync::Arc;

/// Executes plans in f64.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceDevice;

impl Device for ReferenceDevice {
    fn footprint(&self, plan: &Plan, rule: &Rule, _: SessionOptions) -> Footprint {
        let activations: usize = plan.operations().iter().map(|(_, out)| plan.n_ctx() * out.width).sum();
        Footprint {
            // Parameters, their gradient and that of a micro-batch.
            parameters: 8 * (3 * plan.n_parameters() + rule.moments_len(plan.tensors())),
            // Values and their gradients.
            workspace: 8 * 2 * activations,
        }
    }

    fn open(&self, plan: Arc<Plan>, _: SessionOptions) -> Box<dyn Session> {
        Box::new(ReferenceSession {
            parameters: vec![0.0; plan.n_parameters()],
            moments: vec![],
            finished: vec![],
            plan,
        })
    }
}

#[derive(Debug)]
struct ReferenceSession {
    plan: Arc<Plan>,
    parameters: Vec<f64>,
    moments: Vec<f64>,
    /// Statistics that have not been drained.
    finished: Vec<StepStatistics>,
}

impl Session for ReferenceSession {
    fn submit(&mut self, batch: Batch<'_>, update: &Update) -> Result<(), DeviceError> {
        self.snapshot().check_moments(&self.plan, &update.rule)?;
        let (statistics, gradient) = gradient(&self.plan, &self.parameters, batch)?;
        update.apply(self.plan.tensors(), &gradient, &mut self.parameters, &mut self.moments);
        self.finished.push(statistics);
        Ok(())
    }

    fn drain(&mut self) -> Vec<StepStatistics> {
        std::mem::take(&mut self.finished)
    }

    fn gradient(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, Vec<f32>), DeviceError> {
        let (statistics, gradient) = gradient(&self.plan, &self.parameters, batch)?;
        Ok((statistics, narrow(&gradient)))
    }

    fn evaluate(&mut self, tokens: &[u32]) -> Result<Vec<f32>, DeviceError> {
        Ok(narrow(&losses(&self.plan, &self.parameters, tokens, None)?))
    }

    fn snapshot(&self) -> State {
        State { parameters: narrow(&self.parameters), moments: narrow(&self.moments) }
    }

    fn restore(&mut self, state: State) -> Result<(), DeviceError> {
        state.check_parameters(&self.plan)?;
        let widen = |x: Vec<f32>| x.into_iter().map(f64::from).collect();
        (self.parameters, self.moments) = (widen(state.parameters), widen(state.moments));
        Ok(())
    }
}

/// The loss of every token of sequences of `n_ctx + 1` tokens, in order, in nats. A key drops out as in training.
///
/// # Errors
/// When the tokens do not fit the plan.
pub fn losses(
    plan: &Plan,
    parameters: &[f64],
    tokens: &[u32],
    dropout: Option<DropoutKey>,
) -> Result<Vec<f64>, DeviceError> {
    check_sequences(plan, tokens)?;
    let mut losses = vec![];
    for (number, tokens) in tokens.chunks(plan.n_ctx() + 1).enumerate() {
        losses.extend(forward(plan, parameters, tokens, number, dropout, &mut []).1);
    }
    Ok(losses)
}

/// The mean gradient of a batch's loss, with its statistics.
///
/// # Errors
/// When the batch does not fit the plan.
pub fn gradient(
    plan: &Plan,
    parameters: &[f64],
    batch: Batch<'_>,
) -> Result<(StepStatistics, Vec<f64>), DeviceError> {
    let micro_batch_tokens = batch.micro_batch_tokens(plan)?;
    let micro_batches = (batch.tokens.len() / micro_batch_tokens) as f64;
    let mut sum = vec![0.0; plan.n_parameters()];
    let mut statistics = StepStatistics { loss: 0.0, grad_sq_small: 0.0, grad_sq_big: 0.0 };
    let mut number = 0;
    for micro_batch in batch.tokens.chunks(micro_batch_tokens) {
        let mut of_micro_batch = vec![0.0; plan.n_parameters()];
        let weight = 1.0 / (batch.micro_sequences * plan.n_ctx()) as f64;
        for tokens in micro_batch.chunks(plan.n_ctx() + 1) {
            let dropout = Some(batch.dropout);
            let (sequence, losses) = forward(plan, parameters, tokens, number, dropout, &mut of_micro_batch);
            backward(plan, sequence, weight);
            statistics.loss += weight * losses.iter().sum::<f64>() / micro_batches;
            number += 1;
        }
        statistics.grad_sq_small += square_sum(&of_micro_batch) / micro_batches;
        sum.iter_mut().zip(&of_micro_batch).for_each(|(sum, g)| *sum += g / micro_batches);
    }
    statistics.grad_sq_big = square_sum(&sum);
    Ok((statistics, sum))
}

/// One sequence of `n_ctx + 1` tokens after its forward pass, and its losses.
fn forward<'a>(
    plan: &Plan,
    parameters: &'a [f64],
    tokens: &'a [u32],
    number: usize,
    dropout: Option<DropoutKey>,
    d_parameters: &'a mut [f64],
) -> (Sequence<'a>, Vec<f64>) {
    let mut at = Sequence {
        inputs: &tokens[..plan.n_ctx()],
        targets: &tokens[1..],
        number,
        dropout,
        parameters,
        values: vec![],
        d_values: vec![],
        d_parameters,
    };
    for (operation, _) in plan.operations() {
        let out = operation.as_op().forward(&at);
        at.values.push(out);
    }
    let losses = at.values.last().cloned().unwrap_or_default();
    (at, losses)
}

/// Adds a sequence's gradient to that of the parameters, the loss of every token weighted by `weight`.
fn backward(plan: &Plan, mut at: Sequence<'_>, weight: f64) {
    at.d_values = at.values.iter().map(|value| vec![0.0; value.len()]).collect();
    if let Some(d_losses) = at.d_values.last_mut() {
        d_losses.fill(weight);
    }
    for (operation, out) in plan.operations().iter().rev() {
        // Nothing reads a value before it is computed: its gradient is complete, and neither is needed again.
        let (value, d_value) =
            (std::mem::take(&mut at.values[out.id]), std::mem::take(&mut at.d_values[out.id]));
        operation.as_op().backward(&mut at, &value, &d_value);
    }
}

fn square_sum(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}
