//! The head and its cross-entropy, fused: logits of a few rows at a time live and die in the cache.

use super::{Cost, Write, linear::Weights, row_stride};
use crate::gemm::{Left, Right, SLACK, Size, Start, gemm};
use crate::isa::{Isa, for_each_isa};
use crate::math::{LANES, exp, map_and_sum, max_of_lanes};

/// Sizes of a head: `width` in, `n_vocab` out, no bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Columns of x.
    pub width: usize,
    /// Logits.
    pub n_vocab: usize,
}

impl Head {
    /// Rows whose logits exist at a time, in multiples of a register tile.
    ///
    /// Beside a table that stays in the cache, about 40 thousand floats of logits do too. A larger table and its
    /// gradient pass by once a block, so that a block is better long and its logits far away.
    pub fn row_block(&self) -> usize {
        if self.n_vocab * self.width <= 40_000 {
            (40_000 / row_stride(self.n_vocab) / 12 * 12).clamp(12, 96)
        } else {
            192
        }
    }

    /// Floats of a block of logits.
    pub fn logits_len(&self) -> usize {
        self.row_block() * row_stride(self.n_vocab) + SLACK
    }
}

/// Cross-entropy of every row, in nats.
///
/// # Shapes
/// x `[rows, width]` at [`row_stride`]; targets, losses `[rows]`; logits [`Head::logits_len`].
pub fn forward(
    isa: Isa,
    head: Head,
    x: &[f32],
    w: &Weights,
    targets: &[u32],
    logits: &mut [f32],
    losses: &mut [f32],
) {
    let (x_stride, stride) = (row_stride(head.width), row_stride(head.n_vocab));
    let block = head.row_block();
    for ((x, targets), losses) in
        x.chunks(block * x_stride).zip(targets.chunks(block)).zip(losses.chunks_mut(block))
    {
        let logits = &mut logits[..targets.len() * stride];
        product(isa, head, targets.len(), x, w, logits);
        cross_entropy(isa, head.n_vocab, stride, targets, logits, losses);
    }
}

/// Cross-entropy of every row and, in the same pass, dx and the table's gradient, each row's loss weighted
/// by `scale`.
///
/// # Shapes
/// As [`forward`]; dx as x; d_table `[n_vocab, width]`, added to.
#[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
pub fn forward_backward(
    isa: Isa,
    head: Head,
    x: &[f32],
    w: &Weights,
    targets: &[u32],
    scale: f32,
    logits: &mut [f32],
    losses: &mut [f32],
    d_table: &mut [f32],
    dx: &mut [f32],
    write: Write,
) {
    let (x_stride, stride) = (row_stride(head.width), row_stride(head.n_vocab));
    let block = head.row_block();
    let mut from = 0;
    for (targets, losses) in targets.chunks(block).zip(losses.chunks_mut(block)) {
        let rows = targets.len();
        // To the end of the buffer: the second product reads whole registers of x.
        let x = &x[from * x_stride..];
        let logits = &mut logits[..rows * stride];
        product(isa, head, rows, x, w, logits);
        cross_entropy_gradient(isa, head.n_vocab, stride, targets, scale, logits, losses);
        gemm(
            isa,
            Size { m: head.n_vocab, n: head.width, k: rows },
            Left::Columns { data: logits, col: stride },
            Right::Rows { data: x, row: x_stride },
            Start::C,
            d_table,
            head.width,
        );
        gemm(
            isa,
            Size { m: rows, n: head.width, k: head.n_vocab },
            Left::Rows { data: logits, row: stride },
            Right::Panels(&w.backward),
            match write {
                Write::Set => Start::Zero,
                Write::Add => Start::C,
            },
            &mut dx[from * x_stride..],
            x_stride,
        );
        from += rows;
    }
}

fn product(isa: Isa, head: Head, rows: usize, x: &[f32], w: &Weights, logits: &mut [f32]) {
    gemm(
        isa,
        Size { m: rows, n: head.n_vocab, k: head.width },
        Left::Rows { data: x, row: row_stride(head.width) },
        Right::Panels(&w.forward),
        Start::Zero,
        logits,
        row_stride(head.n_vocab),
    );
}

/// ln Σ e^logit − logit of the target, from the largest logit, the sum of e^(logit − largest) and the
/// target's logit.
#[inline(always)]
fn nats(largest: f32, sum: f32, target: f32) -> f32 {
    (libm::log(f64::from(sum)) + (f64::from(largest) - f64::from(target))) as f32
}

