//! Builds a plan operation by operation.

use crate::ops::norm::{Kind, NormParameters};
use crate::ops::{Affine, Dropout, Operation};
use crate::plan::Plan;
use crate::tensor::{Layout, Parameter, Role, Value};

/// A model under construction.
///
/// A parameter may be used any number of times (a tied head, a recurrent block): its gradients add up. A value may be
/// read any number of times. Mistakes in a graph are mistakes in a model's code, so they panic.
#[derive(Debug)]
pub struct Graph {
    n_ctx: usize,
    parameters: Layout,
    operations: Vec<(Operation, Value)>,
}

impl Graph {
    /// A graph over sequences of `n_ctx` tokens.
    pub fn new(n_ctx: usize) -> Self {
        Self { n_ctx, parameters: Layout::default(), operations: vec![] }
    }

    /// A new parameter `[rows, columns]`.
    pub fn matrix(&mut self, name: &str, role: Role, rows: usize, columns: usize) -> Parameter {
        let start = self.parameters.push(name.to_owned(), vec![rows, columns], role).start;
        Parameter { start, rows, columns }
    }

    /// A new parameter `[columns]`.
    pub fn vector(&mut self, name: &str, role: Role, columns: usize) -> Parameter {
        let start = self.parameters.push(name.to_owned(), vec![columns], role).start;
        Parameter { start, rows: 1, columns }
    }

    /// The new parameters `name.weight` `[inputs, outputs]` and, directly behind it, `name.bias` `[outputs]`.
    pub fn affine(&mut self, name: &str, roles: [Role; 2], inputs: usize, outputs: usize) -> Affine {
        Affine {
            weight: self.matrix(&format!("{name}.weight"), roles[0], inputs, outputs),
            bias: self.vector(&format!("{name}.bias"), roles[1], outputs),
        }
    }

    /// The new parameters `name.weight` and, for a layer norm, directly behind it `name.bias`, both `[width]`.
    pub fn norm(&mut self, name: &str, kind: Kind, width: usize) -> NormParameters {
        NormParameters {
            weight: self.vector(&format!("{name}.weight"), Role::Norm, width),
            bias: match kind {
                Kind::Layer => Some(self.vector(&format!("{name}.bias"), Role::Bias, width)),
                Kind::Rms => None,
            },
        }
    }

    /// Appends an operation and returns its output.
    ///
    /// # Panics
    /// When the shapes of its operands do not fit together.
    pub fn apply(&mut self, operation: impl Into<Operation>) -> Value {
        let operation = operation.into();
        let op = operation.as_op();
        for x in op.inputs() {
            assert!(self.operations.get(x.id).is_some_and(|(_, out)| *out == x), "a value of another graph");
        }
        let out = Value { id: self.operations.len(), width: op.width(self.n_ctx) };
        self.operations.push((operation, out));
        out
    }

    /// Dropout of x, added to `residual` if there is one. Every use in a plan has masks of its own.
    pub fn dropout(&mut self, x: Value, rate: f64, residual: Option<Value>) -> Value {
        let uses = self.operations.iter().filter(|(operation, _)| matches!(operation, Operation::Dropout(_)));
        let number = uses.count() as u64;
        self.apply(Dropout { x, rate, residual, number })
    }

    /// The plan of all operations; the last one is the head.
    ///
    /// # Panics
    /// When the last operation, and no other, is not a head, or when an operation's output is never read.
    pub fn finish(self) -> Plan {
        Plan::new(self.n_ctx, self.parameters, self.operations)
    }
}
