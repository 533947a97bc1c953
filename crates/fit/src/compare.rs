//! Two recipes compared at a compute budget: probability that A is better, and the equivalent compute.

use crate::data::Dataset;
use crate::draws::{Steps, Uncertain, loss_of_budget};
use crate::error::FitError;
use crate::fitted::FittedLaw;
use crate::law::Law;
use crate::linalg::Matrix;
use crate::plan::search::crossing;
use crate::problem::Problem;
use crate::statistics::quantile;
use serde::Serialize;

/// A value with its 95% interval; an end is `null` where the draws leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// At the best fits.
    pub value: Option<f64>,
    /// 2.5% and 97.5% of the draws.
    pub ci95: [Option<f64>; 2],
}

/// The comparison of A with B.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Budget in FLOPs, as the laws count them.
    pub flops: f64,
    /// A's loss.
    pub loss_a: Interval,
    /// B's loss.
    pub loss_b: Interval,
    /// Loss of B minus loss of A: above 0 where A is better.
    pub advantage: Interval,
    /// Probability that A's loss is the lower.
    pub probability_a_better: f64,
    /// Compute that B needs for A's loss, over the budget: above 1 where A is better.
    pub multiplier: Interval,
    /// Pairs of runs that share what is not the recipe, and the correlation of their residuals.
    pub paired: Option<(usize, f64)>,
    /// Draws.
    pub draws: usize,
    /// How far the budget lies beyond the runs of either, in decades of N, D or C.
    pub extrapolation_decades: f64,
}

/// Runs of A and B, row by row the same size, data and seed: their luck is shared and cancels.
pub struct Paired<'a> {
    /// Runs of A.
    pub a: &'a Dataset,
    /// Runs of B.
    pub b: &'a Dataset,
}

/// Compute ratios searched for the multiplier.
const MOST: f64 = 1e6;

/// Compares two fitted laws at a budget.
///
/// # Errors
/// A law without covariance, or one that says no loss for a budget.
pub fn compare(
    a: &FittedLaw,
    b: &FittedLaw,
    paired: Option<&Paired<'_>>,
    flops: f64,
    draws: usize,
    seed: u64,
) -> Result<Comparison, FitError> {
    let (ua, ub) = (Uncertain::of(a)?, Uncertain::of(b)?);
    for side in [&ua, &ub] {
        loss_of_budget(side.law.as_ref(), &side.values, flops)?;
    }
    let (m, k) = (ua.free.len(), ub.free.len());
    let mut cross = Matrix::zeros(m, k);
    let mut pairs = None;
    if let Some(both) = paired {
        let correlation;
        (cross, correlation) = shared(a, b, &ua, &ub, both)?;
        pairs = Some((both.a.len(), correlation));
    }
    let joint = Matrix::from_fn(m + k, m + k, |i, j| match (i < m, j < m) {
        (true, true) => ua.covariance[(i, j)],
        (true, false) => cross[(i, j - m)],
        (false, true) => cross[(j, i - m)],
        (false, false) => ub.covariance[(i - m, j - m)],
    });
    let steps = Steps::new(&joint, ua.freedom.min(ub.freedom), seed)?;
    let at = |step: &[f64]| {
        let (pa, pb) = (ua.moved(&step[..m]), ub.moved(&step[m..]));
        let la = loss_of_budget(ua.law.as_ref(), &pa, flops).ok()?;
        let lb = loss_of_budget(ub.law.as_ref(), &pb, flops).ok()?;
        Some((la, lb, multiplier(ub.law.as_ref(), &pb, la, flops)))
    };
    let best = at(&vec![0.0; m + k]).ok_or(FitError::NoLoss { flops })?;
    let drawn: Vec<(f64, f64, f64)> = (0..draws).filter_map(|i| at(&steps.draw(i))).collect();
    if drawn.len() * 10 < draws * 9 {
        return Err(FitError::TooUncertain { failed: draws - drawn.len(), draws, flops });
    }
    let better: f64 = drawn.iter().map(|(la, lb, _)| f64::from(u8::from(la < lb))).sum();
    let interval = |value: f64, of: fn(&(f64, f64, f64)) -> f64| {
        let mut sorted: Vec<f64> = drawn.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        let open = |v: f64| v.is_finite().then_some(v);
        Interval { value: open(value), ci95: [0.025, 0.975].map(|p| open(nearest(&sorted, p))) }
    };
    Ok(Comparison {
        flops,
        loss_a: interval(best.0, |d| d.0),
        loss_b: interval(best.1, |d| d.1),
        advantage: interval(best.1 - best.0, |d| d.1 - d.0),
        probability_a_better: better / drawn.len() as f64,
        multiplier: interval(best.2, |d| d.2),
        paired: pairs,
        draws: drawn.len(),
        extrapolation_decades: beyond(a, flops).max(beyond(b, flops)),
    })
}

