//! Optima and exponents when the losses are moved by seed noise.

use super::bottom::bottom;
use super::{LogLineFit, Optimum, Profile, Valley, log_line, sizes};
use crate::error::FitError;
use crate::random::{generator, normal};
use crate::statistics::{quantile, standard_deviation};
use serde::Serialize;

/// Exponents under noise in the losses: each replicate moves every loss by its own normal error of relative
/// size `noise(loss)`, finds the valleys' bottoms and their power law again.
#[derive(Clone, Debug, Serialize)]
pub struct NoiseStudy {
    /// Optima with the spread of ln N over replicates; medians of N.
    pub optima: Vec<Optimum>,
    /// Line through the medians, weighted by 1/spread².
    pub line: LogLineFit,
    /// 2.5% and 97.5% percentile of the replicates' weighted exponents.
    pub exponent_ci95: [f64; 2],
    /// Replicates, and how many were refused somewhere.
    pub replicates: usize,
    /// Replicates in which some budget had no interior minimum (they use the others).
    pub partial: usize,
}

/// Runs [`NoiseStudy`].
///
/// # Errors
/// Fewer than two budgets have an interior minimum.
///
/// # Source
/// Porian et al. 2024, section 3.2 (noise-and-interpolate).
pub fn noise_study(
    profiles: &[Profile],
    valley: Valley,
    noise: &dyn Fn(f64) -> f64,
    replicates: usize,
    seed: u64,
) -> Result<NoiseStudy, FitError> {
    let points: Vec<Vec<(f64, f64)>> = profiles.iter().map(sizes).collect();
    let mut draws: Vec<Vec<f64>> = vec![Vec::new(); profiles.len()];
    let mut every: Vec<Vec<Option<f64>>> = Vec::with_capacity(replicates);
    for r in 0..replicates {
        let mut rng = generator(seed, r);
        let mut row = Vec::with_capacity(points.len());
        for (k, p) in points.iter().enumerate() {
            let moved: Vec<(f64, f64)> =
                p.iter().map(|(x, l)| (*x, l * (1.0 + noise(*l) * normal(&mut rng)))).collect();
            let ln_n = bottom(&moved, valley).ok().map(|(x, _)| x);
            draws[k].extend(ln_n);
            row.push(ln_n);
        }
        every.push(row);
    }
    let mut optima = Vec::new();
    let mut used = Vec::new();
    for (k, d) in draws.iter_mut().enumerate() {
        // A budget whose valley is open in half of the replicates has no optimum to speak of.
        if d.len() * 2 < replicates.max(1) {
            continue;
        }
        d.sort_by(f64::total_cmp);
        let loss = bottom(&points[k], valley).map_or(f64::NAN, |(_, l)| l);
        optima.push(Optimum {
            budget: profiles[k].budget,
            n: libm::exp(quantile(d, 0.5)),
            loss,
            ln_n_sd: standard_deviation(d),
        });
        used.push(k);
    }
    // A spread of 0 would have infinite weight: no optimum is known better than a tenth of the typical spread.
    let typical = optima.iter().map(|o| o.ln_n_sd).sum::<f64>() / optima.len().max(1) as f64;
    let weights: Vec<f64> = optima.iter().map(|o| o.ln_n_sd.max(0.1 * typical).powi(-2)).collect();
    let budgets: Vec<f64> = optima.iter().map(|o| o.budget).collect();
    let sizes: Vec<f64> = optima.iter().map(|o| o.n).collect();
    let line = log_line(&budgets, &sizes, &weights)?;
    let mut exponents: Vec<f64> = every
        .iter()
        .filter_map(|row| {
            let (mut x, mut y, mut w) = (vec![], vec![], vec![]);
            for (i, &k) in used.iter().enumerate() {
                if let Some(ln_n) = row[k] {
                    x.push(budgets[i]);
                    y.push(libm::exp(ln_n));
                    w.push(weights[i]);
                }
            }
            log_line(&x, &y, &w).ok().map(|l| l.exponent)
        })
        .collect();
    exponents.sort_by(f64::total_cmp);
    Ok(NoiseStudy {
        optima,
        line,
        exponent_ci95: [quantile(&exponents, 0.025), quantile(&exponents, 0.975)],
        replicates,
        partial: every.iter().filter(|row| used.iter().any(|&k| row[k].is_none())).count(),
    })
}
