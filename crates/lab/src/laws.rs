//! Where every report's laws are fitted: L(N), L(D), L(C) and L(N, D) from what runs were observed to do.

use crate::lines::log_spaced;
use scalelaw_core::Conventions;
use scalelaw_fit::{
    Curve, Dataset, Envelope, FitError, FitOptions, FittedLaw, FrontierPoint, IntervalChoice, Law, envelope,
    fit, forecaster, readings,
};

/// Readings of a frontier per decade of compute.
const READINGS_PER_DECADE: usize = 8;

/// A run as a law sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The run.
    pub run_id: String,
    /// The law's variables, in its order: N; or D; or C; or N and D.
    pub at: Vec<f64>,
    /// Loss, nats per token.
    pub loss: f64,
    /// Its standard error, where known.
    pub loss_se: Option<f64>,
}

/// A law and what it was fitted to.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The law.
    pub law: FittedLaw,
    /// The runs, or the readings of a frontier.
    pub points: Vec<Observation>,
}

impl Fitted {
    /// (variable, loss) of every point; `variable` counts from 0 in the law's order.
    pub fn places(&self, variable: usize) -> Vec<(f64, f64)> {
        self.points.iter().map(|p| (p.at[variable], p.loss)).collect()
    }
}

/// How observations become a law.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What N, C and D count, where it is to be written into the law.
    pub conventions: Option<Conventions>,
    /// Digest of the data that the runs were trained on.
    pub data_digest: Option<String>,
    /// Which intervals.
    pub intervals: IntervalChoice,
    /// Whether a law of N and D is to have beside it what the same runs say without taking its form for true.
    pub forecaster: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { conventions: None, data_digest: None, intervals: IntervalChoice::Auto, forecaster: false }
    }
}

/// Fits a law to observations.
///
/// # Errors
/// As [`scalelaw_fit::fit`]: too few observations, values outside the law's domain, or no minimum.
pub fn fit_observations(
    law: &dyn Law,
    points: Vec<Observation>,
    settings: &Settings,
) -> Result<Fitted, FitError> {
    let mut data = Dataset::new(points.iter().map(|p| p.loss).collect());
    for (i, name) in law.variables().iter().enumerate() {
        data = data.with(name, points.iter().map(|p| p.at[i]).collect());
    }
    if let Some(conventions) = settings.conventions {
        data = data.counted(conventions);
    }
    data.digest.clone_from(&settings.data_digest);
    let options = FitOptions { intervals: settings.intervals, ..FitOptions::default() };
    let mut law = fit(law, &data, &options)?;
    if settings.forecaster {
        // Too few runs for one: the law stands alone.
        law.forecaster = forecaster(&data, &|_, _| {}).ok().map(Box::new);
    }
    Ok(Fitted { law, points })
}

/// The lower envelope of learning curves against a cost, read at equal ratios of the cost: what L(C) is fitted to.
///
/// # Errors
/// As [`scalelaw_fit::envelope`].
pub fn frontier(curves: &[Curve]) -> Result<Vec<FrontierPoint>, FitError> {
    Ok(readings(&envelope(curves, Envelope::RunningMinimum)?, READINGS_PER_DECADE))
}

/// One place on a fitted line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Where.
    pub x: f64,
    /// The fitted loss, nats per token.
    pub loss: f64,
    /// Its 95% interval.
    pub interval: Option<(f64, f64)>,
}

/// A law along one of its variables, the others held, at `count` places of equal ratios.
///
/// # Errors
/// The law is unknown to this version, or has no value there.
pub fn sample(
    law: &FittedLaw,
    held: &[(&str, f64)],
    variable: &str,
    (lo, hi): (f64, f64),
    count: u32,
) -> Result<Vec<Sample>, FitError> {
    log_spaced(lo, hi, count)
        .map(|x| {
            let at: Vec<(&str, f64)> = held.iter().copied().chain([(variable, x)]).collect();
            let p = law.predict(&at)?;
            Ok(Sample { x, loss: p.mean, interval: p.ci95.map(|[lo, hi]| (lo, hi)) })
        })
        .collect()
}
