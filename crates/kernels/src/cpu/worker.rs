//! One thread's memory, and the plan executed in it.

use crate::buffer::Buffer;
use crate::gemm::{SLACK, panel_width};
use crate::graph::GradientSum;
use crate::isa::Isa;
use crate::ops::dropout::Masks;
use crate::ops::linear::Weights;
use crate::ops::rotary::{Angles, Turn};
use crate::ops::{
    Write, activation, attention, copy, dropout, embed, fold, head, linear, lstm, norm, qk_norm, rotary,
    row_stride, swiglu,
};
use crate::plan::{Backward, Memory, Operation, Plan, ValueId};
use std::ops::Range;

/// What one thread works with.
#[derive(Debug)]
pub(super) struct Worker {
    /// Gradient of the micro-batch's mean loss. It begins on a cache line, as every row of a matrix's then does.
    pub gradient: Buffer,
    /// Gradients of parameters by their further uses.
    reused: Vec<Buffer>,
    /// Sum of the micro-batch's losses over its tokens.
    pub loss: f64,
    /// Activations and their gradients.
    buffers: Vec<Buffer>,
    attention: attention::Scratch,
    angles: Angles,
    logits: Buffer,
    losses: Vec<f32>,
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

/// A plan and what it is executed with.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub isa: Isa,
    pub plan: &'a Plan,
    pub parameters: &'a [f32],
    /// Packed weights of every operation.
    pub weights: &'a [Weights],
}

/// What every pass needs to know.
#[derive(Clone, Copy)]
struct Pass<'a> {
    isa: Isa,
    memory: &'a Memory,
    parameters: &'a [f32],
    /// Of dropout; none in evaluation.
    masks: Option<Masks>,
    sequences: usize,
    rows: usize,
    n_ctx: usize,
}

impl Worker {
    pub fn new(plan: &Plan, chunk: usize) -> Self {
        let buffer = |floats: usize| Buffer::zeros(floats * chunk + SLACK);
        Self {
            gradient: Buffer::zeros(plan.n_parameters),
            reused: plan.reused.iter().map(|range| Buffer::zeros(range.len())).collect(),
            loss: 0.0,
            buffers: plan.buffers().map(buffer).collect(),
            attention: attention::Scratch::default(),
            angles: plan.rotary().map(Angles::new).unwrap_or_default(),
            logits: Buffer::zeros(logits_len(plan)),
            losses: vec![0.0; chunk * plan.n_ctx],
            inputs: vec![0; chunk * plan.n_ctx],
            targets: vec![0; chunk * plan.n_ctx],
        }
    }

    /// Bytes of a worker once it has made a step.
    pub fn bytes(plan: &Plan, isa: Isa, chunk: usize) -> usize {
        let buffers: usize = plan.buffers().map(|floats| floats * chunk + SLACK).sum();
        let attention = plan.forward.iter().map(|operation| match *operation {
            Operation::Attention { attention: a, .. } => {
                a.d_head * a.n_ctx.next_multiple_of(panel_width(isa)) + a.n_ctx * row_stride(a.n_ctx)
            }
            _ => 0,
        });
        4 * (plan.n_parameters
            + plan.reused.iter().map(|range| range.len()).sum::<usize>()
            + buffers
            + attention.max().unwrap_or(0)
            + plan.rotary().map_or(0, Angles::len)
            + logits_len(plan)
            + 3 * chunk * plan.n_ctx)
    }

    /// Gradient and summed loss of one micro-batch, from zero, `chunk` sequences at a time.
    pub fn train(&mut self, model: Model<'_>, tokens: &[u32], chunk: usize, masks: Masks) {
        let Model { isa, plan, parameters, weights } = model;
        self.gradient.fill(0.0);
        self.reused.iter_mut().for_each(|gradient| gradient.fill(0.0));
        self.loss = 0.0;
        let unit = plan.n_ctx + 1;
        let scale = 1.0 / (tokens.len() / unit * plan.n_ctx) as f32;
        let mut first_sequence = masks.first_sequence;
        for tokens in tokens.chunks(chunk * unit) {
            let rows = self.load(plan.n_ctx, tokens);
            let sequences = tokens.len() / unit;
            let masks = Some(Masks { first_sequence, ..masks });
            let memory = &plan.training;
            let pass = Pass { isa, memory, parameters, masks, sequences, rows, n_ctx: plan.n_ctx };
            first_sequence += sequences;
            let layers = plan.forward.len() - 1;
            for (operation, weights) in plan.forward[..layers].iter().zip(weights) {
                self.forward(pass, operation, weights);
            }
            for (step, weights) in plan.backward.iter().zip(weights.iter().rev()) {
                self.backward(pass, step, weights, scale);
            }
            for &loss in &self.losses[..rows] {
                self.loss += f64::from(loss);
            }
        }
        for (range, further) in plan.reused.iter().zip(&self.reused) {
            fold::add(isa, &mut self.gradient[range.clone()], further);
        }
    }

