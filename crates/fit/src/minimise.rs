//! One polished local minimum: a damped walk of the convex stand-in from afar, Newton's method with a
//! sign-corrected Hessian near by.

use crate::corner;
use crate::law::MAX_PARAMS;
use crate::linalg::Matrix;
use crate::objective::Penalty;
use crate::problem::{Curvature, Derivatives, Problem};

/// A local minimum.
#[derive(Clone, Debug)]
pub(crate) struct Optimum {
    pub theta: Vec<f64>,
    /// The objective (the true penalty's, never a stand-in's).
    pub value: f64,
    pub converged: bool,
    /// Evaluations of the objective and its derivatives that it took.
    pub evaluations: usize,
}

/// Where a walk ends that has not come to the last digit of its minimum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Steps of either kind at most: along a flat valley there may be no end, and no lower place either.
    pub steps: usize,
    /// Gain of one step that is not worth another.
    pub enough: f64,
}

impl Optimum {
    /// The same, counting what led to its start.
    fn after(mut self, evaluations: usize) -> Self {
        self.evaluations += evaluations;
        self
    }
}

impl Limits {
    /// To the last digit.
    pub const NONE: Self = Self { steps: 1000, enough: 0.0 };

    /// So many steps at most.
    pub const fn steps(steps: usize) -> Self {
        Self { steps, ..Self::NONE }
    }
}

/// Walks from a distant `start` to the local minimum its basin leads to: damped steps of the convex stand-in
/// until they gain little, then Newton's.
pub(crate) fn polish(problem: &Problem<'_>, start: &[f64]) -> Optimum {
    polish_within(problem, start, Limits::NONE)
}

/// The same within limits.
pub(crate) fn polish_within(problem: &Problem<'_>, start: &[f64], limits: Limits) -> Optimum {
    let (near, evaluations) = approach(problem, start, limits.steps);
    refine_within(problem, &near, limits).after(evaluations)
}

/// The same, for a penalty that is sharper than the residuals, with the penalty rounded off to their size: finds
/// the minimum that corners hide, and not the small ones between them.
pub(crate) fn polish_rounded(problem: &Problem<'_>, start: &[f64], limits: Limits) -> Vec<f64> {
    let rounded = problem.smoothed(problem.typical_residual(start));
    newton(&rounded, &approach(&rounded, start, limits.steps).0, limits).theta
}

/// How much sharper than the residuals a penalty may be for Newton's method to see its curvature.
const SHARPEST: f64 = 0.01;

/// How sharp a stand-in for |r| is made before its corner is looked for.
const NEAR_CORNER: f64 = 1e-3;

/// Polishes a `start` that is near its minimum already.
pub(crate) fn refine_within(problem: &Problem<'_>, start: &[f64], limits: Limits) -> Optimum {
    if turn(problem.objective.penalty).is_some_and(|delta| delta < SHARPEST * problem.typical_residual(start))
    {
        return sharpen(problem, start, limits);
    }
    let optimum = newton(problem, start, limits);
    let to_the_last_digit = problem.objective.penalty == Penalty::LeastSquares && limits.enough == 0.0;
    if to_the_last_digit { settle(problem, optimum) } else { optimum }
}

/// Where a penalty turns linear; `None` for one that never does.
fn turn(penalty: Penalty) -> Option<f64> {
    match penalty {
        Penalty::LeastSquares => None,
        Penalty::Huber { delta } | Penalty::Asymmetric { delta, .. } => Some(delta),
        Penalty::LeastAbsolute => Some(0.0),
    }
}

/// From near a rounded minimum: minima of Huber penalties of falling δ, down to the problem's own; for |r|, down to
/// its exact corner.
pub(crate) fn sharpen(problem: &Problem<'_>, start: &[f64], limits: Limits) -> Optimum {
    let Some(target) = turn(problem.objective.penalty) else {
        return refine_within(problem, start, limits);
    };
    let mut theta = start.to_vec();
    let mut delta = problem.typical_residual(start);
    // The corner is found exactly in the end; its neighbourhood is enough here.
    let last = target.max(NEAR_CORNER * delta);
    let mut evaluations = 0;
    while delta > last {
        let near = newton(&problem.smoothed(delta), &theta, limits);
        theta = near.theta;
        evaluations += near.evaluations;
        delta *= 0.2;
    }
    if target > 0.0 {
        return newton(problem, &theta, limits).after(evaluations);
    }
    let sharpest = newton(&problem.smoothed(last), &theta, limits);
    let (theta, converged) = corner::settle(problem, &sharpest.theta);
    let value = problem.objective_at(&theta);
    Optimum { theta, value, converged, evaluations: evaluations + sharpest.evaluations }
}

