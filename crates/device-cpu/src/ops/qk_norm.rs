//! Norms of queries and keys (Dehghani et al. 2023; as in Qwen3): every head of q and of k, divided by its root
//! mean square and multiplied by a weight `[d_head]`, one for all heads of q and one for all of k. In place.

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Sum, Weights};
use crate::layout::row_stride;
use crate::lowering::{Input, Lowering};
use crate::math::{sum1, sum2};
use scalelaw_graph::Value;
use scalelaw_graph::ops::{self, Heads, norm::EPSILON};
use std::ops::Range;

#[derive(Debug)]
struct QkNormKernel {
    norm: QkNorm,
    weights: Range<usize>,
    sum: Sum,
    x: Slot,
    /// x̂ of every head.
    normalised: Slot,
    /// 1/RMS of every head.
    rstd: Slot,
}

pub(super) fn lower(op: ops::QkNorm, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let Heads { n_head, n_kv_head, d_head } = op.heads;
    let norm = QkNorm { width: out.width, n_head, n_kv_head, d_head };
    let weights = op.of_q.start..op.of_k.range().end;
    let kernel = QkNormKernel {
        norm,
        sum: to.sum(weights.clone()),
        weights,
        x: to.output_over(op.qkv, out),
        normalised: to.own_rows(norm.heads() * d_head),
        rstd: to.own(to.n_ctx() * norm.heads()),
    };
    to.keep(kernel.normalised);
    to.keep(kernel.rstd);
    (Box::new(kernel), Input::InPlace(op.qkv))
}

impl Kernel for QkNormKernel {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let mut y = arena.take(pass, self.x);
        let mut z = arena.take(pass, self.normalised);
        let mut r = arena.take(pass, self.rstd);
        let weights = &pass.parameters[self.weights.clone()];
        forward(pass.isa, self.norm, weights, &mut y, &mut z, &mut r[..pass.rows * self.norm.heads()]);
        arena.put(pass, self.x, y);
        arena.put(pass, self.normalised, z);
        arena.put(pass, self.rstd, r);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let mut dx = arena.take(pass, d.out());
        backward(
            pass.isa,
            self.norm,
            &pass.parameters[self.weights.clone()],
            &arena.buffers[pass.at(self.normalised)],
            &arena.buffers[pass.at(self.rstd)][..pass.rows * self.norm.heads()],
            &mut dx,
            arena.sums.of(&self.sum),
        );
        arena.put(pass, d.out(), dx);
    }
}

/// Sizes of the norms of rows \[q | k | …\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QkNorm {
    /// Columns of a row.
    pub width: usize,
    /// Heads of q.
    pub n_head: usize,
    /// Heads of k.
    pub n_kv_head: usize,
    /// Width of a head.
    pub d_head: usize,
}

impl QkNorm {
    /// Heads that are normalised.
    pub fn heads(&self) -> usize {
        self.n_head + self.n_kv_head
    }
}