    /// Losses of the tokens of one chunk, forward only.
    pub fn evaluate(&mut self, model: Model<'_>, tokens: &[u32], losses: &mut [f32]) {
        let Model { isa, plan, parameters, weights } = model;
        let rows = self.load(plan.n_ctx, tokens);
        let sequences = tokens.len() / (plan.n_ctx + 1);
        let memory = &plan.evaluation;
        let pass = Pass { isa, memory, parameters, masks: None, sequences, rows, n_ctx: plan.n_ctx };
        for (operation, weights) in plan.forward.iter().zip(weights) {
            if let Operation::Head { head, x, .. } = *operation {
                let x = &self.buffers[pass.memory.buffer_of[x.0]];
                head::forward(
                    isa,
                    head,
                    &x[..rows * row_stride(head.width)],
                    weights,
                    &self.targets[..rows],
                    &mut self.logits,
                    losses,
                );
            } else {
                self.forward(pass, operation, weights);
            }
        }
    }

    /// Splits sequences of n_ctx + 1 tokens into inputs and targets; the number of rows.
    fn load(&mut self, n_ctx: usize, tokens: &[u32]) -> usize {
        let sequences = tokens.chunks_exact(n_ctx + 1);
        let rows = sequences.len() * n_ctx;
        let halves = self.inputs.chunks_exact_mut(n_ctx).zip(self.targets.chunks_exact_mut(n_ctx));
        for (sequence, (inputs, targets)) in sequences.zip(halves) {
            inputs.copy_from_slice(&sequence[..n_ctx]);
            targets.copy_from_slice(&sequence[1..]);
        }
        rows
    }

    fn take(&mut self, memory: &Memory, value: ValueId) -> Buffer {
        std::mem::take(&mut self.buffers[memory.buffer_of[value.0]])
    }

    fn put(&mut self, memory: &Memory, value: ValueId, buffer: Buffer) {
        self.buffers[memory.buffer_of[value.0]] = buffer;
    }

    /// Values that are written are taken out of their buffers and put back: values alive together never
    /// share one.
    fn forward(&mut self, pass: Pass<'_>, operation: &Operation, w: &Weights) {
        let Pass { isa, memory, parameters, masks, sequences, rows, n_ctx } = pass;
        let at = |value: ValueId| memory.buffer_of[value.0];
        match *operation {
            Operation::Embed { tokens, positions, out } => {
                let table = &parameters[tokens.range()];
                let places = positions.map_or(&[][..], |positions| &parameters[positions.range()]);
                let y = &mut self.buffers[at(out)];
                embed::forward(&self.inputs[..rows], n_ctx, tokens.width, table, places, y);
            }
            Operation::Copy { width, x, out } => {
                let mut y = self.take(memory, out);
                copy::apply(isa, width, rows, &self.buffers[at(x)], &mut y, Write::Set);
                self.put(memory, out, y);
            }
            Operation::Norm { norm, x, normalised, rstd, out } => {
                let (weight, bias) = (&parameters[norm.weight()], &parameters[norm.bias()]);
                let mut z = self.take(memory, normalised);
                let mut y = self.take(memory, out);
                let mut r = self.take(memory, rstd);
                let x = &self.buffers[at(x)];
                norm::forward(isa, norm.kind, norm.width, x, weight, bias, &mut z, &mut y, &mut r[..rows]);
                self.put(memory, normalised, z);
                self.put(memory, out, y);
                self.put(memory, rstd, r);
            }
            Operation::Linear { linear, x, out } => {
                let mut y = self.take(memory, out);
                let bias = &parameters[linear.bias()];
                linear::forward(isa, linear.affine, rows, &self.buffers[at(x)], w, bias, &mut y);
                self.put(memory, out, y);
            }
            Operation::LinearResidual { linear, x, out } => {
                let mut y = self.take(memory, out);
                let bias = &parameters[linear.bias()];
                linear::forward_residual(isa, linear.affine, rows, &self.buffers[at(x)], w, bias, &mut y);
                self.put(memory, out, y);
            }
            Operation::LinearActivation { linear, activation, x, derivative, out } => {
                let mut y = self.take(memory, out);
                let mut d = self.take(memory, derivative);
                let bias = &parameters[linear.bias()];
                let (a, x) = (linear.affine, &self.buffers[at(x)]);
                linear::forward_activation(isa, a, activation, rows, x, w, bias, &mut y, &mut d);
                self.put(memory, out, y);
                self.put(memory, derivative, d);
            }
            Operation::Dropout { dropout, x, out } => {
                let mut y = self.take(memory, out);
                dropout::apply(isa, dropout, rows, masks, &self.buffers[at(x)], &mut y, Write::Set);
                self.put(memory, out, y);
            }
            Operation::DropoutResidual { dropout, x, out } => {
                let mut y = self.take(memory, out);
                dropout::apply(isa, dropout, rows, masks, &self.buffers[at(x)], &mut y, Write::Add);
                self.put(memory, out, y);
            }
            Operation::Swiglu { width, x, out } => {
                let mut y = self.take(memory, out);
                swiglu::forward(isa, width, rows, &self.buffers[at(x)], &mut y);
                self.put(memory, out, y);
            }
            Operation::QkNorm { norm, weights, x, normalised, rstd } => {
                let mut y = self.take(memory, x);
                let mut z = self.take(memory, normalised);
                let mut r = self.take(memory, rstd);
                let r_ = &mut r[..rows * norm.heads()];
                qk_norm::forward(isa, norm, &parameters[weights.range()], &mut y, &mut z, r_);
                self.put(memory, x, y);
                self.put(memory, normalised, z);
                self.put(memory, rstd, r);
            }
            Operation::Rotary { rotary, x } => {
                rotary::apply(isa, rotary, rows, &self.angles, Turn::By, &mut self.buffers[at(x)]);
            }
            Operation::Attention { attention: a, qkv, weights, out } => {
                let mut y = self.take(memory, out);
                let mut p = self.take(memory, weights);
                let qkv = &self.buffers[at(qkv)];
                attention::forward(isa, a, sequences, qkv, &mut y, &mut p, &mut self.attention);
                self.put(memory, out, y);
                self.put(memory, weights, p);
            }
            Operation::Lstm { lstm, gates, cells, squashed, out, .. } => {
                let mut g = self.take(memory, gates);
                let mut c = self.take(memory, cells);
                let mut z = self.take(memory, squashed);
                let mut y = self.take(memory, out);
                lstm::forward(isa, lstm, sequences, w, &mut g, &mut c, &mut z, &mut y);
                self.put(memory, gates, g);
                self.put(memory, cells, c);
                self.put(memory, squashed, z);
                self.put(memory, out, y);
            }
            Operation::Head { .. } => unreachable!("a head ends a plan and is executed by its caller"),
        }
    }

