//! Figure 2: learning curves. Figure 4: L(N, D) and L(N, S_min).

use super::{Line, Places, View};
use crate::lines::{log_spaced, range};
use crate::paper::fits::trunk;
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::chain::{smoothed, steps_to};
use scalelaw_fit::laws::KaplanNd;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::value;

/// Places on a drawn line.
const PLACES: u32 = 40;

/// Figures 2 and 4.
#[derive(Clone, Debug)]
pub struct LearningCurves {
    /// Excess over the loss of endless training at which compute-efficient training stops; `None` without L(N, S_min).
    pub efficient_excess: Option<f64>,
    /// Where A's trunks have that loss.
    pub stops: Vec<Stop>,
    /// L(N, D) against D, one line an N of B; empty where it is not fitted.
    pub by_data: Vec<Line>,
    /// A's trunks against S_min; empty without L(N, S_min).
    pub by_steps: Vec<StepsCurve>,
}

/// Where compute-efficient training of one size stops.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The trunk.
    pub run_id: String,
    /// Tokens processed by then.
    pub tokens: f64,
    /// Compute by then, PF-days of 6N FLOPs.
    pub pf_days: f64,
    /// Its loss there.
    pub loss: f64,
}

/// A trunk against S_min.
#[derive(Clone, Debug)]
pub struct StepsCurve {
    /// N of the trunk.
    pub n: f64,
    /// Its smoothed curve: (S_min, loss).
    pub measured: Places,
    /// Equation 1.6 over the same range.
    pub fitted: Places,
}

impl LearningCurves {
    pub(super) fn new(view: &View<'_>) -> Self {
        Self {
            efficient_excess: view.fits.constants().map(|k| k.efficient_f()),
            stops: stops(view),
            by_data: by_data(view),
            by_steps: by_steps(view),
        }
    }
}

fn stops(view: &View<'_>) -> Vec<Stop> {
    let Some(k) = view.fits.constants() else { return vec![] };
    let options = view.estimators.chain.options();
    let stop = |run: &&PaperRun| {
        let loss = (1.0 + k.efficient_f()) * k.converged(run.n());
        let step = steps_to(&trunk(run), loss, &options)?;
        Some(Stop {
            run_id: run.row.run_id.clone(),
            tokens: step * run.batch(),
            pf_days: run.pf_days(step),
            loss,
        })
    };
    view.runs.trunks().iter().filter_map(stop).collect()
}

fn by_data(view: &View<'_>) -> Vec<Line> {
    let Ok(fitted) = &view.fits.nd else { return vec![] };
    let Some((lo, hi)) = range(fitted.places(1).iter().map(|p| p.0)) else { return vec![] };
    let p = fitted.law.values();
    let mut sizes: Vec<f64> = view.runs.of(RunSet::Data).map(PaperRun::n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let line = |n: f64| log_spaced(lo, hi, PLACES).map(|d| (d, value(&KaplanNd, &[n, d], &p))).collect();
    sizes.into_iter().map(|n| Line { of: n, points: line(n) }).collect()
}

fn by_steps(view: &View<'_>) -> Vec<StepsCurve> {
    let Some(k) = view.fits.constants() else { return vec![] };
    let options = view.estimators.chain.options();
    let curve = |run: &PaperRun| {
        let least = |(step, loss): (f64, f64)| (steps_min(step, run.batch(), k.b_crit(loss)), loss);
        let measured: Places = smoothed(&trunk(run), &options).into_iter().map(least).collect();
        let fitted = range(measured.iter().map(|p| p.0)).map_or_else(Vec::new, |(lo, hi)| {
            log_spaced(lo, hi, PLACES).map(|s| (s, k.loss(run.n(), s))).collect()
        });
        StepsCurve { n: run.n(), measured, fitted }
    };
    view.runs.trunks().into_iter().map(curve).collect()
}
