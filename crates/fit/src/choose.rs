//! Model choice by held-out extrapolation: fit the cheap runs, score the expensive ones.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::fitted::{FitStatus, FittedLaw};
use crate::law::{Law, value};
use crate::laws;
use crate::minima::Effort;
use crate::statistics::{mean, standard_deviation};
use rayon::prelude::*;
use serde::Serialize;

/// How well one law extrapolates, with the fit to all points.
#[derive(Clone, Debug, Serialize)]
pub struct Ranked {
    /// Fit to all points.
    pub law: FittedLaw,
    /// Held-out score; none when too few points lie below the cut.
    pub held_out: Option<HeldOut>,
    /// Whether its held-out errors cannot be told from those of the first law: their mean difference in squared error
    /// is below two standard errors (Diebold & Mariano 1995).
    pub tied: bool,
    /// Whether it was looked for what else the data allow: until then a status does not say that they identify the law.
    /// Laws are examined in their order until one is sound, and the first few of those that are tied with the first.
    pub examined: bool,
    /// Other laws of the table that say the same in other variables.
    pub same: Vec<String>,
}

/// The law that a ranking recommends: the first with a held-out score whose constants the data identify. `None` where
/// nothing was held out, or every law is in doubt.
pub fn best(ranked: &[Ranked]) -> Option<&Ranked> {
    ranked.iter().find(|r| r.examined && r.held_out.is_some() && r.law.status < FitStatus::AtBound)
}

/// Errors above the cut of a law fitted below it.
#[derive(Clone, Debug, Serialize)]
pub struct HeldOut {
    /// Cost below which points were fitted.
    pub cut: f64,
    /// Points fitted.
    pub n_fitted: usize,
    /// Points scored.
    pub n_scored: usize,
    /// Root mean square of ln prediction − ln observation above the cut.
    pub rms_log: f64,
    /// Mean of the same: above 0 the law is pessimistic.
    pub bias_log: f64,
    /// The error by distance from the cut.
    pub by_decades: Vec<DecadeError>,
}

/// Error at one distance of extrapolation.
#[derive(Clone, Debug, Serialize)]
pub struct DecadeError {
    /// Distance from the cut in decades of cost: from.
    pub from: f64,
    /// To.
    pub to: f64,
    /// Points.
    pub n: usize,
    /// Root mean square error in ln loss.
    pub rms_log: f64,
}

/// Steps of one walk of a law that is ranked, how many starts are walked, and the points that they begin on.
const MOST_STEPS: usize = 100;
const POLISHED: usize = 5;
const SCREENING: usize = 500;
/// Tied laws that are examined.
const MOST_EXAMINED: usize = 4;
/// Width of a bin of [`HeldOut::by_decades`].
const BIN: f64 = 0.5;

