//! A plan compiled for this device: kernels in order, their backward passes, and shared memory.

use crate::isa::Isa;
use crate::kernel::{Gradients, Kernel, Product, ScratchLen, Slot};
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowered, Lowering};
use crate::ops;
use scalelaw_graph::liveness::{Lifetimes, Memory};
use scalelaw_graph::{Plan, Value};
use std::ops::Range;

/// A compiled plan.
#[derive(Debug)]
pub(crate) struct Program {
    pub n_ctx: usize,
    pub n_parameters: usize,
    /// The parameter of every further use of one: its gradient is summed in a buffer of its own.
    pub reused: Vec<Range<usize>>,
    /// In the order of execution; the last is the head, whose two passes are one.
    pub kernels: Vec<Box<dyn Kernel>>,
    pub backward: Vec<Step>,
    /// Memory of a forward and backward pass.
    pub training: Memory,
    /// Memory of a forward pass alone.
    pub evaluation: Memory,
}

/// A step of the backward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The backward pass of the kernel of this number.
    Kernel(usize, Gradients),
    /// A gradient that is added to another.
    Add { width: usize, from: Slot, to: Slot },
}

impl Program {
    pub fn new(plan: &Plan) -> Self {
        let mut lowering = Lowering::new(plan);
        for &(operation, out) in plan.operations() {
            let kernel = ops::lower(operation, out, &mut lowering);
            lowering.push(out, kernel);
        }
        let Lowering { mut sizes, reused, kernels, touched, lowered, .. } = lowering;
        // The head's two passes are one, so the backward pass begins at the time of the last kernel.
        let mut backward = Backward::new(plan, kernels.len() - 1, &mut sizes);
        lowered.iter().rev().for_each(|operation| backward.push(operation));
        let Backward { steps, touched: touched_backward, .. } = backward;

        let mut evaluation = Lifetimes::new(sizes.len());
        touched.iter().for_each(|&(Slot(slot), time)| evaluation.touch(slot, time));
        let mut training = evaluation.clone();
        touched_backward.iter().for_each(|&(Slot(slot), time)| training.touch(slot, time));
        Self {
            n_ctx: plan.n_ctx(),
            n_parameters: plan.n_parameters(),
            reused,
            kernels,
            backward: steps,
            training: training.share(&sizes),
            evaluation: evaluation.share(&sizes),
        }
    }

    /// Floats per sequence of every buffer: long enough for either kind of pass.
    pub fn buffers(&self) -> impl Iterator<Item = usize> {
        let (a, b) = (&self.training.buffers, &self.evaluation.buffers);
        let at = |buffers: &[usize], i: usize| buffers.get(i).copied().unwrap_or(0);
        (0..a.len().max(b.len())).map(move |i| at(a, i).max(at(b, i)))
    }

    /// Bytes of activations per sequence.
    pub fn activation_bytes(&self) -> usize {
        4 * self.buffers().sum::<usize>()
    }

    /// The products with weights.
    pub fn products(&self) -> impl Iterator<Item = Product> {
        self.kernels.iter().filter_map(|kernel| kernel.product())
    }

    /// Scratch memory that serves all kernels.
    pub fn scratch_len(&self, isa: Isa) -> ScratchLen {
        let lengths = self.kernels.iter().map(|kernel| kernel.scratch_len(isa));
        lengths.fold(ScratchLen::default(), ScratchLen::max)
    }
}

/// The backward pass under construction.
struct Backward<'a> {
    n_ctx: usize,
    begin: usize,
    sizes: &'a mut Vec<usize>,
    /// Slot of every value's gradient.
    gradients: Vec<Option<Slot>>,
    steps: Vec<Step>,
    touched: Vec<(Slot, usize)>,
}

impl<'a> Backward<'a> {
    fn new(plan: &Plan, begin: usize, sizes: &'a mut Vec<usize>) -> Self {
        let gradients = vec![None; plan.operations().len()];
        Self { n_ctx: plan.n_ctx(), begin, sizes, gradients, steps: vec![], touched: vec![] }
    }

    fn slot(&mut self, x: Value) -> Slot {
        self.sizes.push(self.n_ctx * row_stride(x.width));
        Slot(self.sizes.len() - 1)
    }

    fn step(&mut self, step: Step, touched: impl IntoIterator<Item = Slot>) {
        let time = self.begin + self.steps.len();
        self.touched.extend(touched.into_iter().map(|slot| (slot, time)));
        self.steps.push(step);
    }

    /// The backward pass of an operation, after those of all that read its output.
    fn push(&mut self, operation: &Lowered) {
        let out = self.gradients[operation.out.id];
        let input = match operation.input {
            Input::None | Input::InPlace(_) => None,
            Input::Any(x) => match self.gradients[x.id] {
                Some(slot) => Some((slot, Write::Add)),
                None => Some((self.slot(x), Write::Set)),
            },
            Input::SetOnly(x) => Some((self.slot(x), Write::Set)),
        };
        let touched = operation.kept.iter().copied().chain(out).chain(input.map(|(slot, _)| slot));
        self.step(Step::Kernel(operation.kernel, Gradients { out, input }), touched);
        match (operation.input, input) {
            (Input::InPlace(x), _) => self.add(x, out),
            (Input::Any(x) | Input::SetOnly(x), Some((slot, Write::Set))) => self.add(x, Some(slot)),
            _ => {}
        }
        if let Some(residual) = operation.residual {
            self.add(residual, out);
        }
    }

    /// Adds a slot to the gradient of x, or makes it that gradient if it is the first part of it.
    fn add(&mut self, x: Value, part: Option<Slot>) {
        let from = part.expect("all but the head have an output with a gradient");
        match self.gradients[x.id] {
            None => self.gradients[x.id] = Some(from),
            Some(to) => self.step(Step::Add { width: x.width, from, to }, [from, to]),
        }
    }
}
