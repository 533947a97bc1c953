//! Profile intervals: where the objective, minimised over the other parameters, has risen by t²·κ/2.

use crate::minimise::{Limits, Optimum, refine_within};
use crate::problem::Problem;
use crate::scale::Scale;

/// How far (in fitting coordinates, mostly logarithms) an end is looked for before it is called open.
const FURTHEST: f64 = 25.0;

/// Steps of one minimisation over the other parameters; a place is close to the next, so few do.
const LIMITS: Limits = Limits::steps(60);
/// Evaluations of the objective by one search at most.
const MOST_EVALUATIONS: usize = 60_000;

/// The objective over one parameter, minimised over the others, against the minimum that the data reach.
pub(crate) struct Profile<'a> {
    pub problem: &'a Problem<'a>,
    /// Objective at the best minimum.
    pub minimum: f64,
    pub scale: Scale,
    /// Quantile of Student's t that bounds the interval.
    pub t: f64,
    /// A lower minimum met on the way, as free coordinates of the whole problem.
    pub better: Option<Vec<f64>>,
    /// Evaluations of the objective so far.
    pub evaluations: usize,
}

/// A place on the profile: distance from where the walk began, signed root of the rise.
struct Place {
    distance: f64,
    root: f64,
}

impl<'a> Profile<'a> {
    pub fn new(problem: &'a Problem<'a>, minimum: f64, scale: Scale, t: f64) -> Self {
        Self { problem, minimum, scale, t, better: None, evaluations: 0 }
    }

    /// √(2·rise/κ), to be compared with t: a straight line along a parameter for a quadratic objective.
    pub fn root(&self, objective: f64) -> f64 {
        (2.0 * (objective - self.minimum).max(0.0) / self.scale.kappa).sqrt()
    }

    /// The minimum over the other coordinates with coordinate `k` held at `at`, from `others`; where a parameter had
    /// come to its bound there, from off the bound too.
    pub fn held(&mut self, k: usize, at: f64, others: &[f64]) -> Optimum {
        let j = self.problem.free[k];
        let (natural, ..) = self.problem.law.params()[j].domain.from_internal(at);
        let reduced = self.problem.fixing(j, natural);
        let mut best = refine_within(&reduced, others, LIMITS);
        self.evaluations += best.evaluations;
        if best.value.is_finite()
            && let Some(moved) = reduced.off_bounds(&best.theta)
        {
            let other = refine_within(&reduced, &moved, LIMITS);
            self.evaluations += other.evaluations;
            if other.value < best.value {
                best = other;
            }
        }
        if best.value < self.minimum * (1.0 - 1e-9) && self.better.is_none() {
            self.better = Some(with(&best.theta, k, at));
        }
        best
    }

    /// Whether the search has taken so long that the rest of it is given up, and its ends called open: along valleys
    /// without end no minimisation converges.
    pub fn exhausted(&self) -> bool {
        self.evaluations > MOST_EVALUATIONS
    }

    /// The end of the interval of coordinate `k` in the direction of `step` (about one standard error) from a place
    /// that the data do not reject; `None` where it is open.
    pub fn end(&mut self, from: &[f64], k: usize, step: f64) -> Option<f64> {
        let t = self.t;
        let mut others = without(from, k);
        let mut inside = Place { distance: 0.0, root: self.root(self.problem.objective_at(from)) };
        let mut outside: Option<Place> = None;
        let mut next = step * t;
        // The secant rule finds t in a few places.
        for _ in 0..40 {
            if self.exhausted() {
                return None;
            }
            let optimum = self.held(k, from[k] + next, &others);
            let place = Place { distance: next, root: self.root(optimum.value) };
            if !place.root.is_finite() {
                // No value there: the law ends here.
                next = 0.5 * (inside.distance + next);
                if (next - inside.distance).abs() < 1e-6 * step.abs() {
                    return Some(from[k] + inside.distance);
                }
                continue;
            }
            if (place.root - t).abs() < 1e-4 * t {
                return Some(from[k] + place.distance);
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
                    let growth =
                        if inside.root > 0.0 { (t / inside.root * 1.05).clamp(1.2, 3.0) } else { 3.0 };
                    inside.distance * growth
                }
            };
        }
        outside.map(|out| from[k] + out.distance)
    }
}

/// All coordinates but the `k`-th.
pub(crate) fn without(theta: &[f64], k: usize) -> Vec<f64> {
    theta.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, v)| *v).collect()
}

/// The others with the `k`-th put back.
pub(crate) fn with(others: &[f64], k: usize, at: f64) -> Vec<f64> {
    let mut whole = others.to_vec();
    whole.insert(k, at);
    whole
}
