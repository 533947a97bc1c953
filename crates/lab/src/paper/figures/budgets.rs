//! Figures 11, 13 and 14: the best size for a budget, in compute as it was spent and as it could have been.

use super::{Places, Trained, View, loss_of_run};
use crate::laws::frontier;
use crate::lines::{log_spaced, range, through_centre};
use crate::paper::fits::trunk;
use crate::paper::runs::PaperRun;
use scalelaw_core::PF_DAY;
use scalelaw_fit::chain::{Section, smoothed};
use scalelaw_fit::interpolate::in_logs;
use scalelaw_fit::plan::batch::{compute_min, steps_min};
use scalelaw_fit::presets::KaplanConstants;
use scalelaw_fit::presets::kaplan2020::{L_C, L_C_MIN, N_OPT, N_OPT_NAIVE, STEPS};
use scalelaw_fit::{Curve, FrontierPoint};

/// Budgets that Figure 11 is drawn for.
const BUDGETS: u32 = 6;
/// Numbers of updates that it is drawn for.
const UPDATES: u32 = 5;

/// Figures 11, 13 and 14.
#[derive(Clone, Debug)]
pub struct Budgets {
    /// Losses of A's trunks at fixed compute (PF-days).
    pub fixed_compute: Vec<Cut>,
    /// And at fixed updates.
    pub fixed_steps: Vec<Cut>,
    /// Fewest and most updates of the smoothed curves.
    pub steps: Option<(f64, f64)>,
    /// L(C) as spent and, where the critical batch is known, adjusted to C_min.
    pub loss: Vec<FrontierLine>,
    /// Sizes on the envelope as spent: (PF-days, N).
    pub on_envelope: Places,
    /// N_opt as spent and adjusted, where the chain has places.
    pub size: Vec<FrontierLine>,
    /// Updates along the adjusted envelope; `None` without a critical batch.
    pub updates: Option<StepsLine>,
}

/// A's trunks at one budget or one number of updates.
#[derive(Clone, Debug)]
pub struct Cut {
    /// PF-days, or updates.
    pub at: f64,
    /// (N, loss, run), read from smoothed curves.
    pub points: Vec<(f64, f64, String)>,
    /// Equation 5.6 through equations 5.4 and 5.5 over their range; `None` without its constants.
    pub fitted: Option<Places>,
}

/// A frontier: what was read of it, its power law, the published slope.
#[derive(Clone, Debug)]
pub struct FrontierLine {
    /// As spent or adjusted.
    pub section: Section,
    /// Against PF-days.
    pub places: Places,
    /// The power law of the chain, over the compute at which the best size lies between two others.
    pub line: Places,
    /// The published slope through the centre of the places.
    pub slope: Option<[(f64, f64); 2]>,
}

/// Updates along the adjusted envelope.
#[derive(Clone, Debug)]
pub struct StepsLine {
    /// At the batch of the runs.
    pub updates: Places,
    /// S_min.
    pub least: Places,
    /// S_min of the chain.
    pub line: Places,
    /// The published slope through the centre of S_min.
    pub slope: Option<[(f64, f64); 2]>,
}

/// A trunk and its smoothed curve.
type Smooth<'a> = (&'a PaperRun, Places);

impl Budgets {
    pub(super) fn new(view: &View<'_>) -> Self {
        let options = view.estimators.chain.options();
        let trunks = view.runs.trunks();
        let curves: Vec<Smooth<'_>> =
            trunks.iter().map(|run| (*run, smoothed(&trunk(run), &options))).collect();
        let steps = range(curves.iter().flat_map(|(_, c)| c.iter().map(|p| p.0)));
        let compute = range(curves.iter().flat_map(|(run, c)| c.iter().map(|p| run.pf_days(p.0))));
        let k = view.fits.constants();
        let (mut fixed_compute, mut fixed_steps) = (vec![], vec![]);
        if let (Some((s_lo, s_hi)), Some((c_lo, c_hi))) = (steps, compute) {
            let of_compute = |run: &PaperRun, c: f64| c / run.pf_days(1.0);
            fixed_compute = log_spaced(c_lo * 8.0, c_hi / 3.0, BUDGETS)
                // Updates of a size that was not run: those of the first scaled by 6N.
                .map(|c| cut(&curves, k.as_ref(), c, of_compute, |run, n| of_compute(run, c) * (run.n() / n)))
                .collect();
            fixed_steps = log_spaced(s_lo * 1.05, s_hi, UPDATES)
                .map(|s| cut(&curves, k.as_ref(), s, |_, s| s, |_, _| s))
                .collect();
        }
        let spent = envelope(view, &curves, |run, step, _| run.pf_days(step));
        let adjusted = k.as_ref().map(|k| {
            envelope(view, &curves, |run, step, loss| {
                compute_min(run.pf_days(step), run.batch(), k.b_crit(loss))
            })
        });
        let of_run = |p: &FrontierPoint| trunks.iter().find(|r| r.row.run_id == p.run).copied();
        let adjusted_updates = |k: &KaplanConstants, front: &[FrontierPoint]| {
            let stepped = |p: &FrontierPoint| {
                let run = of_run(p)?;
                // C_min = C/(1 + B/B_crit) turned round, then the updates of that compute.
                let b = k.b_crit(p.loss);
                let updates = p.cost * (1.0 + run.batch() / b) * PF_DAY / (6.0 * run.n() * run.batch());
                Some((p.cost, updates, steps_min(updates, run.batch(), b)))
            };
            steps_line(view, &front.iter().filter_map(stepped).collect::<Vec<_>>())
        };
        Self {
            fixed_compute,
            fixed_steps,
            steps,
            on_envelope: spent.iter().filter_map(|p| Some((p.cost, of_run(p)?.n()))).collect(),
            updates: k.as_ref().zip(adjusted.as_ref()).map(|(k, front)| adjusted_updates(k, front)),
            loss: losses(view, &spent, adjusted.as_deref()),
            size: sizes(view),
        }
    }
}

