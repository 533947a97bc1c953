//! The critical batch, whether size matters to it, and whether the noise scale tells it.

use super::power_laws::of_chain;
use super::{Estimate, Outcome, View};
use crate::paper::Refusal;
use scalelaw_fit::Measured;
use scalelaw_fit::chain::{Level, Section};

pub(super) fn exponent(view: &View<'_>) -> Outcome {
    of_chain(view, Section::CriticalBatch, "alpha_B")
}

fn levels<'a>(view: &View<'a>) -> Result<&'a [Level], Refusal> {
    Ok(&view.fits.chain.as_ref().map_err(Refusal::clone)?.levels)
}

/// Critical batch of a level as a logarithm, with the standard error of its interval.
fn ln_critical(level: &Level) -> Option<Measured> {
    let [lo, hi] = level.b_crit_ci95?;
    Some(Measured::from_interval(libm::log(level.b_crit?), [libm::log(lo), libm::log(hi)]))
}

/// The mean over levels that share their runs: its standard error is the mean of theirs.
fn shared_mean(ratios: &[Measured], what: &str) -> Outcome {
    if ratios.is_empty() {
        return Err(Refusal::Nothing(what.into()));
    }
    let mean = |f: fn(&Measured) -> f64| ratios.iter().map(f).sum::<f64>() / ratios.len() as f64;
    let all = Measured { value: mean(|m| m.value), se: mean(|m| m.se), freedom: f64::INFINITY };
    Ok(Estimate::measured(all, format!("{} {what}", ratios.len())).mapped(libm::exp))
}

pub(super) fn sizes(view: &View<'_>) -> Outcome {
    let levels = levels(view)?;
    let [small, large] =
        levels.iter().fold([f64::INFINITY, 0.0f64], |[lo, hi], l| [lo.min(l.n), hi.max(l.n)]);
    let ratios: Vec<Measured> = levels
        .iter()
        .filter(|l| l.n == large)
        .filter_map(|l| {
            let same = |o: &&Level| o.n == small && o.n != l.n && (o.loss / l.loss - 1.0).abs() < 1e-9;
            Some(ln_critical(l)?.minus(ln_critical(levels.iter().find(same)?)?))
        })
        .collect();
    shared_mean(&ratios, "loss levels at which both sizes have a critical batch")
}

pub(super) fn noise_scale(view: &View<'_>) -> Outcome {
    let ratios: Vec<Measured> = levels(view)?
        .iter()
        .filter_map(|l| {
            let critical = ln_critical(l)?;
            let noise = l.noise_scale.filter(|b| *b > 0.0)?;
            Some(Measured { value: libm::log(noise) - critical.value, ..critical })
        })
        .collect();
    shared_mean(&ratios, "loss levels with a noise scale and a critical batch")
}
