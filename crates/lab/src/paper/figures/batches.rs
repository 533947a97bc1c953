//! Figures 10, 18 and 19: the critical batch, its scans, and what they say of time and data.

use super::{Places, View};
use crate::lines::{log_spaced, range, through_centre};
use crate::paper::fits::trunk;
use crate::paper::runs::PaperRun;
use scalelaw_fit::chain::{Level, steps_to};
use scalelaw_fit::plan::batch::{batch_trade, steps_min};
use scalelaw_fit::presets::kaplan2020::TRAINING;

/// Figures 10, 18 and 19.
#[derive(Clone, Debug)]
pub struct BatchScans {
    /// B_crit(L) over the losses at which it was measured; empty where it is not fitted.
    pub critical: Places,
    /// The published slope through the centre of the measured critical batches, where one is fitted.
    pub critical_slope: Option<[(f64, f64); 2]>,
    /// Time against data at each loss level that has a critical batch.
    pub contours: Vec<Contour>,
    /// What each of some losses takes, by size.
    pub to_loss: Vec<ToLoss>,
}

/// Updates and tokens to one loss at every batch of a scan.
#[derive(Clone, Debug)]
pub struct Contour {
    /// N of the scan.
    pub n: f64,
    /// The loss.
    pub loss: f64,
    /// Equation 5.1: (updates, tokens).
    pub fitted: Places,
    /// (updates, tokens, batch) of the runs.
    pub runs: Vec<(f64, f64, f64)>,
}

/// What A's trunks take to have one loss.
#[derive(Clone, Debug)]
pub struct ToLoss {
    /// The loss.
    pub loss: f64,
    /// (N, S_min).
    pub steps: Places,
    /// (N, E_min).
    pub tokens: Places,
}

impl BatchScans {
    pub(super) fn new(view: &View<'_>) -> Self {
        let levels = view.fits.chain.as_ref().map_or(&[][..], |chain| &chain.levels[..]);
        let measured: Places = levels.iter().filter_map(|l| Some((l.loss, l.b_crit?))).collect();
        let (mut critical, mut critical_slope) = (vec![], None);
        if let (Some(k), Some((lo, hi))) = (view.fits.constants(), range(measured.iter().map(|p| p.0))) {
            critical = log_spaced(lo, hi, 40).map(|l| (l, k.b_crit(l))).collect();
            critical_slope = through_centre(&measured, -1.0 / TRAINING.alpha_b);
        }
        Self {
            critical,
            critical_slope,
            contours: levels.iter().filter_map(contour).collect(),
            to_loss: to_loss(view),
        }
    }
}

fn contour(level: &Level) -> Option<Contour> {
    let (s, e, b) = (level.steps_min?, level.tokens_min?, level.b_crit?);
    let (lo, hi) = range(level.batches.iter().map(|batch| batch / b))?;
    let trade = |ratio| batch_trade(ratio, b, s, e).ok().map(|trade| (trade.steps, trade.tokens));
    let runs = level.steps.iter().zip(&level.batches);
    Some(Contour {
        n: level.n,
        loss: level.loss,
        fitted: log_spaced(lo, hi, 40).filter_map(trade).collect(),
        runs: runs.map(|(s, b)| (*s, s * b, *b)).collect(),
    })
}

fn to_loss(view: &View<'_>) -> Vec<ToLoss> {
    let options = view.estimators.chain.options();
    let trunks = view.runs.trunks();
    let losses = range(trunks.iter().flat_map(|r| r.losses(options.skip_steps)).map(|p| p.1));
    let (Some(k), Some((lo, hi))) = (view.fits.constants(), losses) else { return vec![] };
    let at = |loss: f64| {
        let b = k.b_crit(loss);
        let reached = |run: &&PaperRun| {
            let s = steps_to(&trunk(run), loss, &options)?;
            Some((run.n(), steps_min(s, run.batch(), b)))
        };
        let steps: Places = trunks.iter().filter_map(reached).collect();
        let tokens = steps.iter().map(|(n, s)| (*n, s * b)).collect();
        ToLoss { loss, steps, tokens }
    };
    log_spaced(lo * 1.01, hi / 1.05, 9).map(at).filter(|t| t.steps.len() >= 2).collect()
}
