//! From logical values to slots: which values share memory, and what is kept for the backward pass.

use crate::copy::Copy;
use crate::kernel::{Kernel, Slot, Sum};
use crate::layout::row_stride;
use scalelaw_graph::{Plan, Value};
use std::ops::Range;

/// How an operation's backward pass treats the gradient of its input.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// It has no input with a gradient.
    None,
    /// It writes or adds to it.
    Any(Value),
    /// It can only write it.
    SetOnly(Value),
    /// It replaces the output's gradient by the input's.
    InPlace(Value),
}

/// A lowered operation.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// Its number among the kernels.
    pub kernel: usize,
    pub out: Value,
    /// Slots that its backward pass reads.
    pub kept: Vec<Slot>,
    pub input: Input,
    /// A value that was added to the output: the output's gradient is part of its own.
    pub residual: Option<Value>,
}

/// A plan that is being lowered, operation by operation.
#[derive(Debug)]
pub(crate) struct Lowering<'a> {
    plan: &'a Plan,
    /// The last operation that reads each value.
    last_read: Vec<usize>,
    slot_of: Vec<Option<Slot>>,
    /// Slots that a backward pass reads: nothing may overwrite them.
    kept: Vec<bool>,
    /// Parameters that have been used.
    used: Vec<Range<usize>>,
    /// Floats per sequence of every slot.
    pub sizes: Vec<usize>,
    /// Parameters that were used again, once for every further use.
    pub reused: Vec<Range<usize>>,
    pub kernels: Vec<Box<dyn Kernel>>,
    /// Slots that the kernel of this number touches in the forward pass.
    pub touched: Vec<(Slot, usize)>,
    pub lowered: Vec<Lowered>,
    /// Of the current operation.
    current: Current,
}

#[derive(Debug, Default)]
struct Current {
    touched: Vec<Slot>,
    kept: Vec<Slot>,
    residual: Option<Value>,
}

impl<'a> Lowering<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let mut last_read = vec![0; plan.operations().len()];
        for (i, (operation, _)) in plan.operations().iter().enumerate() {
            operation.as_op().inputs().iter().for_each(|x| last_read[x.id] = i);
        }
        Self {
            plan,
            slot_of: vec![None; last_read.len()],
            last_read,
            kept: vec![],
            used: vec![],
            sizes: vec![],
            reused: vec![],
            kernels: vec![],
            touched: vec![],
            lowered: vec![],
            current: Current::default(),
        }
    }

    /// Positions of a sequence.
    pub fn n_ctx(&self) -> usize {
        self.plan.n_ctx()
    }

    /// A slot for the current operation alone, with so many floats per sequence.
    pub fn own(&mut self, floats: usize) -> Slot {
        let slot = self.slot(floats);
        self.current.touched.push(slot);
        slot
    }

    /// The same for rows of so many columns, one per token.
    pub fn own_rows(&mut self, width: usize) -> Slot {
        self.own(self.n_ctx() * row_stride(width))
    }

    pub fn slot(&mut self, floats: usize) -> Slot {
        self.sizes.push(floats);
        self.kept.push(false);
        Slot(self.sizes.len() - 1)
    }

    /// A new slot that holds the output.
    pub fn output(&mut self, out: Value) -> Slot {
        let slot = self.own_rows(out.width);
        self.slot_of[out.id] = Some(slot);
        slot
    }

    /// Where a value is read.
    pub fn read(&mut self, x: Value) -> Slot {
        let slot = self.slot_of[x.id].expect("a value is computed before it is read");
        self.current.touched.push(slot);
        slot
    }

    /// Where a value is read by both passes.
    pub fn read_twice(&mut self, x: Value) -> Slot {
        let slot = self.read(x);
        self.keep(slot);
        slot
    }

    /// The backward pass reads a slot as the current operation leaves it.
    pub fn keep(&mut self, slot: Slot) {
        self.kept[slot.0] = true;
        self.current.kept.push(slot);
    }

    /// A slot that holds a value and may be overwritten: the value's own if nobody reads it later, else a copy.
    pub fn overwrite(&mut self, x: Value) -> Slot {
        let slot = self.slot_of[x.id].expect("a value is computed before it is read");
        let slot = if self.kept[slot.0] || self.last_read[x.id] > self.lowered.len() {
            let copy = self.slot(self.sizes[slot.0]);
            let time = self.kernels.len();
            self.touched.extend([(slot, time), (copy, time)]);
            self.kernels.push(Box::new(Copy { width: x.width, x: slot, out: copy }));
            copy
        } else {
            slot
        };
        self.current.touched.push(slot);
        slot
    }

    /// The output, in memory that held x: see [`Self::overwrite`].
    pub fn output_over(&mut self, x: Value, out: Value) -> Slot {
        let slot = self.overwrite(x);
        self.slot_of[out.id] = Some(slot);
        slot
    }

    /// The output as the sum of `residual` and what the operation adds to it.
    pub fn output_joining(&mut self, residual: Value, out: Value) -> Slot {
        self.current.residual = Some(residual);
        self.output_over(residual, out)
    }

    /// Where the current operation sums the gradient of a parameter.
    pub fn sum(&mut self, parameter: Range<usize>) -> Sum {
        if self.used.contains(&parameter) {
            self.reused.push(parameter);
            return Sum::Further(self.reused.len() - 1);
        }
        self.used.push(parameter.clone());
        Sum::First(parameter)
    }

    /// Ends the current operation.
    pub fn push(&mut self, out: Value, (kernel, input): (Box<dyn Kernel>, Input)) {
        let Current { touched, kept, residual } = std::mem::take(&mut self.current);
        let number = self.kernels.len();
        self.touched.extend(touched.into_iter().map(|slot| (slot, number)));
        self.lowered.push(Lowered { kernel: number, out, kept, input, residual });
        self.kernels.push(kernel);
    }
}
