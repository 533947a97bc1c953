//! Causal self-attention of every head, by blocks of queries that skip the keys behind them.
//!
//! Rows of `qkv` are \[q | k | v\] with the heads side by side, as GPT-2 has them. Neighbouring heads of q may
//! share a head of k and v (Ainslie et al. 2023).

use super::Lowered;
use crate::exp::ExpSum;
use crate::gemm::{Left, Right, Size, Start, gemm, panel_width};
use crate::isa::{Isa, for_each_isa};
use crate::kernel::{Arena, Gradients, Kernel, Pass, Scratch, ScratchLen, Slot, Weights};
use crate::lanes::Lanes;
use crate::layout::row_stride;
use crate::lowering::{Input, Lowering};
use crate::math::{LANES, max_of_lanes, sum2};
use crate::pack::Layout;
use scalelaw_graph::Value;
use scalelaw_graph::ops::{self, Heads};

/// Queries (and keys, backward) of a block.
const BLOCK: usize = 32;

/// Sizes of an attention operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Positions of a sequence.
    n_ctx: usize,
    heads: Heads,
}

impl Attention {
    /// Whether a head of q is the first of those that share its k and v.
    fn is_first_of_group(&self, head: usize) -> bool {
        head.is_multiple_of(self.heads.n_head / self.heads.n_kv_head)
    }

    /// Floats of the attention weights of one sequence: `[n_head, n_ctx, n_ctx]`, rows at [`row_stride`].
    fn weights_len(&self) -> usize {
        self.heads.n_head * self.n_ctx * row_stride(self.n_ctx)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.heads.d_head as f32).sqrt()
    }
}

#[derive(Debug)]
struct AttentionKernel {
    attention: Attention,
    qkv: Slot,
    weights: Slot,
    out: Slot,
}

pub(super) fn lower(op: ops::Attention, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let attention = Attention { n_ctx: to.n_ctx(), heads: op.heads };
    let qkv = to.read_twice(op.qkv);
    let out = to.output(out);
    let weights = to.own(attention.weights_len());
    to.keep(weights);
    to.keep(out);
    (Box::new(AttentionKernel { attention, qkv, weights, out }), Input::SetOnly(op.qkv))
}

impl Kernel for AttentionKernel {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let mut y = arena.take(pass, self.out);
        let mut p = arena.take(pass, self.weights);
        let qkv = &arena.buffers[pass.at(self.qkv)];
        forward(pass.isa, self.attention, pass.sequences, qkv, &mut y, &mut p, &mut arena.scratch);
        arena.put(pass, self.out, y);
        arena.put(pass, self.weights, p);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let (d_x, _) = d.input();
        let mut d_qkv = arena.take(pass, d_x);
        backward(
            pass.isa,
            self.attention,
            pass.sequences,
            &arena.buffers[pass.at(self.qkv)],
            &arena.buffers[pass.at(self.out)],
            &arena.buffers[pass.at(self.weights)],
            &arena.buffers[pass.at(d.out())],
            &mut d_qkv,
            &mut arena.scratch,
        );
        arena.put(pass, d_x, d_qkv);
    }

    fn scratch_len(&self, isa: Isa) -> ScratchLen {
        let Attention { n_ctx, heads } = self.attention;
        ScratchLen {
            packed: heads.d_head * n_ctx.next_multiple_of(panel_width(isa)),
            scores: n_ctx * row_stride(n_ctx),
            logits: 0,
        }
    }
}

