//! Dropout (Srivastava et al. 2014) without a stored mask: whether an element is kept is a function of the
//! batch's key, the operation, the sequence in the batch, and the element. All devices draw the same masks.

use super::{Cost, Op};
use crate::sequence::Sequence;
use crate::tensor::Value;
use scalelaw_random::splitmix;

/// x·mask/(1 − rate), plus `residual` if there is one; without a key, as in evaluation, nothing is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// `[n_ctx, width]`.
    pub x: Value,
    /// Share of elements that become zero.
    pub rate: f64,
    /// Added to the output.
    pub residual: Option<Value>,
    /// Number of this use in the plan: each has masks of its own.
    pub number: u64,
}

/// Key of a batch's masks: equal keys give equal masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropoutKey {
    /// Seed of the run.
    pub seed: u64,
    /// Step of the run.
    pub step: u64,
}

/// A bijection of 32 bits that mixes all of them and that vector instructions can multiply (murmur3's, Appleby 2011).
#[inline(always)]
fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

/// The mask of one row.
#[derive(Clone, Copy, Debug)]
pub struct RowMask {
    keys: [u32; 2],
    /// Hashes below it are dropped.
    dropped: u32,
}

impl RowMask {
    /// Keeps every element.
    pub const ALL: Self = Self { keys: [0, 0], dropped: 0 };

    /// Whether a column is kept. Branch-free, so that vector instructions can compute it.
    #[inline(always)]
    pub fn keeps(&self, column: u32) -> bool {
        mix32(mix32(column ^ self.keys[0]).wrapping_add(self.keys[1])) >= self.dropped
    }
}

impl Dropout {
    /// The mask of a row: a row is a position of a sequence, counted through the whole batch.
    pub fn row_mask(&self, key: DropoutKey, row: usize) -> RowMask {
        let key = splitmix(key.seed ^ splitmix(key.step ^ splitmix(self.number)));
        let bits = splitmix((row as u64).wrapping_add(key));
        RowMask {
            keys: [bits as u32, (bits >> 32) as u32],
            dropped: (self.rate * f64::from(u32::MAX)) as u32,
        }
    }

    /// x·mask/(1 − rate).
    fn dropped(&self, at: &Sequence<'_>, x: &[f64]) -> Vec<f64> {
        let Some(key) = at.dropout else { return x.to_vec() };
        let mut out = vec![];
        for (position, x) in x.chunks(self.x.width).enumerate() {
            let mask = self.row_mask(key, at.number * at.n_ctx() + position);
            for (column, x) in (0..).zip(x) {
                out.push(if mask.keeps(column) { x / (1.0 - self.rate) } else { 0.0 });
            }
        }
        out
    }
}

impl Op for Dropout {
    fn inputs(&self) -> Vec<Value> {
        std::iter::once(self.x).chain(self.residual).collect()
    }

    fn width(&self, _: usize) -> usize {
        assert!((0.0..1.0).contains(&self.rate), "a share below 1");
        assert!(
            self.residual.is_none_or(|residual| residual.width == self.x.width),
            "the residual does not fit"
        );
        self.x.width
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let mut out = self.dropped(at, at.value(self.x));
        if let Some(residual) = self.residual {
            out.iter_mut().zip(at.value(residual)).for_each(|(out, residual)| *out += residual);
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let d_x = self.dropped(at, d_out);
        at.add_gradient(self.x, &d_x);
        if let Some(residual) = self.residual {
            at.add_gradient(residual, d_out);
        }
    }
}
