//! A model as operations on values: built once, then turned into a [`Plan`].

use crate::ops::activation::Activation;
use crate::ops::attention::Attention;
use crate::ops::dropout::Dropout;
use crate::ops::head::Head;
use crate::ops::linear::Affine;
use crate::ops::lstm::Lstm;
use crate::ops::norm::Kind;
use crate::ops::qk_norm::QkNorm;
use crate::ops::rotary::Rotary;
use crate::ops::row_stride;
use crate::plan::{Operation, Plan, ValueId};
use std::ops::Range;

/// A named tensor among the flat parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in the field's usual words: `h.0.attn.c_attn.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where its floats lie among the parameters, row by row.
    pub range: Range<usize>,
}

/// A table `[rows, width]`: token or position embedding, or head.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) sum: GradientSum,
}

/// Where the uses of a parameter add up their gradients.
///
/// Every use after the first has a buffer of its own, added to the parameter's when the micro-batch is
/// complete: were they mixed chunk by chunk, the chunk would change bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientSum {
    /// With the parameter: its first use.
    First,
    /// In the buffer of this number.
    Further(usize),
}

/// Weight and bias of a linear layer.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    pub(crate) offset: usize,
    pub(crate) affine: Affine,
    pub(crate) sum: GradientSum,
}

/// Weight and bias of a layer norm, or the weight of an RMS norm.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    pub(crate) kind: Kind,
    pub(crate) offset: usize,
    pub(crate) width: usize,
    pub(crate) sum: GradientSum,
}

impl Table {
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.rows * self.width
    }
}

impl Linear {
    pub(crate) fn weight(&self) -> Range<usize> {
        self.offset..self.offset + self.affine.inputs * self.affine.outputs
    }
    pub(crate) fn bias(&self) -> Range<usize> {
        let start = self.weight().end;
        start..start + self.affine.outputs
    }
    /// Weight and, as its last row, bias.
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.bias().end
    }
}

impl Norm {
    pub(crate) fn weight(&self) -> Range<usize> {
        self.offset..self.offset + self.width
    }
    pub(crate) fn bias(&self) -> Range<usize> {
        let length = match self.kind {
            Kind::Layer => self.width,
            Kind::Rms => 0,
        };
        self.weight().end..self.weight().end + length
    }
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.bias().end
    }
}

/// The heads of rows \[q | k | v\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Heads of q.
    pub n_head: usize,
    /// Heads of k and of v: a divisor of `n_head`.
    pub n_kv_head: usize,
    /// Width of a head.
    pub d_head: usize,
}

impl Heads {
    /// Columns of a row \[q | k | v\].
    pub fn qkv_width(&self) -> usize {
        (self.n_head + 2 * self.n_kv_head) * self.d_head
    }
}

/// An activation: one row a token. Moved, not copied, into an operation that overwrites it.
#[derive(Debug)]
pub struct Value {
    id: ValueId,
    width: usize,
}

/// Builds a plan operation by operation.
///
/// A parameter may be used any number of times (a tied head, a recurrent block): its gradients add up.
/// Mistakes in a graph are mistakes in a model's code, so they panic.
#[derive(Debug)]
pub struct Graph {
    n_ctx: usize,
    n_parameters: usize,
    tensors: Vec<Tensor>,
    /// Floats a sequence of every value.
    values: Vec<usize>,
    /// Values that a later backward pass reads, so nothing may overwrite them.
    kept: Vec<ValueId>,
    /// Parameters that have been used.
    used: Vec<Range<usize>>,
    /// Parameters that were used again, once for every further use.
    reused: Vec<Range<usize>>,
    operations: Vec<Operation>,
}

impl Graph {
    /// A graph over sequences of `n_ctx` tokens.
    pub fn new(n_ctx: usize) -> Self {
        Self {
            n_ctx,
            n_parameters: 0,
            tensors: vec![],
            values: vec![],
            kept: vec![],
            used: vec![],
            reused: vec![],
            operations: vec![],
        }
    }

    fn gradient_sum(&mut self, parameter: Range<usize>) -> GradientSum {
        if self.used.contains(&parameter) {
            self.reused.push(parameter);
            return GradientSum::Further(self.reused.len() - 1);
        }
        self.used.push(parameter);
        GradientSum::First
    }

    fn tensor(&mut self, name: String, shape: Vec<usize>) -> usize {
        let offset = self.n_parameters;
        self.n_parameters += shape.iter().product::<usize>();
        self.tensors.push(Tensor { name, shape, range: offset..self.n_parameters });
        offset
    }

    /// A table of parameters.
    pub fn table(&mut self, name: &str, rows: usize, width: usize) -> Table {
        let offset = self.tensor(name.to_owned(), vec![rows, width]);
        Table { offset, rows, width, sum: GradientSum::First }
    }