/// Fits each law to all points and to those cheaper than the `share` quantile of `cost`, and scores the second
/// fit on the rest. Lowest error first, whatever the doubts about the law ([`best`] heeds them); laws that cannot be fitted at
/// all are returned with their error.
///
/// # Errors
/// `cost` has another length than the data.
#[allow(clippy::type_complexity)]
pub fn rank(
    laws: &[Box<dyn Law>],
    dataset: &Dataset,
    cost: &[f64],
    share: f64,
    options: &FitOptions,
) -> Result<(Vec<Ranked>, Vec<(String, FitError)>), FitError> {
    if cost.len() != dataset.len() {
        return Err(FitError::Length { column: "cost".into(), got: cost.len(), expected: dataset.len() });
    }
    let mut sorted = cost.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = crate::statistics::quantile(&sorted, share);
    let screening_points = options.effort.screening_points.min(SCREENING);
    let polished = options.effort.polished.min(POLISHED);
    let effort = Effort { polished, screening_points, steps: MOST_STEPS };
    let options =
        FitOptions { intervals: IntervalChoice::None, bootstrap_beside: 0, effort, ..options.clone() };
    let (mut ranked, mut refused) = (Vec::new(), Vec::new());
    let fits: Vec<Result<(Ranked, Vec<f64>), FitError>> = laws
        .par_iter()
        .map(|law| {
            let fitted = fit(law.as_ref(), dataset, &options)?;
            let (held_out, errors) = held_out(law.as_ref(), dataset, cost, cut, &options).unzip();
            let ranked = Ranked { law: fitted, held_out, tied: false, examined: false, same: vec![] };
            Ok((ranked, errors.unwrap_or_default()))
        })
        .collect();
    for (law, fit) in laws.iter().zip(fits) {
        match fit {
            Ok(fit) => ranked.push(fit),
            Err(error) => refused.push((law.name().to_string(), error)),
        }
    }
    let score = |(r, _): &(Ranked, Vec<f64>)| {
        let doubtful = r.law.status >= FitStatus::AtBound;
        (r.held_out.is_none(), r.held_out.as_ref().map_or(f64::INFINITY, |h| h.rms_log), doubtful)
    };
    ranked.sort_by(|a, b| {
        let (x, y) = (score(a), score(b));
        x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.cmp(&y.2))
    });
    let first = ranked.first().map(|(_, errors)| errors.clone()).unwrap_or_default();
    let mut marked: Vec<Ranked> = Vec::new();
    for (law, errors) in ranked {
        match marked.iter_mut().find(|known| same(&known.law, &law.law)) {
            Some(known) => known.same.push(law.law.law),
            None => marked.push(Ranked { tied: tied(&errors, &first), ..law }),
        }
    }
    for i in 0..marked.len() {
        let among_first = marked[i].tied && i < MOST_EXAMINED;
        if marked[i].held_out.is_some() && (among_first || best(&marked).is_none()) {
            let options = FitOptions { intervals: IntervalChoice::Covariance, ..options.clone() };
            marked[i].law = fit(laws::by_name(&marked[i].law.law)?.as_ref(), dataset, &options)?;
            marked[i].examined = true;
        }
    }
    Ok((marked, refused))
}

/// Whether two laws say the same of every run: as many constants, and the same errors.
fn same(a: &FittedLaw, b: &FittedLaw) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    let (x, y) = (&a.diagnostics, &b.diagnostics);
    a.params.len() == b.params.len()
        && close(x.rms_log, y.rms_log)
        && close(x.rms_loss, y.rms_loss)
        && close(x.max_residual, y.max_residual)
}

/// A law whose errors are this many times those of the first is no match for it, however few points there are to show it.
const FAR_WORSE: f64 = 3.0;
/// Errors below this are rounding.
const ROUNDING: f64 = 1e-9;

/// Whether the errors of two laws at the same points cannot be told apart.
fn tied(errors: &[f64], first: &[f64]) -> bool {
    let rms = |errors: &[f64]| mean(&errors.iter().map(|e| e * e).collect::<Vec<_>>()).sqrt();
    if rms(errors) > FAR_WORSE * rms(first).max(ROUNDING) {
        return false;
    }
    let excess: Vec<f64> = errors.iter().zip(first).map(|(e, f)| e * e - f * f).collect();
    if excess.len() < 2 {
        return !excess.is_empty();
    }
    let standard_error = standard_deviation(&excess) / (excess.len() as f64).sqrt();
    mean(&excess) <= 2.0 * standard_error
}

