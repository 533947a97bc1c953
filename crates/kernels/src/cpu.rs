//! The CPU: chunks of sequences carried through the whole plan while they are near the core.

mod worker;

use crate::buffer::Buffer;
use crate::device::{Batch, Device, DeviceError, Footprint, Session, SessionOptions, State, StepStatistics};
use crate::isa::Isa;
use crate::ops::dropout::Masks;
use crate::ops::fold;
use crate::ops::linear::Weights;
use crate::plan::{Operation, Plan};
use crate::update::{Gradient, Rule, Update};
use std::sync::Arc;
use worker::{Model, Worker};

/// Activations of a chunk are kept below this many bytes where one sequence allows it: half of a usual L2.
const CHUNK_BYTES: usize = 256 * 1024;

/// Least sequences of a chunk where they are the rows of a product that reads a whole weight: the tallest tile.
const RECURRENT_CHUNK: usize = 12;

/// The processor this program runs on.
#[derive(Clone, Copy, Debug)]
pub struct CpuDevice {
    isa: Isa,
}

impl CpuDevice {
    /// With the fastest instruction set found.
    pub fn new() -> Self {
        Self::with_isa(Isa::best())
    }

    /// With a given instruction set: the same bits at another speed.
    pub fn with_isa(isa: Isa) -> Self {
        Self { isa }
    }
}

impl Default for CpuDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl Device for CpuDevice {
    type Session = CpuSession;

    fn footprint(&self, plan: &Plan, rule: &Rule, options: SessionOptions) -> Footprint {
        let packed: usize = plan.forward.iter().map(|o| o.packed_bytes(self.isa)).sum();
        Footprint {
            parameters: 4 * (2 * plan.n_parameters + rule.moments_len(&plan.tensors)) + packed,
            workspace: options.threads.max(1) * Worker::bytes(plan, self.isa, chunk(plan, options)),
        }
    }

    fn open(&self, plan: Arc<Plan>, options: SessionOptions) -> CpuSession {
        let chunk = chunk(&plan, options);
        CpuSession {
            isa: self.isa,
            state: State { parameters: vec![0.0; plan.n_parameters], moments: vec![] },
            gradient: Buffer::zeros(plan.n_parameters),
            weights: vec![Weights::default(); plan.forward.len()],
            packed: Packed::Stale,
            workers: (0..options.threads.max(1)).map(|_| Worker::new(&plan, chunk)).collect(),
            chunk,
            plan,
        }
    }
}

