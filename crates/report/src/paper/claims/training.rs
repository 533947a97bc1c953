//! What training curves foretell, when to stop, and how much the schedule matters.

use super::power_laws::of_chain;
use super::{Estimate, Outcome, View};
use crate::paper::fits::trunk;
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::chain::{Section, smoothed, steps_to};
use scalelaw_fit::isoflop::log_line;

/// N of the trunk whose last loss the others are timed to.
const REFERENCE_N: f64 = 24_576.0;
/// A last rate of at most this share of the highest has come down: a tenth, and what the last update of a schedule
/// that ends at a tenth is above it.
const DECAYED: f64 = 0.101;

/// Exponent of the tokens that a loss takes, in N.
pub(super) fn sample_efficiency(view: &View<'_>) -> Outcome {
    let options = view.estimators.chain.options();
    let trunks = view.runs.trunks();
    let reference = trunks
        .iter()
        .find(|run| run.n() == REFERENCE_N)
        .ok_or_else(|| format!("no trunk of N = {REFERENCE_N}"))?;
    let last = smoothed(&trunk(reference), &options).last().map(|p| p.1).ok_or("its curve is too short")?;
    let reached: Vec<(f64, f64)> = trunks
        .iter()
        .filter(|run| run.n() >= REFERENCE_N)
        .filter_map(|run| Some((run.n(), steps_to(&trunk(run), last, &options)? * run.batch())))
        .collect();
    let (n, tokens): (Vec<f64>, Vec<f64>) = reached.into_iter().unzip();
    let line = log_line(&n, &tokens, &vec![1.0; n.len()]).map_err(|e| e.to_string())?;
    Ok(Estimate {
        value: line.exponent,
        ci95: line.ci95,
        note: format!("{} trunks, to a loss of {last:.3}", line.n),
    })
}

/// Root mean square error of what each trunk's first fifth foretells, mean over trunks.
pub(super) fn universality(view: &View<'_>) -> Outcome {
    let study = view.fits.forecast.as_ref().map_err(String::clone)?;
    let mut by_run: Vec<(u32, f64, f64)> = Vec::new();
    for f in &study.forecasts {
        let error = libm::log(f.predicted / f.observed);
        match by_run.iter_mut().find(|(run, ..)| *run == f.run) {
            Some((_, squares, count)) => {
                *squares += error * error;
                *count += 1.0;
            }
            None => by_run.push((f.run, error * error, 1.0)),
        }
    }
    let errors: Vec<f64> = by_run.iter().map(|(_, squares, count)| (squares / count).sqrt()).collect();
    Estimate::mean(&errors, "trunks")
}

/// f = α_N/α_S.
pub(super) fn stop_early(view: &View<'_>) -> Outcome {
    of_chain(view, Section::Predicted, "f")
}

/// Whether the rate of a run came down.
pub(in super::super) fn has_decayed(run: &PaperRun) -> bool {
    let last = run.rates.last().map_or(f64::NAN, |(_, rate)| *rate);
    last <= DECAYED * run.row.lr.unwrap_or(f64::NAN)
}

/// Final losses of H's schedules that come down, and of those that do not.
fn by_decay(view: &View<'_>) -> (Vec<f64>, Vec<f64>) {
    let (down, up): (Vec<&PaperRun>, Vec<&PaperRun>) =
        view.runs.of(RunSet::Schedules).filter(|r| r.loss().is_finite()).partition(|r| has_decayed(r));
    (down.iter().map(|r| r.loss()).collect(), up.iter().map(|r| r.loss()).collect())
}

pub(super) fn schedule(view: &View<'_>) -> Outcome {
    let (down, _) = by_decay(view);
    let noise = view.fits.noise.as_ref().map_err(String::clone)?;
    super::architectures::widest(&down, |losses| noise.times(mean(losses)), "schedules", |hi, lo| hi - lo)
}

pub(super) fn schedule_undecayed(view: &View<'_>) -> Outcome {
    let (down, up) = by_decay(view);
    if down.is_empty() || up.is_empty() {
        return Err(format!("{} schedules that come down and {} that do not", down.len(), up.len()));
    }
    let noise = view.fits.noise.as_ref().map_err(String::clone)?;
    let mut difference = noise.times(mean(&down));
    difference.value = mean(&up) - mean(&down);
    difference.se *= (1.0 / up.len() as f64 + 1.0 / down.len() as f64).sqrt();
    Ok(Estimate::measured(difference, format!("{} against {}", up.len(), down.len())))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
