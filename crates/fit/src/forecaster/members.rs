//! The members of a forecast: every form by every objective, from all runs and from the cheaper ones.

use super::{Member, Rules, ends};
use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::fitted::{FittedLaw, ParamState};
use crate::law::{Law, value};
use crate::laws::{Chinchilla, ChinchillaTied, KaplanNd, Skaling};
use crate::minima::Effort;
use crate::objective::{Objective, Penalty, Space};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The forms.
const FORMS: [&dyn Law; 4] = [&Skaling, &Chinchilla, &ChinchillaTied, &KaplanNd];

/// The objectives: all runs alike, few wild ones, and the lower edge (runs are tuned badly more often than too well).
const OBJECTIVES: [Objective; 3] = [
    Objective::LOG_LEAST_SQUARES,
    Objective::CHINCHILLA,
    Objective { penalty: Penalty::Asymmetric { delta: 1e-3, over: 3.0 }, space: Space::Log },
];

/// Where the range of ln C is cut, as shares: runs up to there are fitted, the dearer ones scored.
const CUTS: [f64; 6] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
/// Fewer runs than this are not fitted at a cut.
const FEWEST: usize = 7;

/// All fits.
pub(super) struct Fitted {
    /// With their weights, the weightiest first.
    pub members: Vec<Member>,
    /// The shortest extrapolation first; constants in the order of the members.
    pub origins: Vec<Cut>,
}

/// Fits to the runs up to a cut.
pub(super) struct Cut {
    /// log10 of the compute.
    pub cut: f64,
    pub constants: Vec<Vec<f64>>,
}

/// The form called `name`.
pub(super) fn form(name: &str) -> Option<&'static dyn Law> {
    FORMS.into_iter().find(|law| law.name() == name)
}

/// The constants in the law's order.
///
/// # Errors
/// One is missing.
pub(super) fn constants_of(law: &dyn Law, constants: &[(String, f64)]) -> Result<Vec<f64>, FitError> {
    law.params()
        .iter()
        .map(|param| {
            let found = constants.iter().find(|(name, _)| *name == param.name);
            found.map(|(_, value)| *value).ok_or_else(|| FitError::MissingConstant {
                law: law.name().into(),
                name: param.name.to_string(),
            })
        })
        .collect()
}

/// Weights of runs by their compute, the dearest having 1; points of one run share it.
pub(super) fn weights(rules: Rules, dataset: &Dataset, log10_flops: &[f64]) -> Vec<f64> {
    let [_, top] = ends(log10_flops);
    let of_compute = log10_flops.iter().map(|c| libm::pow(10.0, rules.recency * (c - top)));
    of_compute.zip(dataset.points_of_run()).map(|(weight, points)| weight / points).collect()
}

