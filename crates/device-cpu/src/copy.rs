//! A second copy of an activation, for an operation that overwrites what a backward pass reads again.

use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Weights};
use crate::layout::{Write, row_stride};

/// A copy of a slot. Its gradient is that of what was made of it: there is nothing to compute backward.
#[derive(Debug)]
pub(crate) struct Copy {
    pub width: usize,
    pub x: Slot,
    pub out: Slot,
}

impl Kernel for Copy {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let mut out = arena.take(pass, self.out);
        apply(pass.isa, self.width, pass.rows, &arena.buffers[pass.at(self.x)], &mut out, Write::Set);
        arena.put(pass, self.out, out);
    }

    fn backward(&self, _: &Pass<'_>, _: &mut Arena, _: &Weights, _: Gradients) {}
}

for_each_isa! {
    /// out = or += x.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

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
