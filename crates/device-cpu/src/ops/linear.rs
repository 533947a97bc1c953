//! A linear layer y = x·W + b, with the residual stream or an activation as its epilogue.
//!
//! Weight and bias lie together as one `[inputs + 1, outputs]` matrix whose last row is the bias. Forward,
//! the bias is where the chains start; backward, a column of ones behind x makes its gradient the last row
//! of xᵀ·dy.

use super::{Lowered, activation};
use crate::gemm::{Left, Right, Size, Start, gemm};
use crate::isa::Isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Product, Side, Slot, Sum, Weights};
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowering};
use scalelaw_graph::Value;
use scalelaw_graph::ops::{self, Activation, Epilogue};
use std::ops::Range;

/// Rows that a product with an epilogue works on at a time, so that the epilogue finds them in L1.
const ROW_BLOCK: usize = 48;

/// Sizes of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affine {
    /// Columns of x.
    pub inputs: usize,
    /// Columns of y.
    pub outputs: usize,
}

#[derive(Debug)]
struct Linear {
    affine: Affine,
    weight: Range<usize>,
    bias: Range<usize>,
    sum: Sum,
    x: Slot,
    end: End,
    out: Slot,
}

/// The epilogue.
#[derive(Debug)]
enum End {
    None,
    /// An activation and where its derivative is kept.
    Activation(Activation, Slot),
    /// The output's slot holds the residual.
    Residual,
}

pub(super) fn lower(op: ops::Linear, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let ops::Affine { weight, bias } = op.affine;
    let x = to.read_twice(op.x);
    let (end, slot) = match op.epilogue {
        Epilogue::None => (End::None, to.output(out)),
        Epilogue::Activation(activation) => {
            let slot = to.output(out);
            let derivative = to.own_rows(out.width);
            to.keep(derivative);
            (End::Activation(activation, derivative), slot)
        }
        Epilogue::Residual(residual) => (End::Residual, to.output_joining(residual, out)),
    };
    let linear = Linear {
        affine: Affine { inputs: weight.rows, outputs: weight.columns },
        weight: weight.range(),
        bias: bias.range(),
        sum: to.sum(weight.start..bias.range().end),
        x,
        end,
        out: slot,
    };
    (Box::new(linear), Input::Any(op.x))
}

impl Kernel for Linear {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights) {
        let (isa, rows) = (pass.isa, pass.rows);
        let bias = &pass.parameters[self.bias.clone()];
        let mut y = arena.take(pass, self.out);
        match self.end {
            End::None => forward(isa, self.affine, rows, &arena.buffers[pass.at(self.x)], w, bias, &mut y),
            End::Residual => {
                forward_residual(isa, self.affine, rows, &arena.buffers[pass.at(self.x)], w, bias, &mut y);
            }
            End::Activation(activation, derivative) => {
                let mut d = arena.take(pass, derivative);
                let x = &arena.buffers[pass.at(self.x)];
                forward_activation(isa, self.affine, activation, rows, x, w, bias, &mut y, &mut d);
                arena.put(pass, derivative, d);
            }
        }
        arena.put(pass, self.out, y);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights, d: Gradients) {
        if let End::Activation(_, derivative) = self.end {
            let mut dy = arena.take(pass, d.out());
            let used = pass.rows * row_stride(self.affine.outputs);
            let derivative = &arena.buffers[pass.at(derivative)];
            activation::backward(pass.isa, self.affine.outputs, &mut dy[..used], derivative);
            arena.put(pass, d.out(), dy);
        }
        let (d_x, write) = d.input();
        let mut x = arena.take(pass, self.x);
        let mut dx = arena.take(pass, d_x);
        let dw = arena.sums.of(&self.sum);
        let dy = &arena.buffers[pass.at(d.out())];
        backward(pass.isa, self.affine, pass.rows, &mut x, w, dy, dw, &mut dx, write);
        arena.put(pass, self.x, x);
        arena.put(pass, d_x, dx);
    }

    fn product(&self) -> Option<Product> {
        Some(self.affine.product(self.weight.clone()))
    }
}

impl Affine {
    /// The layer's product with a weight at this position of the parameters.
    pub fn product(self, weight: Range<usize>) -> Product {
        Product { weight, rows: self.inputs, columns: self.outputs, side: Side::Columns }
    }
}

/// y = x·W + b.
pub fn forward(isa: Isa, a: Affine, rows: usize, x: &[f32], w: &Weights, bias: &[f32], y: &mut [f32]) {
    product(isa, a, rows, x, w, Start::Row(bias), y);
}

/// y += x·W + b: the layer's output joins the residual stream.
pub fn forward_residual(
    isa: Isa,
    a: Affine,
    rows: usize,
    x: &[f32],
    w: &Weights,
    bias: &[f32],
    y: &mut [f32],
) {
    product(isa, a, rows, x, w, Start::CPlusRow(bias), y);
}

