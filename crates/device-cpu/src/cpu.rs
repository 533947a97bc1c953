//! The CPU: chunks of sequences carried through the whole plan while they are near the core.

use crate::buffer::Buffer;
use crate::fold;
use crate::isa::Isa;
use crate::kernel::{Masks, Weights};
use crate::program::Program;
use crate::update::{self, Gradient};
use crate::worker::{Model, Worker};
use scalelaw_graph::device::check_sequences;
use scalelaw_graph::{
    Batch, Device, DeviceError, Footprint, Plan, Rule, Session, SessionOptions, State, StepStatistics, Update,
};
use std::sync::Arc;

/// Activations of a chunk are kept below this many bytes where one sequence allows it: half of a usual L2.
const CHUNK_BYTES: usize = 256 * 1024;

/// The processor that this program runs on.
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
    fn footprint(&self, plan: &Plan, rule: &Rule, options: SessionOptions) -> Footprint {
        let program = Program::new(plan);
        let packed: usize = program.products().map(|product| product.packed_bytes(self.isa)).sum();
        let tables: usize = program.kernels.iter().map(|kernel| kernel.table_bytes()).sum();
        Footprint {
            parameters: 4 * (2 * plan.n_parameters() + rule.moments_len(plan.tensors())) + packed + tables,
            workspace: options.threads.max(1) * Worker::bytes(&program, self.isa, chunk(&program, options)),
        }
    }

    fn open(&self, plan: Arc<Plan>, options: SessionOptions) -> Box<dyn Session> {
        let program = Program::new(&plan);
        let chunk = chunk(&program, options);
        let worker = || Worker::new(&program, self.isa, chunk);
        Box::new(CpuSession {
            isa: self.isa,
            state: State { parameters: vec![0.0; plan.n_parameters()], moments: vec![] },
            gradient: Buffer::zeros(plan.n_parameters()),
            weights: vec![Weights::default(); program.kernels.len()],
            packed: Packed::Stale,
            workers: (0..options.threads.max(1)).map(|_| worker()).collect(),
            chunk,
            finished: vec![],
            plan,
            program,
        })
    }
}

/// Sequences that go through the plan together: as many as stay in the cache; or, where not even one does, so many
/// that the weights and their gradient, which pass by once per chunk, move no more bytes than the activations.
fn chunk(program: &Program, options: SessionOptions) -> usize {
    let activations = program.activation_bytes().max(1);
    let weights: usize = program.products().map(|product| product.bytes_per_chunk()).sum();
    let least = program.kernels.iter().map(|kernel| kernel.least_chunk()).max().unwrap_or(1);
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
struct CpuSession {
    isa: Isa,
    plan: Arc<Plan>,
    program: Program,
    state: State,
    /// Sum of the micro-batches' gradients.
    gradient: Buffer,
    /// Packed weights of every kernel that multiplies by one.
    weights: Vec<Weights>,
    packed: Packed,
    workers: Vec<Worker>,
    chunk: usize,
    /// Statistics that have not been drained.
    finished: Vec<StepStatistics>,
}

impl Session for CpuSession {
    fn submit(&mut self, batch: Batch<'_>, update: &Update) -> Result<(), DeviceError> {
        self.state.check_moments(&self.plan, &update.rule)?;
        let (statistics, scale) = self.accumulate(batch)?;
        let State { parameters, moments } = &mut self.state;
        let gradient =
            Gradient { sum: &self.gradient, scale: scale * update.clip_factor(statistics.grad_sq_big) };
        update::apply(self.isa, update, self.plan.tensors(), gradient, parameters, moments);
        self.packed = Packed::Stale;
        self.finished.push(statistics);
        Ok(())
    }

    fn drain(&mut self) -> Vec<StepStatistics> {
        std::mem::take(&mut self.finished)
    }

    fn gradient(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, Vec<f32>), DeviceError> {
        let (statistics, scale) = self.accumulate(batch)?;
        Ok((statistics, self.gradient.iter().map(|g| g * scale as f32).collect()))
    }

    fn evaluate(&mut self, tokens: &[u32]) -> Result<Vec<f32>, DeviceError> {
        check_sequences(&self.plan, tokens)?;
        self.pack();
        let Self { isa, program, state, weights, workers, chunk, .. } = self;
        let model = Model { isa: *isa, program, parameters: &state.parameters, weights };
        let n_ctx = program.n_ctx;
        let unit = n_ctx + 1;
        let sequences = tokens.len() / unit;
        let share = sequences.div_ceil(workers.len());
        let mut losses = vec![0.0; sequences * n_ctx];
        std::thread::scope(|scope| {
            let parts = tokens.chunks(share * unit).zip(losses.chunks_mut(share * n_ctx));
            let mut jobs = workers.iter_mut().zip(parts).map(|(worker, (tokens, losses))| {
                let chunk = *chunk;
                move || {
                    let parts = tokens.chunks(chunk * unit).zip(losses.chunks_mut(chunk * n_ctx));
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
        state.check_parameters(&self.plan)?;
        self.state = state;
        self.packed = Packed::Stale;
        Ok(())
    }
}

impl CpuSession {
    /// Packs the weights once for all chunks and micro-batches until they change.
    fn pack(&mut self) {
        if self.packed == Packed::Fresh {
            return;
        }
        for (kernel, weights) in self.program.kernels.iter().zip(&mut self.weights) {
            if let Some(product) = kernel.product() {
                weights.pack(self.isa, &product, &self.state.parameters);
            }
        }
        self.packed = Packed::Fresh;
    }

    /// Sums the micro-batches' gradients into `self.gradient`. Returns the factor that makes the sum the mean.
    ///
    /// Waves of as many micro-batches as there are threads, each into a buffer of its own; then folded from
    /// left to right, so that no thread count changes a bit.
    fn accumulate(&mut self, batch: Batch<'_>) -> Result<(StepStatistics, f64), DeviceError> {
        let unit = batch.micro_batch_tokens(&self.plan)?;
        self.pack();
        let Self { isa, program, state, gradient, weights, workers, chunk, .. } = self;
        let isa = *isa;
        let model = Model { isa, program, parameters: &state.parameters, weights };
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
                let of_worker = &mut worker.arena.sums.total;
                small += fold::square_sum(isa, of_worker);
                if folded == 0 {
                    std::mem::swap(gradient, of_worker);
                } else {
                    fold::add(isa, gradient, of_worker);
                }
                folded += 1;
            }
        }
        let count = folded as f64;
        let statistics = StepStatistics {
            loss: loss / (count * (batch.micro_sequences * program.n_ctx) as f64),
            grad_sq_small: small / count,
            grad_sq_big: fold::square_sum(isa, gradient) / (count * count),
        };
        Ok((statistics, 1.0 / count))
    }
}