fn held_out(
    law: &dyn Law,
    dataset: &Dataset,
    cost: &[f64],
    cut: f64,
    options: &FitOptions,
) -> Option<(HeldOut, Vec<f64>)> {
    let cheap = dataset.filtered(|i| cost[i] <= cut);
    // A law with as many parameters as points below the cut is not tested by them.
    if cheap.len() <= law.params().len() + 1 {
        return None;
    }
    let fitted = fit(law, &cheap, options).ok()?;
    let p = fitted.values();
    let columns: Vec<&[f64]> = law.variables().iter().filter_map(|v| dataset.column(v)).collect();
    let mut errors: Vec<(f64, f64)> = Vec::new();
    for i in (0..dataset.len()).filter(|i| cost[*i] > cut) {
        let x: Vec<f64> = columns.iter().map(|c| c[i]).collect();
        let error = libm::log(value(law, &x, &p) / dataset.response()[i]);
        errors.push((libm::log10(cost[i] / cut), error));
    }
    if errors.is_empty() || errors.iter().any(|(_, e)| !e.is_finite()) {
        return None;
    }
    let rms = |e: &[(f64, f64)]| (e.iter().map(|(_, e)| e * e).sum::<f64>() / e.len() as f64).sqrt();
    let furthest = errors.iter().map(|(d, _)| *d).fold(0.0, f64::max);
    let by_decades = (0..=(furthest / BIN) as usize)
        .filter_map(|k| {
            let (from, to) = (k as f64 * BIN, (k + 1) as f64 * BIN);
            let inside: Vec<(f64, f64)> =
                errors.iter().copied().filter(|(d, _)| (from..to).contains(d)).collect();
            (!inside.is_empty()).then(|| DecadeError { from, to, n: inside.len(), rms_log: rms(&inside) })
        })
        .collect();
    let score = HeldOut {
        cut,
        n_fitted: cheap.len(),
        n_scored: errors.len(),
        rms_log: rms(&errors),
        bias_log: errors.iter().map(|(_, e)| e).sum::<f64>() / errors.len() as f64,
        by_decades,
    };
    Some((score, errors.into_iter().map(|(_, e)| e).collect()))
}

/// Lack of fit against repeated runs (seeds at the same variables): is the residual larger than seed noise?
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LackOfFit {
    /// F statistic: lack-of-fit mean square over pure-error mean square.
    pub f: f64,
    /// Its two degrees of freedom.
    pub freedom: (f64, f64),
    /// Probability of so large an F were the law true.
    pub p_value: f64,
    /// Seed noise: standard deviation of ln loss among repeats.
    pub noise_log: f64,
}

/// The F test of lack of fit; `None` without repeats.
///
/// # Errors
/// The law does not fit the data's columns.
///
/// # Source
/// Draper & Smith 1998, section 2.1, in ln loss.
pub fn lack_of_fit(fitted: &FittedLaw, dataset: &Dataset) -> Result<Option<LackOfFit>, FitError> {
    use statrs::distribution::{ContinuousCDF, FisherSnedecor};
    let law = fitted.law()?;
    let data = dataset.for_law(law.as_ref())?;
    let p = fitted.values();
    let mut order: Vec<usize> = (0..data.len()).collect();
    let key = |i: usize| {
        let variables = data.vars(i).value.iter().map(|v| v.to_bits());
        variables.chain([u64::from(data.repeat[i])]).collect::<Vec<_>>()
    };
    order.sort_by_cached_key(|i| key(*i));
    let (mut pure, mut lack, mut cells) = (0.0, 0.0, 0usize);
    for cell in order.chunk_by(|a, b| key(*a) == key(*b)) {
        let logs: Vec<f64> = cell.iter().map(|i| libm::log(data.y()[*i])).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        pure += logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>();
        let residual = libm::log(value(law.as_ref(), data.vars(cell[0]).value, &p)) - mean;
        lack += logs.len() as f64 * residual * residual;
        cells += 1;
    }
    let n_free = fitted.params.iter().filter(|(_, e)| e.se.is_some()).count().max(1);
    let (d1, d2) = (cells as f64 - n_free as f64, (data.len() - cells) as f64);
    if d1 < 1.0 || d2 < 1.0 || pure == 0.0 {
        return Ok(None);
    }
    let f = (lack / d1) / (pure / d2);
    let p_value = FisherSnedecor::new(d1, d2).map_or(f64::NAN, |dist| dist.sf(f));
    Ok(Some(LackOfFit { f, freedom: (d1, d2), p_value, noise_log: (pure / d2).sqrt() }))
}
