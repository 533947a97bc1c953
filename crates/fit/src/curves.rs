//! Learning curves extrapolated from their beginnings: fit the first part of every curve, score the rest.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::fitted::FittedLaw;
use crate::law::{Domain, value};
use crate::laws::KaplanNs;
use crate::statistics::{quantile, student_t};
use serde::Serialize;
use std::collections::BTreeMap;

/// Forecast of one loss.
#[derive(Clone, Debug, Serialize)]
pub struct Forecast {
    /// Index of the point in the data.
    pub point: usize,
    /// Group (run) of the point.
    pub run: u32,
    /// Updates over the last update seen.
    pub horizon: f64,
    /// Forecast loss.
    pub predicted: f64,
    /// Observed loss.
    pub observed: f64,
    /// 95% prediction interval of this run's loss, calibrated on the other runs; none with too few of them.
    pub pi95: Option<[f64; 2]>,
}

/// Errors at one distance.
#[derive(Clone, Debug, Serialize)]
pub struct HorizonScore {
    /// Updates over the last update seen: from.
    pub from: f64,
    /// To.
    pub to: f64,
    /// Points.
    pub n: usize,
    /// Root mean square of ln prediction − ln observation.
    pub rms_log: f64,
    /// Share of points inside their interval; none where no point has one.
    pub coverage: Option<f64>,
    /// Mean half-width of the intervals in ln loss.
    pub half_width: Option<f64>,
}

/// Extrapolated curves and their scores.
#[derive(Clone, Debug, Serialize)]
pub struct CurveStudy {
    /// L(N, S) fitted to the beginnings.
    pub law: FittedLaw,
    /// Points of the beginnings, and points scored.
    pub n_seen: usize,
    /// Points scored.
    pub n_scored: usize,
    /// Runs.
    pub n_runs: usize,
    /// Root mean square error in ln loss of all scored points.
    pub rms_log: f64,
    /// Share of scored points inside their 95% interval; none where no point has one.
    pub coverage: Option<f64>,
    /// By distance.
    pub by_horizon: Vec<HorizonScore>,
    /// Every forecast.
    pub forecasts: Vec<Forecast>,
}

/// Horizons within this factor calibrate each other.
const NEIGHBOUR: f64 = 1.3;
/// Fewer other runs than this calibrate nothing.
const FEWEST: usize = 3;

