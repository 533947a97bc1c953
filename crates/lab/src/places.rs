//! A table of places at which a law is asked.

use crate::error::LabError;
use crate::observations::{Observations, Source, no_column};
use scalelaw_table::Problem;
use std::borrow::Cow;

/// Values of a law's variables, from the rows of a table.
pub(crate) struct Places {
    /// The values of each place, in the law's order.
    pub at: Vec<Vec<f64>>,
    /// The row of each.
    pub rows: Vec<u64>,
    /// Cells that could not be used; their rows are left out.
    pub problems: Vec<Problem>,
}

impl Places {
    /// The variables of a law called `name` at every row whose cells are usable.
    ///
    /// # Errors
    /// A variable has no column and follows from no others, or no row is usable.
    pub fn of(
        name: &str,
        variables: &[Cow<'static, str>],
        observations: &Observations,
    ) -> Result<Self, LabError> {
        let source = |variable: &Cow<'static, str>| {
            let source = observations.source(variable);
            source.ok_or_else(|| no_column(&observations.table, variable, Some(name)))
        };
        let sources = variables.iter().map(source).collect::<Result<Vec<_>, LabError>>()?;
        let mut used: Vec<&str> = sources.iter().flat_map(Source::columns).collect();
        used.sort_unstable();
        used.dedup();
        let (table, problems) = observations.table.usable(&used)?;
        let columns =
            sources.iter().map(|source| source.values(&table)).collect::<Result<Vec<_>, LabError>>()?;
        let at = (0..table.len()).map(|i| columns.iter().map(|column| column[i]).collect()).collect();
        let rows = (0..table.len()).map(|i| table.row(i)).collect();
        Ok(Self { at, rows, problems })
    }
}
