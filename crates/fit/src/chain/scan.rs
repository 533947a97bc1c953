//! Batch scans: steps and tokens to a loss level at several batch sizes, and the critical batch.

use super::ChainOptions;
use super::curve::{Curve, Reached};
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::laws::StepsForExamples;
use crate::statistics::median;
use crate::{Dataset, Effort};
use serde::{Deserialize, Serialize};

/// Fewest batch sizes a hyperbola is fitted to.
const FEWEST_BATCHES: usize = 4;
/// In ln loss: a curve that ends this close above a level may have missed it by its noise.
const NEAR_MISS: f64 = 0.01;

/// One loss level of one model's batch scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Parameters.
    pub n: f64,
    /// Loss, nats per token.
    pub loss: f64,
    /// Batch sizes that reached it, in tokens.
    pub batches: Vec<f64>,
    /// Steps each took.
    pub steps: Vec<f64>,
    /// Least steps.
    pub steps_min: Option<f64>,
    /// Least tokens.
    pub tokens_min: Option<f64>,
    /// Critical batch, E_min/S_min, in tokens.
    pub b_crit: Option<f64>,
    /// 95% interval of `b_crit`.
    pub b_crit_ci95: Option<[f64; 2]>,
    /// Gradient noise scale logged at this loss, the median over the scan, in tokens.
    pub noise_scale: Option<f64>,
    /// Why there is no value.
    pub refused: Option<String>,
}

/// A model trained at several batch sizes: indices of its curves.
pub(super) fn scans(curves: &[Curve]) -> Vec<Vec<usize>> {
    let mut by_size: Vec<(f64, Vec<usize>)> = Vec::new();
    for (i, curve) in curves.iter().enumerate() {
        match by_size.iter_mut().find(|(n, _)| (n / curve.n - 1.0).abs() < 1e-6) {
            Some((_, members)) => members.push(i),
            None => by_size.push((curve.n, vec![i])),
        }
    }
    by_size.sort_by(|a, b| a.0.total_cmp(&b.0));
    by_size.into_iter().map(|(_, members)| members).filter(|m| n_batches(curves, m) >= 2).collect()
}

fn n_batches(curves: &[Curve], members: &[usize]) -> usize {
    let mut batches: Vec<f64> = members.iter().map(|i| curves[*i].batch).collect();
    batches.sort_by(f64::total_cmp);
    batches.dedup();
    batches.len()
}

/// The loss levels of a scan: whole powers of the level ratio that at least two of its curves cross.
pub(super) fn levels(curves: &[Curve], members: &[usize], options: &ChainOptions) -> Vec<f64> {
    let pace = libm::log(options.level_ratio);
    let mut lowest: Vec<f64> = members.iter().map(|i| curves[*i].lowest()).collect();
    lowest.sort_by(f64::total_cmp);
    let highest = members.iter().map(|i| curves[*i].smooth[0].1).fold(f64::NEG_INFINITY, f64::max);
    let Some(second) = lowest.get(1) else { return vec![] };
    let (from, to) = (libm::ceil(second / pace) as i64, libm::floor(highest / pace) as i64);
    (from..=to).rev().map(|k| k as f64 * pace).collect()
}

/// The hyperbola of one level, each curve weighted; and how much the level says, for the fit over levels.
///
/// Noise of a loss moves the step to a level by its reciprocal slope: weights carry the slope squared.
pub(super) fn level(curves: &[Curve], members: &[usize], ln_loss: f64, weights: &[f64]) -> (Level, f64) {
    let reached: Vec<(usize, Reached)> =
        members.iter().filter_map(|i| Some((*i, curves[*i].first(ln_loss)?))).collect();
    let noise = members.iter().filter_map(|i| curves[*i].noise_scale(ln_loss)).collect();
    let batches: Vec<f64> = reached.iter().map(|(i, _)| curves[*i].batch).collect();
    let mut level = Level {
        n: curves[members[0]].n,
        loss: libm::exp(ln_loss),
        steps: reached.iter().map(|(_, r)| libm::exp(r.ln_step)).collect(),
        steps_min: None,
        tokens_min: None,
        b_crit: None,
        b_crit_ci95: None,
        noise_scale: median(noise),
        refused: None,
        batches,
    };
    let used: Vec<usize> = reached.iter().map(|(i, _)| *i).collect();
    let distinct = n_batches(curves, &used);
    if distinct < FEWEST_BATCHES {
        level.refused = Some(format!("{distinct} batch sizes reach it; {FEWEST_BATCHES} are needed"));
        return (level, 0.0);
    }
    let near =
        members.iter().filter(|i| (0.0..NEAR_MISS).contains(&(curves[**i].lowest() - ln_loss))).count();
    if near > 0 {
        // Those that did reach it are the lucky ones.
        level.refused =
            Some(format!("{near} curves end within {:.0}% of it without reaching it", 100.0 * NEAR_MISS));
        return (level, 0.0);
    }
    let information: Vec<f64> = reached.iter().map(|(i, r)| weights[*i] * r.slope * r.slope).collect();
    let data =
        Dataset::new(level.steps.clone()).with("B", level.batches.clone()).weighted(information.clone());
    let options = FitOptions {
        intervals: IntervalChoice::None,
        effort: Effort { polished: 1, ..Effort::default() },
        ..FitOptions::default()
    };
    let (smallest, largest) =
        level.batches.iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), b| (lo.min(*b), hi.max(*b)));
    match fit(&StepsForExamples, &data, &options) {
        Ok(fitted) => {
            let [steps_min, tokens_min] =
                ["S_min", "E_min"].map(|name| fitted.param(name).unwrap_or(f64::NAN));
            let b_crit = tokens_min / steps_min;
            if smallest < b_crit && b_crit < largest {
                (level.steps_min, level.tokens_min, level.b_crit) =
                    (Some(steps_min), Some(tokens_min), Some(b_crit));
            } else {
                level.refused = Some(format!(
                    "the batches, {smallest:.3e} to {largest:.3e} tokens, do not bracket the critical batch ({b_crit:.1e})"
                ));
            }
        }
        Err(error) => level.refused = Some(error.to_string()),
    }
    (level, information.iter().sum::<f64>())
}
