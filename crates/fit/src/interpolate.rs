//! Curves read between their points, straight or straight in logarithms.

use crate::elementary::{exp, ln};

/// The line through two points, at `x`.
pub(crate) fn line_at(x: f64, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    y0 + (x - x0) * (y1 - y0) / (x1 - x0)
}

/// Straight between points of increasing x; `None` outside.
pub(crate) fn inside(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let i = points.partition_point(|p| p.0 < x);
    match i.checked_sub(1) {
        None => points.first().filter(|p| p.0 == x).map(|p| p.1),
        Some(before) => Some(line_at(x, points[before], *points.get(i)?)),
    }
}

/// Straight between two or more points of increasing x, and beyond them along the nearest piece.
pub(crate) fn extended(points: &[(f64, f64)], x: f64) -> f64 {
    let i = points.partition_point(|p| p.0 < x).clamp(1, points.len() - 1);
    line_at(x, points[i - 1], points[i])
}

/// A curve of positive numbers with increasing x at `x`, straight in ln x and ln y; `None` outside. A point whose x
/// differs by rounding only (1e-9 of it) is read as it is.
pub fn in_logs(curve: &[(f64, f64)], x: f64) -> Option<f64> {
    let i = curve.partition_point(|p| p.0 < x * (1.0 - 1e-9));
    let after = *curve.get(i)?;
    if (after.0 / x - 1.0).abs() < 1e-9 {
        return Some(after.1);
    }
    let before = curve[i.checked_sub(1)?];
    let logs = |(x, y): (f64, f64)| (ln(x), ln(y));
    Some(exp(line_at(ln(x), logs(before), logs(after))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_logs_of_a_power_law_is_the_law_and_none_outside() {
        let curve: Vec<(f64, f64)> = [1.0, 3.0, 10.0, 100.0].map(|x: f64| (x, 5.0 * x.powf(-0.4))).to_vec();
        assert!((in_logs(&curve, 42.0).unwrap() / (5.0 * 42.0f64.powf(-0.4)) - 1.0).abs() < 1e-14);
        assert_eq!((in_logs(&curve, 10.0), in_logs(&curve, 0.9)), (Some(curve[2].1), None));
        assert_eq!((in_logs(&curve, 101.0), in_logs(&curve, 100.0 + 1e-9)), (None, Some(curve[3].1)));
    }

    #[test]
    fn extended_follows_the_nearest_piece_and_inside_ends_with_the_points() {
        let points = [(0.0, 0.0), (1.0, 1.0), (2.0, 3.0)];
        assert_eq!([-1.0, 0.5, 3.0].map(|x| extended(&points, x)), [-1.0, 0.5, 5.0]);
        assert_eq!([0.0, 1.5, 3.0].map(|x| inside(&points, x)), [Some(0.0), Some(2.0), None]);
    }
}