/// out = softmax(q·kᵀ/√d_head)·v per sequence and head; keeps the weights.
///
/// # Shapes
/// qkv `[sequences·n_ctx, qkv_width]`, out `[sequences·n_ctx, width]` at [`row_stride`];
/// weights `[sequences, weights_len]`.
pub fn forward(
    isa: Isa,
    a: Attention,
    sequences: usize,
    qkv: &[f32],
    out: &mut [f32],
    weights: &mut [f32],
    scratch: &mut Scratch,
) {
    let Attention { n_ctx, heads } = a;
    let Heads { n_head, d_head, .. } = heads;
    let (stride, out_stride, w_stride) =
        (row_stride(heads.qkv_width()), row_stride(heads.width()), row_stride(n_ctx));
    for s in 0..sequences {
        for h in 0..n_head {
            let qkv = &qkv[s * n_ctx * stride..];
            let (k, v) = heads.k_and_v(h);
            let (q, k, v) = (&qkv[h * d_head..], &qkv[k..], &qkv[v..]);
            let weights = &mut weights[(s * n_head + h) * n_ctx * w_stride..][..n_ctx * w_stride];
            let out = &mut out[s * n_ctx * out_stride + h * d_head..];
            scratch.packed.pack(isa, d_head, n_ctx, k, stride, Layout::Columns);
            for from in (0..n_ctx).step_by(BLOCK) {
                let rows = BLOCK.min(n_ctx - from);
                let keys = from + rows;
                let weights = &mut weights[from * w_stride..][..rows * w_stride];
                gemm(
                    isa,
                    Size { m: rows, n: keys, k: d_head },
                    Left::Rows { data: &q[from * stride..], row: stride },
                    Right::Panels(scratch.packed.whole()),
                    Start::Zero,
                    weights,
                    w_stride,
                );
                softmax(isa, from, w_stride, a.scale(), weights);
                gemm(
                    isa,
                    Size { m: rows, n: d_head, k: keys },
                    Left::Rows { data: weights, row: w_stride },
                    Right::Rows { data: v, row: stride },
                    Start::Zero,
                    &mut out[from * out_stride..],
                    out_stride,
                );
            }
        }
    }
}

/// The gradient of `qkv` from that of `out`; `qkv`'s is overwritten.
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn backward(
    isa: Isa,
    a: Attention,
    sequences: usize,
    qkv: &[f32],
    out: &[f32],
    weights: &[f32],
    d_out: &[f32],
    d_qkv: &mut [f32],
    scratch: &mut Scratch,
) {
    let Attention { n_ctx, heads } = a;
    let Heads { n_head, d_head, .. } = heads;
    let (stride, out_stride, w_stride) =
        (row_stride(heads.qkv_width()), row_stride(heads.width()), row_stride(n_ctx));
    let Scratch { packed: columns, scores: d_scores, .. } = scratch;
    for s in 0..sequences {
        for h in 0..n_head {
            let qkv = &qkv[s * n_ctx * stride..];
            let (k_at, v_at) = heads.k_and_v(h);
            let (q, k, v) = (&qkv[h * d_head..], &qkv[k_at..], &qkv[v_at..]);
            let weights = &weights[(s * n_head + h) * n_ctx * w_stride..][..n_ctx * w_stride];
            let (out, d_out) =
                (&out[s * n_ctx * out_stride + h * d_head..], &d_out[s * n_ctx * out_stride + h * d_head..]);
            let d_qkv = &mut d_qkv[s * n_ctx * stride..];
            columns.pack(isa, d_head, n_ctx, v, stride, Layout::Columns);
            for from in (0..n_ctx).step_by(BLOCK) {
                let rows = BLOCK.min(n_ctx - from);
                let keys = from + rows;
                let block = from * w_stride..(from + rows) * w_stride;
                gemm(
                    isa,
                    Size { m: rows, n: keys, k: d_head },
                    Left::Rows { data: &d_out[from * out_stride..], row: out_stride },
                    Right::Panels(columns.whole()),
                    Start::Zero,
                    &mut d_scores[block.clone()],
                    w_stride,
                );
                let rest = from * out_stride;
                softmax_backward(
                    isa,
                    d_head,
                    keys,
                    a.scale(),
                    &weights[block.clone()],
                    &out[rest..],
                    &d_out[rest..],
                    out_stride,
                    w_stride,
                    &mut d_scores[block.clone()],
                );
                gemm(
                    isa,
                    Size { m: rows, n: d_head, k: keys },
                    Left::Rows { data: &d_scores[block], row: w_stride },
                    Right::Rows { data: k, row: stride },
                    Start::Zero,
                    &mut d_qkv[from * stride + h * d_head..],
                    stride,
                );
            }
            let start = if a.is_first_of_group(h) { Start::Zero } else { Start::C };
            for from in (0..n_ctx).step_by(BLOCK) {
                let size = Size { m: BLOCK.min(n_ctx - from), n: d_head, k: n_ctx - from };
                let corner = from * w_stride + from;
                gemm(
                    isa,
                    size,
                    Left::Columns { data: &d_scores[corner..], col: w_stride },
                    Right::Rows { data: &q[from * stride..], row: stride },
                    start,
                    &mut d_qkv[from * stride + k_at..],
                    stride,
                );
                gemm(
                    isa,
                    size,
                    Left::Columns { data: &weights[corner..], col: w_stride },
                    Right::Rows { data: &d_out[from * out_stride..], row: out_stride },
                    start,
                    &mut d_qkv[from * stride + v_at..],
                    stride,
                );
            }
        }
    }
}

