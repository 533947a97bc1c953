//! Points that the law does not explain, each with what the fit is without it: a run that crashed beside runs that did
//! not.

use crate::error::FitError;
use crate::law::Vars;
use crate::minima::{self, Effort, Minima};
use crate::objective::{Objective, Penalty};
use crate::problem::Problem;
use crate::scale::scale;
use crate::statistics::median;

/// A point that the law fitted to the others does not explain.
#[derive(Clone, Debug)]
pub(crate) struct Outlier {
    /// Index of the point.
    pub point: usize,
    /// Its residual (prediction − observation in the objective's space) by the law fitted without it.
    pub residual: f64,
    /// The same over the standard deviation of the other residuals.
    pub sigmas: f64,
    /// All constants without it, and without those named before it.
    pub values: Vec<f64>,
}

/// Residuals above so many typical ones make a point worth a fit without it.
const SUSPICIOUS: f64 = 4.0;
/// Standard deviations of the other residuals from which a point is not explained: not once in a million points.
const UNEXPLAINED: f64 = 6.0;
/// Most points that are named.
const MOST: usize = 3;
/// Fewer points than this above the constants do not say which of them is wrong.
const SPARE: usize = 3;

/// The points that lie so far from the law fitted to the others that their scatter does not explain it, worst first.
pub(crate) fn outliers(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    effort: Effort,
    minima: &Minima,
) -> Vec<Outlier> {
    // Among thousands no single point moves the law far: fits begin at its minimum instead of on the grid.
    let near = [problem.to_natural(&minima.minima[0].optimum.theta)];
    let many = problem.data.len() > effort.screening_points;
    let (starts, suspicious) = if many { (Some(&near[..]), UNEXPLAINED) } else { (None, SUSPICIOUS) };
    // Where these points do not hold a minimum in place, no more of its last digits are looked for.
    let effort = if minima.minima[0].optimum.converged { effort } else { effort.hurried() };
    let refit = |problem: &Problem<'_>| minima::find(problem, fixed, effort, starts);
    let mut found: Vec<Outlier> = Vec::new();
    let mut kept: Vec<usize> = (0..problem.data.len()).collect();
    let mut residuals = robust_residuals(problem, fixed, &refit, &minima.minima[0].residuals);
    while found.len() < MOST && kept.len() > problem.free.len() + SPARE {
        let sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        let Some(worst) = (0..sizes.len()).max_by(|a, b| sizes[*a].total_cmp(&sizes[*b])) else { break };
        let typical = 1.4826 * median(sizes.clone()).unwrap_or(0.0);
        if sizes[worst] <= suspicious * typical {
            break;
        }
        let point = kept.remove(worst);
        let one = |i: usize| (i, problem.data.weight[i]);
        let others = problem.data.select(kept.iter().map(|i| one(*i)));
        let without = Problem::new(problem.law, &others, problem.objective, fixed);
        let Ok(refitted) = refit(&without) else { break };
        let best = &refitted.minima[0];
        let alone = problem.data.select([one(point)].into_iter());
        let residual = without.on(&alone).residuals(&best.optimum.theta)[0];
        let sigmas = residual / scale(&without, &best.residuals).sigma;
        if !(sigmas.abs() >= UNEXPLAINED && sigmas.is_finite()) {
            break;
        }
        found.push(Outlier { point, residual, sigmas, values: without.to_natural(&best.optimum.theta) });
        residuals = robust_residuals(&without, fixed, &refit, &best.residuals);
    }
    found
}

/// Residuals of the law fitted by a penalty that a few wild points hardly pull: least squares bend the law to them and
/// spread their error over all points.
fn robust_residuals(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    refit: &dyn Fn(&Problem<'_>) -> Result<Minima, FitError>,
    residuals: &[f64],
) -> Vec<f64> {
    let delta = 0.3 * median(residuals.iter().map(|r| r.abs()).collect()).unwrap_or(0.0);
    if !matches!(problem.objective.penalty, Penalty::LeastSquares) || delta <= 0.0 {
        return residuals.to_vec();
    }
    let objective = Objective { penalty: Penalty::Huber { delta }, ..problem.objective };
    let robust = Problem::new(problem.law, problem.data, objective, fixed);
    refit(&robust).map_or_else(|_| residuals.to_vec(), |found| found.minima[0].residuals.clone())
}

/// A point's place by the names of its variables, as `N = 1e9, D = 2e10`.
pub(crate) fn place(names: &[std::borrow::Cow<'static, str>], at: Vars<'_>) -> String {
    let parts =
        names.iter().zip(at.value).map(|(n, v)| format!("{n} = {}", scalelaw_core::number::constant(*v)));
    parts.collect::<Vec<_>>().join(", ")
}
