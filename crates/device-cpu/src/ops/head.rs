//! The head and its cross-entropy, fused: logits of a few rows at a time live and die in the cache.
//!
//! Logits lie in blocks of `WORDS` words, the rows of a block one behind the other, so that the product that walks
//! down their columns stays on fewer pages than the processor keeps addresses of.

use super::Lowered;
use crate::exp::ExpSum;
use crate::gemm::{Left, Right, SLACK, Size, Start, gemm};
use crate::isa::{Isa, for_each_isa};
use crate::kernel::{Arena, Gradients, Kernel, Pass, Product, ScratchLen, Side, Slot, Sum, Weights};
use crate::lanes::Lanes;
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowering};
use crate::math::{LANES, max_of_lanes};
use scalelaw_graph::{Value, ops};
use std::ops::Range;

/// Words of a block of logits: a multiple of every panel's width and of the lanes.
const WORDS: usize = 256;

/// Rows whose softmax is computed together: one row's sums wait for each other while another's exponentials proceed.
const ROWS: usize = 4;

/// Sizes of a head: `width` in, `n_vocab` out, no bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Columns of x.
    pub width: usize,
    /// Logits.
    pub n_vocab: usize,
}

#[derive(Debug)]
struct HeadKernel {
    head: Head,
    table: Range<usize>,
    sum: Sum,
    x: Slot,
}

pub(super) fn lower(op: ops::Head, _: Value, to: &mut Lowering<'_>) -> Lowered {
    let table = op.table.range();
    let head = Head { width: op.table.columns, n_vocab: op.table.rows };
    let kernel = HeadKernel { head, sum: to.sum(table.clone()), table, x: to.read_twice(op.x) };
    (Box::new(kernel), Input::Any(op.x))
}

impl Kernel for HeadKernel {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights) {
        let x = &arena.buffers[pass.at(self.x)][..pass.rows * row_stride(self.head.width)];
        let (targets, losses) = (&arena.targets[..pass.rows], &mut arena.losses[..pass.rows]);
        forward(pass.isa, self.head, x, w, targets, &mut arena.scratch.logits, losses);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, w: &Weights, d: Gradients) {
        let (d_x, write) = d.input();
        let mut dx = arena.take(pass, d_x);
        forward_backward(
            pass.isa,
            self.head,
            &arena.buffers[pass.at(self.x)],
            w,
            &arena.targets[..pass.rows],
            pass.loss_weight,
            &mut arena.scratch.logits,
            &mut arena.losses[..pass.rows],
            arena.sums.of(&self.sum),
            &mut dx,
            write,
        );
        arena.put(pass, d_x, dx);
    }

    fn product(&self) -> Option<Product> {
        Some(self.head.product(self.table.clone()))
    }

    fn scratch_len(&self, _: Isa) -> ScratchLen {
        ScratchLen { logits: self.head.logits_len(), ..ScratchLen::default() }
    }
}

/// The logits of neighbouring words.
#[derive(Clone, Copy)]
struct Block {
    /// The first word.
    first: usize,
    /// How many there are.
    words: usize,
    /// Where the block begins among the logits.
    at: usize,
    /// Distance between its rows.
    stride: usize,
}

impl Block {
    /// The logits of a row, in whole lanes.
    #[inline(always)]
    fn row<'a>(&self, logits: &'a mut [f32], row: usize) -> &'a mut [f32] {
        &mut logits[self.at + row * self.stride..][..self.words.next_multiple_of(LANES)]
    }
}

impl Head {
    /// The product with a table at this position of the parameters.
    fn product(self, table: Range<usize>) -> Product {
        Product { weight: table, rows: self.n_vocab, columns: self.width, side: Side::Rows }
    }

    /// Rows whose logits exist at a time, in multiples of a register tile.
    ///
    /// Beside a small table about 70 thousand floats of logits stay in the cache. A larger table and its gradient pass by
    /// once a block, so that a block is better long and its logits far away.
    pub fn row_block(&self) -> usize {
        if self.n_vocab * self.width <= 20_000 {
            (70_000 / row_stride(self.n_vocab) / 12 * 12).clamp(12, 96)
        } else {
            192
        }
    }

