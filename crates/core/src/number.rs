//! Numbers as people write and read them: `1.5B`, `3e19`, `10PFd`, `5m`; counts, and constants to so many digits.

use crate::units::PF_DAY;
use std::time::Duration;

/// A number or duration that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {text:?} as {expected}")]
pub struct NumberError {
    text: String,
    expected: &'static str,
}

/// Reads a count: plain or scientific, with an optional suffix `k M B G T P E` (powers of 1,000; `B` = 1e9), a word
/// such as `million` or `bn`, a power of ten such as `×10^6` or `*10^6`, or `PFd` (PF-days, as FLOPs). Underscores
/// between digits are ignored.
///
/// # Errors
/// Names the text; NaN and infinities are refused.
///
/// # Example
/// ```
/// assert_eq!(scalelaw_core::number::parse("1.5B"), Ok(1.5e9));
/// assert_eq!(scalelaw_core::number::parse("2PFd"), Ok(2.0 * 8.64e19));
/// ```
pub fn parse(text: &str) -> Result<f64, NumberError> {
    const SUFFIXES: [(&str, f64); 23] = [
        ("PFd", PF_DAY),
        ("PF-days", PF_DAY),
        ("thousand", 1e3),
        ("million", 1e6),
        ("millions", 1e6),
        ("billion", 1e9),
        ("billions", 1e9),
        ("trillion", 1e12),
        ("trillions", 1e12),
        ("mn", 1e6),
        ("bn", 1e9),
        ("tn", 1e12),
        ("k", 1e3),
        ("K", 1e3),
        ("M", 1e6),
        ("m", 1e6),
        ("B", 1e9),
        ("b", 1e9),
        ("G", 1e9),
        ("T", 1e12),
        ("t", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let error =
        || NumberError { text: text.to_owned(), expected: "a number such as 3e19, 1.5B, 250k or 10PFd" };
    let trimmed = text.trim();
    if let Some((digits, power)) = trimmed.split_once("10^") {
        let digits = digits.trim_end().strip_suffix(['×', '*', 'x', '·']);
        let digits = digits.filter(|d| d.ends_with(|c: char| c.is_ascii_digit() || c == ' '));
        // As one number, so that 0.35*10^9 is the double next to it.
        let written = digits.map(|digits| format!("{}e{power}", digits.trim_end().replace('_', "")));
        let value = written.and_then(|written| written.parse::<f64>().ok()).ok_or_else(error)?;
        return if value.is_finite() { Ok(value) } else { Err(error()) };
    }
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| trimmed.strip_suffix(suffix).map(|rest| (rest.trim_end(), *factor)))
        .unwrap_or((trimmed, 1.0));
    // "inf", "nan" and "infinity" parse as f64 but are not counts.
    if digits.is_empty() || digits.chars().any(|c| c.is_alphabetic() && c != 'e' && c != 'E') {
        return Err(error());
    }
    let value = digits.replace('_', "").parse::<f64>().map_err(|_| error())? * factor;
    if value.is_finite() { Ok(value) } else { Err(error()) }
}

/// Reads a duration: `90s`, `5m`, `1.5h`, `2d`, `1h30m`; a bare number is seconds.
///
/// # Errors
/// Names the text; zero and negative durations are refused.
///
/// # Example
/// ```
/// use std::time::Duration;
/// assert_eq!(scalelaw_core::number::parse_duration("1m30s"), Ok(Duration::from_secs(90)));
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, NumberError> {
    let error =
        || NumberError { text: text.to_owned(), expected: "a duration such as 90s, 5m, 1.5h or 1h30m" };
    let mut total = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value: f64 = rest[..digits].parse().map_err(|_| error())?;
        let unit_and_more = &rest[digits..];
        let unit_len =
            unit_and_more.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit_and_more.len());
        total += value
            * match unit_and_more[..unit_len].trim() {
                "s" => 1.0,
                "" if total == 0.0 => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return Err(error()),
            };
        rest = &unit_and_more[unit_len..];
    }
    if total > 0.0 && total < 1e10 { Ok(Duration::from_secs_f64(total)) } else { Err(error()) }
}

