//! A model ready to execute: operations, the order of their backward passes, and memory.

use crate::graph::{Linear, Norm, Table, Tensor};
use crate::ops::activation::Activation;
use crate::ops::attention::Attention;
use crate::ops::dropout::Dropout;
use crate::ops::head::Head;
use crate::ops::lstm::Lstm;
use crate::ops::qk_norm::QkNorm;
use crate::ops::rotary::Rotary;
use crate::ops::{
    Cost, Write, attention, copy, dropout, embed, head, linear, lstm, norm, qk_norm, rotary, swiglu,
};
use std::ops::Range;

/// Names an activation or a gradient of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueId(pub usize);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Embed { tokens: Table, positions: Option<Table>, out: ValueId },
    Copy { width: usize, x: ValueId, out: ValueId },
    Norm { norm: Norm, x: ValueId, normalised: ValueId, rstd: ValueId, out: ValueId },
    Linear { linear: Linear, x: ValueId, out: ValueId },
    LinearActivation { linear: Linear, activation: Activation, x: ValueId, derivative: ValueId, out: ValueId },
    LinearResidual { linear: Linear, x: ValueId, out: ValueId },
    Dropout { dropout: Dropout, x: ValueId, out: ValueId },
    DropoutResidual { dropout: Dropout, x: ValueId, out: ValueId },
    Swiglu { width: usize, x: ValueId, out: ValueId },
    QkNorm { norm: QkNorm, weights: Table, x: ValueId, normalised: ValueId, rstd: ValueId },
    Rotary { rotary: Rotary, x: ValueId },
    Attention { attention: Attention, qkv: ValueId, weights: ValueId, out: ValueId },
    Lstm { lstm: Lstm, weight: Table, gates: ValueId, cells: ValueId, squashed: ValueId, out: ValueId },
    Head { head: Head, table: Table, x: ValueId },
}

/// The backward pass of an operation: where the gradient of its output is and where that of its input goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backward {
    pub operation: Operation,
    pub d_out: Option<ValueId>,
    pub d_in: Option<(ValueId, Write)>,
}

/// Which buffer every value lives in, and how long the buffers are.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// Buffer of every value.
    pub buffer_of: Vec<usize>,
    /// Floats a sequence of every buffer.
    pub buffers: Vec<usize>,
}

/// A model as a device executes it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) n_ctx: usize,
    pub(crate) n_vocab: usize,
    pub(crate) n_parameters: usize,
    pub(crate) tensors: Vec<Tensor>,
    /// The parameter of every further use of one: its gradient is summed in a buffer of its own.
    pub(crate) reused: Vec<Range<usize>>,
    pub(crate) forward: Vec<Operation>,
    pub(crate) backward: Vec<Backward>,
    /// Memory of a forward and backward pass.
    pub(crate) training: Memory,
    /// Memory of a forward pass alone.
    pub(crate) evaluation: Memory,
}

impl Plan {
    /// Appends each operation's backward pass in reverse and shares memory between values that are never
    /// alive together. The last operation is the head, whose two passes are one.
    pub(crate) fn new(
        n_ctx: usize,
        n_parameters: usize,
        tensors: Vec<Tensor>,
        reused: Vec<Range<usize>>,
        mut values: Vec<usize>,
        forward: Vec<Operation>,
    ) -> Self {
        let n_vocab =
            forward.iter().map(|o| if let Operation::Head { head, .. } = o { head.n_vocab } else { 0 });
        let n_vocab = n_vocab.max().unwrap_or(0);
        let n_activations = values.len();
        let mut gradients: Vec<Option<ValueId>> = vec![None; n_activations];
        let mut backward = vec![];
        for &operation in forward.iter().rev() {
            let d_out = operation.output().map(|out| gradients[out.0].expect("every value reaches the head"));
            let d_in = operation.input().map(|x| match gradients[x.0] {
                Some(gradient) => (gradient, Write::Add),
                None => {
                    values.push(values[x.0]);
                    let gradient = ValueId(values.len() - 1);
                    gradients[x.0] = Some(gradient);
                    (gradient, Write::Set)
                }
            });
            backward.push(Backward { operation, d_out, d_in });
        }
        let mut training = Lifetimes::new(values.len());
        let mut evaluation = Lifetimes::new(values.len());
        for (time, operation) in forward.iter().enumerate() {
            for value in operation.values() {
                training.touch(value, time);
                evaluation.touch(value, time);
            }
        }
        for (i, step) in backward.iter().enumerate() {
            // The head's two passes are one, so backward begins at the time of the last forward operation.
            let time = forward.len() - 1 + i;
            for value in step.operation.values_kept() {
                training.touch(value, time);
            }
            for value in step.d_out.into_iter().chain(step.d_in.map(|(value, _)| value)) {
                training.touch(value, time);
            }
        }
        let (training, evaluation) = (training.share(&values), evaluation.share(&values));
        Self { n_ctx, n_vocab, n_parameters, tensors, reused, forward, backward, training, evaluation }
    }

