//! Where the ticks of an axis are, and what their labels say.

use super::decimal::{Decimal, labels};
use super::measure::{LINE_HEIGHT, width};
use super::scale::{Scale, Spacing};
use crate::text::RichText;

/// One tick; a minor one has no label.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: Option<RichText>,
}

/// Which way labels run along the axis: it decides what "overlap" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Horizontal,
    Vertical,
}

/// Free space between two labels, in pixels.
const GAP: f64 = 7.0;
/// Free space between two unlabelled ticks, in pixels.
const MINOR_GAP: f64 = 3.0;
/// More labels than this are noise.
const MAX_LABELS: usize = 12;

/// One way to set ticks: the labelled ones, and the finer set that the unlabelled ones come from.
struct Choice {
    major: Vec<Decimal>,
    labels: Vec<RichText>,
    minor: Vec<Decimal>,
}

impl Choice {
    fn new(major: Vec<Decimal>, minor: Vec<Decimal>, plain: std::ops::RangeInclusive<f64>) -> Self {
        let labels = labels(&major, plain);
        Self { major, labels, minor }
    }

    /// The same ticks with only the first and the last labelled: the last resort for very wide labels.
    fn ends(&self) -> Option<Self> {
        let (first, last) = (self.major.first()?, self.major.last()?);
        Some(Self {
            major: vec![*first, *last],
            labels: vec![self.labels.first()?.clone(), self.labels.last()?.clone()],
            minor: self.major.clone(),
        })
    }
}

/// The ticks of an axis whose labels have font size `size`: from 2 to 12 labels, none touching another.
pub(super) fn ticks(scale: &Scale, direction: Direction, size: f64) -> Vec<Tick> {
    let mut choices = match scale.spacing {
        Spacing::Log => log_choices(scale),
        Spacing::Linear => linear_choices(scale),
    };
    let ends: Vec<Choice> = choices.iter().filter_map(|choice| choice.ends()).collect();
    choices.extend(ends);
    let fitting: Vec<&Choice> = choices
        .iter()
        .filter(|choice| (2..=MAX_LABELS).contains(&choice.major.len()))
        .filter(|choice| !overlaps(choice, scale, direction, size))
        .collect();
    let chosen = fitting.iter().find(|choice| choice.major.len() >= 3).or_else(|| fitting.first());
    chosen.map_or_else(Vec::new, |choice| with_minor_ticks(choice, scale))
}

fn with_minor_ticks(choice: &Choice, scale: &Scale) -> Vec<Tick> {
    let mut all: Vec<Tick> = choice
        .major
        .iter()
        .zip(&choice.labels)
        .map(|(at, label)| Tick { value: at.value(), label: Some(label.clone()) })
        .collect();
    let minor: Vec<f64> = choice
        .minor
        .iter()
        .map(|at| at.value())
        .filter(|value| all.iter().all(|tick| tick.value != *value))
        .collect();
    let mut places: Vec<f64> = minor
        .iter()
        .copied()
        .chain(all.iter().map(|tick| tick.value))
        .map(|value| scale.pixel(value))
        .collect();
    places.sort_by(f64::total_cmp);
    if places.windows(2).all(|pair| pair[1] - pair[0] >= MINOR_GAP) {
        all.extend(minor.into_iter().map(|value| Tick { value, label: None }));
    }
    all.sort_by(|a, b| a.value.total_cmp(&b.value));
    all
}

