//! Everything that a quickstart finds: tables, laws, the next run, the floor.

use super::laws::{self, Groups, QuickstartLaws};
use super::plan::{self, NextRun};
use super::text::Origin;
use super::{NoNextRun, QuickstartError};
use crate::execute::FailedRun;
use crate::rows::{curve_rows, run_row};
use crate::study::Floor;
use scalelaw_corpus::{TOKENIZER_FILE, Tokenizer, true_floor};
use scalelaw_experiment::PlannedRun;
use scalelaw_files::{FileError, write_atomically};
use scalelaw_runs::FinishedRun;
use scalelaw_table::{CurveRow, Format, Row, RunRow, write_rows};
use scalelaw_tokens::{Dataset, EvalSet};
use scalelaw_train::RunData;
use std::path::Path;

/// The findings, a pure function of the finished runs and the data.
#[derive(Clone, Debug)]
pub struct Findings {
    /// One row a run, sorted by run.
    pub rows: Vec<RunRow>,
    /// One row an evaluation, sorted by run and step.
    pub curves: Vec<CurveRow>,
    /// The laws.
    pub laws: QuickstartLaws,
    /// What to train next, or why that cannot be said.
    pub next: Result<NextRun, NoNextRun>,
    /// The loss of the true source, where it is known.
    pub floor: Option<Floor>,
    /// Compute of all runs with head and attention, FLOPs.
    pub spent: f64,
    /// Compute of the largest run.
    pub largest_run: f64,
    /// Largest and smallest share of the head in a run's FLOPs.
    pub head_share: (f64, f64),
    /// How often a full run sees its text.
    pub repeats: f64,
    /// Keys of runs that failed, with the reason.
    pub failed: Vec<(String, String)>,
}

impl Findings {
    /// Fits and plans.
    ///
    /// # Errors
    /// When no run is finished, or the data does not fit the runs.
    pub(super) fn new(
        planned: &[PlannedRun],
        origin: &Origin,
        data: &Dataset,
        runs: &[FinishedRun],
        failed: Vec<FailedRun>,
    ) -> Result<Self, QuickstartError> {
        let first = runs.first().ok_or_else(|| QuickstartError::NoRunFinished {
            reason: failed.first().map(|run| run.reason.clone()),
        })?;
        let test = RunData::open(data, &first.spec)?.test;
        let mut rows: Vec<RunRow> = runs.iter().map(|r| run_row(r, Some(&test))).collect();
        rows.sort_by_key(Row::sort_key);
        let mut curves: Vec<CurveRow> = runs.iter().flat_map(curve_rows).collect();
        curves.sort_by_key(Row::sort_key);
        let groups = Groups::new(planned, &rows);
        let laws = laws::fit_all(&groups, &curves, &data.digest());
        let spent = runs.iter().map(|r| r.result.flops_full).sum();
        let next = match &laws.budget {
            Ok(fitted) => {
                plan::next_run(&fitted.law, plan::FACTOR * spent, data.manifest().splits.train.tokens as f64)
            }
            Err(error) => Err(NoNextRun::NotFitted(error.clone())),
        };
        let head_shares = || runs.iter().map(head_share);
        let repeats = groups.full.iter().filter_map(|r| Some(r.tokens? as f64 / r.d_unique? as f64));
        Ok(Self {
            next,
            floor: floor(origin, &test, data)?,
            spent,
            largest_run: runs.iter().map(|r| r.result.flops_full).fold(0.0, f64::max),
            head_share: (head_shares().fold(0.0, f64::max), head_shares().fold(1.0, f64::min)),
            repeats: repeats.fold(0.0, f64::max),
            rows,
            curves,
            laws,
            failed: failed.into_iter().map(|FailedRun { run, reason }| (run, reason)).collect(),
        })
    }

    /// Writes the tables as CSV and the laws as JSON below `out`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn write(&self, out: &Path) -> Result<(), QuickstartError> {
        let tables = out.join("tables");
        create_dir(&tables)?;
        write_table(&tables.join("runs.csv"), &self.rows)?;
        write_table(&tables.join("curves.csv"), &self.curves)?;
        let folder = out.join("laws");
        create_dir(&folder)?;
        for (name, law) in [
            ("n", &self.laws.params),
            ("d", &self.laws.data),
            ("c", &self.laws.compute),
            ("nd", &self.laws.joint),
            ("nd-processed", &self.laws.budget),
        ] {
            if let Ok(fitted) = law {
                let json =
                    serde_json::to_string_pretty(&fitted.law).expect("numbers and texts are JSON") + "\n";
                write_atomically(&folder.join(format!("{name}.json")), json.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn create_dir(dir: &Path) -> Result<(), QuickstartError> {
    Ok(std::fs::create_dir_all(dir).map_err(FileError::new(dir, "create"))?)
}

fn write_table<R: Row>(path: &Path, rows: &[R]) -> Result<(), QuickstartError> {
    let mut csv = Vec::new();
    write_rows(rows, Format::CSV, &mut csv)?;
    Ok(write_atomically(path, &csv)?)
}

/// Share of the head in a run's FLOPs.
fn head_share(run: &FinishedRun) -> f64 {
    let r = &run.result;
    if r.flops_full > 0.0 { (r.flops_matmul - r.flops_6n) / r.flops_full } else { 0.0 }
}

/// The true source's loss on the test text, where the source is known.
fn floor(origin: &Origin, test: &EvalSet, data: &Dataset) -> Result<Option<Floor>, QuickstartError> {
    let Origin::Synthetic(language) = origin else { return Ok(None) };
    let tokenizer = Tokenizer::from_file(&data.dir().join(TOKENIZER_FILE))?;
    let Some(floor) = true_floor(language, &tokenizer, test) else { return Ok(None) };
    let bytes_per_token = test.n_bytes() as f64 / test.n_tokens() as f64;
    Ok(Some(Floor {
        loss: floor.nats_per_byte * bytes_per_token,
        loss_se: floor.se * bytes_per_token,
        source: format!("the true source, scored on the same {} test documents", floor.documents),
    }))
}
