//! Newton's method with a damped, sign-corrected Hessian: one polished local minimum.

use crate::linalg::{cholesky, cholesky_solve, eigen};
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
        let mut delta = problem.typical_residual(start);
        if target < 0.05 * delta {
            // |r| itself is as good as reached when δ is far below what the objective can tell apart.
            let last = target.max(1e-9 * delta);
            while delta > last {
                theta = newton(&problem.smoothed(delta), &theta).theta;
                delta *= 0.2;
            }
            if target == 0.0 {
                let sharpest = newton(&problem.smoothed(last), &theta).theta;
                let (before, value) = (problem.objective_at(&theta), problem.objective_at(&sharpest));
                let converged = (before - value).abs() <= 1e-7 * value.abs();
                return Optimum { theta: sharpest, value, converged };
            }
        }
    }
    newton(problem, &theta)
}

fn newton(problem: &Problem<'_>, start: &[f64]) -> Optimum {
    let m = start.len();
    let mut theta = start.to_vec();
    let mut at = problem.evaluate(&theta);
    if !at.value.is_finite() || m == 0 {
        return Optimum { theta, value: at.value, converged: at.value.is_finite() };
    }
    let mut damping = 0.0;
    for _ in 0..MOST_STEPS {
        let mut model = Model::new(&at, m);
        let longest = problem.longest_step(&theta);
        loop {
            let step = model.step(damping, &longest[..m]);
            let predicted = model.predicted_decrease(&step);
            // A Newton step that can gain less than the rounding of the sum: nothing is left to gain.
            let exhausted = predicted <= 1e-15 * at.value.abs();
            let next: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            let there = problem.evaluate(&next);
            let smaller = || norm(&there.gradient[..m]) < norm(&at.gradient[..m]);
            let better = there.value.is_finite()
                && (there.value < at.value || (there.value <= at.value * (1.0 + 1e-14) && smaller()));
            if exhausted {
                let (theta, value) = if better { (next, there.value) } else { (theta, at.value) };
                return Optimum { theta, value, converged: damping < 1.0 };
            }
            if better {
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
                return Optimum { theta, value: at.value, converged: flat };
            }
        }
    }
    Optimum { theta, value: at.value, converged: false }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// The local quadratic in coordinates scaled by the Hessian's diagonal. Where it is not convex, negative
/// curvatures are turned positive.
struct Model {
    scale: Vec<f64>,
    gradient: Vec<f64>,
    /// Scaled Hessian, row-major; convex once `corrected`.
    hessian: Vec<f64>,
    corrected: bool,
}

impl Model {
    fn new(at: &Derivatives, m: usize) -> Self {
        let top = (0..m).map(|j| at.hessian[j * m + j].abs()).fold(f64::MIN_POSITIVE, f64::max);
        let scale: Vec<f64> =
            (0..m).map(|j| 1.0 / at.hessian[j * m + j].abs().max(1e-20 * top).sqrt()).collect();
        let hessian = (0..m * m).map(|i| at.hessian[i] * scale[i / m] * scale[i % m]).collect();
        let gradient = at.gradient.iter().zip(&scale).map(|(g, s)| g * s).collect();
        Self { scale, gradient, hessian, corrected: false }
    }

    /// |H| by its eigenvalues.
    fn correct(&mut self) {
        let m = self.gradient.len();
        let (values, vectors) = eigen(&self.hessian, m);
        let floor = 1e-13 * largest(&values);
        self.hessian = (0..m * m)
            .map(|i| {
                (0..m)
                    .map(|k| vectors[i / m * m + k] * values[k].abs().max(floor) * vectors[i % m * m + k])
                    .sum()
            })
            .collect();
        self.corrected = true;
    }

    fn step(&mut self, damping: f64, longest: &[f64]) -> Vec<f64> {
        let m = self.gradient.len();
        let mut z = self.damped(damping);
        if z.is_none() && !self.corrected {
            self.correct();
            z = self.damped(damping);
        }
        let Some(z) = z else { return vec![0.0; m] };
        let mut step: Vec<f64> = z.iter().zip(&self.scale).map(|(z, s)| -z * s).collect();
        let over = step.iter().zip(longest).map(|(s, l)| s.abs() / l).fold(0.0, f64::max);
        if over > 1.0 {
            step.iter_mut().for_each(|s| *s /= over);
        }
        step
    }

    fn damped(&self, damping: f64) -> Option<Vec<f64>> {
        let m = self.gradient.len();
        let mut damped = self.hessian.clone();
        (0..m).for_each(|j| damped[j * m + j] += damping);
        cholesky(&damped, m).map(|l| cholesky_solve(&l, m, &self.gradient))
    }

    /// Decrease of the quadratic along `step`.
    fn predicted_decrease(&self, step: &[f64]) -> f64 {
        let m = step.len();
        let z: Vec<f64> = step.iter().zip(&self.scale).map(|(s, c)| s / c).collect();
        let linear: f64 = z.iter().zip(&self.gradient).map(|(z, g)| z * g).sum();
        let quadratic: f64 = (0..m * m).map(|i| z[i / m] * self.hessian[i] * z[i % m]).sum();
        -(linear + 0.5 * quadratic)
    }
}