    /// The parameters `name.weight` `[inputs, outputs]` and `name.bias` `[outputs]`.
    pub fn linear_parameters(&mut self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let offset = self.tensor(format!("{name}.weight"), vec![inputs, outputs]);
        self.tensor(format!("{name}.bias"), vec![outputs]);
        Linear { offset, affine: Affine { inputs, outputs }, sum: GradientSum::First }
    }

    /// The parameters `name.weight` and, of a layer norm, `name.bias`, both `[width]`.
    pub fn norm_parameters(&mut self, name: &str, kind: Kind, width: usize) -> Norm {
        let offset = self.tensor(format!("{name}.weight"), vec![width]);
        if kind == Kind::Layer {
            self.tensor(format!("{name}.bias"), vec![width]);
        }
        Norm { kind, offset, width, sum: GradientSum::First }
    }

    /// The parameters `name.q_norm.weight` and `name.k_norm.weight`, both `[d_head]`.
    pub fn qk_norm_parameters(&mut self, name: &str, d_head: usize) -> Table {
        let offset = self.tensor(format!("{name}.q_norm.weight"), vec![d_head]);
        self.tensor(format!("{name}.k_norm.weight"), vec![d_head]);
        Table { offset, rows: 2, width: d_head, sum: GradientSum::First }
    }

    fn value_id(&mut self, floats_per_sequence: usize) -> ValueId {
        self.values.push(floats_per_sequence);
        ValueId(self.values.len() - 1)
    }

    fn value(&mut self, width: usize) -> Value {
        let id = self.value_id(self.n_ctx * row_stride(width));
        Value { id, width }
    }

    /// Token embedding of the input, plus position embedding if there is such a table.
    pub fn embed(&mut self, tokens: Table, positions: Option<Table>) -> Value {
        for table in [Some(tokens), positions].into_iter().flatten() {
            assert_eq!(self.gradient_sum(table.range()), GradientSum::First, "embedding comes first");
        }
        if let Some(positions) = positions {
            assert_eq!((positions.rows, positions.width), (self.n_ctx, tokens.width), "positions do not fit");
            assert!(tokens.offset < positions.offset, "the tokens' table comes first");
        }
        let out = self.value(tokens.width);
        self.operations.push(Operation::Embed { tokens, positions, out: out.id });
        out
    }

    /// x once more, in memory of its own: a residual stream that may be added to while a backward pass wants x.
    pub fn copy(&mut self, x: &Value) -> Value {
        let out = self.value(x.width);
        self.operations.push(Operation::Copy { width: x.width, x: x.id, out: out.id });
        out
    }

    /// Layer or RMS normalisation.
    pub fn norm(&mut self, x: &Value, mut norm: Norm) -> Value {
        norm.sum = self.gradient_sum(norm.range());
        assert_eq!(x.width, norm.width, "norm does not fit");
        let out = self.value(x.width);
        let normalised = self.value(x.width).id;
        let rstd = self.value_id(self.n_ctx);
        self.kept.push(normalised);
        self.operations.push(Operation::Norm { norm, x: x.id, normalised, rstd, out: out.id });
        out
    }

    /// x·W + b.
    pub fn linear(&mut self, x: &Value, mut linear: Linear) -> Value {
        linear.sum = self.gradient_sum(linear.range());
        assert_eq!(x.width, linear.affine.inputs, "linear does not fit");
        let out = self.value(linear.affine.outputs);
        self.kept.push(x.id);
        self.operations.push(Operation::Linear { linear, x: x.id, out: out.id });
        out
    }

    /// activation(x·W + b).
    pub fn linear_activation(&mut self, x: &Value, mut linear: Linear, activation: Activation) -> Value {
        linear.sum = self.gradient_sum(linear.range());
        assert_eq!(x.width, linear.affine.inputs, "linear does not fit");
        let out = self.value(linear.affine.outputs);
        let derivative = self.value(linear.affine.outputs).id;
        self.kept.push(x.id);
        let operation = Operation::LinearActivation { linear, activation, x: x.id, derivative, out: out.id };
        self.operations.push(operation);
        out
    }

    /// residual + x·W + b, in the residual's memory.
    pub fn linear_residual(&mut self, x: &Value, mut linear: Linear, residual: Value) -> Value {
        linear.sum = self.gradient_sum(linear.range());
        assert_eq!((x.width, residual.width), (linear.affine.inputs, linear.affine.outputs), "does not fit");
        assert!(!self.kept.contains(&residual.id), "the residual is wanted by a backward pass");
        self.kept.push(x.id);
        self.operations.push(Operation::LinearResidual { linear, x: x.id, out: residual.id });
        residual
    }

    /// x with a share `rate` of its elements dropped in training.
    pub fn dropout(&mut self, x: &Value, rate: f64) -> Value {
        let dropout = self.new_dropout(x.width, rate);
        let out = self.value(x.width);
        self.operations.push(Operation::Dropout { dropout, x: x.id, out: out.id });
        out
    }

