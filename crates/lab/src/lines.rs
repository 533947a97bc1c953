//! Lines in logarithms: places along them, readings between points, and a known slope through their centre.

pub use scalelaw_fit::interpolate::in_logs;

/// `count` numbers from `lo` to `hi` at equal ratios; `count` is two or more.
pub fn log_spaced(lo: f64, hi: f64, count: u32) -> impl Iterator<Item = f64> {
    let step = libm::log(hi / lo) / f64::from(count - 1);
    (0..count).map(move |i| lo * libm::exp(step * f64::from(i)))
}

/// Smallest and largest; `None` without a number.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let (lo, hi) =
        values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    (lo <= hi).then_some((lo, hi))
}

/// Both ends of the line y ∝ x^exponent through the centre of points in logarithms, over their range of x; `None`
/// without points.
///
/// Text and tokens differ between studies, so the height of a published line means nothing in another one; its slope
/// does.
pub fn through_centre(points: &[(f64, f64)], exponent: f64) -> Option<[(f64, f64); 2]> {
    let (lo, hi) = range(points.iter().map(|p| p.0))?;
    let n = points.len() as f64;
    let centre = |f: fn(&(f64, f64)) -> f64| points.iter().map(|p| libm::log(f(p))).sum::<f64>() / n;
    let (x0, y0) = (centre(|p| p.0), centre(|p| p.1));
    Some([lo, hi].map(|x| (x, libm::exp(y0 + exponent * (libm::log(x) - x0)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn through_centre_has_the_slope_asked_for_and_meets_the_mean_of_the_logarithms() {
        let [(x0, y0), (x1, y1)] = through_centre(&[(1.0, 4.0), (100.0, 1.0)], -0.5).unwrap();
        assert_eq!((x0, x1), (1.0, 100.0));
        assert!((y0 * y1 - 4.0).abs() < 1e-12 && (y0 / y1 - 10.0).abs() < 1e-12);
        assert_eq!(through_centre(&[], 1.0), None);
    }
}
