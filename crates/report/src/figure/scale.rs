//! From a number to a place on an axis.

/// How an axis spaces its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Equal ratios take equal lengths; only positive numbers have a place.
    Log,
    /// Equal differences take equal lengths.
    Linear,
}

impl Spacing {
    /// The number has a place on such an axis. Numbers near the ends of f64, which no measurement reaches, have
    /// none: differences and ratios of two of them would not be numbers.
    pub(super) fn admits(self, value: f64) -> bool {
        match self {
            Self::Log => (1e-150..=1e150).contains(&value),
            Self::Linear => value.abs() <= 1e300,
        }
    }
}

/// One axis with its end points in numbers and in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) spacing: Spacing,
    pub(super) lo: f64,
    pub(super) hi: f64,
    /// Pixel of `lo` and pixel of `hi`; the first is the larger one on a vertical axis.
    pub(super) pixels: (f64, f64),
}

/// Smallest hi/lo of a log axis: below this, tick labels would need more digits than anybody reads.
const MIN_RATIO: f64 = 1.0 + 1e-5;
/// Room left beyond the outermost data, as a share of the axis.
const PADDING: f64 = 0.045;

impl Scale {
    /// The range that shows all `values` that can be shown, with a little room.
    pub(super) fn around(spacing: Spacing, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let (lo, hi) = values
            .filter(|v| spacing.admits(*v))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if lo > hi {
            return match spacing {
                Spacing::Log => (1.0, 10.0),
                Spacing::Linear => (0.0, 1.0),
            };
        }
        let (lo, hi) = widened(spacing, lo, hi);
        match spacing {
            Spacing::Log => {
                let room = libm::exp10(PADDING * libm::log10(hi / lo)).max(1.005);
                (lo / room, hi * room)
            }
            Spacing::Linear => {
                let room = PADDING * (hi - lo);
                (lo - room, hi + room)
            }
        }
    }

    pub(super) fn new(spacing: Spacing, (lo, hi): (f64, f64), pixels: (f64, f64)) -> Self {
        let (lo, hi) = widened(spacing, lo, hi);
        Self { spacing, lo, hi, pixels }
    }

    /// Pixel of a number that the axis admits; outside the axis for a number outside its range.
    pub(super) fn pixel(&self, value: f64) -> f64 {
        let share = match self.spacing {
            Spacing::Log => libm::log10(value / self.lo) / libm::log10(self.hi / self.lo),
            Spacing::Linear => (value - self.lo) / (self.hi - self.lo),
        };
        // So far outside that its exact place does not matter any more, and still a number.
        self.pixels.0 + share.clamp(-1e5, 1e5) * (self.pixels.1 - self.pixels.0)
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        let slack = 1e-9;
        match self.spacing {
            Spacing::Log => value >= self.lo * (1.0 - slack) && value <= self.hi * (1.0 + slack),
            Spacing::Linear => {
                let slack = slack * (self.hi - self.lo);
                value >= self.lo - slack && value <= self.hi + slack
            }
        }
    }
}

/// The same range, or a wider one about its middle where it is too narrow to be labelled.
fn widened(spacing: Spacing, lo: f64, hi: f64) -> (f64, f64) {
    match spacing {
        Spacing::Log if hi / lo < MIN_RATIO => (lo / 1.02, lo * 1.02),
        Spacing::Linear if hi - lo < 1e-9 * hi.abs().max(lo.abs()) || hi == lo => {
            let middle = lo + (hi - lo) / 2.0;
            let room = if middle == 0.0 { 1.0 } else { 0.02 * middle.abs() };
            (middle - room, middle + room)
        }
        _ => (lo, hi),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_values_leaves_room_on_both_sides() {
        let (lo, hi) = Scale::around(Spacing::Log, [1e-9, f64::NAN, -1.0, 0.0, 1e-3].into_iter());
        assert!(lo < 1e-9 && lo > 1e-10 && hi > 1e-3 && hi < 1e-2);
    }

    #[test]
    fn around_single_value_or_none_is_still_a_range() {
        for spacing in [Spacing::Log, Spacing::Linear] {
            for values in [vec![], vec![3.0], vec![3.0, 3.0]] {
                let (lo, hi) = Scale::around(spacing, values.iter().copied());
                assert!(lo < hi && values.iter().all(|v| lo < *v && *v < hi));
            }
        }
        assert_eq!(Scale::around(Spacing::Linear, [0.0].into_iter()), (-1.09, 1.09));
    }

    #[test]
    fn pixel_decades_are_equally_long() {
        let scale = Scale::new(Spacing::Log, (1e-12, 1e10), (0.0, 220.0));
        for decade in 0..=22 {
            let value = format!("1e{}", decade - 12).parse().unwrap();
            assert!((scale.pixel(value) - 10.0 * f64::from(decade)).abs() < 1e-9);
        }
    }
}