for_each_isa! {
    fn cross_entropy(n_vocab: usize, stride: usize, targets: &[u32], logits: &mut [f32], losses: &mut [f32]) {
        let lanes = n_vocab.next_multiple_of(LANES);
        for ((row, &target), loss) in logits.chunks_exact_mut(stride).zip(targets).zip(losses) {
            row[n_vocab..lanes].fill(f32::NEG_INFINITY);
            let row = &mut row[..lanes];
            let largest = max_of_lanes(row);
            let logit = row[target as usize];
            // In place, though nobody reads it: the sum alone keeps two rows of registers in flight and spills them.
            let sum = map_and_sum(row, |x| exp(x - largest));
            *loss = nats(largest, sum, logit);
        }
    }

    /// Replaces logits by (softmax − one-hot)·scale.
    fn cross_entropy_gradient(
        n_vocab: usize,
        stride: usize,
        targets: &[u32],
        scale: f32,
        logits: &mut [f32],
        losses: &mut [f32],
    ) {
        let lanes = n_vocab.next_multiple_of(LANES);
        for ((row, &target), loss) in logits.chunks_exact_mut(stride).zip(targets).zip(losses) {
            row[n_vocab..lanes].fill(f32::NEG_INFINITY);
            let row = &mut row[..lanes];
            let largest = max_of_lanes(row);
            let logit = row[target as usize];
            let sum = map_and_sum(row, |x| exp(x - largest));
            *loss = nats(largest, sum, logit);
            let factor = scale / sum;
            for x in row.iter_mut() {
                *x *= factor;
            }
            row[target as usize] -= scale;
        }
    }
}

/// Cost a sequence.
pub fn cost(n_ctx: usize, head: Head) -> Cost {
    let product = (2 * n_ctx * head.width * head.n_vocab) as f64;
    Cost {
        forward_flops: product,
        backward_flops: 2.0 * product,
        bytes: (4 * n_ctx * (4 * head.width + 8 * head.n_vocab)) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;

    fn reference(head: Head, x: &[f64], table: &[f64], targets: &[u32]) -> Vec<f64> {
        let row = |(x, &target): (&[f64], &u32)| {
            let logits: Vec<f64> = table.chunks(head.width).map(|w| dot(x, w)).collect();
            logits.iter().map(|l| l.exp()).sum::<f64>().ln() - logits[target as usize]
        };
        x.chunks(head.width).zip(targets).map(row).collect()
    }

    #[test]
    fn head_of_any_vocabulary_matches_its_reference_and_central_differences() {
        for (width, n_vocab, count) in [(1, 2, 1), (6, 19, 30), (16, 64, 5), (9, 33, 100)] {
            let head = Head { width, n_vocab };
            let x: Vec<f64> = numbers(count * width, 1).iter().map(|x| 3.0 * x).collect();
            let table = numbers(n_vocab * width, 2);
            let before = numbers(n_vocab * width, 3);
            let targets: Vec<u32> = (0..count).map(|i| (7 * i % n_vocab) as u32).collect();
            let scale = 0.25;
            let got = on_every_isa(|isa| {
                let mut w = Weights::default();
                w.pack_table(isa, n_vocab, width, &narrow(&table));
                let mut logits = vec![f32::NAN; head.logits_len()];
                let (mut losses, mut again) = (vec![0.0; count], vec![0.0; count]);
                let x = rows(width, &x);
                let mut d_table = narrow(&before);
                let mut dx = x.clone();
                let x_only = &x[..count * row_stride(width)];
                forward(isa, head, x_only, &w, &targets, &mut logits, &mut losses);
                let write = Write::Set;
                forward_backward(
                    isa,
                    head,
                    &x,
                    &w,
                    &targets,
                    scale,
                    &mut logits,
                    &mut again,
                    &mut d_table,
                    &mut dx,
                    write,
                );
                assert_eq!(losses, again);
                vec![losses, d_table, unpad(width, &dx, count)]
            });
            assert_close(&got[0], &reference(head, &x, &table, &targets), 1e-5);
            let loss =
                |x: &[f64], t: &[f64]| f64::from(scale) * reference(head, x, t, &targets).iter().sum::<f64>();
            let d_table = slopes(&table, |t| loss(&x, t));
            assert_close(&got[1], &d_table.iter().zip(&before).map(|(a, b)| a + b).collect::<Vec<_>>(), 2e-5);
            assert_close(&got[2], &slopes(&x, |x| loss(x, &table)), 2e-5);
        }
    }

    #[test]
    fn cross_entropy_of_a_logit_that_is_not_a_number_is_not_a_number() {
        let head = Head { width: 1, n_vocab: 3 };
        let mut w = Weights::default();
        w.pack_table(Isa::best(), 3, 1, &[f32::NAN, 1.0, 2.0]);
        let mut logits = vec![0.0; head.logits_len()];
        let mut losses = [0.0];
        let x = rows(1, &[1.0]);
        forward(Isa::best(), head, &x[..row_stride(1)], &w, &[2], &mut logits, &mut losses);
        assert!(losses[0].is_nan());
    }
}
