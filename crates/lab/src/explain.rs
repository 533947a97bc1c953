//! Kaplan's exponent against Chinchilla's on the user's own runs, step by step.

use crate::error::LabError;
use scalelaw_fit::explain::{CountedRun, Explanation, explain};
use scalelaw_table::{RunRow, read_rows};
use serde::Serialize;
use std::path::PathBuf;

/// Columns that a run needs, whatever else it has.
pub const NEEDED: [&str; 8] =
    ["n_nonembed", "n_matmul", "n_total", "tokens", "flops_6n", "flops_matmul", "flops_full", "loss"];

/// Which runs, and how often they are resampled.
#[derive(Clone, Debug)]
pub struct ExplainRequest {
    /// A run table with every count.
    pub runs: PathBuf,
    /// Resamples of runs.
    pub bootstrap: usize,
    /// Seed of the resampling.
    pub seed: u64,
}

/// The explanation.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ExplainReport {
    /// The steps from one exponent to the other.
    pub explanation: Explanation,
    /// Runs that have every count and a loss.
    #[serde(skip)]
    pub n_counted: usize,
    /// Rows of the table.
    #[serde(skip)]
    pub n_rows: usize,
}

/// Explains.
///
/// # Errors
/// The table lacks counts, or has too few runs.
pub fn run(request: &ExplainRequest) -> Result<ExplainReport, LabError> {
    let rows: Vec<RunRow> = read_rows(&request.runs)?;
    let runs: Vec<CountedRun> = rows.iter().filter_map(counted).collect();
    if runs.is_empty() {
        return Err(LabError::NoCountedRun { path: request.runs.clone(), needed: &NEEDED });
    }
    let explanation = explain(&runs, request.bootstrap, request.seed)?;
    Ok(ExplainReport { explanation, n_counted: runs.len(), n_rows: rows.len() })
}

fn counted(row: &RunRow) -> Option<CountedRun> {
    let tokens = row.tokens? as f64;
    if row.status.as_deref().is_some_and(|s| s.starts_with("diverged")) {
        return None;
    }
    Some(CountedRun {
        n_nonembed: row.n_nonembed? as f64,
        n_matmul: row.n_matmul? as f64,
        n_total: row.n_total? as f64,
        tokens,
        flops_per_token: [row.flops_6n? / tokens, row.flops_matmul? / tokens, row.flops_full? / tokens],
        loss: row.loss?,
        warmup_tokens: row.warmup_tokens.map(|w| w as f64),
        annealed: row.schedule.as_deref().map(|s| s != "constant"),
    })
}