for_each_isa! {
    /// Normalises in place; keeps x̂ and 1/RMS of every head.
    ///
    /// # Shapes
    /// x `[rows, width]`, normalised `[rows, heads·d_head]` at [`row_stride`]; rstd `[rows, heads]`; weights
    /// \[q | k\], each `[d_head]`.
    pub fn forward(n: QkNorm, weights: &[f32], x: &mut [f32], normalised: &mut [f32], rstd: &mut [f32]) {
        let QkNorm { width, n_head, d_head, .. } = n;
        let (of_q, of_k) = weights.split_at(d_head);
        let kept = normalised.chunks_mut(row_stride(n.heads() * d_head));
        for ((x, kept), rstd) in x.chunks_mut(row_stride(width)).zip(kept).zip(rstd.chunks_exact_mut(n.heads())) {
            let heads = x.chunks_exact_mut(d_head).zip(kept.chunks_exact_mut(d_head)).zip(rstd);
            for (h, ((x, kept), rstd)) in heads.enumerate() {
                let weight = &(if h < n_head { of_q } else { of_k })[..d_head];
                *rstd = 1.0 / (sum1(x, |x| x * x) / d_head as f32 + EPSILON).sqrt();
                for i in 0..d_head {
                    kept[i] = x[i] * *rstd;
                    x[i] = kept[i] * weight[i];
                }
            }
        }
    }

    /// With h = d·weight: d ← rstd·(h − x̂·mean(h·x̂)), in place; d_weights += d·x̂, row after row, head after
    /// head.
    pub fn backward(
        n: QkNorm,
        weights: &[f32],
        normalised: &[f32],
        rstd: &[f32],
        d: &mut [f32],
        d_weights: &mut [f32],
    ) {
        let QkNorm { width, n_head, d_head, .. } = n;
        let (of_q, of_k) = weights.split_at(d_head);
        let (d_of_q, d_of_k) = d_weights.split_at_mut(d_head);
        let kept = normalised.chunks(row_stride(n.heads() * d_head));
        for ((d, kept), rstd) in d.chunks_mut(row_stride(width)).zip(kept).zip(rstd.chunks_exact(n.heads())) {
            let heads = d.chunks_exact_mut(d_head).zip(kept.chunks_exact(d_head)).zip(rstd);
            for (h, ((d, z), &rstd)) in heads.enumerate() {
                let (weight, d_weight) =
                    if h < n_head { (of_q, &mut *d_of_q) } else { (of_k, &mut *d_of_k) };
                let (weight, d_weight) = (&weight[..d_head], &mut d_weight[..d_head]);
                for i in 0..d_head {
                    d_weight[i] = d[i].mul_add(z[i], d_weight[i]);
                    d[i] *= weight[i];
                }
                let mean = sum2(d, z, |d, z| d * z) / d_head as f32;
                for i in 0..d_head {
                    d[i] = rstd * (-z[i]).mul_add(mean, d[i]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(n: QkNorm, x: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut out = x.to_vec();
        for row in out.chunks_mut(n.width) {
            for (h, x) in row.chunks_mut(n.d_head).take(n.heads()).enumerate() {
                let mean = x.iter().map(|x| x * x).sum::<f64>() / n.d_head as f64;
                let weight = &weights[if h < n.n_head { 0 } else { n.d_head }..][..n.d_head];
                x.iter_mut().zip(weight).for_each(|(x, w)| *x *= w / (mean + f64::from(EPSILON)).sqrt());
            }
        }
        out
    }

    #[test]
    fn norms_of_queries_and_keys_match_their_reference_and_central_differences() {
        for (n_head, n_kv_head, d_head) in [(1, 1, 3), (4, 2, 8), (2, 1, 17), (3, 3, 5)] {
            let width = (n_head + 2 * n_kv_head) * d_head;
            let n = QkNorm { width, n_head, n_kv_head, d_head };
            let count = 3;
            let (x, d_out) = (numbers(count * width, 1), numbers(count * width, 2));
            let (weights, before) = (numbers(2 * d_head, 3), numbers(2 * d_head, 4));
            let got = on_every_isa(|isa| {
                let (mut y, mut d) = (rows(width, &x), rows(width, &d_out));
                let mut kept = rows(n.heads() * d_head, &vec![0.0; count * n.heads() * d_head]);
                let mut rstd = vec![0.0; count * n.heads()];
                let (w, mut d_w) = (narrow(&weights), narrow(&before));
                forward(isa, n, &w, &mut y, &mut kept, &mut rstd);
                backward(isa, n, &w, &kept, &rstd, &mut d, &mut d_w);
                vec![unpad(width, &y, count), unpad(width, &d, count), d_w]
            });
            assert_close(&got[0], &reference(n, &x, &weights), 1e-5);
            assert_close(&got[1], &slopes(&x, |x| dot(&reference(n, x, &weights), &d_out)), 1e-4);
            let d_weights = slopes(&weights, |w| dot(&reference(n, &x, w), &d_out));
            let sum: Vec<f64> = d_weights.iter().zip(&before).map(|(a, b)| a + b).collect();
            assert_close(&got[2], &sum, 1e-5);
        }
    }
}
