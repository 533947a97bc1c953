//! A linear layer y = x·W + b, with the residual stream or an activation as its epilogue.
//!
//! Weight and bias lie together as one `[inputs + 1, outputs]` matrix whose last row is the bias. Forward,
//! the bias is where the chains start; backward, a column of ones behind x makes its gradient the last row
//! of xᵀ·dy.

use super::activation::{self, Activation};
use super::{Cost, Write, row_stride};
use crate::gemm::{Left, Right, Size, Start, gemm};
use crate::isa::Isa;
use crate::pack::{Layout, Packed};

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

/// A layer's weight in the two forms that products read.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    /// W as a right operand: y = x·W.
    pub forward: Packed,
    /// Wᵀ as a right operand: dx = dy·Wᵀ.
    pub backward: Packed,
}

impl Weights {
    /// Packs a layer's weight `[inputs, outputs]`.
    pub fn pack_affine(&mut self, isa: Isa, a: Affine, weight: &[f32]) {
        self.forward.pack(isa, a.inputs, a.outputs, weight, a.outputs, Layout::Rows);
        self.backward.pack(isa, a.outputs, a.inputs, weight, a.outputs, Layout::Columns);
    }

    /// Packs a table `[rows, width]` that is used as a head: logits = x·tableᵀ.
    pub fn pack_table(&mut self, isa: Isa, rows: usize, width: usize, table: &[f32]) {
        self.forward.pack(isa, width, rows, table, width, Layout::Columns);
        self.backward.pack(isa, rows, width, table, width, Layout::Rows);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.forward.bytes() + self.backward.bytes()
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

/// Cost a sequence.
pub fn cost(n_ctx: usize, a: Affine) -> Cost {
    let products = (2 * n_ctx * a.inputs * a.outputs) as f64;
    Cost {
        forward_flops: products,
        backward_flops: 2.0 * products,
        bytes: (4 * n_ctx * (3 * a.inputs + 3 * a.outputs)) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;

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
                packed.pack_affine(isa, a, w);
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