    /// Floats of the logits of a block of rows.
    pub fn logits_len(&self) -> usize {
        self.blocks(self.row_block())
            .map(|block| block.at + self.row_block() * block.stride)
            .last()
            .unwrap_or(0)
            + SLACK
    }

    /// The block, among the logits of so many rows, that begins with this word.
    #[inline(always)]
    fn block(self, rows: usize, first: usize) -> Block {
        let words = WORDS.min(self.n_vocab - first);
        Block { first, words, at: first / WORDS * rows * row_stride(WORDS), stride: row_stride(words) }
    }

    /// The blocks of the logits of so many rows.
    #[inline(always)]
    fn blocks(self, rows: usize) -> impl Iterator<Item = Block> {
        (0..self.n_vocab).step_by(WORDS).map(move |first| self.block(rows, first))
    }

    /// Where, among the logits of so many rows, the logit of a word is.
    #[inline(always)]
    fn place(self, rows: usize, row: usize, word: u32) -> usize {
        let (word, within) = (word as usize, word as usize % WORDS);
        let block = self.block(rows, word - within);
        block.at + row * block.stride + within
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
    let rows = head.row_block();
    let x = x.chunks(rows * row_stride(head.width));
    for ((x, targets), losses) in x.zip(targets.chunks(rows)).zip(losses.chunks_mut(rows)) {
        product(isa, head, targets.len(), x, w, logits);
        cross_entropy(isa, head, targets, logits, losses);
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
    let Head { width, .. } = head;
    let x_stride = row_stride(width);
    let mut from = 0;
    for (targets, losses) in targets.chunks(head.row_block()).zip(losses.chunks_mut(head.row_block())) {
        let rows = targets.len();
        // To the end of the buffer: the second product reads whole registers of x.
        let (x, dx) = (&x[from * x_stride..], &mut dx[from * x_stride..]);
        product(isa, head, rows, x, w, logits);
        cross_entropy_gradient(isa, head, targets, scale, logits, losses);
        for Block { first, words, at, stride } in head.blocks(rows) {
            let logits = &logits[at..];
            gemm(
                isa,
                Size { m: words, n: width, k: rows },
                Left::Columns { data: logits, col: stride },
                Right::Rows { data: x, row: x_stride },
                Start::C,
                &mut d_table[first * width..],
                width,
            );
            gemm(
                isa,
                Size { m: rows, n: width, k: words },
                Left::Rows { data: logits, row: stride },
                Right::Panels(w.backward.part(first, 0)),
                if first == 0 && write == Write::Set { Start::Zero } else { Start::C },
                dx,
                x_stride,
            );
        }
        from += rows;
    }
}

fn product(isa: Isa, head: Head, rows: usize, x: &[f32], w: &Weights, logits: &mut [f32]) {
    for Block { first, words, at, stride } in head.blocks(rows) {
        gemm(
            isa,
            Size { m: rows, n: words, k: head.width },
            Left::Rows { data: x, row: row_stride(head.width) },
            Right::Panels(w.forward.part(0, first)),
            Start::Zero,
            &mut logits[at..],
            stride,
        );
    }
}

/// ln Σ e^logit − logit of the target, from the largest logit, the sum of e^(logit − largest) and the
/// target's logit.
#[inline(always)]
fn nats(largest: f32, sum: f32, target: f32) -> f32 {
    (libm::log(f64::from(sum)) + (f64::from(largest) - f64::from(target))) as f32
}

/// Replaces the logits of the rows from `from` on, up to [`ROWS`] of them, by e^(logit − largest); their losses and
/// those sums.
#[inline(always)]
fn exponentials<V: Lanes>(
    exp: &mut ExpSum<V>,
    head: Head,
    from: usize,
    targets: &[u32],
    logits: &mut [f32],
    losses: &mut [f32],
) -> [f32; ROWS] {
    let group = from..targets.len().min(from + ROWS);
    let (mut largest, mut sums) = ([f32::NEG_INFINITY; ROWS], [0.0; ROWS]);
    for (row, largest) in group.clone().zip(&mut largest) {
        for block in head.blocks(targets.len()) {
            let part = block.row(logits, row);
            part[block.words..].fill(f32::NEG_INFINITY);
            let max = max_of_lanes(part);
            *largest = if max > *largest { max } else { *largest };
        }
        losses[row] = logits[head.place(targets.len(), row, targets[row])];
    }
    for ((row, &largest), sum) in group.clone().zip(&largest).zip(&mut sums) {
        // SAFETY: the caller is compiled for the instructions of `V`.
        unsafe {
            for block in head.blocks(targets.len()) {
                exp.map(block.row(logits, row), 1.0, -largest);
            }
            *sum = exp.take();
        }
    }
    for ((row, &largest), &sum) in group.zip(&largest).zip(&sums) {
        losses[row] = nats(largest, sum, losses[row]);
    }
    sums
}

for_each_isa! {
    fn cross_entropy(head: Head, targets: &[u32], logits: &mut [f32], losses: &mut [f32]) {
        // SAFETY: this is compiled for the instructions of `V`.
        let mut exp = unsafe { ExpSum::<V>::new() };
        for from in (0..targets.len()).step_by(ROWS) {
            exponentials(&mut exp, head, from, targets, logits, losses);
        }
    }

    /// Replaces logits by (softmax − one-hot)·scale.
    fn cross_entropy_gradient(
        head: Head,
        targets: &[u32],
        scale: f32,
        logits: &mut [f32],
        losses: &mut [f32],
    ) {
        // SAFETY: this is compiled for the instructions of `V`.
        let mut exp = unsafe { ExpSum::<V>::new() };
        for from in (0..targets.len()).step_by(ROWS) {
            let sums = exponentials(&mut exp, head, from, targets, logits, losses);
            for ((row, &target), &sum) in targets.iter().enumerate().skip(from).zip(&sums) {
                let factor = scale / sum;
                for block in head.blocks(targets.len()) {
                    for x in block.row(logits, row) {
                        *x *= factor;
                    }
                }
                logits[head.place(targets.len(), row, target)] -= scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(head: Head, x: &[f64], table: &[f64], targets: &[u32]) -> Vec<f64> {
        let row = |(x, &target): (&[f64], &u32)| {
            let logits: Vec<f64> = table.chunks(head.width).map(|w| dot(x, w)).collect();
            logits.iter().map(|l| l.exp()).sum::<f64>().ln() - logits[target as usize]
        };
        x.chunks(head.width).zip(targets).map(row).collect()
    }

    #[test]
    fn head_of_any_vocabulary_matches_its_reference_and_central_differences() {
        for (width, n_vocab, count) in [(1, 2, 1), (6, 19, 30), (16, 64, 5), (9, 33, 100), (2, 530, 7)] {
            let head = Head { width, n_vocab };
            let x: Vec<f64> = numbers(count * width, 1).iter().map(|x| 3.0 * x).collect();
            let table = numbers(n_vocab * width, 2);
            let before = numbers(n_vocab * width, 3);
            let targets: Vec<u32> = (0..count).map(|i| (7 * i % n_vocab) as u32).collect();
            let scale = 0.25;
            let got = on_every_isa(|isa| {
                let mut w = Weights::default();
                w.pack(isa, &head.product(0..table.len()), &narrow(&table));
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
        w.pack(Isa::best(), &head.product(0..3), &[f32::NAN, 1.0, 2.0]);
        let mut logits = vec![0.0; head.logits_len()];
        let mut losses = [0.0];
        let x = rows(1, &[1.0]);
        forward(Isa::best(), head, &x[..row_stride(1)], &w, &[2], &mut logits, &mut losses);
        assert!(losses[0].is_nan());
    }
}
