//! Figure 9: over-fitting. Figure 16: when to stop.

use super::{Line, Places, View};
use crate::lines::{log_spaced, range};
use crate::paper::runs::{PaperRun, PaperRuns, RunSet};
use scalelaw_fit::laws::KaplanNd;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::plan::overfit;
use scalelaw_fit::{FittedLaw, value};

/// Figures 9 and 16.
#[derive(Clone, Debug, Default)]
pub struct OverFitting {
    /// α_N/α_D; `None` where L(N, D) is not fitted.
    pub ratio: Option<f64>,
    /// L(N, D) against N, one line an amount of data that was fitted.
    pub lines: Vec<Line>,
    /// Excess of runs over the loss of endless data, by amount of data: x is N^(α_N/α_D)/D.
    pub measured: Vec<Excess>,
    /// The same by equation 4.3.
    pub fitted: Places,
    /// Runs on limited data that over-fitted: x is the bound of equation 5.7, y the step of the lowest loss as S_min.
    pub stops: Vec<Excess>,
}

/// Runs on one amount of data.
#[derive(Clone, Debug)]
pub struct Excess {
    /// The amount, tokens.
    pub d: f64,
    /// (x, y, run).
    pub points: Vec<(f64, f64, String)>,
}

impl PaperRuns {
    /// B's runs by amount of data, smallest first: amounts within a factor of two are one (a run that stops early on
    /// all data has seen a little less of it).
    pub fn by_data(&self) -> Vec<(f64, Vec<&PaperRun>)> {
        let mut groups: Vec<(f64, Vec<&PaperRun>)> = Vec::new();
        let mut runs: Vec<&PaperRun> = self.of(RunSet::Data).collect();
        runs.sort_by(|a, b| b.unique().total_cmp(&a.unique()).then(a.n().total_cmp(&b.n())));
        for run in runs {
            match groups.iter_mut().find(|(d, _)| *d / run.unique() < 2.0) {
                Some((_, members)) => members.push(run),
                None => groups.push((run.unique(), vec![run])),
            }
        }
        groups.reverse();
        for (_, members) in &mut groups {
            members.sort_by(|a, b| a.n().total_cmp(&b.n()));
        }
        groups
    }
}

impl OverFitting {
    pub(super) fn new(view: &View<'_>) -> Self {
        let Ok(fitted) = &view.fits.nd else { return Self::default() };
        let Some((lo, hi)) = range(view.runs.of(RunSet::Data).map(PaperRun::n)) else {
            return Self::default();
        };
        let law = &fitted.law;
        let groups = view.runs.by_data();
        let p = law.values();
        let loss = |n: f64, d: f64| value(&KaplanNd, &[n, d], &p);
        let of = |name| law.param(name).unwrap_or(f64::NAN);
        let ratio = of("alpha_N") / of("alpha_D");
        let x = |n: f64, d: f64| libm::pow(n, ratio) / d;
        // The smallest D is not fitted, and no line says what it should be.
        let least = fitted.places(1).iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
        let line = |d: f64| log_spaced(lo, hi, 40).map(|n| (n, loss(n, d))).collect();
        let excess = |run: &&PaperRun| {
            let delta = run.lowest() / endless(law, run.n()) - 1.0;
            (x(run.n(), run.unique()), delta, run.row.run_id.clone())
        };
        let all = view.runs.of(RunSet::Data).filter(|r| r.unique() >= least);
        let n = (lo * hi).sqrt();
        let curve = range(all.map(|r| x(r.n(), r.unique()))).map_or_else(Vec::new, |(from, to)| {
            log_spaced(from, to, 60).map(|x| (x, overfit(&loss, n, libm::pow(n, ratio) / x))).collect()
        });
        Self {
            ratio: Some(ratio),
            lines: groups
                .iter()
                .filter(|(d, _)| *d >= least)
                .map(|(d, _)| Line { of: *d, points: line(*d) })
                .collect(),
            measured: groups
                .iter()
                .map(|(d, runs)| Excess { d: *d, points: runs.iter().map(excess).collect() })
                .collect(),
            fitted: curve,
            stops: stops(view, law, &groups),
        }
    }
}

fn stops(view: &View<'_>, law: &FittedLaw, groups: &[(f64, Vec<&PaperRun>)]) -> Vec<Excess> {
    let Some(k) = view.fits.constants() else { return vec![] };
    let p = law.values();
    let stop = |run: &&PaperRun| {
        let (n, d) = (run.n(), run.unique());
        let excess = value(&KaplanNd, &[n, d], &p) - endless(law, n);
        let stop = run.row.best_step? as f64;
        let stop = steps_min(stop, run.batch(), k.b_crit(run.lowest()));
        Some((k.stop_step(excess, 0.0), stop, run.row.run_id.clone()))
    };
    // On all its data a run sees nothing twice.
    let limited = &groups[..groups.len().saturating_sub(1)];
    let over_fitted = |run: &&&PaperRun| run.row.best_step < run.row.steps;
    limited
        .iter()
        .map(|(d, runs)| Excess { d: *d, points: runs.iter().filter(over_fitted).filter_map(stop).collect() })
        .collect()
}

/// Loss of L(N, D) at endless data: what D_c no longer adds to.
fn endless(law: &FittedLaw, n: f64) -> f64 {
    let p = law.values();
    let loss = |n: f64, d: f64| value(&KaplanNd, &[n, d], &p);
    let d = law.ranges.iter().find(|(name, _)| name == "D").map_or(1.0, |(_, [_, hi])| *hi);
    loss(n, d) / (1.0 + overfit(&loss, n, d))
}
