//! The compute frontier: the lowest loss any run reached at each amount of compute.

use crate::error::FitError;

/// One learning curve: loss against compute (or any cost) as it grew.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Run it belongs to.
    pub run: String,
    /// (cost, loss) pairs in any order; pairs that are not finite and positive are left out.
    pub points: Vec<(f64, f64)>,
}

/// One point of the frontier.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontierPoint {
    /// Cost: compute in the curves' unit.
    pub cost: f64,
    /// Lowest loss reached for at most this cost.
    pub loss: f64,
    /// Run that reached it.
    pub run: String,
    /// Index of that run's curve.
    pub curve: usize,
}

/// How the frontier is drawn under the curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Every point that is lower than all cheaper ones.
    RunningMinimum,
    /// Corners of the lower convex hull in ln loss against ln cost: robust to curves that dip by noise.
    ConvexHull,
}

/// Lower envelope of `curves`, cheapest point first.
///
/// # Errors
/// No curve has a usable point.
///
/// # Source
/// Kaplan et al. 2020, section 3.3 and Figure 1 left; the hull as in Gemstones (McLeish et al. 2025).
pub fn envelope(curves: &[Curve], kind: Envelope) -> Result<Vec<FrontierPoint>, FitError> {
    let mut points: Vec<FrontierPoint> = curves
        .iter()
        .enumerate()
        .flat_map(|(curve, c)| {
            c.points
                .iter()
                .filter(|(cost, loss)| cost.is_finite() && loss.is_finite() && *cost > 0.0 && *loss > 0.0)
                .map(move |&(cost, loss)| FrontierPoint { cost, loss, run: c.run.clone(), curve })
        })
        .collect();
    points.sort_by(|a, b| {
        a.cost.total_cmp(&b.cost).then(a.loss.total_cmp(&b.loss)).then(a.curve.cmp(&b.curve))
    });
    let mut lowest = f64::INFINITY;
    points.retain(|p| {
        let lower = p.loss < lowest;
        lowest = lowest.min(p.loss);
        lower
    });
    if points.is_empty() {
        return Err(FitError::NoFrontier);
    }
    if kind == Envelope::ConvexHull {
        points = lower_hull(points);
    }
    Ok(points)
}

/// Corners of the lower convex hull of points sorted by cost, in logarithms.
fn lower_hull(points: Vec<FrontierPoint>) -> Vec<FrontierPoint> {
    let mut hull: Vec<FrontierPoint> = Vec::new();
    let at = |p: &FrontierPoint| (libm::log(p.cost), libm::log(p.loss));
    for p in points {
        while let [.., a, b] = hull.as_slice() {
            let ((ax, ay), (bx, by), (px, py)) = (at(a), at(b), at(&p));
            let turn = (bx - ax) * (py - ay) - (by - ay) * (px - ax);
            if turn > 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(p);
    }
    hull
}

/// Log-spaced readings of the frontier, so that dense curves do not weigh by how often they were logged:
/// the lowest loss at each of `per_decade` costs a decade. The first and last point are the frontier's own.
pub fn readings(frontier: &[FrontierPoint], per_decade: usize) -> Vec<FrontierPoint> {
    let (Some(first), Some(last)) = (frontier.first(), frontier.last()) else { return vec![] };
    let decades = libm::log10(last.cost / first.cost);
    let steps = (decades * per_decade as f64).ceil().max(1.0) as usize;
    let mut out: Vec<FrontierPoint> = Vec::new();
    for k in 0..=steps {
        let cost = first.cost * libm::pow(10.0, decades * k as f64 / steps as f64) * (1.0 + 1e-12);
        let reached = frontier.partition_point(|p| p.cost <= cost);
        let point = &frontier[reached.max(1) - 1];
        if out.last().is_none_or(|p| p.cost != point.cost) {
            out.push(point.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(run: &str, points: &[(f64, f64)]) -> Curve {
        Curve { run: run.into(), points: points.to_vec() }
    }

    #[test]
    fn envelope_of_crossing_curves_names_the_run_of_each_point() {
        let small = curve("small", &[(1.0, 5.0), (2.0, 4.0), (4.0, 3.8), (8.0, 3.79)]);
        let large = curve("large", &[(2.0, 6.0), (4.0, 4.5), (8.0, 3.0), (f64::NAN, 1.0)]);
        let got = envelope(&[small, large], Envelope::RunningMinimum).unwrap();
        let names: Vec<_> = got.iter().map(|p| (p.cost, p.run.as_str())).collect();
        assert_eq!(names, [(1.0, "small"), (2.0, "small"), (4.0, "small"), (8.0, "large")]);
    }

    #[test]
    fn convex_hull_drops_points_above_the_chord() {
        let c = curve("a", &[(1.0, 8.0), (2.0, 7.9), (4.0, 2.0)]);
        let got = envelope(&[c], Envelope::ConvexHull).unwrap();
        assert_eq!(got.iter().map(|p| p.cost).collect::<Vec<_>>(), [1.0, 4.0]);
    }

    #[test]
    fn envelope_without_usable_points_is_an_error() {
        assert!(envelope(&[curve("a", &[(0.0, 1.0)])], Envelope::RunningMinimum).is_err());
    }

    #[test]
    fn readings_thin_a_dense_frontier_evenly_in_log_cost() {
        let c = curve("a", &(1..=1000).map(|i| (f64::from(i), 10.0 / f64::from(i))).collect::<Vec<_>>());
        let frontier = envelope(&[c], Envelope::RunningMinimum).unwrap();
        let got = readings(&frontier, 2);
        assert_eq!(got.len(), 7);
        assert_eq!((got[0].cost, got[6].cost), (1.0, 1000.0));
    }
}
