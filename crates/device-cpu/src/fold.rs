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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn fold_adds_every_element_and_its_norm_counts_every_element() {
        for n in [0, 1, 15, 16, 50] {
            let (a, b) = (numbers(n, 1), numbers(n, 2));
            let got = on_every_isa(|isa| {
                let mut total = narrow(&a);
                add(isa, &mut total, &narrow(&b));
                let square = square_sum(isa, &narrow(&a));
                assert!((square - dot(&a, &a)).abs() < 1e-12 * (1.0 + square));
                vec![total, vec![f32::from_bits(square.to_bits() as u32)]]
            });
            assert_close(&got[0], &a.iter().zip(&b).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-6);
        }
    }
}
