//! One thread: its memory, and a program executed in it.

use crate::buffer::Buffer;
use crate::copy;
use crate::fold;
use crate::gemm::SLACK;
use crate::isa::Isa;
use crate::kernel::{Arena, GradientSums, Masks, Pass, Scratch, ScratchLen, Weights};
use crate::layout::Write;
use crate::program::{Program, Step};

/// What one thread works with.
#[derive(Debug)]
pub(crate) struct Worker {
    pub arena: Arena,
    /// Sum of the micro-batch's losses over its tokens.
    pub loss: f64,
}

/// A program and what it is executed with.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    pub isa: Isa,
    pub program: &'a Program,
    pub parameters: &'a [f32],
    /// Packed weights of every kernel.
    pub weights: &'a [Weights],
}

impl Worker {
    pub fn new(program: &Program, isa: Isa, chunk: usize) -> Self {
        let buffer = |floats: usize| Buffer::zeros(floats * chunk + SLACK);
        let ScratchLen { scores, logits, .. } = program.scratch_len(isa);
        let arena = Arena {
            buffers: program.buffers().map(buffer).collect(),
            sums: GradientSums {
                total: Buffer::zeros(program.n_parameters),
                further: program.reused.iter().map(|range| Buffer::zeros(range.len())).collect(),
            },
            scratch: Scratch {
                scores: Buffer::zeros(scores),
                logits: Buffer::zeros(logits),
                ..Scratch::default()
            },
            losses: vec![0.0; chunk * program.n_ctx],
            inputs: vec![0; chunk * program.n_ctx],
            targets: vec![0; chunk * program.n_ctx],
        };
        Self { arena, loss: 0.0 }
    }

    /// Bytes of a worker once it has made a step.
    pub fn bytes(program: &Program, isa: Isa, chunk: usize) -> usize {
        let buffers: usize = program.buffers().map(|floats| floats * chunk + SLACK).sum();
        4 * (program.n_parameters
            + program.reused.iter().map(|range| range.len()).sum::<usize>()
            + buffers
            + program.scratch_len(isa).sum()
            + 3 * chunk * program.n_ctx)
    }

    /// Gradient and summed loss of one micro-batch, from zero, `chunk` sequences at a time.
    pub fn train(&mut self, model: Model<'_>, tokens: &[u32], chunk: usize, masks: Masks) {
        let Model { isa, program, parameters, weights } = model;
        let sums = &mut self.arena.sums;
        sums.total.fill(0.0);
        sums.further.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.loss = 0.0;
        let n_ctx = program.n_ctx;
        let unit = n_ctx + 1;
        let loss_weight = 1.0 / (tokens.len() / unit * n_ctx) as f32;
        let mut first_sequence = masks.first_sequence;
        for tokens in tokens.chunks(chunk * unit) {
            let rows = self.load(n_ctx, tokens);
            let sequences = tokens.len() / unit;
            let masks = Some(Masks { first_sequence, ..masks });
            let memory = &program.training;
            let pass = Pass { isa, memory, parameters, masks, sequences, rows, n_ctx, loss_weight };
            first_sequence += sequences;
            // The backward pass begins with both passes of the head.
            let layers = program.kernels.len() - 1;
            for (kernel, weights) in program.kernels[..layers].iter().zip(weights) {
                kernel.forward(&pass, &mut self.arena, weights);
            }
            for step in &program.backward {
                match *step {
                    Step::Kernel(i, d) => {
                        program.kernels[i].backward(&pass, &mut self.arena, &weights[i], d);
                    }
                    Step::Add { width, from, to } => {
                        let mut sum = self.arena.take(&pass, to);
                        copy::apply(
                            isa,
                            width,
                            rows,
                            &self.arena.buffers[pass.at(from)],
                            &mut sum,
                            Write::Add,
                        );
                        self.arena.put(&pass, to, sum);
                    }
                }
            }
            for &loss in &self.arena.losses[..rows] {
                self.loss += f64::from(loss);
            }
        }
        let GradientSums { total, further } = &mut self.arena.sums;
        for (range, further) in program.reused.iter().zip(further) {
            fold::add(isa, &mut total[range.clone()], further);
        }
    }

    /// Losses of the tokens of one chunk, forward only.
    pub fn evaluate(&mut self, model: Model<'_>, tokens: &[u32], losses: &mut [f32]) {
        let Model { isa, program, parameters, weights } = model;
        let n_ctx = program.n_ctx;
        let rows = self.load(n_ctx, tokens);
        let sequences = tokens.len() / (n_ctx + 1);
        let (memory, masks, loss_weight) = (&program.evaluation, None, 0.0);
        let pass = Pass { isa, memory, parameters, masks, sequences, rows, n_ctx, loss_weight };
        for (kernel, weights) in program.kernels.iter().zip(weights) {
            kernel.forward(&pass, &mut self.arena, weights);
        }
        losses.copy_from_slice(&self.arena.losses[..rows]);
    }

    /// Splits sequences of n_ctx + 1 tokens into inputs and targets and returns the number of rows.
    fn load(&mut self, n_ctx: usize, tokens: &[u32]) -> usize {
        let sequences = tokens.chunks_exact(n_ctx + 1);
        let rows = sequences.len() * n_ctx;
        let Arena { inputs, targets, .. } = &mut self.arena;
        let halves = inputs.chunks_exact_mut(n_ctx).zip(targets.chunks_exact_mut(n_ctx));
        for (sequence, (inputs, targets)) in sequences.zip(halves) {
            inputs.copy_from_slice(&sequence[..n_ctx]);
            targets.copy_from_slice(&sequence[1..]);
        }
        rows
    }
}
