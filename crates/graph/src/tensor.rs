//! Parameters and activations by name, number and shape.

use std::ops::Range;

/// What a parameter is for. It decides how the parameter is initialised and whether weight decay applies to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A table with one row per token or position.
    Embedding,
    /// A table `[n_vocab, inputs]` that is used as a head: its rows are outputs.
    Head,
    /// A weight `[inputs, outputs]`.
    Matrix,
    /// A weight `[inputs, outputs]` whose product is added to the residual stream.
    ResidualMatrix,
    /// The scale of a normalisation.
    Norm,
    /// A bias.
    Bias,
    /// The bias of an LSTM's gates, in the order \[input | forget | cell | output\].
    GateBias,
}

impl Role {
    /// Whether decoupled weight decay shrinks parameters of this role: matrices and tables, as in GPT-2's recipe.
    pub fn is_decayed(self) -> bool {
        match self {
            Self::Embedding | Self::Head | Self::Matrix | Self::ResidualMatrix => true,
            Self::Norm | Self::Bias | Self::GateBias => false,
        }
    }
}

/// A named tensor in a flat vector: of parameters, or of an optimiser's moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in the field's usual words: `h.0.attn.c_attn.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Position of its elements in the flat vector, row by row.
    pub range: Range<usize>,
    /// What it is for; a moment has the role of its parameter.
    pub role: Role,
}

/// Tensors laid out one behind the other in a flat vector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout(Vec<Tensor>);

impl Layout {
    /// Appends a tensor.
    pub fn push(&mut self, name: String, shape: Vec<usize>, role: Role) -> Range<usize> {
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.0.push(Tensor { name, shape, range: range.clone(), role });
        range
    }

    /// Elements of all tensors.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |tensor| tensor.range.end)
    }

    /// The tensors in order.
    pub fn into_tensors(self) -> Vec<Tensor> {
        self.0
    }
}

/// A parameter as operations refer to it: a matrix `[rows, columns]`, or a vector, which is a single row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Position of its first element among the flat parameters.
    pub start: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

impl Parameter {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Position of its elements among the flat parameters.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.len()
    }
}

/// An activation: one row of `width` columns per token. It is written once and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its number in the plan: the position of the operation that computes it.
    pub id: usize,
    /// Columns.
    pub width: usize,
}
