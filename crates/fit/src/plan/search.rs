//! One-dimensional searches: the lowest point of a curve, and where a rising curve crosses zero.

/// Places of the first scan: fine enough that no valley of a sum of power laws is narrower than a step.
const SCAN: usize = 400;
/// Golden-section steps that shrink a scan interval below what differences of the value can resolve (1e-9 of it).
const GOLDEN: usize = 60;

/// Where a scanned curve is lowest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lowest {
    /// Inside: place and value.
    Inside(f64, f64),
    /// At the left end.
    Left,
    /// At the right end.
    Right,
    /// The curve has no finite value anywhere.
    Nowhere,
}

/// The lowest point of `f` on `[lo, hi]`: an even scan, then golden section around its best place.
/// Places where `f` is not finite count as infinitely high.
pub(crate) fn lowest(f: &dyn Fn(f64) -> f64, lo: f64, hi: f64) -> Lowest {
    let at = |i: usize| lo + (hi - lo) * i as f64 / SCAN as f64;
    let height = |x: f64| {
        let y = f(x);
        if y.is_nan() { f64::INFINITY } else { y }
    };
    let best = (0..=SCAN).map(|i| (height(at(i)), i)).min_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((y, i)) if y.is_finite() => match i {
            0 => Lowest::Left,
            SCAN => Lowest::Right,
            _ => {
                let x = golden(&height, at(i - 1), at(i + 1));
                Lowest::Inside(x, height(x))
            }
        },
        _ => Lowest::Nowhere,
    }
}

/// Golden-section search of a valley on `[lo, hi]`, ended by a parabola through the last three places: the
/// bottom of a valley is flat to rounding over √ε of its width, which the section alone cannot see into.
fn golden(f: &dyn Fn(f64) -> f64, mut lo: f64, mut hi: f64) -> f64 {
    const SECTION: f64 = 0.618_033_988_749_894_9;
    let mut left = hi - SECTION * (hi - lo);
    let mut right = lo + SECTION * (hi - lo);
    let (mut of_left, mut of_right) = (f(left), f(right));
    for _ in 0..GOLDEN {
        if hi - lo < 1e-5 {
            break;
        }
        if of_left <= of_right {
            hi = right;
            (right, of_right) = (left, of_left);
            left = hi - SECTION * (hi - lo);
            of_left = f(left);
        } else {
            lo = left;
            (left, of_left) = (right, of_right);
            right = lo + SECTION * (hi - lo);
            of_right = f(right);
        }
    }
    // A parabola over a span whose values still differ by far more than rounding.
    let (middle, half) = (0.5 * (lo + hi), 1e-4);
    let (a, b, c) = (f(middle - half), f(middle), f(middle + half));
    let bend = a - 2.0 * b + c;
    let moved = 0.5 * half * (a - c) / bend;
    if bend > 0.0 && moved.abs() <= half { middle + moved } else { middle }
}

/// Where the increasing function `f` is zero on `[lo, hi]`, by bisection to the last bit that matters.
/// `None` when it has one sign on the whole interval.
pub(crate) fn crossing(f: &dyn Fn(f64) -> f64, mut lo: f64, mut hi: f64) -> Option<f64> {
    if !(f(lo) <= 0.0 && f(hi) >= 0.0) {
        return None;
    }
    for _ in 0..200 {
        let middle = 0.5 * (lo + hi);
        if middle <= lo || middle >= hi {
            break;
        }
        if f(middle) <= 0.0 {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    Some(0.5 * (lo + hi))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_of_a_lopsided_valley_is_found_to_eight_digits() {
        // e^x + 3·e^(−2x) is lowest at ln 6/3.
        let Lowest::Inside(x, _) = lowest(&|x| libm::exp(x) + 3.0 * libm::exp(-2.0 * x), -30.0, 40.0) else {
            panic!("no minimum found")
        };
        assert!((x - libm::log(6.0) / 3.0).abs() < 1e-7, "{x}");
    }

    #[test]
    fn lowest_of_a_slope_names_the_end() {
        assert_eq!(lowest(&|x| x, 0.0, 1.0), Lowest::Left);
        assert_eq!(lowest(&|x| -x, 0.0, 1.0), Lowest::Right);
        assert_eq!(lowest(&|_| f64::NAN, 0.0, 1.0), Lowest::Nowhere);
    }

    #[test]
    fn crossing_of_a_cubic_is_exact_and_absent_without_a_sign_change() {
        let x = crossing(&|x| x * x * x - 8.0, 0.0, 10.0).unwrap();
        assert!((x - 2.0).abs() < 1e-14);
        assert_eq!(crossing(&|x| x + 1.0, 0.0, 10.0), None);
    }
}