/// Curves read where `at_update` of a run says; the law at `updates` of the first run and any N.
fn cut(
    curves: &[Smooth<'_>],
    k: Option<&KaplanConstants>,
    at: f64,
    at_update: impl Fn(&PaperRun, f64) -> f64,
    updates: impl Fn(&PaperRun, f64) -> f64,
) -> Cut {
    let points: Vec<(f64, f64, String)> = curves
        .iter()
        .filter_map(|(run, curve)| {
            Some((run.n(), in_logs(curve, at_update(run, at))?, run.row.run_id.clone()))
        })
        .collect();
    let span = range(points.iter().map(|p| p.0));
    let fitted = k.zip(span).zip(curves.first()).map(|((k, (lo, hi)), (run, _))| {
        let trained = Trained { batch: run.batch(), vocabulary: run.row.n_vocab.map_or(f64::NAN, f64::from) };
        log_spaced(lo, hi, 40).map(|n| (n, loss_of_run(k, n, updates(run, n), trained))).collect()
    });
    Cut { at, points, fitted }
}

/// Lower envelope of the smoothed trunks that are deep enough, in a cost.
fn envelope(
    view: &View<'_>,
    curves: &[Smooth<'_>],
    cost: impl Fn(&PaperRun, f64, f64) -> f64,
) -> Vec<FrontierPoint> {
    let layers = view.estimators.size.layers_at_least;
    let curves: Vec<Curve> = curves
        .iter()
        .filter(|(run, _)| run.layers() >= layers)
        .map(|(run, curve)| Curve {
            run: run.row.run_id.clone(),
            points: curve.iter().map(|(step, loss)| (cost(run, *step, *loss), *loss)).collect(),
        })
        .collect();
    frontier(&curves).unwrap_or_default()
}

/// The chain's places of a frontier: (PF-days, best N).
fn places(view: &View<'_>, section: Section) -> Places {
    let all = view.fits.chain.as_ref().map_or(&[][..], |chain| &chain.frontiers[..]);
    all.iter().filter(|p| p.section == section).map(|p| (p.pf_days, p.n)).collect()
}

/// A power law of the chain by the names of its scale and exponent, over the places of its frontier.
fn chain_line(
    view: &View<'_>,
    section: Section,
    (scale, exponent): (&str, &str),
    form: impl Fn(f64, f64, f64) -> f64,
) -> Places {
    let Some((lo, hi)) = range(places(view, section).iter().map(|p| p.0)) else { return vec![] };
    let value =
        |name: &str| view.fits.chain.as_ref().ok().and_then(|c| c.constant(section, name)).map(|c| c.value);
    let (Some(scale), Some(exponent)) = (value(scale), value(exponent)) else { return vec![] };
    log_spaced(lo, hi, 20).map(|c| (c, form(c, scale, exponent))).collect()
}

/// scale·C^p.
fn monomial(c: f64, scale: f64, p: f64) -> f64 {
    scale * libm::pow(c, p)
}

fn losses(view: &View<'_>, spent: &[FrontierPoint], adjusted: Option<&[FrontierPoint]>) -> Vec<FrontierLine> {
    let power = |c: f64, scale: f64, alpha: f64| libm::pow(scale / c, alpha);
    let of = |front: &[FrontierPoint], section, names: (&str, &str), published: f64| {
        let places: Places = front.iter().map(|p| (p.cost, p.loss)).collect();
        let slope = through_centre(&places, -published)?;
        let line = chain_line(view, section, names, power);
        Some(FrontierLine { section, places, line, slope: Some(slope) })
    };
    let published = [L_C.exponent, L_C_MIN.exponent];
    let naive = of(spent, Section::NaiveFrontier, ("C_c", "alpha_C"), published[0]);
    let least = adjusted
        .and_then(|front| of(front, Section::AdjustedFrontier, ("C_c_min", "alpha_C_min"), published[1]));
    naive.into_iter().chain(least).collect()
}

fn sizes(view: &View<'_>) -> Vec<FrontierLine> {
    [(Section::NaiveFrontier, N_OPT_NAIVE.c), (Section::AdjustedFrontier, N_OPT.c)]
        .into_iter()
        .filter_map(|(section, published)| {
            let places = places(view, section);
            let slope = through_centre(&places, published)?;
            let line = chain_line(view, section, ("N_e", "p_N"), monomial);
            Some(FrontierLine { section, places, line, slope: Some(slope) })
        })
        .collect()
}

fn steps_line(view: &View<'_>, stepped: &[(f64, f64, f64)]) -> StepsLine {
    let least: Places = stepped.iter().map(|p| (p.0, p.2)).collect();
    StepsLine {
        updates: stepped.iter().map(|p| (p.0, p.1)).collect(),
        slope: through_centre(&least, STEPS.c),
        least,
        line: chain_line(view, Section::AdjustedFrontier, ("S_e", "p_S"), monomial),
    }
}
