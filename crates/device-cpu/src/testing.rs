//! What the tests of operations share: numbers, rows at their stride, central differences, equal bits.

use crate::gemm::SLACK;
use crate::isa::Isa;
use crate::layout::row_stride;

/// Numbers in (-1, 1) that look random.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            // Few enough bits for f32 to hold them exactly.
            (x >> 44) as f64 / f64::from(1 << 19) - 1.0
        })
        .collect()
}

pub(crate) fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

/// Rows at their stride; what is behind a row is NaN, so that whatever leaks from there is seen.
pub(crate) fn rows(width: usize, x: &[f64]) -> Vec<f32> {
    let mut padded = vec![f32::NAN; x.len() / width * row_stride(width) + SLACK];
    for (to, from) in padded.chunks_mut(row_stride(width)).zip(x.chunks(width)) {
        to[..width].copy_from_slice(&narrow(from));
    }
    padded
}

/// The rows without what is behind them.
pub(crate) fn unpad(width: usize, x: &[f32], count: usize) -> Vec<f32> {
    x.chunks(row_stride(width)).take(count).flat_map(|row| row[..width].to_vec()).collect()
}

/// Central differences of a scalar function.
pub(crate) fn slopes(x: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let (old, h) = (x[i], 1e-5);
            x[i] = old + h;
            let above = f(&x);
            x[i] = old - h;
            let below = f(&x);
            x[i] = old;
            (above - below) / (2.0 * h)
        })
        .collect()
}

/// Σ aᵢ·bᵢ: turns an output into a scalar whose gradient by the output is `b`.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Every difference is below `tolerance` times the largest expected number (at least a tenth).
#[track_caller]
pub(crate) fn assert_close(got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0.1f64, |a, b| a.max(b.abs()));
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(got) - want).abs() <= tolerance * scale, "element {i}: {got}, expected {want}");
    }
}

/// The outputs of `f`, which must have the same bits on every instruction set of this processor.
#[track_caller]
pub(crate) fn on_every_isa(mut f: impl FnMut(Isa) -> Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let want = f(Isa::portable());
    let bits = |x: &[Vec<f32>]| x.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    for isa in Isa::available() {
        assert!(bits(&f(isa)) == bits(&want), "{} differs from the portable path", isa.name());
    }
    want
}
