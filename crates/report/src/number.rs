//! Numbers as people read them: as many digits as are known, thousands apart, powers of ten raised.
//!
//! The text is markup for [`crate::text::RichText`].

use scalelaw_core::number::scientific;

/// A count: `98,304`; from a million on `1.31×10^{6}`.
pub fn count(value: f64) -> String {
    if value.is_finite() && value.abs() < 999_999.5 { grouped(value.round()) } else { significant(value, 3) }
}

/// A number with so many significant digits: `0.0689`, `12.3`, `1.20×10^{−5}`.
pub fn significant(value: f64, digits: usize) -> String {
    let Some((mantissa, exponent)) = scientific(value, digits) else {
        return if value.is_finite() { "0".to_owned() } else { "not finite".to_owned() };
    };
    if (-4..5).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        // 13,161 to two digits is 13000.
        let rounded: f64 = format!("{mantissa}e{exponent}").parse().expect("e-notation is a number");
        minus(&format!("{rounded:.decimals$}"))
    } else {
        minus(&format!("{mantissa}×{}", power_of_ten(exponent)))
    }
}

/// A power of ten: `10^{4}`.
pub fn power_of_ten(exponent: i32) -> String {
    minus(&format!("10^{{{exponent}}}"))
}

/// Half the width of an interval decides the digits of what is inside: two significant ones of it.
pub fn within(value: f64, (lo, hi): (f64, f64)) -> String {
    let half = (hi - lo).abs() / 2.0;
    if !(half.is_finite() && half > 0.0) || value.abs() >= 1e5 || value.abs() < 1e-4 {
        return significant(value, 3);
    }
    let decimals = (1 - libm::floor(libm::log10(half)) as i32).clamp(0, 6) as usize;
    minus(&format!("{value:.decimals$}"))
}

/// `0.066 to 0.072`, with the digits of [`within`].
pub fn interval((lo, hi): (f64, f64)) -> String {
    let end = |value: f64| if value.is_finite() { within(value, (lo, hi)) } else { "open".to_owned() };
    format!("{} to {}", end(lo), end(hi))
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("−{out}") } else { out }
}

/// A minus sign where a hyphen stands for it.
pub(crate) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_small_is_grouped_and_large_is_a_power_of_ten() {
        assert_eq!(count(768.0), "768");
        assert_eq!(count(98_304.0), "98,304");
        assert_eq!(count(1_310_720.0), "1.31×10^{6}");
        assert_eq!(count(999_999.9), "1.00×10^{6}");
    }

    #[test]
    fn significant_rounding_up_keeps_the_digits() {
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(0.07604, 3), "0.0760");
        assert_eq!(significant(13_161.0, 2), "13000");
        assert_eq!(significant(-1.2e-5, 3), "−1.20×10^{−5}");
        assert_eq!(significant(8.8e13, 2), "8.8×10^{13}");
        assert_eq!(significant(f64::NAN, 2), "not finite");
    }

    #[test]
    fn within_interval_shows_two_digits_of_its_half_width() {
        assert_eq!(within(0.06914, (0.0661, 0.0722)), "0.0691");
        assert_eq!(within(3.2174, (2.9, 3.4)), "3.22");
        assert_eq!(interval((0.0661, 0.0722)), "0.0661 to 0.0722");
        assert_eq!(interval((1.2e12, f64::INFINITY)), "1.20×10^{12} to open");
    }
}