/// Sequences that go through the plan together: as many as stay in the cache; or, where not even one does, so many
/// that the weights and their gradient, which pass by once a chunk, move no more bytes than the activations.
fn chunk(plan: &Plan, options: SessionOptions) -> usize {
    let activations = plan.activation_bytes().max(1);
    let weights: usize = plan.forward.iter().map(Operation::weight_bytes).sum();
    let least = if plan.is_recurrent() { RECURRENT_CHUNK } else { 1 };
    let by_weights = (2 * weights + activations / 2) / activations;
    options.chunk.unwrap_or((CHUNK_BYTES / activations).max(by_weights).max(least)).max(1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    /// Parameters changed since the weights were packed.
    Stale,
    Fresh,
}

/// A plan in memory.
#[derive(Debug)]
pub struct CpuSession {
    isa: Isa,
    plan: Arc<Plan>,
    state: State,
    /// Sum of the micro-batches' gradients.
    gradient: Buffer,
    /// Packed weights of every operation that multiplies by some.
    weights: Vec<Weights>,
    packed: Packed,
    workers: Vec<Worker>,
    chunk: usize,
}

impl Session for CpuSession {
    fn step(&mut self, batch: Batch<'_>, update: &Update) -> Result<StepStatistics, DeviceError> {
        let (got, expected) = (self.state.moments.len(), update.rule.moments_len(&self.plan.tensors));
        if got != expected {
            return Err(DeviceError::State { what: "moments", got, expected });
        }
        let (statistics, scale) = self.accumulate(batch)?;
        let State { parameters, moments } = &mut self.state;
        let gradient = Gradient { sum: &self.gradient, scale };
        update.apply(self.isa, &self.plan.tensors, statistics.grad_sq_big, gradient, parameters, moments);
        self.packed = Packed::Stale;
        Ok(statistics)
    }

    fn gradient(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, Vec<f32>), DeviceError> {
        let (statistics, scale) = self.accumulate(batch)?;
        Ok((statistics, self.gradient.iter().map(|g| g * scale as f32).collect()))
    }

    fn evaluate(&mut self, tokens: &[u32]) -> Result<Vec<f32>, DeviceError> {
        let unit = self.plan.n_ctx + 1;
        self.check(tokens, unit, "sequences of n_ctx + 1")?;
        self.pack();
        let Self { isa, plan, state, weights, workers, chunk, .. } = self;
        let model = Model { isa: *isa, plan, parameters: &state.parameters, weights };
        let sequences = tokens.len() / unit;
        let share = sequences.div_ceil(workers.len());
        let mut losses = vec![0.0; sequences * plan.n_ctx];
        std::thread::scope(|scope| {
            let parts = tokens.chunks(share * unit).zip(losses.chunks_mut(share * plan.n_ctx));
            let mut jobs = workers.iter_mut().zip(parts).map(|(worker, (tokens, losses))| {
                let chunk = *chunk;
                move || {
                    let parts = tokens.chunks(chunk * unit).zip(losses.chunks_mut(chunk * model.plan.n_ctx));
                    for (tokens, losses) in parts {
                        worker.evaluate(model, tokens, losses);
                    }
                }
            });
            // This thread takes the first share itself.
            let own = jobs.next();
            for job in jobs {
                scope.spawn(job);
            }
            if let Some(mut job) = own {
                job();
            }
        });
        Ok(losses)
    }

    fn snapshot(&self) -> State {
        self.state.clone()
    }

    fn restore(&mut self, state: State) -> Result<(), DeviceError> {
        let (got, expected) = (state.parameters.len(), self.plan.n_parameters);
        if got != expected {
            return Err(DeviceError::State { what: "parameters", got, expected });
        }
        self.state = state;
        self.packed = Packed::Stale;
        Ok(())
    }
}

impl CpuSession {
    fn check(&self, tokens: &[u32], unit: usize, what: &'static str) -> Result<(), DeviceError> {
        if tokens.is_empty() || !tokens.len().is_multiple_of(unit) {
            return Err(DeviceError::Batch { tokens: tokens.len(), unit, what });
        }
        let n_vocab = self.plan.n_vocab;
        match tokens.iter().position(|&t| t as usize >= n_vocab) {
            Some(index) => Err(DeviceError::Token { token: tokens[index], index, n_vocab }),
            None => Ok(()),
        }
    }

    /// Packs the weights once for all chunks and micro-batches until they change.
    fn pack(&mut self) {
        if self.packed == Packed::Fresh {
            return;
        }
        for (operation, weights) in self.plan.forward.iter().zip(&mut self.weights) {
            match *operation {
                Operation::Linear { linear, .. }
                | Operation::LinearActivation { linear, .. }
                | Operation::LinearResidual { linear, .. } => {
                    weights.pack_affine(self.isa, linear.affine, &self.state.parameters[linear.weight()]);
                }
                Operation::Lstm { lstm, weight, .. } => {
                    weights.pack_affine(self.isa, lstm.affine(), &self.state.parameters[weight.range()]);
                }
                Operation::Head { table, .. } => {
                    let parameters = &self.state.parameters[table.range()];
                    weights.pack_table(self.isa, table.rows, table.width, parameters);
                }
                Operation::Embed { .. }
                | Operation::Copy { .. }
                | Operation::Norm { .. }
                | Operation::Swiglu { .. }
                | Operation::QkNorm { .. }
                | Operation::Rotary { .. }
                | Operation::Dropout { .. }
                | Operation::DropoutResidual { .. }
                | Operation::Attention { .. } => {}
            }
        }
        self.packed = Packed::Fresh;
    }

    /// The sum of the micro-batches' gradients into `self.gradient`; what it must be multiplied by to be the
    /// mean.
    ///
    /// Waves of as many micro-batches as there are threads, each into a buffer of its own; then folded from
    /// left to right, so that no thread count changes a bit.
    fn accumulate(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, f64), DeviceError> {
        let unit = batch.micro_sequences * (self.plan.n_ctx + 1);
        self.check(batch.tokens, unit, "micro-batches of sequences of n_ctx + 1")?;
        self.pack();
        let Self { isa, plan, state, gradient, weights, workers, chunk, .. } = self;
        let isa = *isa;
        let model = Model { isa, plan, parameters: &state.parameters, weights };
        let (mut loss, mut small, mut folded) = (0.0, 0.0, 0usize);
        for wave in batch.tokens.chunks(unit * workers.len()) {
            let micro_batches = wave.chunks(unit);
            let busy = micro_batches.len();
            std::thread::scope(|scope| {
                let jobs = workers.iter_mut().zip(micro_batches).zip(folded..);
                let mut jobs = jobs.map(|((worker, tokens), micro_batch)| {
                    let first_sequence = micro_batch * batch.micro_sequences;
                    let (chunk, masks) = (*chunk, Masks { key: batch.dropout, first_sequence });
                    move || worker.train(model, tokens, chunk, masks)
                });
                // This thread takes the first micro-batch itself.
                let own = jobs.next();
                for job in jobs {
                    scope.spawn(job);
                }
                if let Some(mut job) = own {
                    job();
                }
            });
            for worker in &mut workers[..busy] {
                loss += worker.loss;
                small += fold::square_sum(isa, &worker.gradient);
                if folded == 0 {
                    std::mem::swap(gradient, &mut worker.gradient);
                } else {
                    fold::add(isa, gradient, &worker.gradient);
                }
                folded += 1;
            }
        }
        let count = folded as f64;
        let statistics = StepStatistics {
            loss: loss / (count * (batch.micro_sequences * plan.n_ctx) as f64),
            grad_sq_small: small / count,
            grad_sq_big: fold::square_sum(isa, gradient) / (count * count),
        };
        Ok((statistics, 1.0 / count))
    }
}

impl Operation {
    /// Bytes of the weights that every chunk reads whole: not a head's, which has blocks of rows of its own.
    fn weight_bytes(&self) -> usize {
        match *self {
            Self::Linear { linear, .. }
            | Self::LinearActivation { linear, .. }
            | Self::LinearResidual { linear, .. } => 4 * linear.weight().len(),
            Self::Lstm { weight, .. } => 4 * weight.range().len(),
            _ => 0,
        }
    }

    fn packed_bytes(&self, isa: Isa) -> usize {
        let padded = |n: usize| n.next_multiple_of(crate::gemm::panel_width(isa));
        match *self {
            Self::Linear { linear, .. }
            | Self::LinearActivation { linear, .. }
            | Self::LinearResidual { linear, .. } => {
                let a = linear.affine;
                4 * (a.inputs * padded(a.outputs) + a.outputs * padded(a.inputs))
            }
            Self::Lstm { weight: table, .. } | Self::Head { table, .. } => {
                4 * (table.width * padded(table.rows) + table.rows * padded(table.width))
            }
            Self::Embed { .. }
            | Self::Copy { .. }
            | Self::Norm { .. }
            | Self::Swiglu { .. }
            | Self::QkNorm { .. }
            | Self::Rotary { .. }
            | Self::Dropout { .. }
            | Self::DropoutResidual { .. }
            | Self::Attention { .. } => 0,
        }
    }
}
