//! How far the answer moves when the runs of one size, or of one value of another variable, are left out.

use crate::error::LabError;
use scalelaw_fit::isoflop::{ONE_SIZE, clusters};
use scalelaw_fit::{Ahead, Dataset, FitError, FitOptions, FittedLaw, IntervalChoice, Law, fit};
use serde::Serialize;

/// The forecasts are read at this many times the largest run.
const AHEAD: f64 = 100.0;

/// The law without the runs of one value.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// The value of the variable.
    pub value: f64,
    /// Runs that have it.
    pub runs: usize,
    /// The constants without them; empty where nothing can be fitted.
    pub params: Vec<(String, f64)>,
    /// What the law then says at 100 times the largest run.
    pub ahead: Option<Ahead>,
}

/// Refits the law without each value of `variable` in turn, from the minimum of all runs. Values within 2% are one.
///
/// # Errors
/// The data lack the variable.
pub fn each(
    law: &dyn Law,
    whole: &FittedLaw,
    data: &Dataset,
    options: &FitOptions,
    variable: &str,
) -> Result<Vec<LeftOut>, LabError> {
    let column = data.column(variable).ok_or_else(|| FitError::MissingVariable {
        law: law.name().to_string(),
        variable: variable.to_string(),
        have: data.names(),
    })?;
    let options = FitOptions {
        intervals: IntervalChoice::None,
        bootstrap_beside: 0,
        starts: Some(vec![whole.values()]),
        ..options.clone()
    };
    let at = whole.largest().map(|(_, most)| AHEAD * most);
    let without = |runs: Vec<usize>| {
        let again = fit(law, &data.filtered(|i| !runs.contains(&i)), &options).ok();
        LeftOut {
            value: column[runs[0]],
            runs: runs.len(),
            params: again
                .iter()
                .flat_map(|law| &law.params)
                .map(|(name, e)| (name.clone(), e.value))
                .collect(),
            ahead: again.as_ref().zip(at).and_then(|(law, at)| law.ahead(at)),
        }
    };
    Ok(clusters(column, ONE_SIZE).into_iter().map(without).collect())
}