/// Fits every member to all runs and to those up to each cut, and weighs them.
///
/// # Errors
/// No member can be fitted.
pub(super) fn fits(
    rules: Rules,
    dataset: &Dataset,
    log10_flops: &[f64],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Fitted, FitError> {
    let [lo, hi] = ends(log10_flops);
    // The fits to all runs have no cut.
    let mut cuts = vec![hi];
    for share in CUTS {
        let cut = lo + share * (hi - lo);
        let below = log10_flops.iter().filter(|c| **c <= cut).count();
        let new = below < dataset.len() && below >= FEWEST;
        // Cuts between the same runs are one.
        let last = log10_flops.iter().filter(|c| **c <= cuts[cuts.len() - 1]).count();
        if new && below < last {
            cuts.push(cut);
        }
    }
    let all: Vec<(&dyn Law, Objective)> =
        FORMS.into_iter().flat_map(|law| OBJECTIVES.map(|objective| (law, objective))).collect();
    let total = all.len() * cuts.len();
    let done = AtomicUsize::new(0);
    let fitted: Vec<Result<FittedLaw, FitError>> = (0..total)
        .into_par_iter()
        .map(|index| {
            let (law, objective) = all[index % all.len()];
            let cut = cuts[index / all.len()];
            let fitted = one(rules, law, objective, dataset, log10_flops, cut);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            fitted
        })
        .collect();
    let at = |cut: usize, member: usize| &fitted[cut * all.len() + member];
    // A member speaks if it has a fit everywhere, and a value at every run that is scored.
    let mut speaking: Vec<(usize, f64)> = (0..all.len())
        .into_par_iter()
        .filter_map(|member| {
            let mut squares = 0.0;
            for (k, cut) in cuts.iter().enumerate() {
                let law = at(k, member).as_ref().ok()?;
                if k > 0 {
                    squares += mean_square(all[member].0, &law.values(), dataset, log10_flops, *cut)?;
                }
            }
            let n = (cuts.len() - 1) as f64;
            let (law, objective) = all[member];
            let error = if n > 0.0 {
                squares / n
            } else {
                leave_one_out(rules, law, objective, dataset, log10_flops)?
            };
            Some((member, error.sqrt()))
        })
        .collect();
    if speaking.is_empty() {
        let failed = fitted.into_iter().find_map(Result::err);
        return Err(failed.unwrap_or(FitError::NothingToScore { from: CUTS[0] }));
    }
    let weight = |(member, held_out): &(usize, f64)| {
        // Exact data: no error is smaller than what rounding makes.
        let prior = if all[*member].0.name() == Skaling.name() { rules.skaling } else { 1.0 };
        prior / held_out.max(1e-12).powi(2)
    };
    speaking.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let sum: f64 = speaking.iter().map(weight).sum();
    let constants = |cut: usize| {
        let of = |(member, _): &(usize, f64)| at(cut, *member).as_ref().map(FittedLaw::values);
        speaking.iter().map(of).collect::<Result<Vec<_>, _>>()
    };
    let mut origins = Vec::new();
    for (k, cut) in cuts.iter().enumerate().skip(1) {
        if let Ok(constants) = constants(k) {
            origins.push(Cut { cut: *cut, constants });
        }
    }
    let members = speaking
        .iter()
        .filter_map(|speaker| {
            let (member, held_out) = *speaker;
            let law = at(0, member).as_ref().ok()?;
            let bound = law.params.iter().filter(|(_, e)| e.state == ParamState::AtBound);
            Some(Member {
                law: law.law.clone(),
                objective: all[member].1,
                constants: law.params.iter().map(|(name, e)| (name.clone(), e.value)).collect(),
                weight: weight(speaker) / sum,
                held_out,
                at_bound: bound.map(|(name, _)| name.clone()).collect(),
            })
        })
        .collect();
    Ok(Fitted { members, origins })
}

/// One member from the runs up to a cut.
fn one(
    rules: Rules,
    law: &dyn Law,
    objective: Objective,
    dataset: &Dataset,
    log10_flops: &[f64],
    cut: f64,
) -> Result<FittedLaw, FitError> {
    let below: Vec<f64> = log10_flops.iter().copied().filter(|c| *c <= cut).collect();
    // A law with as many constants as runs says nothing about any other.
    if below.len() <= law.params().len() {
        let (n_points, n_free) = (below.len(), law.params().len() + 1);
        return Err(FitError::TooFewPoints { law: law.name().into(), n_points, n_free });
    }
    let runs = dataset.filtered(|i| log10_flops[i] <= cut);
    let weights = weights(rules, &runs, &below);
    let runs = runs.times(weights);
    let effort = Effort { polished: 6, screening_points: 500, steps: 100 };
    let options = FitOptions { objective, effort, intervals: IntervalChoice::None, ..FitOptions::default() };
    fit(law, &runs, &options)
}

/// Mean squared error in ln loss of each run by the fit to the others, for tables that are too small to be cut; `None`
/// where one of these fits has no value.
fn leave_one_out(
    rules: Rules,
    law: &dyn Law,
    objective: Objective,
    dataset: &Dataset,
    log10_flops: &[f64],
) -> Option<f64> {
    let (n, d) = (dataset.column("N")?, dataset.column("D")?);
    let mut squares = 0.0;
    for left in 0..dataset.len() {
        let keep = |i: usize| i != left;
        let flops: Vec<f64> = (0..dataset.len()).filter(|i| keep(*i)).map(|i| log10_flops[i]).collect();
        let others = one(rules, law, objective, &dataset.filtered(keep), &flops, f64::INFINITY).ok()?;
        let said = value(law, &[n[left], d[left]], &others.values());
        squares += libm::log(said / dataset.response()[left]).powi(2);
    }
    let mean = squares / dataset.len() as f64;
    mean.is_finite().then_some(mean)
}

/// Mean squared error in ln loss above a cut; `None` where the law has no value at one of the runs.
fn mean_square(
    law: &dyn Law,
    constants: &[f64],
    dataset: &Dataset,
    log10_flops: &[f64],
    cut: f64,
) -> Option<f64> {
    let (n, d) = (dataset.column("N")?, dataset.column("D")?);
    let errors: Vec<f64> = (0..dataset.len())
        .filter(|i| log10_flops[*i] > cut)
        .map(|i| libm::log(value(law, &[n[i], d[i]], constants) / dataset.response()[i]))
        .collect();
    let mean = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
    mean.is_finite().then_some(mean)
}
