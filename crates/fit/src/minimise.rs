//! Newton's method with a damped, sign-corrected Hessian: one polished local minimum.

use crate::linalg::eigen;
use crate::objective::Penalty;
use crate::problem::{Derivatives, Problem};

/// A local minimum.
#[derive(Clone, Debug)]
pub(crate) struct Optimum {
    pub theta: Vec<f64>,
    /// The objective (the true penalty's, never a stand-in's).
    pub value: f64,
    pub converged: bool,
}

/// No coordinate moves further than this in one step: coordinates are mostly logarithms.
const LONGEST_STEP: f64 = 2.0;
const MOST_STEPS: usize = 400;

/// Polishes `start` to the local minimum its basin leads to.
///
/// A penalty that is linear beyond a δ far below the residuals has curvature almost nowhere; it is reached
/// by Huber penalties of falling δ, each minimum a good start for the next.
pub(crate) fn polish(problem: &Problem<'_>, start: &[f64]) -> Optimum {
    let target = match problem.objective.penalty {
        Penalty::LeastSquares => None,
        Penalty::Huber { delta } | Penalty::Asymmetric { delta, .. } => Some(delta),
        Penalty::LeastAbsolute => Some(0.0),
    };
    let mut theta = start.to_vec();
    if let Some(target) = target {
        let mut delta = typical_residual(problem, start);
        if target < 0.05 * delta {
            // |r| itself is as good as reached when δ is far below what the objective can tell apart.
            let last = target.max(1e-9 * delta);
            while delta > last {
                theta = newton(&problem.smoothed(delta), &theta).0;
                delta *= 0.2;
            }
            if target == 0.0 {
                let (sharpest, _) = newton(&problem.smoothed(last), &theta);
                let (before, value) = (problem.objective_at(&theta), problem.objective_at(&sharpest));
                return Optimum {
                    theta: sharpest,
                    value,
                    converged: (before - value).abs() <= 1e-7 * value.abs(),
                };
            }
        }
    }
    let (theta, converged) = newton(problem, &theta);
    Optimum { value: problem.objective_at(&theta), theta, converged }
}

/// Median size of the residuals.
fn typical_residual(problem: &Problem<'_>, theta: &[f64]) -> f64 {
    let mut sizes: Vec<f64> =
        problem.residuals(theta).iter().map(|r| r.abs()).filter(|r| r.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(1.0).max(1e-12)
}

fn newton(problem: &Problem<'_>, start: &[f64]) -> (Vec<f64>, bool) {
    let mut theta = start.to_vec();
    let mut at = problem.evaluate(&theta);
    if !at.value.is_finite() || theta.is_empty() {
        return (theta, at.value.is_finite());
    }
    let mut damping = 0.0;
    for _ in 0..MOST_STEPS {
        let model = Model::new(&at);
        loop {
            let step = model.step(damping);
            let predicted = model.predicted_decrease(&step);
            // A Newton step that can gain less than the rounding of the sum: nothing is left to gain.
            let exhausted = predicted <= 1e-15 * at.value.abs();
            let next: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            let there = problem.evaluate(&next);
            let better = there.value.is_finite()
                && (there.value < at.value
                    || (there.value <= at.value * (1.0 + 1e-14)
                        && norm(&there.gradient) < norm(&at.gradient)));
            if exhausted {
                return (if better { next } else { theta }, damping < 1.0);
            }
            if better {
                let ratio = (at.value - there.value) / predicted;
                damping = if ratio > 0.7 {
                    damping * 0.1
                } else if ratio < 0.2 {
                    (damping * 4.0).max(1e-3)
                } else {
                    damping
                };
                if damping < 1e-9 {
                    damping = 0.0;
                }
                (theta, at) = (next, there);
                break;
            }
            damping = (damping * 8.0).max(1e-4);
            if damping > 1e12 {
                return (theta, norm_scaled(&model.gradient) < 1e-6 * at.value.abs().max(f64::MIN_POSITIVE));
            }
        }
    }
    (theta, false)
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn norm_scaled(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// The local quadratic in coordinates scaled by the Hessian's diagonal, negative curvatures turned positive.
struct Model {
    scale: Vec<f64>,
    gradient: Vec<f64>,
    curvature: Vec<f64>,
    vectors: Vec<f64>,
}

impl Model {
    fn new(at: &Derivatives) -> Self {
        let n = at.gradient.len();
        let largest = (0..n).map(|j| at.hessian[j * n + j].abs()).fold(f64::MIN_POSITIVE, f64::max);
        let scale: Vec<f64> =
            (0..n).map(|j| 1.0 / at.hessian[j * n + j].abs().max(1e-20 * largest).sqrt()).collect();
        let scaled: Vec<f64> = (0..n * n).map(|i| at.hessian[i] * scale[i / n] * scale[i % n]).collect();
        let (values, vectors) = eigen(&scaled, n);
        let gradient = at.gradient.iter().zip(&scale).map(|(g, s)| g * s).collect();
        let top = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let curvature = values.iter().map(|v| v.abs().max(1e-13 * top)).collect();
        Self { scale, gradient, curvature, vectors }
    }

    fn step(&self, damping: f64) -> Vec<f64> {
        let n = self.gradient.len();
        let mut z = vec![0.0; n];
        for k in 0..n {
            let along: f64 = (0..n).map(|j| self.vectors[j * n + k] * self.gradient[j]).sum();
            let length = -along / (self.curvature[k] + damping);
            for (j, z) in z.iter_mut().enumerate() {
                *z += length * self.vectors[j * n + k];
            }
        }
        let mut step: Vec<f64> = z.iter().zip(&self.scale).map(|(z, s)| z * s).collect();
        let longest = norm_scaled(&step);
        if longest > LONGEST_STEP {
            step.iter_mut().for_each(|s| *s *= LONGEST_STEP / longest);
        }
        step
    }

    /// Decrease of the corrected quadratic along `step`.
    fn predicted_decrease(&self, step: &[f64]) -> f64 {
        let n = step.len();
        let z: Vec<f64> = step.iter().zip(&self.scale).map(|(s, c)| s / c).collect();
        let linear: f64 = z.iter().zip(&self.gradient).map(|(z, g)| z * g).sum();
        let quadratic: f64 = (0..n)
            .map(|k| {
                let along: f64 = (0..n).map(|j| self.vectors[j * n + k] * z[j]).sum();
                self.curvature[k] * along * along
            })
            .sum();
        -(linear + 0.5 * quadratic)
    }
}
