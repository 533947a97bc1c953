//! Two recipes compared: at a compute budget by their laws, at the largest budget that both were run at, and run by run.

mod matched;
mod paired;
mod without;

pub use matched::Matched;
pub use without::Without;

use crate::data::Dataset;
use crate::draws::{Steps, Uncertain, loss_of_budget, optimum};
use crate::error::FitError;
use crate::fitted::{FitStatus, FittedLaw};
use crate::law::Law;
use crate::linalg::Matrix;
use crate::of_run::divides_budgets;
use crate::plan::search::crossing;
use crate::statistics::quantile;
use serde::Serialize;

/// A value with its 95% interval; an end is `null` where the draws leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// At the best fits.
    pub value: Option<f64>,
    /// 2.5% and 97.5% of the draws, and the value itself.
    pub ci95: [Option<f64>; 2],
}

/// The comparison at one budget.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtBudget {
    /// Budget in FLOPs, as the laws count them.
    pub flops: f64,
    /// A's loss.
    pub loss_a: Interval,
    /// B's loss.
    pub loss_b: Interval,
    /// Loss of B minus loss of A: above 0 where A is better.
    pub advantage: Interval,
    /// Probability that A's loss is the lower; equal losses count half.
    pub probability_a_better: f64,
    /// Compute that B needs for A's loss, over the budget: above 1 where A is better.
    pub multiplier: Interval,
}

/// An exponent of both laws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exponent {
    /// Its name; `N_opt` is the exponent of the optimal size in the budget.
    pub name: String,
    /// A's and B's.
    pub values: [f64; 2],
    /// B's minus A's.
    pub difference: Interval,
}

/// The comparison of A with B.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// At the budget asked for.
    #[serde(flatten)]
    pub at: AtBudget,
    /// At the largest budget that runs of both have, where the budget asked for lies beyond it.
    pub in_range: Option<AtBudget>,
    /// Exponents of the laws.
    pub exponents: Vec<Exponent>,
    /// Runs of both at the same place.
    pub matched: Option<Matched>,
    /// Pairs of runs that share what is not the recipe, and the correlation of their residuals.
    pub paired: Option<(usize, f64)>,
    /// What each run does to the verdict, the most first; empty where there are very many runs.
    pub without: Vec<Without>,
    /// Draws.
    pub draws: usize,
    /// How far the budget lies beyond the runs of either, in decades.
    pub extrapolation_decades: f64,
    /// The worst doubt about A's law, and about B's.
    pub status: [FitStatus; 2],
}

/// A recipe: its law and the runs it was fitted to.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The law.
    pub law: &'a FittedLaw,
    /// The runs.
    pub runs: &'a Dataset,
}

/// Where and how to compare.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Budget in FLOPs, as the laws count them.
    pub flops: f64,
    /// Whether row i of A and row i of B share size, data and seed: their luck is shared and cancels.
    pub paired: bool,
    /// Draws from the fits' uncertainty.
    pub draws: usize,
    /// Their seed.
    pub seed: u64,
}

/// Compute ratios searched for the multiplier.
const MOST: f64 = 1e6;
/// Were fewer of the draws counted than this share, they would be a selection.
const COUNTED: f64 = 0.9;

/// Compares two fitted laws.
///
/// Draws are from the multivariate t distribution around each minimum, in pairs of opposite steps. A draw of which either
/// law has no finite loss at the budget says nothing and does not count; where more than a tenth are so, the laws are too
/// uncertain.
///
/// # Errors
/// A law without covariance, one that says no loss for a budget, or laws too uncertain to compare.
pub fn compare(a: Side<'_>, b: Side<'_>, request: &Request) -> Result<Comparison, FitError> {
    let (ua, ub) = (Uncertain::of(a.law)?, Uncertain::of(b.law)?);
    for side in [&ua, &ub] {
        loss_of_budget(side.law.as_ref(), &side.values, request.flops)?;
    }
    let cross = request.paired.then(|| paired::shared(&a, &b, &ua, &ub)).transpose()?;
    let drawn = draw(&ua, &ub, cross.as_ref().map(|c| &c.covariance), request)?;
    let laws = [ua.law.as_ref(), ub.law.as_ref()];
    let largest = |side: &Side<'_>| side.law.flops_range().map(|[_, most]| most);
    let both = largest(&a).zip(largest(&b)).map(|(a, b)| a.min(b));
    let in_range = both.filter(|both| *both < request.flops);
    Ok(Comparison {
        at: at_budget(laws, &drawn, request.flops)?,
        in_range: in_range.and_then(|flops| at_budget(laws, &drawn, flops).ok()),
        exponents: exponents(laws, &drawn, request.flops),
        matched: matched::matched(&a, &b, laws[0])?,
        paired: cross.map(|cross| (a.runs.len(), cross.correlation)),
        without: without::each(&a, &b, request),
        draws: drawn.len() - 1,
        extrapolation_decades: both.map_or(0.0, |c| libm::log10(request.flops / c).max(0.0)),
        status: [a.law.status, b.law.status],
    })
}

/// Constants of A and of B.
struct Drawn {
    a: Vec<f64>,
    b: Vec<f64>,
}

