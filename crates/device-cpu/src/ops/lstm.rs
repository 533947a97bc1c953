//! The recurrence of an LSTM layer (Hochreiter & Schmidhuber 1997, with forget gates by Gers et al. 2000).
//!
//! A linear layer before it gives every row the input's part of its gates, \[i | f | g | o\]; here, one
//! position after the other, h of the position before joins through the weight W `[width, 4·width]`:
//! c = σ(f)·c' + σ(i)·tanh(g), h = σ(o)·tanh(c). The sequences of a chunk make the rows of a product.

use super::Lowered;
use super::linear::Affine;
use crate::gemm::{Left, Right, Size, Start, gemm};
use crate::isa::{Isa, for_each_isa};
use crate::kernel::{Arena, Gradients, Kernel, Pass, Product, Slot, Sum, Weights};
use crate::layout::row_stride;
use crate::lowering::{Input, Lowering};
use crate::math::sigmoid;
use scalelaw_graph::{Value, ops};
use std::ops::Range;

/// Least sequences of a chunk: they are the rows of a product that reads a whole weight, and the tallest tile has
/// so many rows.
const LEAST_CHUNK: usize = 12;

#[derive(Debug)]
struct LstmKernel {
    lstm: Lstm,
    weight: Range<usize>,
    sum: Sum,
    gates: Slot,
    cells: Slot,
    /// tanh(c).
    squashed: Slot,
    out: Slot,
}

pub(super) fn lower(op: ops::Lstm, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let weight = op.weight.range();
    let kernel = LstmKernel {
        lstm: Lstm { n_ctx: to.n_ctx(), width: out.width },
        sum: to.sum(weight.clone()),
        weight,
        gates: to.overwrite(op.gates),
        out: to.output(out),
        cells: to.own_rows(out.width),
        squashed: to.own_rows(out.width),
    };
    for slot in [kernel.gates, kernel.cells, kernel.squashed, kernel.out] {
        to.keep(slot);
    }
    (Box::new(kernel), Input::SetOnly(op.gates))
}

impl Kernel for LstmKernel {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights) {
        let mut g = arena.take(pass, self.gates);
        let mut c = arena.take(pass, self.cells);
        let mut z = arena.take(pass, self.squashed);
        let mut y = arena.take(pass, self.out);
        forward(pass.isa, self.lstm, pass.sequences, w, &mut g, &mut c, &mut z, &mut y);
        arena.put(pass, self.gates, g);
        arena.put(pass, self.cells, c);
        arena.put(pass, self.squashed, z);
        arena.put(pass, self.out, y);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights, d: Gradients) {
        let (d_x, _) = d.input();
        let mut d_gates = arena.take(pass, d_x);
        let mut c = arena.take(pass, self.cells);
        let mut dy = arena.take(pass, d.out());
        backward(
            pass.isa,
            self.lstm,
            pass.sequences,
            w,
            &arena.buffers[pass.at(self.gates)],
            &mut c,
            &arena.buffers[pass.at(self.squashed)],
            &arena.buffers[pass.at(self.out)],
            &mut dy,
            arena.sums.of(&self.sum),
            &mut d_gates,
        );
        arena.put(pass, d_x, d_gates);
        arena.put(pass, self.cells, c);
        arena.put(pass, d.out(), dy);
    }

    fn product(&self) -> Option<Product> {
        Some(self.lstm.affine().product(self.weight.clone()))
    }

    fn least_chunk(&self) -> usize {
        LEAST_CHUNK
    }
}

/// Sizes of a recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lstm {
    /// Positions of a sequence.
    pub n_ctx: usize,
    /// Width of h and of c.
    pub width: usize,
}

impl Lstm {
    /// The product of h with the recurrent weight.
    pub fn affine(&self) -> Affine {
        Affine { inputs: self.width, outputs: 4 * self.width }
    }
}

/// h of every position; keeps the activated gates in place of what came in, c and tanh(c).
///
/// # Shapes
/// gates `[sequences·n_ctx, 4·width]`; cells, squashed, out `[sequences·n_ctx, width]`, all at
/// [`row_stride`].
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn forward(
    isa: Isa,
    lstm: Lstm,
    sequences: usize,
    w: &Weights,
    gates: &mut [f32],
    cells: &mut [f32],
    squashed: &mut [f32],
    out: &mut [f32],
) {
    let Lstm { n_ctx, width } = lstm;
    let (stride, gate_stride) = (row_stride(width), row_stride(4 * width));
    for t in 0..n_ctx {
        if t > 0 {
            gemm(
                isa,
                Size { m: sequences, n: 4 * width, k: width },
                Left::Rows { data: &out[(t - 1) * stride..], row: n_ctx * stride },
                Right::Panels(w.forward.whole()),
                Start::C,
                &mut gates[t * gate_stride..],
                n_ctx * gate_stride,
            );
        }
        activate(isa, lstm, sequences, t, gates, cells, squashed, out);
    }
}