/// y = activation(x·W + b), keeping its derivative.
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn forward_activation(
    isa: Isa,
    a: Affine,
    activation: Activation,
    rows: usize,
    x: &[f32],
    w: &Weights,
    bias: &[f32],
    y: &mut [f32],
    derivative: &mut [f32],
) {
    let (x_stride, y_stride) = (row_stride(a.inputs), row_stride(a.outputs));
    for from in (0..rows).step_by(ROW_BLOCK) {
        let block = ROW_BLOCK.min(rows - from);
        let y = &mut y[from * y_stride..][..block * y_stride];
        product(isa, a, block, &x[from * x_stride..], w, Start::Row(bias), y);
        activation::forward(
            isa,
            activation,
            a.outputs,
            y,
            &mut derivative[from * y_stride..][..block * y_stride],
        );
    }
}

fn product(isa: Isa, a: Affine, rows: usize, x: &[f32], w: &Weights, start: Start<'_>, y: &mut [f32]) {
    gemm(
        isa,
        Size { m: rows, n: a.outputs, k: a.inputs },
        Left::Rows { data: x, row: row_stride(a.inputs) },
        Right::Panels(w.forward.whole()),
        start,
        y,
        row_stride(a.outputs),
    );
}

/// `d_weight` (with the bias as its last row) += \[x 1\]ᵀ·dy, and dx = or += dy·Wᵀ.
///
/// The column behind x is set to one.
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn backward(
    isa: Isa,
    a: Affine,
    rows: usize,
    x: &mut [f32],
    w: &Weights,
    dy: &[f32],
    d_weight: &mut [f32],
    dx: &mut [f32],
    write: Write,
) {
    let (x_stride, y_stride) = (row_stride(a.inputs), row_stride(a.outputs));
    for row in x.chunks_mut(x_stride).take(rows) {
        row[a.inputs] = 1.0;
    }
    gemm(
        isa,
        Size { m: a.inputs + 1, n: a.outputs, k: rows },
        Left::Columns { data: x, col: x_stride },
        Right::Rows { data: dy, row: y_stride },
        Start::C,
        d_weight,
        a.outputs,
    );
    gemm(
        isa,
        Size { m: rows, n: a.inputs, k: a.outputs },
        Left::Rows { data: dy, row: y_stride },
        Right::Panels(w.backward.whole()),
        match write {
            Write::Set => Start::Zero,
            Write::Add => Start::C,
        },
        dx,
        x_stride,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(a: Affine, x: &[f64], weight: &[f64]) -> Vec<f64> {
        let bias = &weight[a.inputs * a.outputs..];
        let row = |x: &[f64]| -> Vec<f64> {
            let y = |j: usize| {
                bias[j] + x.iter().enumerate().map(|(i, x)| x * weight[i * a.outputs + j]).sum::<f64>()
            };
            (0..a.outputs).map(y).collect()
        };
        x.chunks(a.inputs).flat_map(row).collect()
    }

    #[test]
    fn linear_of_any_size_matches_its_reference_and_central_differences() {
        for (inputs, outputs, count) in [(1, 1, 1), (8, 24, 5), (7, 9, 50), (17, 33, 3), (64, 5, 60)] {
            let a = Affine { inputs, outputs };
            let x = numbers(count * inputs, 1);
            let weight = numbers((inputs + 1) * outputs, 2);
            let (d_out, residual) = (numbers(count * outputs, 3), numbers(count * outputs, 4));
            let d_before = numbers(weight.len(), 5);
            let got = on_every_isa(|isa| {
                let flat = narrow(&weight);
                let (w, bias) = flat.split_at(inputs * outputs);
                let mut packed = Weights::default();
                packed.pack(isa, &a.product(0..w.len()), w);
                let mut x = rows(inputs, &x);
                let (mut y, mut sum, mut g) =
                    (rows(outputs, &d_out), rows(outputs, &residual), rows(outputs, &d_out));
                let mut derivative = g.clone();
                forward(isa, a, count, &x, &packed, bias, &mut y);
                forward_residual(isa, a, count, &x, &packed, bias, &mut sum);
                let of = Activation::GeluTanh;
                forward_activation(isa, a, of, count, &x, &packed, bias, &mut g, &mut derivative);
                let mut activated = y.clone();
                activation::forward(isa, of, outputs, &mut activated, &mut derivative);
                assert_eq!(unpad(outputs, &g, count), unpad(outputs, &activated, count));
                let mut dw = narrow(&d_before);
                let mut dx = x.clone();
                let dy = rows(outputs, &d_out);
                backward(isa, a, count, &mut x, &packed, &dy, &mut dw, &mut dx, Write::Set);
                vec![unpad(outputs, &y, count), unpad(outputs, &sum, count), dw, unpad(inputs, &dx, count)]
            });
            let y = reference(a, &x, &weight);
            assert_close(&got[0], &y, 1e-5);
            assert_close(&got[1], &y.iter().zip(&residual).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-5);
            let dw = slopes(&weight, |w| dot(&reference(a, &x, w), &d_out));
            assert_close(&got[2], &dw.iter().zip(&d_before).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-5);
            assert_close(&got[3], &slopes(&x, |x| dot(&reference(a, x, &weight), &d_out)), 1e-5);
        }
    }
}
