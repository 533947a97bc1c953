//! Dropout (Srivastava et al. 2014) without a stored mask: whether an element is kept is a function of the
//! batch's key, the operation, the sequence in the batch, and the element.

use super::{Cost, Write, row_stride};
use crate::isa::for_each_isa;

/// One use of dropout in a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Positions of a sequence.
    pub n_ctx: usize,
    /// Columns.
    pub width: usize,
    /// Share of elements that become zero.
    pub rate: f64,
    /// Number of this use in the plan: each has masks of its own.
    pub number: u64,
}

/// What masks are drawn from: equal keys give equal masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropoutKey {
    /// Seed of the run.
    pub seed: u64,
    /// Step of the run.
    pub step: u64,
}

/// The masks of one chunk of sequences.
#[derive(Clone, Copy, Debug)]
pub struct Masks {
    /// Key of the batch.
    pub key: DropoutKey,
    /// Number, in the batch, of the chunk's first sequence.
    pub first_sequence: usize,
}

/// A bijection of 64 bits that looks random (splitmix64's, Steele et al. 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The same of 32 bits, which vectors multiply (murmur3's, Appleby 2011).
#[inline(always)]
fn mix32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

/// out = or += x·mask/(1 − rate), which is forward and backward; without masks, x itself.
///
/// # Shapes
/// x, out `[rows, width]` at [`row_stride`].
pub fn apply(
    isa: crate::isa::Isa,
    dropout: Dropout,
    rows: usize,
    masks: Option<Masks>,
    x: &[f32],
    out: &mut [f32],
    write: Write,
) {
    let stride = row_stride(dropout.width);
    let Some(masks) = masks else {
        return masked(isa, dropout.width, [0, 0], 0, 1.0, &x[..rows * stride], out, write, stride);
    };
    let dropped = (dropout.rate * f64::from(u32::MAX)) as u32;
    let scale = (1.0 / (1.0 - dropout.rate)) as f32;
    let key = mix(masks.key.seed ^ mix(masks.key.step ^ mix(dropout.number)));
    for r in 0..rows {
        let element = ((masks.first_sequence * dropout.n_ctx + r) as u64).wrapping_add(key);
        let bits = mix(element);
        let keys = [bits as u32, (bits >> 32) as u32];
        let (x, out) = (&x[r * stride..][..stride], &mut out[r * stride..][..stride]);
        masked(isa, dropout.width, keys, dropped, scale, x, out, write, stride);
    }
}

for_each_isa! {
    /// Every row, element j kept when its hash is not below `dropped`.
    fn masked(
        width: usize,
        keys: [u32; 2],
        dropped: u32,
        scale: f32,
        x: &[f32],
        out: &mut [f32],
        write: Write,
        stride: usize,
    ) {
        for (x, out) in x.chunks_exact(stride).zip(out.chunks_exact_mut(stride)) {
            let (x, out) = (&x[..width], &mut out[..width]);
            for j in 0..width {
                let hash = mix32(mix32(j as u32 ^ keys[0]).wrapping_add(keys[1]));
                let kept = if hash >= dropped { x[j] * scale } else { 0.0 };
                out[j] = match write {
                    Write::Set => kept,
                    Write::Add => out[j] + kept,
                };
            }
        }
    }
}

/// Cost a sequence.
pub fn cost(dropout: Dropout) -> Cost {
    Cost { bytes: (4 * dropout.n_ctx * dropout.width * 6) as f64, ..Cost::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;

    const KEY: DropoutKey = DropoutKey { seed: 3, step: 7 };

    fn dropped(dropout: Dropout, key: DropoutKey, first_sequence: usize, sequences: usize) -> Vec<f32> {
        let count = sequences * dropout.n_ctx;
        let x = vec![1.0; count * dropout.width];
        let got = on_every_isa(|isa| {
            let mut out = rows(dropout.width, &vec![5.0; x.len()]);
            let masks = Some(Masks { key, first_sequence });
            apply(isa, dropout, count, masks, &rows(dropout.width, &x), &mut out, Write::Set);
            vec![unpad(dropout.width, &out, count)]
        });
        got.concat()
    }

    #[test]
    fn dropout_keeps_the_right_share_and_scales_what_it_keeps() {
        for rate in [0.1, 0.5] {
            let dropout = Dropout { n_ctx: 50, width: 100, rate, number: 2 };
            let out = dropped(dropout, KEY, 0, 20);
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
        let dropout = Dropout { n_ctx: 3, width: 37, rate: 0.5, number: 0 };
        let whole = dropped(dropout, KEY, 4, 6);
        let chunks = [dropped(dropout, KEY, 4, 1), dropped(dropout, KEY, 5, 3), dropped(dropout, KEY, 8, 2)];
        assert_eq!(whole, chunks.concat());
        let one = dropped(dropout, KEY, 4, 1);
        for other in [
            dropped(dropout, KEY, 5, 1),
            dropped(dropout, DropoutKey { seed: 4, ..KEY }, 4, 1),
            dropped(dropout, DropoutKey { step: 8, ..KEY }, 4, 1),
            dropped(Dropout { number: 1, ..dropout }, KEY, 4, 1),
        ] {
            let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!((30..=82).contains(&same), "{same} of 111 agree");
        }
    }

    #[test]
    fn without_masks_everything_passes() {
        let dropout = Dropout { n_ctx: 2, width: 5, rate: 0.5, number: 0 };
        let (x, before) = (numbers(20, 1), numbers(20, 2));
        let got = on_every_isa(|isa| {
            let mut sum = rows(5, &before);
            apply(isa, dropout, 4, None, &rows(5, &x), &mut sum, Write::Add);
            vec![unpad(5, &sum, 4)]
        });
        assert_close(&got[0], &x.iter().zip(&before).map(|(a, b)| a + b).collect::<Vec<_>>(), 1e-7);
    }
}