/// A quantile that stays infinite where its neighbours are.
fn nearest(sorted: &[f64], probability: f64) -> f64 {
    let at = (probability * (sorted.len().max(1) - 1) as f64).round() as usize;
    let value = sorted.get(at).copied().unwrap_or(f64::NAN);
    if value.is_finite() && sorted.iter().all(|v| v.is_finite()) {
        quantile(sorted, probability)
    } else {
        value
    }
}

/// Compute that `law` needs for `loss`, over `flops`; infinite or zero where a factor of [`MOST`] is not enough.
fn multiplier(law: &dyn Law, values: &[f64], loss: f64, flops: f64) -> f64 {
    let gain =
        |ln_m: f64| loss - loss_of_budget(law, values, flops * libm::exp(ln_m)).unwrap_or(f64::INFINITY);
    let reach = libm::log(MOST);
    match crossing(&gain, -reach, reach) {
        Some(ln_m) => libm::exp(ln_m),
        None if gain(reach) < 0.0 => f64::INFINITY,
        None => 0.0,
    }
}

/// Covariance between the two fits' constants, from the correlation of the pairs' residuals.
fn shared(
    a: &FittedLaw,
    b: &FittedLaw,
    ua: &Uncertain,
    ub: &Uncertain,
    both: &Paired<'_>,
) -> Result<(Matrix, f64), FitError> {
    if both.a.len() != both.b.len() {
        return Err(FitError::Length {
            column: "runs of B".into(),
            got: both.b.len(),
            expected: both.a.len(),
        });
    }
    let (ra, ja) = residuals(a, ua, both.a)?;
    let (rb, jb) = residuals(b, ub, both.b)?;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let correlation = product(&ra, &rb) / (product(&ra, &ra) * product(&rb, &rb)).sqrt();
    // Perfect correlation would make the joint covariance singular.
    let correlation = if correlation.is_finite() { correlation.clamp(-0.98, 0.98) } else { 0.0 };
    let (m, k) = (ua.free.len(), ub.free.len());
    // Cov = ρ·σ_a·σ_b·(JᵀJ)_a⁻¹·J_aᵀJ_b·(JᵀJ)_b⁻¹, each inverse being a covariance over its σ².
    let mut meat = Matrix::zeros(m, k);
    for run in 0..ja.rows().min(jb.rows()) {
        for i in 0..m {
            for j in 0..k {
                meat[(i, j)] += ja[(run, i)] * jb[(run, j)];
            }
        }
    }
    let scale = correlation / (ua.sigma * ub.sigma);
    let mut cross = Matrix::zeros(m, k);
    for i in 0..m {
        for j in 0..k {
            for p in 0..m {
                for q in 0..k {
                    cross[(i, j)] += scale * ua.covariance[(i, p)] * meat[(p, q)] * ub.covariance[(q, j)];
                }
            }
        }
    }
    Ok((cross, correlation))
}

fn residuals(fitted: &FittedLaw, u: &Uncertain, runs: &Dataset) -> Result<(Vec<f64>, Matrix), FitError> {
    let data = runs.for_law(u.law.as_ref())?;
    let free: Vec<usize> = u.free.iter().map(|(j, _)| *j).collect();
    let fixed: Vec<Option<f64>> =
        u.values.iter().enumerate().map(|(j, v)| (!free.contains(&j)).then_some(*v)).collect();
    let problem = Problem::new(u.law.as_ref(), &data, fitted.objective.objective, &fixed);
    let theta = problem.to_internal(&u.values);
    Ok((problem.residuals(&theta), problem.jacobian(&theta)))
}

/// Decades between the largest budget of the runs and `flops`.
fn beyond(fitted: &FittedLaw, flops: f64) -> f64 {
    let most = |v: &str| fitted.ranges.iter().find(|(name, _)| name == v).map(|(_, r)| r[1]);
    let largest = most("C").or_else(|| Some(6.0 * most("N")? * most("D")?));
    largest.map_or(0.0, |c| libm::log10(flops / c).max(0.0))
}

#[cfg(test)]
mod tests;
