//! exp and ln by plain multiplications and additions: the same bits on any machine, as with the `libm` crate, in
//! about half its time, because the polynomials below have no branch and overlap from point to point. A fit is
//! little else than these two functions: laws and objectives use them, everything that is not called for each point
//! uses `libm`.

/// ln 2 in two parts: the product of the first with any exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5·2^52: adding and taking it away rounds to the nearest whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// e^x, within 1.5 units in the last place.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    // Overflow, subnormal results and NaN; a comparison with NaN is false.
    let ordinary = x.abs() <= 708.0;
    if !ordinary {
        return libm::exp(x);
    }
    let n = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // Taylor's series on |r| ≤ ln 2/2, where the term after r^13 is below 5e-18; pairs, so that they overlap.
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    let middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40_320.0 + r * (1.0 / 362_880.0));
    let high = (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0))
        + r2 * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0));
    let series = 1.0 + (r + r2 * (low + r4 * (middle + r4 * high)));
    series * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// ln x, within 1.5 units in the last place.
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    // Zero, negative, subnormal, infinite and NaN.
    let ordinary = (f64::MIN_POSITIVE..f64::INFINITY).contains(&x);
    if !ordinary {
        return libm::log(x);
    }
    // x = 2^e·m with m in [√½, √2).
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(0x3fe6_a09e_667f_3bcd);
    let e = (shifted as i64 >> 52) as f64;
    let m = f64::from_bits(bits.wrapping_sub(shifted & 0xfff0_0000_0000_0000));
    // ln m = 2 artanh f = 2f·(1 + s/3 + s²/5 + …), s = f² ≤ .0295: the term after s^10 is below 1e-18.
    let f = (m - 1.0) / (m + 1.0);
    let s = f * f;
    let s2 = s * s;
    let s4 = s2 * s2;
    let low = (1.0 / 3.0 + s * (1.0 / 5.0)) + s2 * (1.0 / 7.0 + s * (1.0 / 9.0));
    let middle = (1.0 / 11.0 + s * (1.0 / 13.0)) + s2 * (1.0 / 15.0 + s * (1.0 / 17.0));
    let high = 1.0 / 19.0 + s * (1.0 / 21.0);
    let tail = s * (low + s4 * (middle + s4 * high));
    let twice = f + f;
    e * LN_2_HIGH + (twice + (twice * tail + e * LN_2_LOW))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Distance in units in the last place.
    fn ulps(a: f64, b: f64) -> u64 {
        if a == b || (a.is_nan() && b.is_nan()) { 0 } else { a.to_bits().abs_diff(b.to_bits()) }
    }

    #[test]
    fn special_values_are_those_of_libm() {
        for x in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            709.9,
            -745.5,
            -710.0,
            1e300,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            assert!(ulps(exp(x), libm::exp(x)) <= 2, "exp {x}");
            assert!(ulps(ln(x), libm::log(x)) <= 2, "ln {x}");
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert!(ulps(ln(5e-324), libm::log(5e-324)) == 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn exp_is_within_two_units_of_libm(x in -708.0..708.0f64) {
            prop_assert!(ulps(exp(x), libm::exp(x)) <= 2, "{x}: {:e} {:e}", exp(x), libm::exp(x));
        }

        #[test]
        fn ln_is_within_two_units_of_libm(e in -300.0..300.0f64, near in 0.5..2.0f64) {
            for x in [libm::exp10(e), near] {
                prop_assert!(ulps(ln(x), libm::log(x)) <= 2, "{x}: {:e} {:e}", ln(x), libm::log(x));
            }
        }
    }
}