/// Last digits of an ill-conditioned least-squares minimum: Gauss and Newton's curvature is convex to the last
/// bit, where the Hessian's small eigenvalues drown in its own rounding.
fn settle(problem: &Problem<'_>, optimum: Optimum) -> Optimum {
    let m = optimum.theta.len();
    let mut best = optimum;
    let mut last = f64::INFINITY;
    for _ in 0..12 {
        let at = problem.evaluate(&best.theta, Curvature::Majorant);
        let widest: Vec<f64> = (0..m).map(|j| at.hessian[j * m + j].abs()).collect();
        let model = Model::new(&at, m, &widest);
        let Some(step) = model.step(0.0, &problem.longest_step(&best.theta)[..m]) else { break };
        let predicted = model.predicted_decrease(&step);
        if predicted <= 1e-20 * at.value || predicted >= 0.25 * last {
            break;
        }
        let next: Vec<f64> = best.theta.iter().zip(&step).map(|(t, s)| t + s).collect();
        let value = problem.objective_at(&next);
        if value > at.value * (1.0 + 1e-12) || !value.is_finite() {
            break;
        }
        (best.theta, best.value, last) = (next, value, predicted);
    }
    best
}

/// A damping that has come to 0 could never grow again.
const LEAST_DAMPING: f64 = 1e-15;

/// Levenberg and Marquardt's walk with Moré's scaling (the largest curvature seen in each coordinate).
fn approach(problem: &Problem<'_>, start: &[f64], most_steps: usize) -> (Vec<f64>, usize) {
    let m = start.len();
    let mut theta = start.to_vec();
    let mut at = problem.evaluate(&theta, Curvature::Majorant);
    let mut evaluations = 1;
    if !at.value.is_finite() || m == 0 {
        return (theta, evaluations);
    }
    let mut widest = vec![0.0f64; m];
    let (mut damping, mut growth) = (1e-3, 2.0);
    for _ in 0..most_steps {
        for (j, w) in widest.iter_mut().enumerate() {
            *w = w.max(at.hessian[j * m + j].abs());
        }
        let model = Model::new(&at, m, &widest);
        let longest = problem.longest_step(&theta);
        // Where even the undamped model sees no thousandth to gain, the rest is Newton's work.
        let near = |step: Vec<f64>| model.predicted_decrease(&step) < 1e-3 * at.value;
        if model.step(0.0, &[f64::INFINITY; MAX_PARAMS][..m]).is_some_and(near) {
            return (theta, evaluations);
        }
        loop {
            let Some(step) = model.step(damping, &longest[..m]) else {
                damping *= growth;
                growth *= 2.0;
                if damping > 1e15 {
                    return (theta, evaluations);
                }
                continue;
            };
            let predicted = model.predicted_decrease(&step);
            if predicted <= 1e-9 * at.value {
                return (theta, evaluations);
            }
            let next: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            let there = problem.evaluate(&next, Curvature::Majorant);
            evaluations += 1;
            if there.value.is_finite() && there.value < at.value {
                // Nielsen's rule for the next damping.
                let ratio = (at.value - there.value) / predicted;
                let bend = 2.0 * ratio - 1.0;
                damping = (damping * (1.0 - bend * bend * bend).max(1.0 / 3.0)).max(LEAST_DAMPING);
                growth = 2.0;
                (theta, at) = (next, there);
                break;
            }
            damping *= growth;
            growth *= 2.0;
            if damping > 1e15 {
                return (theta, evaluations);
            }
        }
    }
    (theta, evaluations)
}