/// The gradient of the incoming gates, overwritten, and that of W, added to.
///
/// `d_out` and `cells` are worked in: what they held is lost.
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn backward(
    isa: Isa,
    lstm: Lstm,
    sequences: usize,
    w: &Weights,
    gates: &[f32],
    cells: &mut [f32],
    squashed: &[f32],
    out: &[f32],
    d_out: &mut [f32],
    d_weight: &mut [f32],
    d_gates: &mut [f32],
) {
    let Lstm { n_ctx, width } = lstm;
    let (stride, gate_stride) = (row_stride(width), row_stride(4 * width));
    for t in (0..n_ctx).rev() {
        activate_backward(isa, lstm, sequences, t, gates, squashed, d_out, cells, d_gates);
        if t > 0 {
            gemm(
                isa,
                Size { m: sequences, n: width, k: 4 * width },
                Left::Rows { data: &d_gates[t * gate_stride..], row: n_ctx * gate_stride },
                Right::Panels(w.backward.whole()),
                Start::C,
                &mut d_out[(t - 1) * stride..],
                n_ctx * stride,
            );
        }
    }
    if n_ctx > 1 {
        for s in 0..sequences {
            gemm(
                isa,
                Size { m: width, n: 4 * width, k: n_ctx - 1 },
                Left::Columns { data: &out[s * n_ctx * stride..], col: stride },
                Right::Rows { data: &d_gates[(s * n_ctx + 1) * gate_stride..], row: gate_stride },
                Start::C,
                d_weight,
                4 * width,
            );
        }
    }
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0f32.mul_add(sigmoid(2.0 * x), -1.0)
}

/// One row as its four gates.
#[inline(always)]
fn four(row: &[f32], width: usize) -> [&[f32]; 4] {
    [&row[..width], &row[width..][..width], &row[2 * width..][..width], &row[3 * width..][..width]]
}

/// The same to write to.
#[inline(always)]
fn four_mut(row: &mut [f32], width: usize) -> [&mut [f32]; 4] {
    let (i, rest) = row.split_at_mut(width);
    let (f, rest) = rest.split_at_mut(width);
    let (g, o) = rest.split_at_mut(width);
    [i, f, g, &mut o[..width]]
}

