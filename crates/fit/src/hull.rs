//! Where the runs of a fit lie in two variables: how far a prediction is an extrapolation.

/// Corners of the convex hull of `points` in logarithms, in order around it from the smallest first coordinate. Points
/// that are not positive and finite are left out.
pub(crate) fn corners(points: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = points.filter(|p| p.iter().all(|v| v.is_finite() && *v > 0.0)).collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    // Of those with one first coordinate only the two ends can be corners.
    let ends =
        |column: &[[f64; 2]]| [column[0]].into_iter().chain(column.last().copied()).collect::<Vec<_>>();
    let mut points: Vec<[f64; 2]> = points.chunk_by(|a, b| a[0] == b[0]).flat_map(ends).collect();
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut hull = chain(points.iter().copied());
    let back = chain(points.iter().rev().copied());
    hull.pop();
    hull.extend(&back[..back.len() - 1]);
    hull
}

/// The turns to the left along `points`, as in Andrew's monotone chain.
fn chain(points: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    let mut chain: Vec<[f64; 2]> = Vec::new();
    for point in points {
        while let [.., a, b] = chain.as_slice() {
            if turn(logs(*a), logs(*b), logs(point)) > 0.0 {
                break;
            }
            chain.pop();
        }
        chain.push(point);
    }
    chain
}

fn logs(p: [f64; 2]) -> [f64; 2] {
    p.map(libm::log10)
}

/// Twice the area of a triangle, above 0 where it turns to the left.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Distance of a point from the hull in decades; 0 inside, and everywhere when there is no hull.
pub(crate) fn decades_outside(corners: &[[f64; 2]], at: [f64; 2]) -> f64 {
    let hull: Vec<[f64; 2]> = corners.iter().map(|p| logs(*p)).collect();
    let at = logs(at);
    let edges = || (0..hull.len()).map(|i| (hull[i], hull[(i + 1) % hull.len()]));
    if hull.len() > 2 && edges().all(|(a, b)| turn(a, b, at) >= -1e-9) {
        return 0.0;
    }
    let nearest = edges().map(|(a, b)| to_segment(a, b, at)).fold(f64::INFINITY, f64::min);
    if nearest.is_finite() { nearest } else { 0.0 }
}

/// Half the width of the hull across its longest diagonal, in decades.
pub(crate) fn half_width(corners: &[[f64; 2]]) -> f64 {
    let hull: Vec<[f64; 2]> = corners.iter().map(|p| logs(*p)).collect();
    let distance = |a: [f64; 2], b: [f64; 2]| libm::hypot(a[0] - b[0], a[1] - b[1]);
    let pairs = hull.iter().flat_map(|a| hull.iter().map(move |b| (*a, *b)));
    let longest = pairs.max_by(|x, y| distance(x.0, x.1).total_cmp(&distance(y.0, y.1)));
    let Some((a, b)) = longest.filter(|(a, b)| distance(*a, *b) > 0.0) else { return 0.0 };
    let across: Vec<f64> = hull.iter().map(|p| turn(a, b, *p) / distance(a, b)).collect();
    let (lo, hi) = across.iter().fold((0.0f64, 0.0f64), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    0.5 * (hi - lo)
}

fn to_segment(a: [f64; 2], b: [f64; 2], at: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let share = ((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / length;
    let share = if length > 0.0 { share.clamp(0.0, 1.0) } else { 0.0 };
    let foot = [a[0] + share * along[0], a[1] + share * along[1]];
    libm::hypot(at[0] - foot[0], at[1] - foot[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_of_a_grid_are_its_corners_and_inside_is_no_extrapolation() {
        let grid = (0..5).flat_map(|i| (0..5).map(move |j| [10f64.powi(i), 10f64.powi(j)]));
        let hull = corners(grid);
        assert_eq!(hull, [[1.0, 1.0], [1e4, 1.0], [1e4, 1e4], [1.0, 1e4]]);
        assert_eq!(decades_outside(&hull, [30.0, 1e4]), 0.0);
        assert!((decades_outside(&hull, [1e7, 1e8]) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn corner_of_the_ranges_is_outside_of_runs_along_a_ray() {
        let hull = corners((0..9).map(|i| [1e6 * 2f64.powi(i), 2e7 * 2f64.powi(i)]));
        // Small N with the tokens of the largest: inside of both ranges.
        assert!(decades_outside(&hull, [1e6, 2e7 * 256.0]) > 1.0);
        assert!(decades_outside(&hull, [4e6, 8e7]) < 1e-9);
    }

    #[test]
    fn half_width_of_a_ray_is_nothing_and_of_a_grid_is_not() {
        assert!(half_width(&corners((0..9).map(|i| [1e6 * 2f64.powi(i), 2e7 * 2f64.powi(i)]))) < 1e-9);
        let square = [[1.0, 1.0], [100.0, 1.0], [100.0, 100.0], [1.0, 100.0]];
        assert!((half_width(&square) - 2f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn hull_of_one_point_and_of_none_has_distances() {
        let one = corners([[1e6, 1e8]; 3].into_iter());
        assert_eq!(one.len(), 1);
        assert!((decades_outside(&one, [1e7, 1e8]) - 1.0).abs() < 1e-12);
        assert_eq!(decades_outside(&[], [1.0, 1.0]), 0.0);
    }
}
