//! What can keep a request from having a report.

use scalelaw_fit::FitError;
use scalelaw_table::TableError;

/// Bad input, or no usable result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A table cannot be read, selected from or written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A law cannot be found, fitted or evaluated.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// No column of the table is assigned to a variable, and none is recognised as it.
    #[error(
        "{table}: no column is recognised as {symbol}{}; the columns are: {}",
        law.as_ref().map_or_else(String::new, |law| format!(", which the law {law} needs")),
        columns.join(", ")
    )]
    NoColumn {
        /// The table.
        table: String,
        /// The variable or role: `N`, `loss`, `run`.
        symbol: String,
        /// The law that needs it, if a law does.
        law: Option<String>,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// The table has no loss, or none of N, D and C.
    #[error(
        "{table}: no law can be fitted: a loss and one of N, D or C are needed; the columns are: {}",
        columns.join(", ")
    )]
    NothingToFit {
        /// The table.
        table: String,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// Every law that the table has columns for failed.
    #[error("{table}: none of {laws} laws could be fitted to {n_points} points")]
    NoLawFitted {
        /// The table.
        table: String,
        /// Laws tried.
        laws: usize,
        /// Points there were.
        n_points: usize,
    },
    /// The table counts N, C and D in one way only.
    #[error("{table}: it has one counting convention; to compare, it needs several of {}", columns.join(", "))]
    OneConvention {
        /// The table.
        table: String,
        /// Columns that name what they count.
        columns: Vec<&'static str>,
    },
}