/// The best fits first, then the draws.
fn draw(
    ua: &Uncertain,
    ub: &Uncertain,
    cross: Option<&Matrix>,
    request: &Request,
) -> Result<Vec<Drawn>, FitError> {
    let (m, k) = (ua.free.len(), ub.free.len());
    let of_cross = |i: usize, j: usize| cross.map_or(0.0, |cross| cross[(i, j)]);
    let joint = Matrix::from_fn(m + k, m + k, |i, j| match (i < m, j < m) {
        (true, true) => ua.covariance[(i, j)],
        (true, false) => of_cross(i, j - m),
        (false, true) => of_cross(j, i - m),
        (false, false) => ub.covariance[(i - m, j - m)],
    });
    let steps = Steps::new(&joint, ua.freedom.min(ub.freedom), request.seed)?;
    let mut drawn = vec![Drawn { a: ua.values.clone(), b: ub.values.clone() }];
    drawn.extend((0..request.draws).map(|i| {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        let step: Vec<f64> = steps.draw(i / 2).into_iter().map(|s| sign * s).collect();
        Drawn { a: ua.moved(&step[..m]), b: ub.moved(&step[m..]) }
    }));
    Ok(drawn)
}

fn at_budget(laws: [&dyn Law; 2], drawn: &[Drawn], flops: f64) -> Result<AtBudget, FitError> {
    let losses = |d: &Drawn| {
        let of =
            |law, constants: &[f64]| loss_of_budget(law, constants, flops).ok().filter(|l| l.is_finite());
        Some((of(laws[0], &d.a)?, of(laws[1], &d.b)?))
    };
    let (best, draws) = drawn.split_first().ok_or(FitError::NoLoss { flops })?;
    let (la, lb) = losses(best).ok_or(FitError::NoLoss { flops })?;
    let counted: Vec<(f64, f64, &Drawn)> =
        draws.iter().filter_map(|d| losses(d).map(|(la, lb)| (la, lb, d))).collect();
    if (counted.len() as f64) < COUNTED * draws.len() as f64 {
        let failed = draws.len() - counted.len();
        return Err(FitError::TooUncertain { failed, draws: draws.len(), flops });
    }
    let better: f64 = counted
        .iter()
        .map(|(la, lb, _)| {
            if la < lb {
                1.0
            } else if la == lb {
                0.5
            } else {
                0.0
            }
        })
        .sum();
    let of = |value: f64, number: &dyn Fn(f64, f64, &Drawn) -> f64| {
        interval(value, counted.iter().map(|(la, lb, d)| number(*la, *lb, d)).collect())
    };
    let needed = |la: f64, d: &Drawn| multiplier(laws[1], &d.b, la, flops);
    Ok(AtBudget {
        flops,
        loss_a: of(la, &|la, _, _| la),
        loss_b: of(lb, &|_, lb, _| lb),
        advantage: of(lb - la, &|la, lb, _| lb - la),
        probability_a_better: better / counted.len() as f64,
        multiplier: of(needed(la, best), &|la, _, d| needed(la, d)),
    })
}

/// Every exponent that both laws have, and that of the optimal size.
fn exponents(laws: [&dyn Law; 2], drawn: &[Drawn], flops: f64) -> Vec<Exponent> {
    type OfDraw<'a> = Box<dyn Fn(&Drawn) -> Option<[f64; 2]> + 'a>;
    let place = |law: &dyn Law, name: &str| law.params().iter().position(|p| p.name == name);
    let shared = laws[0].params().iter().filter(|p| p.exponent_of.is_some()).filter_map(|p| {
        let (i, j) = (place(laws[0], &p.name)?, place(laws[1], &p.name)?);
        let of: OfDraw<'_> = Box::new(move |d: &Drawn| Some([d.a[i], d.b[j]]));
        Some((p.name.to_string(), of))
    });
    let mut named: Vec<(String, OfDraw<'_>)> = shared.collect();
    if laws.iter().all(|law| divides_budgets(*law)) {
        let of_optimum: OfDraw<'_> = Box::new(|d: &Drawn| {
            Some([size_exponent(laws[0], &d.a, flops)?, size_exponent(laws[1], &d.b, flops)?])
        });
        named.push(("N_opt".into(), of_optimum));
    }
    let of = |(name, of): (String, OfDraw<'_>)| {
        let values = of(drawn.first()?)?;
        let differences = drawn[1..].iter().filter_map(|d| of(d).map(|[a, b]| b - a)).collect();
        Some(Exponent { name, values, difference: interval(values[1] - values[0], differences) })
    };
    named.into_iter().filter_map(of).collect()
}

/// d ln N_opt/d ln C across a decade around `flops`.
fn size_exponent(law: &dyn Law, constants: &[f64], flops: f64) -> Option<f64> {
    let at = |c: f64| optimum(law, constants, c).ok().map(|o| libm::log10(o.n));
    let exponent = at(flops * 10f64.sqrt())? - at(flops / 10f64.sqrt())?;
    exponent.is_finite().then_some(exponent)
}

/// Percentiles of the draws, widened to the value itself; an end is open where its draw is not finite.
fn interval(value: f64, mut draws: Vec<f64>) -> Interval {
    draws.retain(|v| !v.is_nan());
    draws.sort_by(f64::total_cmp);
    let all_finite = draws.iter().all(|v| v.is_finite());
    let at = |probability: f64| {
        let nearest = (probability * (draws.len().max(1) - 1) as f64).round() as usize;
        if all_finite {
            quantile(&draws, probability)
        } else {
            draws.get(nearest).copied().unwrap_or(f64::NAN)
        }
    };
    let open = |v: f64| v.is_finite().then_some(v);
    Interval {
        value: open(value),
        ci95: [open(at(0.025)).map(|v| v.min(value)), open(at(0.975)).map(|v| v.max(value))],
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

#[cfg(test)]
mod tests;
