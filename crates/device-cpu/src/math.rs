//! Transcendental functions and reductions whose bits are the same on every instruction set.

use std::f32::consts::LOG2_E;

/// Lanes of every reduction over a row, whatever the processor's registers hold.
pub(crate) const LANES: usize = 16;

/// The argument of [`exp`] is clamped to this.
pub(crate) const EXP_RANGE: [f32; 2] = [-87.0, 88.0];
/// Adding 1.5·2^23 rounds to an integer, which then sits in the low bits.
pub(crate) const ROUND: f32 = 12_582_912.0;
/// −ln 2 in two parts.
#[allow(clippy::excessive_precision, reason = "the digits as published")]
pub(crate) const MINUS_LN_2: [f32; 2] = [-0.693_359_375, 2.121_944_40e-4];
/// (e^f − 1 − f)/f² for |f| ≤ ln 2/2, the highest power first.
#[allow(clippy::excessive_precision, reason = "the digits as published")]
pub(crate) const EXP_POLYNOMIAL: [f32; 6] = [
    1.987_569_150_0e-4,
    1.398_199_950_7e-3,
    8.333_451_907_3e-3,
    4.166_579_589_4e-2,
    1.666_666_545_9e-1,
    5.000_000_120_1e-1,
];

/// e^x for x clamped to [-87, 88]; NaN stays NaN. Within 2 units in the last place.
/// [`Exp`](crate::exp::Exp) is the same by whole registers.
///
/// # Source
/// Range reduction by multiples of ln 2 in two parts and the degree-5 polynomial of Cephes `expf`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Written so that NaN falls through: `max` and `min` would swallow it.
    let x = if x < EXP_RANGE[0] { EXP_RANGE[0] } else { x };
    let x = if x > EXP_RANGE[1] { EXP_RANGE[1] } else { x };
    let shifted = x.mul_add(LOG2_E, ROUND);
    let n = shifted - ROUND;
    let f = n.mul_add(MINUS_LN_2[0], x);
    let f = n.mul_add(MINUS_LN_2[1], f);
    let [mut p, rest @ ..] = EXP_POLYNOMIAL;
    for c in rest {
        p = p.mul_add(f, c);
    }
    let y = p.mul_add(f * f, f + 1.0);
    f32::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// 1/(1 + e^-z).
#[inline(always)]
pub(crate) fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + exp(-z))
}

/// The sixteen lanes joined in one fixed tree.
#[inline(always)]
fn join_lanes(a: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let b: [f32; 8] = std::array::from_fn(|i| join(a[i], a[i + 8]));
    let c: [f32; 4] = std::array::from_fn(|i| join(b[i], b[i + 4]));
    join(join(c[0], c[2]), join(c[1], c[3]))
}

/// The sum of sixteen lanes.
#[inline(always)]
pub(crate) fn add_lanes(a: [f32; LANES]) -> f32 {
    join_lanes(a, |a, b| a + b)
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
    join_lanes(lanes, |a, b| if a > b { a } else { b })
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
    fn sums_count_every_element_of_any_length_once() {
        for n in 0..70usize {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            assert_eq!(sum1(&x, |x| x), (n * n.saturating_sub(1) / 2) as f32);
            assert_eq!(sum2(&x, &x, |x, y| x - y + 1.0), n as f32);
        }
    }
}
