//! Shapes at one N, LSTMs, recurrent Transformers.

use super::training::mean;
use super::{Estimate, Outcome, View};
use crate::paper::Refusal;
use crate::paper::compare::Transformers;
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::Measured;

/// Aspects that the claim is about.
const ASPECTS: std::ops::RangeInclusive<f64> = 4.0..=100.0;

pub(super) fn aspect(view: &View<'_>) -> Outcome {
    let runs =
        view.runs.part("D-aspect").filter(|run| ASPECTS.contains(&(run.width() / f64::from(run.layers()))));
    spread(view, runs.collect())
}

pub(super) fn feed_forward(view: &View<'_>) -> Outcome {
    spread(view, view.runs.part("D-ff").chain(standard(view)).collect())
}

pub(super) fn heads(view: &View<'_>) -> Outcome {
    spread(view, view.runs.part("D-heads").chain(standard(view)).collect())
}

/// The shape that all parts of D share: two layers with d_ff = 4·d_model.
fn standard<'a>(view: &'a View<'_>) -> Option<&'a PaperRun> {
    view.runs.part("D-aspect").find(|run| run.layers() == 2)
}

/// Largest over smallest loss − 1, each loss moved to the geometric mean of the N.
fn spread(view: &View<'_>, runs: Vec<&PaperRun>) -> Outcome {
    let alpha = view.fits.n.as_ref().map_err(Refusal::clone)?.law.param("alpha_N").unwrap_or(0.0);
    let noise = view.fits.noise.as_ref().map_err(Refusal::clone)?;
    widest(&at_common_size(&runs, alpha), |_| *noise, "shapes", |hi, lo| hi / lo - 1.0)
}

/// Losses as L(N) would move them to one N.
pub(in crate::paper) fn at_common_size(runs: &[&PaperRun], alpha: f64) -> Vec<f64> {
    let ln_n = mean(&runs.iter().map(|run| libm::log(run.n())).collect::<Vec<_>>());
    runs.iter().map(|run| run.loss() * libm::exp(alpha * (libm::log(run.n()) - ln_n))).collect()
}

/// The difference of the largest and the smallest loss; its standard error is √2 that of one of them.
pub(super) fn widest(
    losses: &[f64],
    noise: impl Fn(&[f64]) -> Measured,
    what: &str,
    difference: impl Fn(f64, f64) -> f64,
) -> Outcome {
    if losses.len() < 2 {
        return Err(Refusal::too_few(losses.len(), what, 2));
    }
    let (lo, hi) = losses.iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), l| (lo.min(*l), hi.max(*l)));
    let mut widest = noise(losses).times(std::f64::consts::SQRT_2);
    widest.value = difference(hi, lo);
    let note = format!("{} {what}; the widest of several pairs is somewhat too wide by luck", losses.len());
    let mut estimate = Estimate::measured(widest, note);
    estimate.ci95[0] = estimate.ci95[0].max(0.0); // a spread is not negative
    Ok(estimate)
}

pub(super) fn lstm_loss(view: &View<'_>) -> Outcome {
    let transformers = Transformers::of(view.runs);
    let widest = view.runs.of(RunSet::Lstm).map(PaperRun::width).fold(0.0, f64::max);
    let excess: Vec<f64> = view
        .runs
        .of(RunSet::Lstm)
        .filter(|run| run.width() == widest)
        .filter_map(|run| Some(run.loss() - transformers.loss(run.n())?))
        .collect();
    Estimate::mean(&excess, "LSTMs")
}

pub(super) fn lstm_context(view: &View<'_>) -> Outcome {
    let transformers = Transformers::of(view.runs);
    let excess = |run: &PaperRun, from, to| {
        Some(run.at_positions(from, to)? - transformers.at_positions(run.n(), from, to)?)
    };
    let growth: Vec<f64> = view
        .runs
        .of(RunSet::Lstm)
        .filter_map(|run| Some(excess(run, 33, 64)? - excess(run, 2, 8)?))
        .collect();
    Estimate::mean(&growth, "LSTMs")
}

pub(super) fn recurrent_by_n(view: &View<'_>) -> Outcome {
    recurrent(view, PaperRun::n)
}

pub(super) fn recurrent_by_c(view: &View<'_>) -> Outcome {
    recurrent(view, PaperRun::n_used)
}

fn recurrent(view: &View<'_>, n: fn(&PaperRun) -> f64) -> Outcome {
    let transformers = Transformers::of(view.runs);
    let excess: Vec<f64> = view
        .runs
        .of(RunSet::Recurrent)
        .filter_map(|run| Some(libm::log(run.loss() / transformers.loss(n(run))?)))
        .collect();
    Estimate::mean(&excess, "recurrent runs")
}