for_each_isa! {
    /// Position t of every sequence: gates are replaced by their activations.
    fn activate(
        lstm: Lstm,
        sequences: usize,
        t: usize,
        gates: &mut [f32],
        cells: &mut [f32],
        squashed: &mut [f32],
        out: &mut [f32],
    ) {
        let Lstm { n_ctx, width } = lstm;
        let (stride, gate_stride) = (row_stride(width), row_stride(4 * width));
        for s in 0..sequences {
            let row = s * n_ctx + t;
            let [i, f, g, o] = four_mut(&mut gates[row * gate_stride..], width);
            let (before, cell) = cells.split_at_mut(row * stride);
            let cell = &mut cell[..width];
            // One slice a loop: with all of them in one, the compiler does not see that they lie apart.
            for gate in [&mut *i, &mut *f, &mut *o] {
                gate.iter_mut().for_each(|z| *z = sigmoid(*z));
            }
            g.iter_mut().for_each(|z| *z = tanh(*z));
            for j in 0..width {
                cell[j] = i[j] * g[j];
            }
            if t > 0 {
                let before = &before[(row - 1) * stride..][..width];
                for j in 0..width {
                    cell[j] = f[j].mul_add(before[j], cell[j]);
                }
            }
            let (squashed, out) = (&mut squashed[row * stride..][..width], &mut out[row * stride..][..width]);
            for j in 0..width {
                squashed[j] = tanh(cell[j]);
            }
            for j in 0..width {
                out[j] = o[j] * squashed[j];
            }
        }
    }

    /// Position t of every sequence, after position t + 1: that one left the gradient of this c behind where
    /// this c was.
    fn activate_backward(
        lstm: Lstm,
        sequences: usize,
        t: usize,
        gates: &[f32],
        squashed: &[f32],
        d_out: &[f32],
        cells: &mut [f32],
        d_gates: &mut [f32],
    ) {
        let Lstm { n_ctx, width } = lstm;
        let (stride, gate_stride) = (row_stride(width), row_stride(4 * width));
        for s in 0..sequences {
            let row = s * n_ctx + t;
            let [i, f, g, o] = four(&gates[row * gate_stride..], width);
            let [d_i, d_f, d_g, d_o] = four_mut(&mut d_gates[row * gate_stride..], width);
            let (squashed, d_h) = (&squashed[row * stride..][..width], &d_out[row * stride..][..width]);
            let (before, d_cell) = cells.split_at_mut(row * stride);
            let d_cell = &mut d_cell[..width];
            if t + 1 == n_ctx {
                d_cell.fill(0.0);
            }
            for j in 0..width {
                let tail = (-squashed[j]).mul_add(squashed[j], 1.0);
                d_cell[j] = (d_h[j] * o[j]).mul_add(tail, d_cell[j]);
            }
            for j in 0..width {
                d_o[j] = d_h[j] * squashed[j] * o[j] * (1.0 - o[j]);
            }
            for j in 0..width {
                d_i[j] = d_cell[j] * g[j] * i[j] * (1.0 - i[j]);
            }
            for j in 0..width {
                d_g[j] = d_cell[j] * i[j] * (-g[j]).mul_add(g[j], 1.0);
            }
            if t > 0 {
                let before = &mut before[(row - 1) * stride..][..width];
                for j in 0..width {
                    d_f[j] = d_cell[j] * before[j] * f[j] * (1.0 - f[j]);
                }
                for j in 0..width {
                    before[j] = d_cell[j] * f[j];
                }
            } else {
                d_f.fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(lstm: Lstm, incoming: &[f64], weight: &[f64]) -> Vec<f64> {
        let Lstm { n_ctx, width } = lstm;
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut out = vec![];
        for sequence in incoming.chunks(n_ctx * 4 * width) {
            let (mut h, mut c) = (vec![0.0; width], vec![0.0; width]);
            for row in sequence.chunks(4 * width) {
                let gate = |e: usize| -> f64 {
                    row[e] + h.iter().enumerate().map(|(k, h)| h * weight[k * 4 * width + e]).sum::<f64>()
                };
                let gates: Vec<f64> = (0..4 * width).map(gate).collect();
                for j in 0..width {
                    let at = |which: usize| gates[which * width + j];
                    c[j] = sigmoid(at(1)) * c[j] + sigmoid(at(0)) * at(2).tanh();
                    h[j] = sigmoid(at(3)) * c[j].tanh();
                }
                out.extend(&h);
            }
        }
        out
    }

    #[test]
    fn recurrence_of_any_size_matches_its_reference_and_central_differences() {
        for (n_ctx, width, sequences) in [(1, 1, 1), (5, 3, 2), (4, 8, 1), (9, 5, 3), (3, 17, 2)] {
            let lstm = Lstm { n_ctx, width };
            let count = sequences * n_ctx;
            let incoming: Vec<f64> = numbers(count * 4 * width, 1).iter().map(|x| 2.0 * x).collect();
            let weight = numbers(4 * width * width, 2);
            let (d_out, before) = (numbers(count * width, 3), numbers(weight.len(), 4));
            let got = on_every_isa(|isa| {
                let mut w = Weights::default();
                w.pack(isa, &lstm.affine().product(0..weight.len()), &narrow(&weight));
                let mut gates = rows(4 * width, &incoming);
                let (mut cells, mut squashed) = (rows(width, &d_out), rows(width, &d_out));
                cells.fill(f32::NAN);
                let mut out = squashed.clone();
                forward(isa, lstm, sequences, &w, &mut gates, &mut cells, &mut squashed, &mut out);
                let (mut d, mut d_weight) = (rows(width, &d_out), narrow(&before));
                let mut d_gates = vec![f32::NAN; gates.len()];
                backward(
                    isa,
                    lstm,
                    sequences,
                    &w,
                    &gates,
                    &mut cells,
                    &squashed,
                    &out,
                    &mut d,
                    &mut d_weight,
                    &mut d_gates,
                );
                vec![unpad(width, &out, count), unpad(4 * width, &d_gates, count), d_weight]
            });
            assert_close(&got[0], &reference(lstm, &incoming, &weight), 1e-6);
            let d_incoming = slopes(&incoming, |x| dot(&reference(lstm, x, &weight), &d_out));
            assert_close(&got[1], &d_incoming, 1e-5);
            let d_weight = slopes(&weight, |w| dot(&reference(lstm, &incoming, w), &d_out));
            let sum: Vec<f64> = d_weight.iter().zip(&before).map(|(a, b)| a + b).collect();
            assert_close(&got[2], &sum, 1e-5);
        }
    }
}
