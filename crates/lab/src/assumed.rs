//! The forecast as a curve over an assumed value of a parameter, and whether the form of the law decides its floor.

use crate::error::LabError;
use crate::valley::grid;
use scalelaw_fit::{
    Ahead, Dataset, FitError, FitOptions, FittedLaw, IntervalChoice, Law, ParamState, fit, value_and_gradient,
};
use serde::Serialize;

/// Values tried of an assumed parameter.
const VALUES: usize = 9;
/// Where the forecasts are read: this many times the largest run.
const AHEAD: [f64; 3] = [1.0, 100.0, 1e4];

/// A parameter and the values that it is assumed to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// The parameter.
    pub parameter: String,
    /// From.
    pub lo: f64,
    /// To.
    pub hi: f64,
}

/// The law under one assumed value.
#[derive(Clone, Debug, Serialize)]
pub struct Under {
    /// The assumed value.
    pub value: f64,
    /// The objective over that of the free fit, minus 1.
    pub excess: f64,
    /// Whether the data reject it at 95%.
    pub rejected: bool,
    /// The other constants.
    pub others: Vec<(String, f64)>,
    /// What the law says at the largest run and beyond.
    pub ahead: Vec<Ahead>,
}

/// Fits the law with the parameter held at each of nine values.
///
/// # Errors
/// The law has no such parameter, a value is outside its domain, or nothing can be fitted there.
pub fn curve(
    law: &dyn Law,
    free: &FittedLaw,
    data: &Dataset,
    options: &FitOptions,
    assumption: &Assumption,
) -> Result<Vec<Under>, LabError> {
    let Assumption { parameter, lo, hi } = assumption;
    let (t, freedom) = (free.diagnostics.t95(), free.diagnostics.degrees_of_freedom);
    let under = |value: f64| -> Result<Under, FitError> {
        let mut options =
            FitOptions { intervals: IntervalChoice::None, bootstrap_beside: 0, ..options.clone() };
        options.fixed.retain(|(name, _)| name != parameter);
        options.fixed.push((parameter.clone(), value));
        let held = fit(law, data, &options)?;
        let excess = held.objective.value / free.objective.value - 1.0;
        let others = held.params.iter().filter(|(_, e)| e.state != ParamState::Fixed);
        Ok(Under {
            value,
            excess,
            // The rise of the objective in units of the noise is t² of one parameter.
            rejected: excess * freedom > t * t,
            others: others.map(|(name, e)| (name.clone(), e.value)).collect(),
            ahead: free
                .largest()
                .map(|(_, most)| AHEAD.iter().filter_map(|factor| held.ahead(factor * most)).collect())
                .unwrap_or_default(),
        })
    };
    Ok(grid(*lo, *hi, VALUES).into_iter().map(under).collect::<Result<_, _>>()?)
}

/// A floor far below every loss that was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Floor {
    /// The parameter that is added to the rest of the law.
    pub parameter: String,
    /// Its value.
    pub value: f64,
    /// How far it lies below the lowest loss.
    pub below: f64,
    /// The same over the range of the losses.
    pub share: f64,
}

/// A floor this share of the range of the losses below the lowest of them is known from the form of the law.
const FAR: f64 = 0.5;

/// The fitted floor of the law, if it lies far below every loss: then the form of the law decides it, and another form
/// that fits as well has another floor.
pub fn floor(law: &dyn Law, fitted: &FittedLaw, data: &Dataset) -> Option<Floor> {
    let losses = data.response();
    let (lowest, highest) =
        losses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), l| (lo.min(*l), hi.max(*l)));
    let columns = law.variables().iter().map(|v| data.column(v)).collect::<Option<Vec<_>>>()?;
    let constants = fitted.values();
    let gradient = |i: usize| {
        let x: Vec<f64> = columns.iter().map(|c| c[i]).collect();
        value_and_gradient(law, &x, &constants).1
    };
    let (first, last) = (gradient(0), gradient(losses.len() - 1));
    let additive = |j: &usize| first[*j] == 1.0 && last[*j] == 1.0;
    let j = (0..constants.len()).find(|j| additive(j) && fitted.params[*j].1.state != ParamState::Fixed)?;
    let (below, range) = (lowest - constants[j], highest - lowest);
    let parameter = fitted.params[j].0.clone();
    (below > FAR * range).then(|| Floor { parameter, value: constants[j], below, share: below / range })
}