for_each_isa! {
    /// Softmax of rows `from..` of one head's scores, in place: row r attends to keys 0..=r, the rest is 0.
    fn softmax(from: usize, stride: usize, scale: f32, scores: &mut [f32]) {
        let keys = (from + scores.len() / stride).next_multiple_of(LANES);
        // One step for all rows, then the next: a row's steps wait for each other.
        let mut shifts = [0.0; BLOCK];
        for (i, (row, to)) in scores.chunks_exact_mut(stride).zip(&mut shifts).enumerate() {
            let valid = from + i + 1;
            let row = &mut row[..valid.next_multiple_of(LANES)];
            // Whole lanes: what is behind the diagonal takes part as e^-87.
            // SAFETY: this is compiled for the instructions of `V`.
            unsafe { end_at::<V>(row, valid, f32::NEG_INFINITY) }
            *to = -(max_of_lanes(row) * scale);
        }
        // SAFETY: as above.
        let mut exp = unsafe { ExpSum::<V>::new() };
        let mut sums = [0.0; BLOCK];
        for (i, ((row, &shift), sum)) in scores.chunks_exact_mut(stride).zip(&shifts).zip(&mut sums).enumerate() {
            // SAFETY: as above.
            unsafe {
                exp.map(&mut row[..(from + i + 1).next_multiple_of(LANES)], scale, shift);
                *sum = exp.take();
            }
        }
        for (i, (row, &sum)) in scores.chunks_exact_mut(stride).zip(&sums).enumerate() {
            let valid = from + i + 1;
            let (row, behind) = row[..keys].split_at_mut(valid.next_multiple_of(LANES));
            let inverse = 1.0 / sum;
            for lanes in row.chunks_exact_mut(LANES) {
                lanes.iter_mut().for_each(|x| *x *= inverse);
            }
            // SAFETY: as above.
            unsafe { end_at::<V>(row, valid, 0.0) }
            for lanes in behind.chunks_exact_mut(LANES) {
                lanes.fill(0.0);
            }
        }
    }

    /// d_scores = weights·(d_weights − Σ weights·d_weights)·scale, in place; the sum is out·d_out.
    fn softmax_backward(
        d_head: usize,
        keys: usize,
        scale: f32,
        weights: &[f32],
        out: &[f32],
        d_out: &[f32],
        out_stride: usize,
        stride: usize,
        d_scores: &mut [f32],
    ) {
        let lanes = keys.next_multiple_of(LANES);
        let rows = d_scores.chunks_exact_mut(stride).zip(weights.chunks_exact(stride));
        let outs = out.chunks(out_stride).zip(d_out.chunks(out_stride));
        for ((d, w), (out, d_out)) in rows.zip(outs) {
            let sum = sum2(&out[..d_head], &d_out[..d_head], |a, b| a * b);
            for (d, w) in d[..lanes].iter_mut().zip(&w[..lanes]) {
                *d = w * (*d - sum) * scale;
            }
        }
    }
}

