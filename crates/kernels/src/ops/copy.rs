//! A second copy of an activation: for a residual stream whose first copy a backward pass wants as it is.

use super::{Cost, Write, row_stride};
use crate::isa::for_each_isa;

for_each_isa! {
    /// out = or += x, which is forward and backward.
    ///
    /// # Shapes
    /// x, out `[rows, width]` at [`row_stride`].
    pub fn apply(width: usize, rows: usize, x: &[f32], out: &mut [f32], write: Write) {
        let stride = row_stride(width);
        for (x, out) in x.chunks(stride).zip(out.chunks_mut(stride)).take(rows) {
            match write {
                Write::Set => out[..width].copy_from_slice(&x[..width]),
                Write::Add => out[..width].iter_mut().zip(&x[..width]).for_each(|(out, x)| *out += x),
            }
        }
    }
}

/// Cost a sequence.
pub fn cost(n_ctx: usize, width: usize) -> Cost {
    Cost { bytes: (4 * n_ctx * width * 5) as f64, ..Cost::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;

    #[test]
    fn copy_sets_or_adds_every_column_of_every_row() {
        for width in [1, 8, 13, 33] {
            let (x, before) = (numbers(3 * width, 1), numbers(3 * width, 2));
            let got = on_every_isa(|isa| {
                let (mut set, mut add) = (rows(width, &before), rows(width, &before));
                apply(isa, width, 3, &rows(width, &x), &mut set, Write::Set);
                apply(isa, width, 3, &rows(width, &x), &mut add, Write::Add);
                vec![unpad(width, &set, 3), unpad(width, &add, 3)]
            });
            assert_close(&got[0], &x, 0.0);
            assert_close(&got[1], &x.iter().zip(&before).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-6);
        }
    }
}