/// Writes a count in short form, to three significant digits: `768`, `98.3K`, `5.24M`, `3.1e19`.
pub fn short(value: f64) -> String {
    let magnitude = value.abs();
    let scaled = |divisor: f64, suffix: &str| {
        let v = value / divisor;
        let digits = if v.abs() >= 99.95 { 0 } else { 1 + usize::from(v.abs() < 9.995) };
        let text = format!("{v:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{text}{suffix}")
    };
    if !value.is_finite() {
        format!("{value}")
    } else if magnitude < 999.5 {
        scaled(1.0, "")
    } else if magnitude < 999.5e3 {
        scaled(1e3, "K")
    } else if magnitude < 999.5e6 {
        scaled(1e6, "M")
    } else if magnitude < 999.5e9 {
        scaled(1e9, "B")
    } else {
        format!("{value:.2e}")
    }
}

/// A constant of a law to five significant digits: see [`significant`].
pub fn constant(value: f64) -> String {
    significant(value, 5)
}

/// A number to so many significant digits: plain from 0.001 to below a million, `1.20e-5` elsewhere. The whole part of a plain
/// one is not rounded further than to units.
pub fn significant(value: f64, digits: usize) -> String {
    significant_plain_in(value, digits, -3..6)
}

/// The same, plain where the decimal exponent lies in `plain`.
pub fn significant_plain_in(value: f64, digits: usize, plain: std::ops::Range<i32>) -> String {
    match scientific(value, digits) {
        None if value == 0.0 => "0".to_owned(),
        None => value.to_string(),
        Some((_, exponent)) if plain.contains(&exponent) => {
            let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
            format!("{value:.decimals$}")
        }
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}"),
    }
}

/// Mantissa and decimal exponent of a number rounded to so many significant digits: `1.20` and −5. `None` where there
/// are none: zero, and what is not finite.
pub fn scientific(value: f64, digits: usize) -> Option<(String, i32)> {
    let text = format!("{value:.decimals$e}", decimals = digits.saturating_sub(1));
    let (mantissa, exponent) = text.split_once('e').filter(|_| value != 0.0)?;
    Some((mantissa.to_owned(), exponent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_is_plain_between_a_thousandth_and_a_million() {
        for (value, text) in [
            (0.07604, "0.076040"),
            (406.4, "406.40"),
            (123_456.7, "123457"),
            (999_999.7, "1.0000e6"),
            (9.99996, "10.000"),
            (-1.2e-5, "-1.2000e-5"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(constant(value), text);
        }
        assert_eq!(significant_plain_in(1234.5, 2, 0..3), "1.2e3");
    }

    #[test]
    fn parse_suffixes_give_the_documented_values() {
        for (text, value) in [
            ("768", 768.0),
            ("1_000", 1000.0),
            ("250k", 250e3),
            ("1.5B", 1.5e9),
            ("3e19", 3e19),
            ("2 T", 2e12),
            ("1E", 1e18),
            ("0.35 billion", 0.35e9),
            ("0.35bn", 0.35e9),
            ("70×10^6", 70e6),
            ("0.35*10^9", 0.35e9),
            ("1.5 x 10^-3", 1.5e-3),
        ] {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
        assert_eq!(parse("10PFd"), Ok(8.64e20));
    }

    #[test]
    fn parse_nonsense_is_refused_with_the_text() {
        for text in [
            "", "nan", "inf", "1e999", "5 apples", "--3", "B", "infinity", "é", "million", "10^6", "a*10^6",
            "2*10^x", "2*10^999",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn parse_duration_units_add_up_and_nonsense_is_refused() {
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("20"), Ok(Duration::from_secs(20)));
        for text in ["", "0s", "-5m", "5 fortnights", "m", "1e99d", "é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn short_keeps_three_significant_digits() {
        for (value, text) in [
            (768.0, "768"),
            (98_304.0, "98.3K"),
            (5_242_880.0, "5.24M"),
            (1e9, "1B"),
            (3.1e19, "3.10e19"),
            (0.5, "0.5"),
            (999_700.0, "1M"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