    /// Tokens of a sequence.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    /// Token ids are below this.
    pub fn n_vocab(&self) -> usize {
        self.n_vocab
    }

    /// Floats of all parameters.
    pub fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    /// The named tensors, in the order in which they lie among the parameters.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Work a sequence.
    pub fn cost(&self) -> Cost {
        self.forward.iter().map(|o| o.cost(self.n_ctx)).fold(Cost::default(), |a, b| a + b)
    }

    /// The rotation of all operations that rotate.
    pub(crate) fn rotary(&self) -> Option<Rotary> {
        self.forward
            .iter()
            .find_map(|o| if let Operation::Rotary { rotary, .. } = o { Some(*rotary) } else { None })
    }

    /// Whether a chunk's sequences are the rows of small products, one a position.
    pub(crate) fn is_recurrent(&self) -> bool {
        self.forward.iter().any(|operation| matches!(operation, Operation::Lstm { .. }))
    }

    /// Bytes of activations a sequence.
    pub fn activation_bytes(&self) -> usize {
        4 * self.buffers().sum::<usize>()
    }

    /// Floats a sequence of every buffer: long enough for either kind of pass.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = usize> {
        let (a, b) = (&self.training.buffers, &self.evaluation.buffers);
        let at = |buffers: &[usize], i: usize| buffers.get(i).copied().unwrap_or(0);
        (0..a.len().max(b.len())).map(move |i| at(a, i).max(at(b, i)))
    }
}

impl Operation {
    /// The value whose gradient the backward pass reads.
    fn output(&self) -> Option<ValueId> {
        match *self {
            Self::Embed { out, .. }
            | Self::Copy { out, .. }
            | Self::Norm { out, .. }
            | Self::Linear { out, .. }
            | Self::LinearActivation { out, .. }
            | Self::LinearResidual { out, .. }
            | Self::Dropout { out, .. }
            | Self::DropoutResidual { out, .. }
            | Self::Swiglu { out, .. }
            | Self::Attention { out, .. }
            | Self::Lstm { out, .. } => Some(out),
            Self::QkNorm { x, .. } | Self::Rotary { x, .. } => Some(x),
            Self::Head { .. } => None,
        }
    }

    /// The value whose gradient the backward pass writes: that of the output itself where an operation works in
    /// place. A residual's gradient passes through untouched.
    fn input(&self) -> Option<ValueId> {
        match *self {
            Self::Embed { .. } => None,
            Self::Copy { x, .. }
            | Self::Norm { x, .. }
            | Self::Linear { x, .. }
            | Self::LinearActivation { x, .. }
            | Self::LinearResidual { x, .. }
            | Self::Dropout { x, .. }
            | Self::DropoutResidual { x, .. }
            | Self::Swiglu { x, .. }
            | Self::QkNorm { x, .. }
            | Self::Rotary { x, .. }
            | Self::Head { x, .. } => Some(x),
            Self::Attention { qkv, .. } => Some(qkv),
            Self::Lstm { gates, .. } => Some(gates),
        }
    }

