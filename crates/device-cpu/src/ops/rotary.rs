//! Rotary positions (Su et al. 2021): the columns i and i + d_head/2 of a head turn by position·10000^(−2i/d_head).
//!
//! In place on the first heads of a row; the backward pass turns back, for a rotation's transpose is its inverse.

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Weights};
use crate::layout::row_stride;
use crate::lowering::{Input, Lowering};
use scalelaw_graph::{Value, ops};

#[derive(Debug)]
struct RotaryKernel {
    rotary: Rotary,
    angles: Angles,
    x: Slot,
}

pub(super) fn lower(op: ops::Rotary, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let n_ctx = to.n_ctx();
    let rotary = Rotary { n_ctx, width: out.width, heads: op.rotated(), d_head: op.heads.d_head };
    let angles = Angles::new(n_ctx, op);
    (Box::new(RotaryKernel { rotary, angles, x: to.output_over(op.qkv, out) }), Input::InPlace(op.qkv))
}

impl Kernel for RotaryKernel {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let x = &mut arena.buffers[pass.at(self.x)];
        apply(pass.isa, self.rotary, pass.rows, &self.angles, Turn::By, x);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let d = &mut arena.buffers[pass.at(d.out())];
        apply(pass.isa, self.rotary, pass.rows, &self.angles, Turn::Back, d);
    }

    fn table_bytes(&self) -> usize {
        4 * (self.angles.cos.len() + self.angles.sin.len())
    }
}

/// Sizes of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotary {
    /// Positions of a sequence.
    pub n_ctx: usize,
    /// Columns of a row.
    pub width: usize,
    /// Heads that turn, from the first column on.
    pub heads: usize,
    /// Width of a head: even.
    pub d_head: usize,
}

/// Cosines and sines of every position and pair of columns, `[n_ctx, d_head/2]`.
#[derive(Clone, Debug, Default)]
pub struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// Which way to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Forward.
    By,
    /// Backward.
    Back,
}

impl Angles {
    /// The angles of a rotation.
    fn new(n_ctx: usize, op: ops::Rotary) -> Self {
        let half = op.heads.d_head / 2;
        let all = || (0..n_ctx * half).map(|e| op.angle(e / half, e % half));
        Self {
            cos: all().map(|a| libm::cos(a) as f32).collect(),
            sin: all().map(|a| libm::sin(a) as f32).collect(),
        }
    }
}

for_each_isa! {
    /// Turns the heads of every row, in place.
    ///
    /// # Shapes
    /// x `[rows, width]` at [`row_stride`].
    pub fn apply(rotary: Rotary, rows: usize, angles: &Angles, turn: Turn, x: &mut [f32]) {
        let Rotary { n_ctx, width, heads, d_head } = rotary;
        let half = d_head / 2;
        let sign = match turn {
            Turn::By => 1.0,
            Turn::Back => -1.0,
        };
        for (r, row) in x.chunks_mut(row_stride(width)).take(rows).enumerate() {
            let from = r % n_ctx * half;
            let (cos, sin) = (&angles.cos[from..][..half], &angles.sin[from..][..half]);
            for head in row[..heads * d_head].chunks_exact_mut(d_head) {
                let (a, b) = head.split_at_mut(half);
                for i in 0..half {
                    let (x, y, s) = (a[i], b[i], sign * sin[i]);
                    a[i] = x.mul_add(cos[i], -(y * s));
                    b[i] = y.mul_add(cos[i], x * s);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(rotary: Rotary, x: &[f64]) -> Vec<f64> {
        let Rotary { n_ctx, width, heads, d_head } = rotary;
        let half = d_head / 2;
        let mut out = x.to_vec();
        for (r, row) in out.chunks_mut(width).enumerate() {
            for h in 0..heads {
                for i in 0..half {
                    let angle = (r % n_ctx) as f64 / 10_000f64.powf(i as f64 / half as f64);
                    let (a, b) = (row[h * d_head + i], row[h * d_head + half + i]);
                    row[h * d_head + i] = a * angle.cos() - b * angle.sin();
                    row[h * d_head + half + i] = b * angle.cos() + a * angle.sin();
                }
            }
        }
        out
    }

    #[test]
    fn rotation_matches_its_reference_and_central_differences() {
        for (n_ctx, heads, d_head, width) in [(5, 2, 6, 15), (3, 1, 2, 2), (40, 3, 8, 24), (4, 1, 34, 40)] {
            let rotary = Rotary { n_ctx, width, heads, d_head };
            let count = 2 * n_ctx;
            let (x, d_out) = (numbers(count * width, 1), numbers(count * width, 2));
            let heads = ops::Heads { n_head: heads, n_kv_head: 0, d_head };
            let angles = Angles::new(n_ctx, ops::Rotary { qkv: Value { id: 0, width }, heads });
            let got = on_every_isa(|isa| {
                let (mut y, mut d) = (rows(width, &x), rows(width, &d_out));
                apply(isa, rotary, count, &angles, Turn::By, &mut y);
                apply(isa, rotary, count, &angles, Turn::Back, &mut d);
                vec![unpad(width, &y, count), unpad(width, &d, count)]
            });
            assert_close(&got[0], &reference(rotary, &x), 1e-6);
            assert_close(&got[1], &slopes(&x, |x| dot(&reference(rotary, x), &d_out)), 1e-6);
        }
    }
}