/// Log axis, best first: every decade or every 2nd, 3rd, 5th…; 1, 2, 5 and 1, 3 within decades; and where the axis
/// is shorter than that, round numbers at equal steps.
fn log_choices(scale: &Scale) -> Vec<Choice> {
    let decades = floor_log10(scale.lo)..=floor_log10(scale.hi) + 1;
    let inside = |numbers: Vec<Decimal>| -> Vec<Decimal> {
        numbers.into_iter().filter(|number| scale.contains(number.value())).collect()
    };
    let powers = |multiples: &[i64]| -> Vec<Decimal> {
        inside(decades.clone().flat_map(|e| multiples.iter().map(move |m| Decimal::new(*m, e))).collect())
    };
    let all_decades = powers(&[1]);
    let digits = powers(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let mut choices = Vec::new();
    for stride in [1, 2, 3, 5, 10, 20, 50, 100, 200] {
        let major: Vec<Decimal> =
            all_decades.iter().copied().filter(|decade| decade.exponent % stride == 0).collect();
        let minor = if stride == 1 { &digits } else { &all_decades };
        choices.push(Choice::new(major, minor.clone(), 0.01..=1000.0));
    }
    for multiples in [&[1, 2, 5][..], &[1, 3]] {
        choices.push(Choice::new(powers(multiples), digits.clone(), 1e-3..=99_999.0));
    }
    // A long axis always has decades; equal steps would crowd at its upper end.
    if scale.hi / scale.lo < 100.0 {
        choices.extend(linear_choices(scale));
    }
    choices
}

/// Round numbers at equal steps: 3 to 7 of them where that is possible, then more, then two.
fn linear_choices(scale: &Scale) -> Vec<Choice> {
    let span = scale.hi - scale.lo;
    let top = floor_log10(span);
    let mut choices = Vec::new();
    for exponent in (top - 2)..=(top + 1) {
        for step in [1, 2, 5] {
            let major = multiples(scale, step, exponent);
            let minor = match step {
                1 => multiples(scale, 2, exponent - 1),
                2 => multiples(scale, 5, exponent - 1),
                _ => multiples(scale, 1, exponent),
            };
            choices.push(Choice::new(major, minor, 1e-3..=99_999.0));
        }
    }
    let rank = |choice: &Choice| match choice.major.len() {
        3..=7 => 0,
        8.. => 1,
        _ => 2,
    };
    choices.sort_by_key(rank);
    choices
}

/// All multiples of step × 10^exponent on the axis; none where there would be uselessly many.
fn multiples(scale: &Scale, step: i64, exponent: i32) -> Vec<Decimal> {
    const MANY: f64 = 120.0;
    let size = Decimal::new(step, exponent).value();
    if size == 0.0 || (scale.hi - scale.lo) / size > MANY {
        return Vec::new();
    }
    let first = (scale.lo / size).floor();
    let last = (scale.hi / size).ceil();
    // Beyond 2^53 neighbouring multiples are one and the same f64.
    if first.abs().max(last.abs()) * step as f64 > 9e15 {
        return Vec::new();
    }
    (first as i64..=last as i64)
        .map(|i| Decimal::new(i * step, exponent))
        .filter(|number| scale.contains(number.value()))
        .collect()
}

fn overlaps(choice: &Choice, scale: &Scale, direction: Direction, size: f64) -> bool {
    let mut extents: Vec<(f64, f64)> = choice
        .major
        .iter()
        .zip(&choice.labels)
        .map(|(at, label)| {
            let half = match direction {
                Direction::Horizontal => width(label, size) / 2.0,
                Direction::Vertical => size * LINE_HEIGHT / 2.0,
            };
            let centre = scale.pixel(at.value());
            (centre - half, centre + half)
        })
        .collect();
    extents.sort_by(|a, b| a.0.total_cmp(&b.0));
    let gap = match direction {
        Direction::Horizontal => GAP,
        Direction::Vertical => 0.0,
    };
    extents.windows(2).any(|pair| pair[1].0 - pair[0].1 < gap)
}

fn floor_log10(value: f64) -> i32 {
    libm::floor(libm::log10(value)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: f64 = 11.0;

    fn labelled(scale: &Scale, direction: Direction) -> Vec<String> {
        ticks(scale, direction, SIZE)
            .into_iter()
            .filter_map(|tick| tick.label.map(|label| label.to_plain()))
            .collect()
    }

    fn across(spacing: Spacing, lo: f64, hi: f64) -> Vec<String> {
        labelled(&Scale::new(spacing, (lo, hi), (0.0, 320.0)), Direction::Horizontal)
    }

    #[test]
    fn ticks_many_decades_are_powers_of_ten() {
        assert_eq!(across(Spacing::Log, 5e-12, 3e-7), ["10^−11", "10^−10", "10^−9", "10^−8", "10^−7"]);
        assert_eq!(across(Spacing::Log, 0.5, 2e3), ["1", "10", "100", "1000"]);
        assert_eq!(
            across(Spacing::Log, 1e-30, 1e30),
            ["10^−30", "10^−20", "10^−10", "10^0", "10^10", "10^20", "10^30"]
        );
    }

    #[test]
    fn ticks_less_than_a_decade_are_round_numbers() {
        assert_eq!(across(Spacing::Log, 3.0, 4.4), ["3.0", "3.5", "4.0"]);
        assert_eq!(across(Spacing::Log, 4.5, 9.2), ["5", "6", "7", "8", "9"]);
        assert_eq!(across(Spacing::Log, 4.31, 4.35), ["4.31", "4.32", "4.33", "4.34", "4.35"]);
    }

    #[test]
    fn ticks_one_to_two_decades_are_one_two_five() {
        assert_eq!(across(Spacing::Log, 150.0, 9e3), ["200", "500", "1000", "2000", "5000"]);
    }

    #[test]
    fn ticks_linear_axis_crosses_zero() {
        assert_eq!(across(Spacing::Linear, -1.7, 2.3), ["−1", "0", "1", "2"]);
    }

    #[test]
    fn ticks_decades_have_minor_ticks_between_them() {
        let scale = Scale::new(Spacing::Log, (1.0, 1e4), (0.0, 320.0));
        let minor =
            ticks(&scale, Direction::Horizontal, SIZE).iter().filter(|tick| tick.label.is_none()).count();
        assert_eq!(minor, 4 * 8);
    }

    fn check(scale: Scale, direction: Direction) -> Result<(), TestCaseError> {
        let all = ticks(&scale, direction, SIZE);
        prop_assert!(all.windows(2).all(|pair| pair[0].value < pair[1].value));
        prop_assert!(all.iter().all(|tick| scale.contains(tick.value)));
        let labels: Vec<&Tick> = all.iter().filter(|tick| tick.label.is_some()).collect();
        prop_assert!((2..=12).contains(&labels.len()), "{} labels", labels.len());
        for pair in labels.windows(2) {
            let apart = (scale.pixel(pair[1].value) - scale.pixel(pair[0].value)).abs();
            let needed = match direction {
                Direction::Horizontal => {
                    pair.iter().map(|tick| width(tick.label.as_ref().unwrap(), SIZE) / 2.0).sum()
                }
                Direction::Vertical => SIZE,
            };
            prop_assert!(apart >= needed, "{apart} < {needed}");
            prop_assert_ne!(pair[0].label.as_ref(), pair[1].label.as_ref());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn ticks_any_log_range_have_two_to_twelve_labels_apart(
            exponent in -30.0..30.0f64,
            decades in prop_oneof![0.0..1e-4f64, 1e-4..0.3f64, 0.3..3.0f64, 3.0..60.0f64],
            pixels in 220.0..700.0f64,
        ) {
            let lo = libm::exp10(exponent);
            let hi = libm::exp10((exponent + decades).min(30.5));
            check(Scale::new(Spacing::Log, (lo, hi), (0.0, pixels)), Direction::Horizontal)?;
            check(Scale::new(Spacing::Log, (lo, hi), (pixels, 0.0)), Direction::Vertical)?;
        }

        #[test]
        fn ticks_any_linear_range_have_two_to_twelve_labels_apart(
            middle in -1e3..1e3f64,
            exponent in -8.0..12.0f64,
            pixels in 220.0..700.0f64,
        ) {
            let half = libm::exp10(exponent);
            let range = (middle * half - half, middle * half + half);
            check(Scale::new(Spacing::Linear, range, (0.0, pixels)), Direction::Horizontal)?;
            check(Scale::new(Spacing::Linear, range, (pixels, 0.0)), Direction::Vertical)?;
        }
    }
}
