//! An operation as this device executes it, and the memory it works in.

use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::layout::Write;
use crate::pack::{Layout, Packed};
use scalelaw_graph::DropoutKey;
use scalelaw_graph::liveness::Memory;
use std::fmt::Debug;
use std::ops::Range;

/// An operation as this device executes it.
pub(crate) trait Kernel: Debug + Send + Sync {
    /// Writes the output of a chunk and what the backward pass needs.
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, weights: &Weights);

    /// Writes the gradient of the input and adds to those of the parameters.
    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, weights: &Weights, d: Gradients);

    /// The weight that it multiplies rows by.
    fn product(&self) -> Option<Product> {
        None
    }

    /// Floats of [`Arena::scratch`] that it needs.
    fn scratch_len(&self, _: Isa) -> ScratchLen {
        ScratchLen::default()
    }

    /// Bytes of tables that it holds itself.
    fn table_bytes(&self) -> usize {
        0
    }

    /// Least number of sequences of a chunk that keeps it efficient.
    fn least_chunk(&self) -> usize {
        1
    }
}

/// Contents of a buffer: an activation, a gradient of one, or what an operation keeps for its backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub usize);

/// The gradients that a backward pass reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gradients {
    /// Of the output: all but the head have one.
    pub out: Option<Slot>,
    /// Of the input, unless it replaces that of the output.
    pub input: Option<(Slot, Write)>,
}

impl Gradients {
    /// Gradient of the output.
    pub fn out(self) -> Slot {
        self.out.expect("all but the head have an output with a gradient")
    }

    /// Gradient of the input.
    pub fn input(self) -> (Slot, Write) {
        self.input.expect("this operation computes a gradient of its input")
    }
}

/// What every pass over a chunk of sequences needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub isa: Isa,
    pub memory: &'a Memory,
    pub parameters: &'a [f32],
    /// Of dropout; none in evaluation.
    pub masks: Option<Masks>,
    pub sequences: usize,
    /// Tokens of the chunk.
    pub rows: usize,
    pub n_ctx: usize,
    /// Weight of every token's loss in the micro-batch's.
    pub loss_weight: f32,
}

impl Pass<'_> {
    /// The buffer that a slot lies in.
    pub fn at(&self, slot: Slot) -> usize {
        self.memory.buffer_of[slot.0]
    }
}

/// The masks of one chunk of sequences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks {
    /// Key of the batch.
    pub key: DropoutKey,
    /// Number, in the batch, of the chunk's first sequence.
    pub first_sequence: usize,
}

/// What one thread works in.
#[derive(Debug)]
pub(crate) struct Arena {
    /// Activations and their gradients.
    pub buffers: Vec<Buffer>,
    pub sums: GradientSums,
    pub scratch: Scratch,
    /// Losses of the chunk's tokens.
    pub losses: Vec<f32>,
    /// Input tokens of the chunk.
    pub inputs: Vec<u32>,
    /// The token after each of them.
    pub targets: Vec<u32>,
}

impl Arena {
    /// Takes a slot's buffer, to write to it while others are read. Slots that are alive together never share one.
    pub fn take(&mut self, pass: &Pass<'_>, slot: Slot) -> Buffer {
        std::mem::take(&mut self.buffers[pass.at(slot)])
    }

    /// Puts a slot's buffer back.
    pub fn put(&mut self, pass: &Pass<'_>, slot: Slot, buffer: Buffer) {
        self.buffers[pass.at(slot)] = buffer;
    }
}

/// Memory that a kernel works in, and leaves as it likes.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub packed: Packed,
    pub scores: Buffer,
    pub logits: Buffer,
}

/// Floats of each part of [`Scratch`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ScratchLen {
    pub packed: usize,
    pub scores: usize,
    pub logits: usize,
}

impl ScratchLen {
    /// What serves both of two kernels.
    pub fn max(self, other: Self) -> Self {
        Self {
            packed: self.packed.max(other.packed),
            scores: self.scores.max(other.scores),
            logits: self.logits.max(other.logits),
        }
    }

    /// All floats.
    pub fn sum(self) -> usize {
        self.packed + self.scores + self.logits
    }
}

/// The buffer in which a use of a parameter sums its gradient.
///
/// Every use after the first has a buffer of its own, added to the parameter's when the micro-batch is
/// complete: if the uses were mixed chunk by chunk, the chunk would change bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// The parameter's part of the gradient: its first use.
    First(Range<usize>),
    /// The further buffer of this number.
    Further(usize),
}

/// The gradient of the parameters, and the buffers of their further uses.
#[derive(Debug)]
pub(crate) struct GradientSums {
    /// It begins on a cache line, as every row of a matrix's gradient then does.
    pub total: Buffer,
    pub further: Vec<Buffer>,
}

impl GradientSums {
    /// Where a use sums.
    pub fn of(&mut self, sum: &Sum) -> &mut [f32] {
        match sum {
            Sum::First(range) => &mut self.total[range.clone()],
            Sum::Further(buffer) => &mut self.further[*buffer],
        }
    }
}

/// A product of rows with a weight among the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// The weight, `[rows, columns]`.
    pub weight: Range<usize>,
    pub rows: usize,
    pub columns: usize,
    pub side: Side,
}

/// Which way a product uses its weight W.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// y = x·W; every chunk reads all of it.
    Columns,
    /// y = x·Wᵀ, in blocks of W's rows, each of which serves many rows of x.
    Rows,
}

impl Product {
    /// Bytes of weights that every chunk reads.
    pub fn bytes_per_chunk(&self) -> usize {
        match self.side {
            Side::Columns => 4 * self.weight.len(),
            Side::Rows => 0,
        }
    }

    /// Bytes of both packed forms.
    pub fn packed_bytes(&self, isa: Isa) -> usize {
        let padded = |n: usize| n.next_multiple_of(crate::gemm::panel_width(isa));
        4 * (self.rows * padded(self.columns) + self.columns * padded(self.rows))
    }
}

/// A weight in the two forms that products read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    /// Right operand of y = x·W (or x·Wᵀ).
    pub forward: Packed,
    /// Right operand of dx = dy·Wᵀ (or dy·W).
    pub backward: Packed,
}

impl Weights {
    /// Packs the weight of a product.
    pub fn pack(&mut self, isa: Isa, product: &Product, parameters: &[f32]) {
        let Product { rows, columns, side, .. } = *product;
        let weight = &parameters[product.weight.clone()];
        let (of_rows, of_columns) = match side {
            Side::Columns => (&mut self.forward, &mut self.backward),
            Side::Rows => (&mut self.backward, &mut self.forward),
        };
        of_rows.pack(isa, rows, columns, weight, columns, Layout::Rows);
        of_columns.pack(isa, columns, rows, weight, columns, Layout::Columns);
    }
}
