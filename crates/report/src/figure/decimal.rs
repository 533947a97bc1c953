//! Decimal numbers as integers: a tick at 0.3 is 3×10⁻¹ exactly, and its label is written from those integers.

use crate::text::{RichText, Script};

/// mantissa × 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) mantissa: i64,
    pub(super) exponent: i32,
}

impl Decimal {
    pub(super) fn new(mantissa: i64, exponent: i32) -> Self {
        Self { mantissa, exponent }
    }

    /// The nearest f64: correctly rounded, because the decimal is read as text.
    pub(super) fn value(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent)
            .parse()
            .expect("integer digits and an exponent are a number")
    }

    /// 3.50 for 350e-2: as many decimals as the exponent says.
    fn fixed(self) -> String {
        let digits = self.mantissa.unsigned_abs().to_string();
        let text = if self.mantissa == 0 && self.exponent >= 0 {
            digits // 0×10² is "0", not "000"
        } else if self.exponent >= 0 {
            digits + &"0".repeat(self.exponent as usize)
        } else {
            let decimals = self.exponent.unsigned_abs() as usize;
            let padded = format!("{digits:0>width$}", width = decimals + 1);
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            format!("{whole}.{fraction}")
        };
        self.sign().to_owned() + &text
    }

    fn sign(self) -> &'static str {
        if self.mantissa < 0 { "−" } else { "" }
    }

    /// The same number without trailing zeros in the mantissa.
    fn trimmed(mut self) -> Self {
        if self.mantissa == 0 {
            return Self::new(0, 0);
        }
        while self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }

    /// 2.5×10^{6}, 10^{−3}: mantissa between 1 and 10.
    fn scientific(self) -> RichText {
        let trimmed = self.trimmed();
        if trimmed.mantissa == 0 {
            return RichText::plain("0");
        }
        let digits = trimmed.mantissa.unsigned_abs().to_string();
        let exponent = trimmed.exponent + digits.len() as i32 - 1;
        let mut text = RichText::plain(self.sign());
        match digits.split_at(1) {
            ("1", "") => text.push(Script::Normal, "10"),
            (whole, "") => text.push(Script::Normal, &format!("{whole}×10")),
            (whole, fraction) => text.push(Script::Normal, &format!("{whole}.{fraction}×10")),
        }
        text.push(Script::Super, &crate::number::minus(&exponent.to_string()));
        text
    }
}

/// Labels of one axis, all written one way: plain while every one of them is short, otherwise powers of ten.
pub(super) fn labels(ticks: &[Decimal], plain: std::ops::RangeInclusive<f64>) -> Vec<RichText> {
    let readable = ticks.iter().all(|tick| tick.mantissa == 0 || plain.contains(&tick.value().abs()));
    ticks
        .iter()
        .map(|tick| if readable { RichText::plain(&tick.fixed()) } else { tick.scientific() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_any_decimal_is_correctly_rounded() {
        assert_eq!(Decimal::new(3, -1).value(), 0.3);
        assert_eq!(Decimal::new(1, -12).value(), 1e-12);
        assert_eq!(Decimal::new(-25, 5).value(), -2.5e6);
    }

    #[test]
    fn labels_short_numbers_are_plain_and_others_powers_of_ten() {
        let text = |ticks: &[Decimal]| -> Vec<String> {
            labels(ticks, 1e-3..=99_999.0).iter().map(RichText::to_plain).collect()
        };
        assert_eq!(text(&[Decimal::new(30, -1), Decimal::new(35, -1)]), ["3.0", "3.5"]);
        assert_eq!(text(&[Decimal::new(-5, -2), Decimal::new(0, -2)]), ["−0.05", "0.00"]);
        assert_eq!(text(&[Decimal::new(0, 2), Decimal::new(2, 3)]), ["0", "2000"]);
        assert_eq!(text(&[Decimal::new(1, -12), Decimal::new(25, 5)]), ["10^−12", "2.5×10^6"]);
    }
}
