//! Figure 1: power laws in C, D and N. Figure 23: the logarithm as a rival of L(N).

use super::{Places, View};
use crate::laws::{Fitted, Sample, frontier, sample};
use crate::lines::{range, through_centre};
use scalelaw_fit::Curve;
use scalelaw_fit::presets::kaplan2020::{L_C_MIN, L_D, L_N};

/// Places on a drawn line.
const PLACES: u32 = 40;
/// How far beyond its points Figure 23 draws both laws.
const BEYOND: f64 = 30.0;

/// A fitted law over the range of its points.
#[derive(Clone, Debug, Default)]
pub struct FittedLine {
    /// The line with its interval.
    pub line: Vec<Sample>,
    /// The published slope through the centre of the points.
    pub slope: Option<[(f64, f64); 2]>,
}

/// Figures 1 and 23.
#[derive(Clone, Debug)]
pub struct PowerLaws {
    /// The lower envelope of A's trunks after the warm-up: (PF-days, loss).
    pub envelope: Places,
    /// The published slope of L(C_min) through its centre.
    pub envelope_slope: Option<[(f64, f64); 2]>,
    /// L(D).
    pub data: FittedLine,
    /// L(N).
    pub size: FittedLine,
    /// L(N) and its rival over the range of their points and beyond it; `None` unless both are fitted.
    pub rivals: Option<[Rival; 2]>,
}

/// A law within the range of its points, and from far below to far above it.
#[derive(Clone, Debug)]
pub struct Rival {
    /// Within.
    pub within: Vec<Sample>,
    /// Beyond, on both sides.
    pub beyond: Vec<Sample>,
}

impl PowerLaws {
    pub(super) fn new(view: &View<'_>) -> Self {
        let fits = view.fits;
        let envelope = envelope(view);
        let line = |fitted: &Result<Fitted, _>, variable: &str, exponent: f64| {
            fitted.as_ref().map_or_else(|_| FittedLine::default(), |f| fitted_line(f, variable, exponent))
        };
        Self {
            envelope_slope: through_centre(&envelope, -L_C_MIN.exponent),
            envelope,
            data: line(&fits.d, "D", L_D.exponent),
            size: line(&fits.n, "N", L_N.exponent),
            rivals: fits.n.as_ref().ok().zip(fits.n_log.as_ref().ok()).and_then(|(power, log)| {
                let span = range(power.places(0).iter().map(|p| p.0))?;
                Some([rival(power, span), rival(log, span)])
            }),
        }
    }
}

fn envelope(view: &View<'_>) -> Places {
    let skip = view.estimators.chain.skip_steps;
    let curves: Vec<Curve> = view
        .runs
        .trunks()
        .iter()
        .map(|run| Curve {
            run: run.row.run_id.clone(),
            points: run.losses(skip).map(|(step, loss)| (run.pf_days(step), loss)).collect(),
        })
        .collect();
    frontier(&curves).unwrap_or_default().iter().map(|p| (p.cost, p.loss)).collect()
}

fn over(fitted: &Fitted, variable: &str, span: (f64, f64)) -> Vec<Sample> {
    sample(&fitted.law, &[], variable, span, PLACES).unwrap_or_default()
}

fn fitted_line(fitted: &Fitted, variable: &str, exponent: f64) -> FittedLine {
    let places = fitted.places(0);
    let span = range(places.iter().map(|p| p.0));
    FittedLine {
        line: span.map_or_else(Vec::new, |span| over(fitted, variable, span)),
        slope: through_centre(&places, -exponent),
    }
}

fn rival(fitted: &Fitted, (lo, hi): (f64, f64)) -> Rival {
    Rival { within: over(fitted, "N", (lo, hi)), beyond: over(fitted, "N", (lo / BEYOND, hi * BEYOND)) }
}