    /// residual + x, of which a share `rate` is dropped in training, in the residual's memory.
    pub fn dropout_residual(&mut self, x: &Value, rate: f64, residual: Value) -> Value {
        assert_eq!(x.width, residual.width, "the residual does not fit");
        assert!(!self.kept.contains(&residual.id), "the residual is wanted by a backward pass");
        let dropout = self.new_dropout(x.width, rate);
        self.operations.push(Operation::DropoutResidual { dropout, x: x.id, out: residual.id });
        residual
    }

    fn new_dropout(&mut self, width: usize, rate: f64) -> Dropout {
        assert!((0.0..1.0).contains(&rate), "a share below 1");
        let is_dropout =
            |o: &&Operation| matches!(o, Operation::Dropout { .. } | Operation::DropoutResidual { .. });
        let number = self.operations.iter().filter(is_dropout).count() as u64;
        Dropout { n_ctx: self.n_ctx, width, rate, number }
    }

    /// silu(gate)·up of rows \[gate | up\].
    pub fn swiglu(&mut self, x: &Value) -> Value {
        let width = x.width / 2;
        let out = self.value(width);
        self.kept.push(x.id);
        self.operations.push(Operation::Swiglu { width, x: x.id, out: out.id });
        out
    }

    /// Norms of the queries and keys of rows \[q | k | v\], in their memory.
    pub fn qk_norm(&mut self, qkv: Value, mut weights: Table, heads: Heads) -> Value {
        weights.sum = self.gradient_sum(weights.range());
        assert_eq!((qkv.width, weights.width), (heads.qkv_width(), heads.d_head), "heads do not fit");
        assert!(!self.kept.contains(&qkv.id), "the queries are wanted by a backward pass");
        let Heads { n_head, n_kv_head, d_head } = heads;
        let norm = QkNorm { width: qkv.width, n_head, n_kv_head, d_head };
        let normalised = self.value(norm.heads() * d_head).id;
        let rstd = self.value_id(self.n_ctx * norm.heads());
        self.operations.push(Operation::QkNorm { norm, weights, x: qkv.id, normalised, rstd });
        qkv
    }

    /// Rotary positions of the queries and keys of rows \[q | k | v\], in their memory.
    pub fn rotary(&mut self, qkv: Value, heads: Heads) -> Value {
        assert_eq!(qkv.width, heads.qkv_width(), "heads do not fit");
        assert!(heads.d_head.is_multiple_of(2), "columns turn in pairs");
        assert!(!self.kept.contains(&qkv.id), "the queries are wanted by a backward pass");
        let turning = heads.n_head + heads.n_kv_head;
        let rotary = Rotary { n_ctx: self.n_ctx, width: qkv.width, heads: turning, d_head: heads.d_head };
        let another =
            |o: &Operation| matches!(o, Operation::Rotary { rotary: other, .. } if *other != rotary);
        assert!(!self.operations.iter().any(another), "all rotations of a plan are the same");
        self.operations.push(Operation::Rotary { rotary, x: qkv.id });
        qkv
    }

    /// Causal self-attention over rows of \[q | k | v\].
    pub fn attention(&mut self, qkv: &Value, heads: Heads) -> Value {
        assert_eq!(qkv.width, heads.qkv_width(), "heads do not fit");
        assert!(heads.n_head.is_multiple_of(heads.n_kv_head), "groups of heads are equal");
        let Heads { n_head, n_kv_head, d_head } = heads;
        let attention = Attention { n_ctx: self.n_ctx, n_head, n_kv_head, d_head };
        let out = self.value(attention.width());
        let weights = self.value_id(attention.weights_len());
        self.kept.extend([qkv.id, out.id]);
        self.operations.push(Operation::Attention { attention, qkv: qkv.id, weights, out: out.id });
        out
    }

    /// The recurrence of an LSTM layer over gates that already have the input's part, in their memory; `weight`
    /// is `[width, 4·width]`.
    pub fn lstm(&mut self, gates: Value, mut weight: Table) -> Value {
        weight.sum = self.gradient_sum(weight.range());
        let lstm = Lstm { n_ctx: self.n_ctx, width: weight.rows };
        assert_eq!((gates.width, weight.width), (4 * weight.rows, 4 * weight.rows), "gates do not fit");
        assert!(!self.kept.contains(&gates.id), "the gates are wanted by a backward pass");
        let out = self.value(lstm.width);
        let [cells, squashed] = [(); 2].map(|()| self.value(lstm.width).id);
        self.kept.extend([gates.id, out.id]);
        self.operations.push(Operation::Lstm { lstm, weight, gates: gates.id, cells, squashed, out: out.id });
        out
    }

    /// Logits x·tableᵀ and their cross-entropy with the next tokens: the end of the graph.
    pub fn head(mut self, x: &Value, mut table: Table) -> Plan {
        table.sum = self.gradient_sum(table.range());
        assert_eq!(x.width, table.width, "head does not fit");
        let head = Head { width: table.width, n_vocab: table.rows };
        self.operations.push(Operation::Head { head, table, x: x.id });
        Plan::new(self.n_ctx, self.n_parameters, self.tensors, self.reused, self.values, self.operations)
    }
}
