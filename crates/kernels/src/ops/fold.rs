//! Gradients of micro-batches, folded into one, and their squared norms.

use crate::isa::for_each_isa;

for_each_isa! {
    /// total += leaf.
    pub fn add(total: &mut [f32], leaf: &[f32]) {
        for (total, leaf) in total.iter_mut().zip(leaf) {
            *total += leaf;
        }
    }

    /// Σ x² in f64, element i in lane i mod 16.
    pub fn square_sum(x: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 16];
        let blocks = x.chunks_exact(16);
        let rest = blocks.remainder();
        for block in blocks {
            for j in 0..16 {
                let x = f64::from(block[j]);
                lanes[j] = x.mul_add(x, lanes[j]);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = f64::from(x).mul_add(f64::from(x), *lane);
        }
        lanes.into_iter().sum()
    }
}
