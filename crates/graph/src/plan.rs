//! A model ready to execute.

use crate::ops::{Cost, Operation};
use crate::tensor::{Layout, Tensor, Value};

/// A model as devices execute it: operations in order, each with its output. The backward pass is every operation's
/// own in the reverse order.
#[derive(Clone, Debug)]
pub struct Plan {
    n_ctx: usize,
    n_vocab: usize,
    tensors: Vec<Tensor>,
    operations: Vec<(Operation, Value)>,
}

impl Plan {
    pub(crate) fn new(n_ctx: usize, parameters: Layout, operations: Vec<(Operation, Value)>) -> Self {
        let Some((Operation::Head(head), losses)) = operations.last() else { panic!("a head ends a graph") };
        for (_, out) in operations.iter().filter(|(_, out)| out != losses) {
            let reads_it = |(operation, _): &(Operation, Value)| operation.as_op().inputs().contains(out);
            assert!(operations.iter().any(reads_it), "every value reaches the head");
        }
        let heads = operations.iter().filter(|(operation, _)| matches!(operation, Operation::Head(_)));
        assert_eq!(heads.count(), 1, "a graph has one head");
        Self { n_ctx, n_vocab: head.table.rows, tensors: parameters.into_tensors(), operations }
    }

    /// Tokens of a sequence.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    /// Token ids are below this.
    pub fn n_vocab(&self) -> usize {
        self.n_vocab
    }

    /// Elements of all parameters.
    pub fn n_parameters(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    /// The named tensors, in the order in which they lie among the parameters.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Operations and their outputs, in the order of execution; the head is the last.
    pub fn operations(&self) -> &[(Operation, Value)] {
        &self.operations
    }

    /// Work per sequence.
    pub fn cost(&self) -> Cost {
        let costs = self.operations.iter().map(|(operation, _)| operation.as_op().cost(self.n_ctx));
        costs.fold(Cost::default(), |a, b| a + b)
    }
}
