//! Transcendental functions and reductions whose bits are the same on every instruction set.

use std::f32::consts::LOG2_E;
use std::hint::black_box;

/// Lanes of every reduction over a row, whatever the processor's registers hold.
pub(crate) const LANES: usize = 16;

/// e^x for x clamped to [-87, 88]; NaN stays NaN. Within 2 units in the last place.
///
/// # Source
/// Range reduction by multiples of ln 2 in two parts and the degree-5 polynomial of Cephes `expf`.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "the digits as published")]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding 1.5·2^23 rounds to an integer, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // Written so that NaN falls through: `max` and `min` would swallow it.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x.mul_add(LOG2_E, ROUND);
    let n = shifted - ROUND;
    let f = n.mul_add(-0.693_359_375, x);
    let f = n.mul_add(2.121_944_40e-4, f);
    let p = 1.987_569_150_0e-4f32;
    let p = p.mul_add(f, 1.398_199_950_7e-3);
    let p = p.mul_add(f, 8.333_451_907_3e-3);
    let p = p.mul_add(f, 4.166_579_589_4e-2);
    let p = p.mul_add(f, 1.666_666_545_9e-1);
    let p = p.mul_add(f, 5.000_000_120_1e-1);
    let y = p.mul_add(f * f, f + 1.0);
    f32::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// 1/(1 + e^-z).
#[inline(always)]
pub(crate) fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + exp(-z))
}

/// The sixteen lanes added in one fixed tree.
#[inline(always)]
pub(crate) fn add_lanes(a: [f32; LANES]) -> f32 {
    let b: [f32; 8] = std::array::from_fn(|i| a[i] + a[i + 8]);
    let c: [f32; 4] = std::array::from_fn(|i| b[i] + b[i + 4]);
    (c[0] + c[2]) + (c[1] + c[3])
}

/// Σ f(x[i], y[i]) with element i in lane i mod 16.
#[inline(always)]
pub(crate) fn sum2(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let y = &y[..x.len()];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (mut xr, mut yr) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        for j in 0..LANES {
            lanes[j] += f(x[j], y[j]);
        }
    }
    let mut from = 0;
    if xr.len() >= 8 {
        for j in 0..8 {
            lanes[j] += f(xr[j], yr[j]);
        }
        (xr, yr) = (&xr[8..], &yr[8..]);
        from = 8;
    }
    for (lane, (&x, &y)) in lanes[from..].iter_mut().zip(xr.iter().zip(yr)) {
        *lane += f(x, y);
    }
    add_lanes(lanes)
}

/// Σ f(x[i]) with element i in lane i mod 16.
#[inline(always)]
pub(crate) fn sum1(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    sum2(x, x, |x, _| f(x))
}

/// Replaces every x[i] by f(x[i]) and returns their sum, element i in lane i mod 16; the length is a multiple of
/// sixteen.
#[inline(always)]
pub(crate) fn map_and_sum(x: &mut [f32], f: impl Fn(f32) -> f32) -> f32 {
    for x in x.iter_mut() {
        *x = f(*x);
    }
    let mut lanes = [0.0; LANES];
    for x in x.chunks_exact(LANES) {
        for j in 0..LANES {
            lanes[j] += x[j];
        }
    }
    // Seen through, the tree makes the compiler sum two lanes at a time.
    add_lanes(black_box(lanes))
}

/// The largest element of a row whose length is a multiple of sixteen; the order does not matter for a
/// maximum. NaN is ignored here and comes back through the sum.
#[inline(always)]
pub(crate) fn max_of_lanes(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for x in x.chunks_exact(LANES) {
        for j in 0..LANES {
            lanes[j] = if x[j] > lanes[j] { x[j] } else { lanes[j] };
        }
    }
    let mut max = f32::NEG_INFINITY;
    for lane in lanes {
        max = if lane > max { lane } else { max };
    }
    max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_of_the_exact_value_over_its_range() {
        let mut worst = 0f64;
        for i in -870_000..=880_000 {
            let x = i as f32 / 10_000.0;
            let exact = f64::from(x).exp();
            let unit = f64::from(f32::EPSILON) * exact / 2.0;
            worst = worst.max((f64::from(exp(x)) - exact).abs() / unit);
        }
        // In half units of the last place of numbers just above a power of two.
        assert!(worst < 4.0, "{worst} half units");
    }

    #[test]
    fn exp_beyond_its_range_is_clamped_and_nan_stays_nan() {
        assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
        assert_eq!(exp(f32::INFINITY), exp(88.0));
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn map_and_sum_has_the_bits_of_a_map_and_a_sum() {
        let mut x: Vec<f32> = (0..48).map(|i| (i as f32).sin()).collect();
        let mapped: Vec<f32> = x.iter().map(|&x| exp(x)).collect();
        let sum = map_and_sum(&mut x, exp);
        assert_eq!(x, mapped);
        assert_eq!(sum.to_bits(), sum1(&mapped, |x| x).to_bits());
    }

    #[test]
    fn sums_count_every_element_of_any_length_once() {
        for n in 0..70usize {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            assert_eq!(sum1(&x, |x| x), (n * n.saturating_sub(1) / 2) as f32);
            assert_eq!(sum2(&x, &x, |x, y| x - y + 1.0), n as f32);
        }
    }
}
