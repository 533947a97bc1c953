//! One law under every counting convention that a table has columns for: how much the answer depends on what is
//! counted.

use crate::error::LabError;
use crate::fit::FitRequest;
use crate::observations::{Observations, Reading, Wanted};
use scalelaw_fit::{FittedLaw, fit};
use scalelaw_table::Role;
use serde::Serialize;

/// The fits. Serialises to pairs of the columns' names and the law.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ConventionsReport {
    /// The columns of N, C and D separated by blanks, and the law fitted to them.
    pub fits: Vec<(String, FittedLaw)>,
    /// How the table was read for each fit.
    #[serde(skip)]
    pub readings: Vec<Reading>,
}

/// Fits the law once for each choice of columns.
///
/// # Errors
/// As [`fit::run`](crate::fit::run), or the table counts in one way only.
pub fn run(request: &FitRequest) -> Result<ConventionsReport, LabError> {
    let mut observations = Observations::open(&request.table)?;
    let law = observations.law(&request.law, &request.bounds)?;
    let counted = [Role::N, Role::C, Role::D];
    let choices = counted.map(|role| {
        let used = law.variables().iter().any(|variable| variable == role.symbol());
        let names = role.counted_columns().iter().copied();
        let there: Vec<_> =
            names.filter(|name| used && observations.table.column(name).is_ok()).map(Some).collect();
        if there.is_empty() { vec![None] } else { there }
    });
    let mut report = ConventionsReport { fits: vec![], readings: vec![] };
    for n in &choices[0] {
        for c in &choices[1] {
            for d in &choices[2] {
                let columns = [*n, *c, *d];
                for (role, column) in counted.iter().zip(columns) {
                    if let Some(column) = column {
                        observations.assign(role.symbol(), column)?;
                    }
                }
                let space = request.options.objective.space;
                let points = observations.points(&Wanted { space, ..Wanted::law(law.as_ref()) })?;
                let label: Vec<&str> = columns.into_iter().flatten().collect();
                let fitted = fit(law.as_ref(), &points.dataset, &request.options)?;
                report.fits.push((label.join(" "), fitted));
                report.readings.push(points.reading);
            }
        }
    }
    if report.fits.len() < 2 {
        let columns = counted.iter().flat_map(|role| role.counted_columns()).copied().collect();
        return Err(LabError::OneConvention { table: observations.table.source, columns });
    }
    Ok(report)
}
