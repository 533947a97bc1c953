//! Dropout (Srivastava et al. 2014) without a stored mask: both passes draw it again.

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Masks, Pass, Slot, Weights};
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowering};
use scalelaw_graph::Value;
use scalelaw_graph::ops::{self, RowMask};

#[derive(Debug)]
struct Dropout {
    op: ops::Dropout,
    x: Slot,
    out: Slot,
    write: Write,
}

pub(super) fn lower(op: ops::Dropout, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let x = to.read(op.x);
    let (out, write) = match op.residual {
        None => (to.output(out), Write::Set),
        Some(residual) => (to.output_joining(residual, out), Write::Add),
    };
    (Box::new(Dropout { op, x, out, write }), Input::Any(op.x))
}

impl Kernel for Dropout {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let mut out = arena.take(pass, self.out);
        apply(pass, &self.op, &arena.buffers[pass.at(self.x)], &mut out, self.write);
        arena.put(pass, self.out, out);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let (d_x, write) = d.input();
        let mut dx = arena.take(pass, d_x);
        apply(pass, &self.op, &arena.buffers[pass.at(d.out())], &mut dx, write);
        arena.put(pass, d_x, dx);
    }
}

/// out = or += x·mask/(1 − rate), which is forward and backward; without masks, x itself.
///
/// # Shapes
/// x, out `[rows, width]` at [`row_stride`].
fn apply(pass: &Pass<'_>, op: &ops::Dropout, x: &[f32], out: &mut [f32], write: Write) {
    let (isa, width) = (pass.isa, op.x.width);
    let stride = row_stride(width);
    let Some(Masks { key, first_sequence }) = pass.masks else {
        return masked(isa, width, RowMask::ALL, 1.0, &x[..pass.rows * stride], out, write, stride);
    };
    let scale = (1.0 / (1.0 - op.rate)) as f32;
    for r in 0..pass.rows {
        let mask = op.row_mask(key, first_sequence * pass.n_ctx + r);
        let (x, out) = (&x[r * stride..][..stride], &mut out[r * stride..][..stride]);
        masked(isa, width, mask, scale, x, out, write, stride);
    }
}

for_each_isa! {
    /// Every row times its mask.
    fn masked(
        width: usize,
        mask: RowMask,
        scale: f32,
        x: &[f32],
        out: &mut [f32],
        write: Write,
        stride: usize,
    ) {
        for (x, out) in x.chunks_exact(stride).zip(out.chunks_exact_mut(stride)) {
            let (x, out) = (&x[..width], &mut out[..width]);
            for j in 0..width {
                let kept = if mask.keeps(j as u32) { x[j] * scale } else { 0.0 };
                out[j] = match write {
                    Write::Set => kept,
                    Write::Add => out[j] + kept,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;
    use crate::testing::*;
    use scalelaw_graph::DropoutKey;
    use scalelaw_graph::liveness::Memory;

    const KEY: DropoutKey = DropoutKey { seed: 3, step: 7 };

    /// Positions of a sequence.
    const CONTEXT: usize = 5;

    fn dropout(width: usize, rate: f64, number: u64) -> ops::Dropout {
        ops::Dropout { x: Value { id: 0, width }, rate, residual: None, number }
    }

    fn pass(isa: Isa, memory: &Memory, masks: Option<Masks>, sequences: usize) -> Pass<'_> {
        let rows = sequences * CONTEXT;
        Pass { isa, memory, parameters: &[], masks, sequences, rows, n_ctx: CONTEXT, loss_weight: 0.0 }
    }

    fn dropped(op: ops::Dropout, key: DropoutKey, first_sequence: usize, sequences: usize) -> Vec<f32> {
        let (count, width) = (sequences * CONTEXT, op.x.width);
        let (x, memory) = (vec![1.0; count * width], Memory { buffer_of: vec![], buffers: vec![] });
        let got = on_every_isa(|isa| {
            let mut out = rows(width, &vec![5.0; x.len()]);
            let pass = pass(isa, &memory, Some(Masks { key, first_sequence }), sequences);
            apply(&pass, &op, &rows(width, &x), &mut out, Write::Set);
            vec![unpad(width, &out, count)]
        });
        got.concat()
    }

    #[test]
    fn dropout_keeps_the_right_share_and_scales_what_it_keeps() {
        for rate in [0.1, 0.5] {
            let out = dropped(dropout(100, rate, 2), KEY, 0, 200);
            let kept = out.iter().filter(|&&x| x != 0.0).count() as f64 / out.len() as f64;
            // Four standard errors of 100,000 draws.
            assert!((kept - (1.0 - rate)).abs() < 4.0 * (rate * (1.0 - rate) / 1e5).sqrt(), "{kept}");
            assert!(out.iter().all(|&x| x == 0.0 || x == (1.0 / (1.0 - rate)) as f32));
            // Columns and rows have their share too, within five standard errors.
            for column in 0..100 {
                let kept = out.iter().skip(column).step_by(100).filter(|&&x| x != 0.0).count() as f64 / 1e3;
                assert!((kept - (1.0 - rate)).abs() < 5.0 * (rate * (1.0 - rate) / 1e3).sqrt(), "{kept}");
            }
        }
    }

    #[test]
    fn masks_depend_on_the_sequence_in_the_batch_and_not_on_its_chunk() {
        let of = |number| dropout(37, 0.5, number);
        let whole = dropped(of(0), KEY, 4, 6);
        let chunks = [dropped(of(0), KEY, 4, 1), dropped(of(0), KEY, 5, 3), dropped(of(0), KEY, 8, 2)];
        assert_eq!(whole, chunks.concat());
        let one = dropped(of(0), KEY, 4, 1);
        for other in [
            dropped(of(0), KEY, 5, 1),
            dropped(of(0), DropoutKey { seed: 4, ..KEY }, 4, 1),
            dropped(of(0), DropoutKey { step: 8, ..KEY }, 4, 1),
            dropped(of(1), KEY, 4, 1),
        ] {
            let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!((54..=131).contains(&same), "{same} of 185 agree");
        }
    }

    #[test]
    fn without_masks_everything_passes() {
        let (x, before) = (numbers(25, 1), numbers(25, 2));
        let memory = Memory { buffer_of: vec![], buffers: vec![] };
        let got = on_every_isa(|isa| {
            let mut sum = rows(5, &before);
            apply(&pass(isa, &memory, None, 1), &dropout(5, 0.5, 0), &rows(5, &x), &mut sum, Write::Add);
            vec![unpad(5, &sum, 5)]
        });
        assert_close(&got[0], &x.iter().zip(&before).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-7);
    }
}
