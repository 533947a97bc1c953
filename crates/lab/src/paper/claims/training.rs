//! What training curves forecast, when to stop, and how much the schedule matters.

use super::power_laws::of_chain;
use super::{Estimate, Outcome, View};
use crate::paper::Refusal;
use crate::paper::fits::trunk;
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::chain::{Section, smoothed, steps_to};
use scalelaw_fit::isoflop::log_line;

/// N of the trunk whose last loss the others are timed to.
const REFERENCE_N: f64 = 24_576.0;

/// Exponent of the tokens that a loss takes, in N.
pub(super) fn sample_efficiency(view: &View<'_>) -> Outcome {
    let options = view.estimators.chain.options();
    let trunks = view.runs.trunks();
    let reference = trunks
        .iter()
        .find(|run| run.n() == REFERENCE_N)
        .ok_or_else(|| Refusal::Nothing(format!("trunk of N = {REFERENCE_N}")))?;
    let last = smoothed(&trunk(reference), &options).last().map(|p| p.1);
    let last = last.ok_or_else(|| Refusal::too_few(0, "smoothed points of its curve", 1))?;
    let reached: Vec<(f64, f64)> = trunks
        .iter()
        .filter(|run| run.n() >= REFERENCE_N)
        .filter_map(|run| Some((run.n(), steps_to(&trunk(run), last, &options)? * run.batch())))
        .collect();
    let (n, tokens): (Vec<f64>, Vec<f64>) = reached.into_iter().unzip();
    let line = log_line(&n, &tokens, &vec![1.0; n.len()])?;
    Ok(Estimate {
        value: line.exponent,
        ci95: line.ci95.ok_or_else(|| Refusal::too_few(line.n, "trunks that reach its loss", 3))?,
        note: format!("{} trunks, to a loss of {last:.3}", line.n),
    })
}

/// Root mean square error of what each trunk's first fifth forecasts, mean over trunks.
pub(super) fn universality(view: &View<'_>) -> Outcome {
    let study = view.fits.forecast.as_ref().map_err(Refusal::clone)?;
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

/// Final losses of H's schedules that come down, and of those that do not.
fn by_decay(view: &View<'_>) -> (Vec<f64>, Vec<f64>) {
    let (down, up): (Vec<&PaperRun>, Vec<&PaperRun>) =
        view.runs.of(RunSet::Schedules).filter(|r| r.loss().is_finite()).partition(|r| r.has_decayed());
    (down.iter().map(|r| r.loss()).collect(), up.iter().map(|r| r.loss()).collect())
}

pub(super) fn schedule(view: &View<'_>) -> Outcome {
    let (down, _) = by_decay(view);
    let noise = view.fits.noise.as_ref().map_err(Refusal::clone)?;
    super::architectures::widest(&down, |losses| noise.times(mean(losses)), "schedules", |hi, lo| hi - lo)
}

pub(super) fn schedule_undecayed(view: &View<'_>) -> Outcome {
    let (down, up) = by_decay(view);
    if down.is_empty() || up.is_empty() {
        let (found, what) = if down.is_empty() { (down.len(), "come") } else { (up.len(), "do not come") };
        return Err(Refusal::too_few(found, format!("schedules that {what} down"), 1));
    }
    let noise = view.fits.noise.as_ref().map_err(Refusal::clone)?;
    let mut difference = noise.times(mean(&down));
    difference.value = mean(&up) - mean(&down);
    difference.se *= (1.0 / up.len() as f64 + 1.0 / down.len() as f64).sqrt();
    Ok(Estimate::measured(difference, format!("{} against {}", up.len(), down.len())))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
