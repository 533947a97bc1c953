//! The noise scale of a fit: what turns a rise of the objective into standard errors.

use crate::fit::n_groups;
use crate::linalg::Matrix;
use crate::problem::Problem;
use crate::statistics::median;
use std::collections::BTreeMap;

/// Noise of the residuals as the objective sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// 2·(F(θ) − F(θ̂))/kappa is compared with t² (one parameter): for least squares kappa = 2σ̂².
    pub kappa: f64,
    /// Variance of a residual of unit weight as it enters the covariance: σ̂² for least squares.
    pub variance: f64,
    /// Standard deviation of the residuals, n − p in the denominator, in the objective's space.
    pub sigma: f64,
    /// Degrees of freedom: points − free parameters.
    pub freedom: f64,
    /// Mean slope of the score ψ.
    pub slope: f64,
    /// Whether the residuals are rounding: the law passes through the points.
    pub exact: bool,
}

/// Residuals below this share of a prediction are rounding of numbers that were written in ten digits or more.
const ROUNDING: f64 = 1e-10;

/// For an M-estimator the slope of the mean score ψ replaces its curvature, which is 0 almost everywhere
/// for |r|: Var = E[ψ²]/(dE[ψ]/dr)²·(JᵀJ)⁻¹ (Huber & Ronchetti 2009, section 7.6).
pub(crate) fn scale(problem: &Problem<'_>, residuals: &[f64]) -> Scale {
    let penalty = problem.objective.penalty;
    let weights = &problem.data.weight;
    let n = weights.iter().filter(|w| **w > 0.0).count() as f64;
    let freedom = (n - problem.free.len() as f64).max(1.0);
    let sizes = residuals.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(r, _)| r.abs()).collect();
    // Median absolute deviation as a standard deviation; kernel half-width by Silverman's rule.
    let typical = 1.4826 * median(sizes).unwrap_or(0.0);
    let half_width = typical.max(1e-300) * libm::pow(n.max(1.0), -0.2);
    let (mut squares, mut score, mut slope, mut slopes, mut total) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (r, w) in residuals.iter().zip(weights) {
        let psi = penalty.rho(*r).slope;
        let secant =
            (penalty.rho(r + half_width).slope - penalty.rho(r - half_width).slope) / (2.0 * half_width);
        squares += w * r * r;
        score += w * w * psi * psi;
        slope += w * secant;
        slopes += w * secant * secant;
        total += w;
    }
    let correction = n / freedom;
    let (sigma, slope) = ((squares / total * correction).sqrt(), slope / total);
    // Few points lie where a sharp penalty bends, so the slope of its score is known badly (the finite-sample
    // factor of Huber & Ronchetti 2009, section 7.6); 1 for least squares.
    let few =
        1.0 + problem.free.len() as f64 / n.max(1.0) * (slopes / total / (slope * slope) - 1.0).max(0.0);
    let kappa = correction * few * few * score / (slope * total);
    let least = ROUNDING * problem.typical_prediction();
    if sigma < least {
        // Whatever the penalty, it is a parabola here.
        let variance = least * least;
        return Scale { kappa: 2.0 * variance, variance, sigma: least, freedom, slope, exact: true };
    }
    Scale { kappa, variance: kappa / slope, sigma, freedom, slope, exact: false }
}

/// Covariance of the free coordinates, and the condition number of the scaled information matrix.
pub(crate) fn covariance(problem: &Problem<'_>, theta: &[f64], scale: Scale) -> (Option<Matrix>, f64) {
    let m = theta.len();
    let jacobian = problem.jacobian(theta);
    let mut information = Matrix::zeros(m, m);
    for i in 0..jacobian.rows() {
        information.add_outer(problem.data.weight[i], jacobian.row(i));
    }
    let norm: Vec<f64> = information.diagonal().iter().map(|v| v.sqrt().max(f64::MIN_POSITIVE)).collect();
    let scaled = Matrix::from_fn(m, m, |i, j| information[(i, j)] / (norm[i] * norm[j]));
    let (values, _) = scaled.eigen();
    let (lo, hi) = values.iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    let condition = if lo > 0.0 { (hi / lo).sqrt() } else { f64::INFINITY };
    let inverse = scaled.inverse().map(|inv| Matrix::from_fn(m, m, |i, j| inv[(i, j)] / (norm[i] * norm[j])));
    let covariance = inverse.map(|inverse| {
        let alone = Matrix::from_fn(m, m, |i, j| scale.variance * inverse[(i, j)]);
        let runs = n_groups(problem.data);
        if (2..problem.data.len()).contains(&runs) && !scale.exact {
            of_runs(problem, theta, &jacobian, &inverse, scale, alone, runs)
        } else {
            alone
        }
    });
    (covariance, condition)
}

/// The covariance where points of one run err together: the scores are summed by run before they are squared (Liang &
/// Zeger 1986). With few runs these sums do not span the coordinates; then `alone`, the covariance of points that err
/// alone, is inflated by the mean ratio of the two.
fn of_runs(
    problem: &Problem<'_>,
    theta: &[f64],
    jacobian: &Matrix,
    inverse: &Matrix,
    scale: Scale,
    alone: Matrix,
    runs: usize,
) -> Matrix {
    let (m, data) = (theta.len(), problem.data);
    let mut scores: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (i, r) in problem.residuals(theta).iter().enumerate() {
        let psi = data.weight[i] * problem.objective.penalty.rho(*r).slope / scale.slope;
        let sum = scores.entry(data.group[i]).or_insert_with(|| vec![0.0; m]);
        sum.iter_mut().zip(jacobian.row(i)).for_each(|(sum, slope)| *sum += psi * slope);
    }
    let (n, g) = (data.len() as f64, runs as f64);
    let correction = g / (g - 1.0) * n / scale.freedom;
    let mut together = Matrix::zeros(m, m);
    for score in scores.values() {
        let step: Vec<f64> = (0..m).map(|i| (0..m).map(|j| inverse[(i, j)] * score[j]).sum()).collect();
        together.add_outer(correction, &step);
    }
    if runs > 2 * m {
        return together;
    }
    let ratios = (0..m).map(|i| together[(i, i)] / alone[(i, i)]).filter(|ratio| ratio.is_finite());
    let inflation = (ratios.sum::<f64>() / m as f64).max(1.0);
    Matrix::from_fn(m, m, |i, j| inflation * alone[(i, j)])
}
