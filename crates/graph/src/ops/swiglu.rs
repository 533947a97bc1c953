//! SwiGLU (Shazeer 2020): of rows \[gate | up\], silu(gate)·up with silu(z) = z·σ(z).

use super::{Activation, Cost, Op};
use crate::sequence::Sequence;
use crate::tensor::Value;

/// silu(gate)·up.
#[derive(Clone, Copy, Debug)]
pub struct Swiglu {
    /// Rows \[gate | up\], `[n_ctx, 2·width]`.
    pub x: Value,
}

impl Op for Swiglu {
    fn inputs(&self) -> Vec<Value> {
        vec![self.x]
    }

    fn width(&self, _: usize) -> usize {
        assert!(self.x.width.is_multiple_of(2), "gate and up have the same width");
        self.x.width / 2
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let mut out = vec![];
        for x in at.value(self.x).chunks(self.x.width) {
            let (gate, up) = x.split_at(self.x.width / 2);
            out.extend(gate.iter().zip(up).map(|(&gate, up)| Activation::Silu.at(gate).0 * up));
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let width = self.x.width / 2;
        let mut d_x = vec![];
        for (x, d) in at.value(self.x).chunks(2 * width).zip(d_out.chunks(width)) {
            let (gate, up) = x.split_at(width);
            d_x.extend((0..width).map(|j| d[j] * up[j] * Activation::Silu.at(gate[j]).1));
            d_x.extend((0..width).map(|j| d[j] * Activation::Silu.at(gate[j]).0));
        }
        at.add_gradient(self.x, &d_x);
    }
}
