//! Profile intervals: where the objective, minimised over the other parameters, has risen by t²·κ/2.

use crate::minimise::refine;
use crate::problem::Problem;
use crate::scale::Scale;

/// How far (in fitting coordinates, mostly logarithms) an end is looked for before it is called open.
const FURTHEST: f64 = 25.0;

/// What profiling one parameter found.
pub(crate) struct Profile {
    /// Lower and upper end as fitting coordinates; `None` where open.
    pub ends: [Option<f64>; 2],
    /// A lower minimum met on the way, as free coordinates of the whole problem.
    pub better: Option<Vec<f64>>,
}

/// Profiles free coordinate `k` around the minimum `theta` with objective `minimum`;
/// `step` is about one standard error.
pub(crate) fn profile(
    problem: &Problem<'_>,
    theta: &[f64],
    minimum: f64,
    k: usize,
    step: f64,
    scale: Scale,
    t: f64,
) -> Profile {
    let mut found = Profile { ends: [None, None], better: None };
    for (side, sign) in [(0, -1.0), (1, 1.0)] {
        found.ends[side] = end(problem, theta, minimum, k, sign * step, scale, t, &mut found.better);
    }
    found
}

/// A place on the profile: distance from the minimum, signed root of the rise, the other coordinates.
struct Place {
    distance: f64,
    root: f64,
}

#[allow(clippy::too_many_arguments)]
fn end(
    problem: &Problem<'_>,
    theta: &[f64],
    minimum: f64,
    k: usize,
    step: f64,
    scale: Scale,
    t: f64,
    better: &mut Option<Vec<f64>>,
) -> Option<f64> {
    let j = problem.free[k];
    let domain = problem.law.params()[j].domain;
    let mut others: Vec<f64> = theta.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, v)| *v).collect();
    // √(2·rise/κ) is a straight line for a quadratic objective: the secant rule finds t in a few places.
    let mut inside = Place { distance: 0.0, root: 0.0 };
    let mut outside: Option<Place> = None;
    let mut next = step * t;
    for _ in 0..40 {
        let (natural, ..) = domain.from_internal(theta[k] + next);
        let reduced = problem.fixing(j, natural);
        let optimum = refine(&reduced, &others);
        let rise = optimum.value - minimum;
        if rise < -1e-9 * minimum.abs() && better.is_none() {
            let mut whole = optimum.theta.clone();
            whole.insert(k, theta[k] + next);
            *better = Some(whole);
        }
        let place = Place { distance: next, root: (2.0 * rise.max(0.0) / scale.kappa).sqrt() };
        if !place.root.is_finite() {
            // No value there: the law ends here.
            next = 0.5 * (inside.distance + next);
            if (next - inside.distance).abs() < 1e-6 * step.abs() {
                return Some(theta[k] + inside.distance);
            }
            continue;
        }
        if (place.root - t).abs() < 1e-4 * t {
            return Some(theta[k] + place.distance);
        }
        if place.root < t {
            others = optimum.theta;
            inside = place;
        } else {
            outside = Some(place);
        }
        next = match &outside {
            Some(out) => {
                // Secant between the two sides, kept off the ends.
                let share = (t - inside.root) / (out.root - inside.root);
                inside.distance + share.clamp(0.05, 0.95) * (out.distance - inside.distance)
            }
            None => {
                if inside.distance.abs() > FURTHEST {
                    return None;
                }
                let growth = if inside.root > 0.0 { (t / inside.root * 1.05).clamp(1.2, 3.0) } else { 3.0 };
                inside.distance * growth
            }
        };
    }
    outside.map(|out| theta[k] + out.distance)
}