/// Puts `rest` behind the first `valid` of a row's elements. The row ends with the lanes in which they do.
///
/// # Safety
/// The instructions of `V` exist.
#[inline(always)]
unsafe fn end_at<V: Lanes>(row: &mut [f32], valid: usize, rest: f32) {
    let whole = row.len() - LANES;
    for (i, lanes) in row[whole..].chunks_exact_mut(V::N).enumerate() {
        let count = (valid - whole).saturating_sub(i * V::N).min(V::N);
        // SAFETY: by the contract above; the chunk is a register long.
        unsafe { V::load(lanes.as_ptr()).first(count, V::splat(rest)).store(lanes.as_mut_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use crate::gemm::SLACK;
    use crate::testing::*;

    fn reference(a: Attention, qkv: &[f64]) -> Vec<f64> {
        let (width, row) = (a.heads.width(), a.heads.qkv_width());
        // Which part: q, k or v of a head of q.
        let part = |s: usize, i: usize, which: usize, h: usize| {
            let kv_head = h / (a.heads.n_head / a.heads.n_kv_head);
            let head = [h, a.heads.n_head + kv_head, a.heads.n_head + a.heads.n_kv_head + kv_head][which];
            &qkv[(s * a.n_ctx + i) * row + head * a.heads.d_head..][..a.heads.d_head]
        };
        let mut out = vec![0.0; qkv.len() / row * width];
        for s in 0..qkv.len() / (row * a.n_ctx) {
            for h in 0..a.heads.n_head {
                for i in 0..a.n_ctx {
                    let score = |j| dot(part(s, i, 0, h), part(s, j, 1, h)) / (a.heads.d_head as f64).sqrt();
                    let e: Vec<f64> = (0..=i).map(|j| score(j).exp()).collect();
                    let sum: f64 = e.iter().sum();
                    let out = &mut out[(s * a.n_ctx + i) * width + h * a.heads.d_head..][..a.heads.d_head];
                    for (j, e) in e.iter().enumerate() {
                        for (out, v) in out.iter_mut().zip(part(s, j, 2, h)) {
                            *out += e / sum * v;
                        }
                    }
                }
            }
        }
        out
    }

    #[test]
    fn attention_of_any_context_and_head_matches_its_reference_and_central_differences() {
        for (n_ctx, n_head, n_kv_head, d_head, sequences) in [
            (1, 1, 1, 1, 2),
            (5, 2, 2, 3, 2),
            (16, 1, 1, 8, 1),
            (33, 2, 2, 4, 1),
            (40, 1, 1, 5, 2),
            (67, 1, 1, 2, 1),
            (7, 4, 2, 3, 2),
            (35, 3, 1, 2, 1),
        ] {
            let a = Attention { n_ctx, heads: Heads { n_head, n_kv_head, d_head } };
            let (width, row, count) = (a.heads.width(), a.heads.qkv_width(), sequences * n_ctx);
            let qkv = numbers(count * row, 1);
            let d_out = numbers(count * width, 2);
            let got = on_every_isa(|isa| {
                let input = rows(row, &qkv);
                let mut out = rows(width, &d_out);
                let mut weights = vec![f32::NAN; sequences * a.weights_len() + SLACK];
                let mut scratch =
                    Scratch { scores: Buffer::zeros(n_ctx * row_stride(n_ctx)), ..Scratch::default() };
                forward(isa, a, sequences, &input, &mut out, &mut weights, &mut scratch);
                let mut d_qkv = vec![f32::NAN; input.len()];
                let d_out = rows(width, &d_out);
                backward(isa, a, sequences, &input, &out, &weights, &d_out, &mut d_qkv, &mut scratch);
                vec![unpad(width, &out, count), unpad(row, &d_qkv, count)]
            });
            assert_close(&got[0], &reference(a, &qkv), 1e-5);
            assert_close(&got[1], &slopes(&qkv, |qkv| dot(&reference(a, qkv), &d_out)), 2e-5);
        }
    }
}