    /// Every value the forward pass touches.
    fn values(&self) -> Vec<ValueId> {
        match *self {
            Self::Embed { out, .. } => vec![out],
            Self::Norm { x, normalised, rstd, out, .. } => vec![x, normalised, rstd, out],
            Self::Copy { x, out, .. }
            | Self::Linear { x, out, .. }
            | Self::LinearResidual { x, out, .. }
            | Self::Dropout { x, out, .. }
            | Self::DropoutResidual { x, out, .. }
            | Self::Swiglu { x, out, .. } => vec![x, out],
            Self::QkNorm { x, normalised, rstd, .. } => vec![x, normalised, rstd],
            Self::Rotary { x, .. } => vec![x],
            Self::LinearActivation { x, derivative, out, .. } => vec![x, derivative, out],
            Self::Attention { qkv, weights, out, .. } => vec![qkv, weights, out],
            Self::Lstm { gates, cells, squashed, out, .. } => vec![gates, cells, squashed, out],
            Self::Head { x, .. } => vec![x],
        }
    }

    /// The values of the forward pass that the backward pass reads again.
    fn values_kept(&self) -> Vec<ValueId> {
        match *self {
            Self::Embed { .. }
            | Self::Copy { .. }
            | Self::Dropout { .. }
            | Self::DropoutResidual { .. }
            | Self::Rotary { .. } => vec![],
            Self::Norm { normalised, rstd, .. } | Self::QkNorm { normalised, rstd, .. } => {
                vec![normalised, rstd]
            }
            Self::Linear { x, .. }
            | Self::LinearResidual { x, .. }
            | Self::Swiglu { x, .. }
            | Self::Head { x, .. } => vec![x],
            Self::LinearActivation { x, derivative, .. } => vec![x, derivative],
            Self::Attention { qkv, weights, out, .. } => vec![qkv, weights, out],
            Self::Lstm { gates, cells, squashed, out, .. } => vec![gates, cells, squashed, out],
        }
    }

    fn cost(&self, n_ctx: usize) -> Cost {
        match *self {
            Self::Embed { tokens, .. } => embed::cost(n_ctx, tokens.width),
            Self::Copy { width, .. } => copy::cost(n_ctx, width),
            Self::Norm { norm, .. } => norm::cost(n_ctx, norm.width),
            Self::Linear { linear, .. }
            | Self::LinearActivation { linear, .. }
            | Self::LinearResidual { linear, .. } => linear::cost(n_ctx, linear.affine),
            Self::Attention { attention, .. } => attention::cost(attention),
            Self::Dropout { dropout, .. } | Self::DropoutResidual { dropout, .. } => dropout::cost(dropout),
            Self::Swiglu { width, .. } => swiglu::cost(n_ctx, width),
            Self::QkNorm { norm, .. } => qk_norm::cost(n_ctx, norm),
            Self::Rotary { rotary, .. } => rotary::cost(rotary),
            Self::Lstm { lstm, .. } => lstm::cost(lstm),
            Self::Head { head, .. } => head::cost(n_ctx, head),
        }
    }
}

/// First and last time at which every value is touched.
struct Lifetimes(Vec<Option<(usize, usize)>>);

impl Lifetimes {
    fn new(values: usize) -> Self {
        Self(vec![None; values])
    }

    fn touch(&mut self, value: ValueId, time: usize) {
        let (first, last) = self.0[value.0].unwrap_or((time, time));
        self.0[value.0] = Some((first.min(time), last.max(time)));
    }

    /// Gives every value a buffer, taking in the order of birth the free buffer that wastes least.
    fn share(&self, sizes: &[usize]) -> Memory {
        let mut order: Vec<(usize, usize, usize)> = self
            .0
            .iter()
            .enumerate()
            .filter_map(|(value, life)| life.map(|(first, last)| (first, value, last)))
            .collect();
        order.sort_unstable();
        let mut memory = Memory { buffer_of: vec![usize::MAX; sizes.len()], buffers: vec![] };
        let mut free_after: Vec<usize> = vec![];
        for (first, value, last) in order {
            let size = sizes[value];
            let best = (0..memory.buffers.len())
                .filter(|&b| free_after[b] < first)
                .min_by_key(|&b| (memory.buffers[b].abs_diff(size), b));
            let buffer = best.unwrap_or_else(|| {
                memory.buffers.push(0);
                free_after.push(0);
                memory.buffers.len() - 1
            });
            memory.buffers[buffer] = memory.buffers[buffer].max(size);
            free_after[buffer] = last;
            memory.buffer_of[value] = buffer;
        }
        memory
    }
}
