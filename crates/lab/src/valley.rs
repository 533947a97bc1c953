//! The valley along a parameter: the lowest objective at each of its values, flat where the data do not determine it.

use crate::error::LabError;
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, Law, ValleyPoint};

/// Values that a fitted law's valley is evaluated at.
const POINTS: usize = 41;

/// A valley and where it was fitted.
#[derive(Clone, Debug)]
pub struct Valley {
    /// The parameter.
    pub parameter: String,
    /// Its value at the fit, and the objective there.
    pub fitted: (f64, f64),
    /// The valley's floor, in the order of the parameter's values.
    pub floor: Vec<ValleyPoint>,
}

impl Valley {
    /// The lowest objective of the floor.
    pub fn lowest(&self) -> f64 {
        self.floor.iter().map(|point| point.objective).fold(f64::INFINITY, f64::min)
    }
}

/// The valley of `parameter` around a fit: from a third below its interval and its rivals to a third above.
///
/// # Errors
/// The law has no such parameter, or it cannot be fitted somewhere on the grid.
pub fn around(
    law: &dyn Law,
    fitted: &FittedLaw,
    data: &Dataset,
    options: &FitOptions,
    parameter: &str,
) -> Result<Valley, LabError> {
    let estimate = fitted.params.iter().find(|(name, _)| name == parameter).map(|(_, estimate)| estimate);
    let estimate = estimate.ok_or_else(|| scalelaw_fit::FitError::UnknownParameter {
        law: fitted.law.clone(),
        name: parameter.to_string(),
        known: fitted.params.iter().map(|(name, _)| name.clone()).collect(),
    })?;
    let of_rivals = fitted.starts.rivals.iter().filter_map(|r| r.params.iter().find(|(n, _)| n == parameter));
    let ends = estimate.ci95.into_iter().flatten().flatten();
    let (lo, hi) = of_rivals
        .map(|(_, value)| *value)
        .chain(ends)
        .fold((estimate.value, estimate.value), |(lo, hi), v| (lo.min(v), hi.max(v)));
    let values = if lo > 0.0 {
        grid(lo / 1.33, hi * 1.33, POINTS)
    } else {
        let margin = 0.33 * (hi - lo).max(estimate.value.abs());
        grid(lo - margin, hi + margin, POINTS)
    };
    Ok(Valley {
        parameter: parameter.to_string(),
        fitted: (estimate.value, fitted.objective.value),
        floor: scalelaw_fit::valley(law, data, options, parameter, &values)?,
    })
}

/// `n` values evenly in the logarithm, or evenly where an end is not above 0.
pub fn grid(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let share = |i: usize| i as f64 / (n - 1) as f64;
    let at = |i| if lo > 0.0 { lo * (hi / lo).powf(share(i)) } else { lo + (hi - lo) * share(i) };
    (0..n).map(at).collect()
}