fn newton(problem: &Problem<'_>, start: &[f64], limits: Limits) -> Optimum {
    let m = start.len();
    let mut theta = start.to_vec();
    let mut at = problem.evaluate(&theta, Curvature::Full);
    let mut evaluations = 1;
    if !at.value.is_finite() || m == 0 {
        return Optimum { theta, value: at.value, converged: at.value.is_finite(), evaluations };
    }
    let (mut damping, mut last) = (0.0, f64::INFINITY);
    for _ in 0..limits.steps {
        let widest: Vec<f64> = (0..m).map(|j| at.hessian[j * m + j].abs()).collect();
        let mut model = Model::new(&at, m, &widest);
        let longest = problem.longest_step(&theta);
        loop {
            let step = match model.step(damping, &longest[..m]) {
                Some(step) => step,
                None => {
                    model.correct();
                    model.step(damping, &longest[..m]).unwrap_or_else(|| vec![0.0; m])
                }
            };
            let predicted = model.predicted_decrease(&step);
            // A step that can gain less than the rounding of the sum is judged by the next step's size.
            let tiny = predicted <= 1e-13 * at.value.abs();
            let next: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            if (0.0..limits.enough).contains(&predicted) && damping == 0.0 {
                return Optimum { theta: next, value: at.value - predicted, converged: true, evaluations };
            }
            let there = problem.evaluate(&next, Curvature::Full);
            evaluations += 1;
            if tiny {
                // Newton's steps shrink quadratically until rounding takes over.
                if predicted >= 0.25 * last || !there.value.is_finite() {
                    return Optimum { theta, value: at.value, converged: damping < 1.0, evaluations };
                }
                last = predicted;
                (theta, at) = (next, there);
                break;
            }
            if there.value < at.value {
                let ratio = (at.value - there.value) / predicted;
                damping = match ratio {
                    r if r > 0.7 => damping * 0.1,
                    r if r < 0.2 => (damping * 4.0).max(1e-3),
                    _ => damping,
                };
                if damping < 1e-9 {
                    damping = 0.0;
                }
                (theta, at) = (next, there);
                break;
            }
            damping = (damping * 8.0).max(1e-4);
            if damping > 1e12 {
                let flat = largest(&model.gradient) < 1e-6 * at.value.abs().max(f64::MIN_POSITIVE);
                return Optimum { theta, value: at.value, converged: flat, evaluations };
            }
        }
    }
    Optimum { theta, value: at.value, converged: false, evaluations }
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// The local quadratic in coordinates scaled to unit curvature.
struct Model {
    scale: Vec<f64>,
    gradient: Vec<f64>,
    /// Scaled.
    hessian: Matrix,
}

impl Model {
    /// `widest` is the curvature that each coordinate is scaled by.
    fn new(at: &Derivatives, m: usize, widest: &[f64]) -> Self {
        let top = largest(widest).max(f64::MIN_POSITIVE);
        let scale: Vec<f64> = widest.iter().map(|w| 1.0 / w.max(1e-20 * top).sqrt()).collect();
        let hessian = Matrix::from_fn(m, m, |i, j| at.hessian[i * m + j] * scale[i] * scale[j]);
        let gradient = at.gradient.iter().zip(&scale).map(|(g, s)| g * s).collect();
        Self { scale, gradient, hessian }
    }

    /// Turns negative curvatures positive.
    fn correct(&mut self) {
        let m = self.gradient.len();
        let (values, vectors) = self.hessian.eigen();
        let floor = 1e-12 * largest(&values);
        let part = |i, j, k: usize| vectors[(i, k)] * values[k].abs().max(floor) * vectors[(j, k)];
        self.hessian = Matrix::from_fn(m, m, |i, j| (0..m).map(|k| part(i, j, k)).sum());
    }

    /// The minimum of the quadratic with `damping` added to every curvature, shortened to the `longest` step;
    /// `None` where that is not convex.
    fn step(&self, damping: f64, longest: &[f64]) -> Option<Vec<f64>> {
        let m = self.gradient.len();
        let mut damped = self.hessian.clone();
        (0..m).for_each(|j| damped[(j, j)] += damping);
        let z = damped.cholesky()?.solve(&self.gradient);
        let mut step: Vec<f64> = z.iter().zip(&self.scale).map(|(z, s)| -z * s).collect();
        let over = step.iter().zip(longest).map(|(s, l)| s.abs() / l).fold(0.0, f64::max);
        if over > 1.0 {
            step.iter_mut().for_each(|s| *s /= over);
        }
        step.iter().all(|s| s.is_finite()).then_some(step)
    }

    /// Decrease of the quadratic along `step`.
    fn predicted_decrease(&self, step: &[f64]) -> f64 {
        let m = step.len();
        let z: Vec<f64> = step.iter().zip(&self.scale).map(|(s, c)| s / c).collect();
        let linear: f64 = z.iter().zip(&self.gradient).map(|(z, g)| z * g).sum();
        let quadratic: f64 =
            self.hessian.entries().iter().enumerate().map(|(i, h)| z[i / m] * h * z[i % m]).sum();
        -(linear + 0.5 * quadratic)
    }
}
