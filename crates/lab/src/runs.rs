//! Finished runs as tables.

use crate::rows::{curve_rows, position_rows, run_row, timing_rows};
use scalelaw_runs::{RunsError, finished_runs, timings};
use scalelaw_table::{CurveRow, Format, PositionRow, RunRow, TableError, TimingRow, write_rows};
use scalelaw_tokens::{Dataset, TokensError};
use scalelaw_train::{RunData, TrainError};
use std::io::Write;
use std::path::Path;

/// Which table of finished runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table<'a> {
    /// One row a run; with the runs' dataset also losses in bits per byte.
    Runs {
        /// Folder of the dataset.
        dataset: Option<&'a Path>,
    },
    /// One row an evaluation.
    Curves,
    /// One row a position of the context and evaluation, of runs that kept them.
    Positions,
    /// One row a session: what depends on the clock and the host.
    Timing,
}

/// Why finished runs cannot be made a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A run is damaged, or the folder cannot be listed.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The dataset cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The dataset is not that of the runs.
    #[error(transparent)]
    Data(#[from] TrainError),
    /// The table cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// One row a finished run below `dir`, in the order of their keys.
///
/// # Errors
/// When the folder cannot be listed or a finished run is damaged.
pub fn list(dir: &Path) -> Result<Vec<RunRow>, RunsError> {
    Ok(finished_runs(dir)?.iter().map(|run| run_row(run, None)).collect())
}

/// Writes a table of the finished runs below `dir`, rows sorted by run.
///
/// # Errors
/// When the folder cannot be listed, a run is damaged, the dataset is another one, or `out` cannot be written.
pub fn export(
    dir: &Path,
    table: Table<'_>,
    format: Format,
    out: impl Write + Send,
) -> Result<(), ExportError> {
    let runs = finished_runs(dir)?;
    match table {
        Table::Curves => {
            let rows: Vec<CurveRow> = runs.iter().flat_map(curve_rows).collect();
            write_rows(&rows, format, out)?;
        }
        Table::Positions => {
            let rows: Vec<PositionRow> = runs.iter().flat_map(position_rows).collect();
            write_rows(&rows, format, out)?;
        }
        Table::Timing => {
            let mut rows: Vec<TimingRow> = Vec::new();
            for run in &runs {
                rows.extend(timing_rows(&run.key, &timings(&dir.join(&run.key))?));
            }
            write_rows(&rows, format, out)?;
        }
        Table::Runs { dataset } => {
            let dataset = dataset.map(Dataset::open).transpose()?;
            let mut rows: Vec<RunRow> = Vec::new();
            for run in &runs {
                let data = dataset.as_ref().map(|dataset| RunData::open(dataset, &run.spec)).transpose()?;
                rows.push(run_row(run, data.as_ref().map(|data| &data.test)));
            }
            write_rows(&rows, format, out)?;
        }
    }
    Ok(())
}