/// Fits L(N, S) to the first `from` (a share of each run's updates) of every curve and forecasts the rest: the
/// law times the run's own factor, seen in the later half of its beginning.
///
/// Intervals are cross-conformal: a run's half-width at a horizon is the 95% quantile of the *other* runs'
/// errors at that horizon, so a new run like these is covered whatever the errors' distribution. With fewer than 19
/// other runs that quantile does not exist, and the errors are taken as normal (Student's t).
///
/// # Errors
/// `from` is not between 0 and 1, N, S or runs are missing, or too little is seen to fit.
///
/// # Source
/// L(N, S): Kaplan et al. 2020, equation 1.6; Vovk et al. 2005 for the intervals.
pub fn forecast_curves(
    dataset: &Dataset,
    groups: &[u32],
    from: f64,
    options: &FitOptions,
) -> Result<CurveStudy, FitError> {
    if !(from > 0.0 && from < 1.0) {
        return Err(FitError::OutOfDomain {
            name: "from".into(),
            value: from,
            domain: Domain::Between(0.0, 1.0),
        });
    }
    let missing = |variable: &str| FitError::MissingVariable {
        law: "ns".into(),
        variable: variable.into(),
        have: dataset.names(),
    };
    let n = dataset.column("N").ok_or_else(|| missing("N"))?;
    let s = dataset.column("S").ok_or_else(|| missing("S"))?;
    let n_runs = groups.iter().max().map_or(0, |g| *g as usize + 1);
    let mut last = vec![0.0f64; n_runs];
    for (g, s) in groups.iter().zip(s) {
        last[*g as usize] = last[*g as usize].max(*s);
    }
    let seen = |i: usize| s[i] <= from * last[groups[i] as usize];
    let options = FitOptions { intervals: IntervalChoice::Covariance, ..options.clone() };
    let law = fit(&KaplanNs, &dataset.filtered(seen), &options)?;
    let p = law.values();
    let error = |i: usize| libm::log(dataset.response()[i] / value(&KaplanNs, &[n[i], s[i]], &p));
    let (mut factor, mut count, mut end) = (vec![0.0; n_runs], vec![0.0; n_runs], vec![0.0f64; n_runs]);
    for i in (0..dataset.len()).filter(|i| seen(*i)) {
        let run = groups[i] as usize;
        end[run] = end[run].max(s[i]);
        if s[i] > 0.5 * from * last[run] {
            factor[run] += error(i);
            count[run] += 1.0;
        }
    }
    let mut forecasts: Vec<Forecast> = (0..dataset.len())
        .filter(|i| !seen(*i) && count[groups[*i] as usize] > 0.0)
        .map(|i| {
            let run = groups[i] as usize;
            let predicted = value(&KaplanNs, &[n[i], s[i]], &p) * libm::exp(factor[run] / count[run]);
            let (observed, horizon) = (dataset.response()[i], s[i] / end[run]);
            Forecast { point: i, run: groups[i], horizon, predicted, observed, pi95: None }
        })
        .collect();
    if forecasts.is_empty() {
        return Err(FitError::NothingToScore { from });
    }
    calibrate(&mut forecasts);
    let n_seen = (0..dataset.len()).filter(|i| seen(*i)).count();
    Ok(CurveStudy {
        law,
        n_seen,
        n_scored: forecasts.len(),
        n_runs,
        rms_log: rms(&forecasts),
        coverage: coverage(&forecasts),
        by_horizon: by_horizon(&forecasts),
        forecasts,
    })
}

fn ln_error(f: &Forecast) -> f64 {
    libm::log(f.observed / f.predicted)
}

/// The 95% half-width in ln loss that errors of other runs give for a new one.
fn half_width(mut errors: Vec<f64>) -> Option<f64> {
    let n = errors.len();
    errors.sort_by(f64::total_cmp);
    // The conformal rank ⌈.95·(n + 1)⌉ exists from n = 19 on.
    let rank = (0.95 * (n + 1) as f64).ceil() as usize;
    if rank <= n {
        return Some(errors[rank - 1]);
    }
    // Fewer: a new value of a normal sample about 0, of which n squares are known.
    (n >= FEWEST).then(|| {
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / n as f64;
        student_t(0.975, n as f64) * variance.sqrt()
    })
}

fn calibrate(forecasts: &mut [Forecast]) {
    let mut by_run: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    for f in forecasts.iter() {
        by_run.entry(f.run).or_default().push((f.horizon, ln_error(f).abs()));
    }
    for errors in by_run.values_mut() {
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    for f in forecasts.iter_mut() {
        // One error a run, at the horizon nearest to this one: points of one run are not independent.
        let others = by_run.iter().filter(|(run, _)| **run != f.run).filter_map(|(_, errors)| {
            let distance = |i: usize| libm::log(errors[i].0 / f.horizon).abs();
            let above = errors.partition_point(|e| e.0 < f.horizon);
            let nearest = (above.saturating_sub(1)..(above + 1).min(errors.len()))
                .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))?;
            (distance(nearest) <= libm::log(NEIGHBOUR)).then_some(errors[nearest].1)
        });
        f.pi95 = half_width(others.collect())
            .map(|half| [f.predicted * libm::exp(-half), f.predicted * libm::exp(half)]);
    }
}

fn rms(f: &[Forecast]) -> f64 {
    (f.iter().map(|f| ln_error(f).powi(2)).sum::<f64>() / f.len() as f64).sqrt()
}