    fn backward(&mut self, pass: Pass<'_>, step: &Backward, w: &Weights, scale: f32) {
        let Pass { isa, memory, parameters, masks, sequences, rows, n_ctx } = pass;
        let at = |value: ValueId| memory.buffer_of[value.0];
        let d_out = || step.d_out.expect("all but the head have an output");
        let d_in = || step.d_in.expect("all but the embedding have an input");
        match step.operation {
            Operation::Embed { tokens, positions, .. } => {
                // Two tables of one gradient; the tokens' comes first.
                let places = positions.map_or(tokens.range().end..tokens.range().end, |p| p.range());
                let (first, second) = self.gradient.split_at_mut(places.start);
                embed::backward(
                    isa,
                    &self.inputs[..rows],
                    n_ctx,
                    tokens.width,
                    &self.buffers[at(d_out())],
                    &mut first[tokens.range()],
                    &mut second[..places.len()],
                );
            }
            Operation::Copy { width, .. } => {
                let (d_x, write) = d_in();
                let mut dx = self.take(memory, d_x);
                copy::apply(isa, width, rows, &self.buffers[at(d_out())], &mut dx, write);
                self.put(memory, d_x, dx);
            }
            Operation::Norm { norm, normalised, rstd, .. } => {
                let (d_x, write) = d_in();
                let mut dx = self.take(memory, d_x);
                let (d_weight, d_bias) =
                    gradient_of(&mut self.gradient, &mut self.reused, norm.range(), norm.sum)
                        .split_at_mut(norm.width);
                norm::backward(
                    isa,
                    norm.kind,
                    norm.width,
                    &self.buffers[at(d_out())],
                    &self.buffers[at(normalised)],
                    &self.buffers[at(rstd)][..rows],
                    &parameters[norm.weight()],
                    d_weight,
                    d_bias,
                    &mut dx,
                    write,
                );
                self.put(memory, d_x, dx);
            }
            Operation::Linear { linear, x, .. } | Operation::LinearResidual { linear, x, .. } => {
                let (d_x, write) = d_in();
                let mut x_ = self.take(memory, x);
                let mut dx = self.take(memory, d_x);
                let dw = gradient_of(&mut self.gradient, &mut self.reused, linear.range(), linear.sum);
                let dy = &self.buffers[at(d_out())];
                linear::backward(isa, linear.affine, rows, &mut x_, w, dy, dw, &mut dx, write);
                self.put(memory, x, x_);
                self.put(memory, d_x, dx);
            }
            Operation::LinearActivation { linear, x, derivative, .. } => {
                let (d_x, write) = d_in();
                let mut x_ = self.take(memory, x);
                let mut dx = self.take(memory, d_x);
                let mut dy = self.take(memory, d_out());
                let dw = gradient_of(&mut self.gradient, &mut self.reused, linear.range(), linear.sum);
                let used = rows * row_stride(linear.affine.outputs);
                activation::backward(
                    isa,
                    linear.affine.outputs,
                    &mut dy[..used],
                    &self.buffers[at(derivative)],
                );
                linear::backward(isa, linear.affine, rows, &mut x_, w, &dy, dw, &mut dx, write);
                self.put(memory, x, x_);
                self.put(memory, d_x, dx);
                self.put(memory, d_out(), dy);
            }
            Operation::Dropout { dropout, .. } | Operation::DropoutResidual { dropout, .. } => {
                let (d_x, write) = d_in();
                let mut dx = self.take(memory, d_x);
                dropout::apply(isa, dropout, rows, masks, &self.buffers[at(d_out())], &mut dx, write);
                self.put(memory, d_x, dx);
            }
            Operation::Swiglu { width, x, .. } => {
                let (d_x, write) = d_in();
                let mut dx = self.take(memory, d_x);
                let (x, d) = (&self.buffers[at(x)], &self.buffers[at(d_out())]);
                swiglu::backward(isa, width, rows, x, d, &mut dx, write);
                self.put(memory, d_x, dx);
            }
            Operation::QkNorm { norm, weights, normalised, rstd, .. } => {
                let mut d = self.take(memory, d_out());
                qk_norm::backward(
                    isa,
                    norm,
                    &parameters[weights.range()],
                    &self.buffers[at(normalised)],
                    &self.buffers[at(rstd)][..rows * norm.heads()],
                    &mut d,
                    gradient_of(&mut self.gradient, &mut self.reused, weights.range(), weights.sum),
                );
                self.put(memory, d_out(), d);
            }
            Operation::Rotary { rotary, .. } => {
                let d = &mut self.buffers[at(d_out())];
                rotary::apply(isa, rotary, rows, &self.angles, Turn::Back, d);
            }
            Operation::Attention { attention: a, qkv, weights, out } => {
                let (d_x, _) = d_in();
                let mut d_qkv = self.take(memory, d_x);
                attention::backward(
                    isa,
                    a,
                    sequences,
                    &self.buffers[at(qkv)],
                    &self.buffers[at(out)],
                    &self.buffers[at(weights)],
                    &self.buffers[at(d_out())],
                    &mut d_qkv,
                    &mut self.attention,
                );
                self.put(memory, d_x, d_qkv);
            }
            Operation::Lstm { lstm, weight, gates, cells, squashed, out } => {
                let (d_x, _) = d_in();
                let mut d_gates = self.take(memory, d_x);
                let mut c = self.take(memory, cells);
                let mut dy = self.take(memory, d_out());
                lstm::backward(
                    isa,
                    lstm,
                    sequences,
                    w,
                    &self.buffers[at(gates)],
                    &mut c,
                    &self.buffers[at(squashed)],
                    &self.buffers[at(out)],
                    &mut dy,
                    gradient_of(&mut self.gradient, &mut self.reused, weight.range(), weight.sum),
                    &mut d_gates,
                );
                self.put(memory, d_x, d_gates);
                self.put(memory, cells, c);
                self.put(memory, d_out(), dy);
            }
            Operation::Head { head, table, x } => {
                let (d_x, write) = d_in();
                let mut dx = self.take(memory, d_x);
                head::forward_backward(
                    isa,
                    head,
                    &self.buffers[at(x)],
                    w,
                    &self.targets[..rows],
                    scale,
                    &mut self.logits,
                    &mut self.losses[..rows],
                    gradient_of(&mut self.gradient, &mut self.reused, table.range(), table.sum),
                    &mut dx,
                    write,
                );
                self.put(memory, d_x, dx);
            }
        }
    }
}

/// Where the gradient of this use of a parameter is summed.
fn gradient_of<'a>(
    gradient: &'a mut [f32],
    reused: &'a mut [Buffer],
    parameter: Range<usize>,
    sum: GradientSum,
) -> &'a mut [f32] {
    match sum {
        GradientSum::First => &mut gradient[parameter],
        GradientSum::Further(buffer) => &mut reused[buffer],
    }
}

fn logits_len(plan: &Plan) -> usize {
    let len = plan.forward.iter().map(|o| match o {
        Operation::Head { head, .. } => head.logits_len(),
        _ => 0,
    });
    len.max().unwrap_or(0)
}
