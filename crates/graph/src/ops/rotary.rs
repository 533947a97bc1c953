//! Rotary positions (Su et al. 2021): the columns i and i + d_head/2 of a head turn by position·10000^(−2i/d_head).

use super::{Cost, Heads, Op};
use crate::sequence::Sequence;
use crate::tensor::Value;

/// Base of the angles' geometric series.
const BASE: f64 = 10_000.0;

/// Rotates the heads of q and k of rows \[q | k | v\].
#[derive(Clone, Copy, Debug)]
pub struct Rotary {
    /// `[n_ctx, qkv_width]`.
    pub qkv: Value,
    /// The heads.
    pub heads: Heads,
}

impl Rotary {
    /// Heads that are rotated: those of q and of k.
    pub fn rotated(&self) -> usize {
        self.heads.n_head + self.heads.n_kv_head
    }

    /// The angle by which the pair of columns (i, i + d_head/2) turns at a position.
    pub fn angle(&self, position: usize, i: usize) -> f64 {
        position as f64 * libm::pow(BASE, -((2 * i) as f64) / self.heads.d_head as f64)
    }

    /// Rotates rows by `sign` times their angles.
    fn rotate(&self, sign: f64, rows: &[f64]) -> Vec<f64> {
        let (d_head, half) = (self.heads.d_head, self.heads.d_head / 2);
        let mut out = rows.to_vec();
        for (position, row) in out.chunks_mut(self.qkv.width).enumerate() {
            for head in row.chunks_mut(d_head).take(self.rotated()) {
                for i in 0..half {
                    let angle = sign * self.angle(position, i);
                    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
                    let (a, b) = (head[i], head[half + i]);
                    head[i] = a * cos - b * sin;
                    head[half + i] = b * cos + a * sin;
                }
            }
        }
        out
    }
}

impl Op for Rotary {
    fn inputs(&self) -> Vec<Value> {
        vec![self.qkv]
    }

    fn width(&self, _: usize) -> usize {
        assert_eq!(self.qkv.width, self.heads.qkv_width(), "heads do not fit");
        assert!(self.heads.d_head.is_multiple_of(2), "columns turn in pairs");
        self.qkv.width
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        self.rotate(1.0, at.value(self.qkv))
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        // The transpose of a rotation is its inverse.
        at.add_gradient(self.qkv, &self.rotate(-1.0, d_out));
    }
}