fn coverage(f: &[Forecast]) -> Option<f64> {
    let with: Vec<&Forecast> = f.iter().filter(|f| f.pi95.is_some()).collect();
    let inside = with.iter().filter(|f| f.pi95.is_some_and(|[lo, hi]| lo <= f.observed && f.observed <= hi));
    (!with.is_empty()).then(|| inside.count() as f64 / with.len() as f64)
}

fn by_horizon(forecasts: &[Forecast]) -> Vec<HorizonScore> {
    let mut horizons: Vec<f64> = forecasts.iter().map(|f| f.horizon).collect();
    horizons.sort_by(f64::total_cmp);
    let edges: Vec<f64> = (0..=5).map(|k| quantile(&horizons, f64::from(k) / 5.0)).collect();
    edges
        .windows(2)
        .enumerate()
        .filter_map(|(k, edge)| {
            let inside: Vec<Forecast> = forecasts
                .iter()
                .filter(|f| (f.horizon > edge[0] || k == 0 && f.horizon >= edge[0]) && f.horizon <= edge[1])
                .cloned()
                .collect();
            let widths: Vec<f64> =
                inside.iter().filter_map(|f| f.pi95.map(|[lo, hi]| 0.5 * libm::log(hi / lo))).collect();
            (!inside.is_empty()).then(|| HorizonScore {
                from: edge[0],
                to: edge[1],
                n: inside.len(),
                rms_log: rms(&inside),
                coverage: coverage(&inside),
                half_width: (!widths.is_empty()).then(|| widths.iter().sum::<f64>() / widths.len() as f64),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::kaplan2020::TRAINING;
    use crate::random::{generator, normal};

    #[test]
    fn extrapolated_curves_are_covered_at_their_level_and_beat_the_spread_of_runs() {
        let (mut n, mut s, mut y, mut g) = (vec![], vec![], vec![], vec![]);
        for run in 0..60u32 {
            let mut rng = generator(3, run as usize);
            let size = 1e6 * 3f64.powi(run as i32 % 6);
            let factor = (0.02 * normal(&mut rng)).exp();
            for step in 1..=25 {
                let steps = 1e4 * f64::from(step);
                n.push(size);
                s.push(steps);
                g.push(run);
                let loss = value(
                    &KaplanNs,
                    &[size, steps],
                    &[TRAINING.n_c, TRAINING.s_c, TRAINING.alpha_n, TRAINING.alpha_s],
                );
                y.push(loss * factor * (0.001 * normal(&mut rng)).exp());
            }
        }
        let data = Dataset::new(y).with("N", n).with("S", s);
        let study = forecast_curves(&data, &g, 0.2, &FitOptions::default()).unwrap();
        assert_eq!((study.n_seen, study.n_scored, study.n_runs), (300, 1200, 60));
        // The run's own factor removes the 2% between runs.
        assert!(study.rms_log < 0.006, "{}", study.rms_log);
        let coverage = study.coverage.unwrap();
        assert!((0.93..0.99).contains(&coverage), "{coverage}");
        // With eight runs the errors are taken as normal.
        let few = |i: usize| g[i] < 8;
        let groups: Vec<u32> = g.iter().copied().filter(|g| *g < 8).collect();
        let study = forecast_curves(&data.filtered(few), &groups, 0.2, &FitOptions::default()).unwrap();
        assert!(study.coverage.unwrap() > 0.9, "{:?}", study.coverage);
        // With three nothing can be said.
        let groups: Vec<u32> = g.iter().copied().filter(|g| *g < 3).collect();
        let study =
            forecast_curves(&data.filtered(|i| g[i] < 3), &groups, 0.2, &FitOptions::default()).unwrap();
        assert_eq!(study.coverage, None);
        assert!(forecast_curves(&data, &g, 1.5, &FitOptions::default()).is_err());
    }
}
