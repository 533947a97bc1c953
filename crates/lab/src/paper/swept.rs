//! The finished runs of a sweep's directory, as the paper's figures take them.

use super::{PaperRun, PaperRuns, missing};
use crate::rows::{curve_rows, run_row};
use crate::sweep::{SweepError, planned};
use scalelaw_experiment::ExperimentError;
use scalelaw_runs::{FinishedRun, Outcome, RunsError, finished_run};
use scalelaw_table::PositionRow;
use std::path::{Path, PathBuf};

/// Points that a schedule is drawn with.
const RATES: u64 = 200;

/// Why the output directory of sweeps gives the paper no runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweptError {
    /// It holds no sweep.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A finished run is damaged.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// What is missing cannot be said.
    #[error("the experiments of the paper")]
    Experiments(#[from] ExperimentError),
    /// Nothing there is finished.
    #[error("{}: none of {planned} planned runs is finished", dir.display())]
    NoneFinished {
        /// The output directory.
        dir: PathBuf,
        /// Planned runs.
        planned: usize,
    },
}

/// Reads `dir`, the output directory of one or several sweeps; what is missing would be done by so many `cores`.
///
/// # Errors
/// When it holds no sweep, no run of it is finished, or a finished run is damaged.
pub fn read_sweeps(dir: &Path, cores: usize) -> Result<PaperRuns, SweptError> {
    let lines = planned(dir)?;
    let mut runs = Vec::new();
    let mut finished = Vec::new();
    for line in &lines {
        let path = dir.join("runs").join(&line.run);
        if !path.is_dir() {
            continue;
        }
        let Some(run) = finished_run(&path)? else { continue };
        if !matches!(run.result.outcome, Outcome::Diverged { .. }) {
            runs.push(paper_run(&run, line.sets.clone()));
        }
        finished.push(run);
    }
    let Some(first) = finished.first() else {
        return Err(SweptError::NoneFinished { dir: dir.to_owned(), planned: lines.len() });
    };
    let missing = missing::sets(dir, &lines, &finished, cores)?;
    let spec = &first.spec;
    let facts = vec![
        ("Text".into(), spec.data.name.clone()),
        ("Data digest".into(), spec.data.digest.clone()),
        ("Recipe".into(), spec.recipe.clone()),
        ("Vocabulary and context".into(), format!("{}, {}", spec.model.n_vocab, spec.model.n_ctx)),
        ("Runs".into(), format!("{} finished of {} planned", finished.len(), lines.len())),
        ("Program".into(), format!("scalelaw {}", env!("CARGO_PKG_VERSION"))),
        ("Claims".into(), "experiments/paper/claims.toml, written before the runs".into()),
    ];
    runs.sort_by(|a: &PaperRun, b| a.row.run_id.cmp(&b.row.run_id));
    Ok(PaperRuns { runs, missing, facts })
}

fn paper_run(run: &FinishedRun, sets: Vec<String>) -> PaperRun {
    let (spec, steps) = (&run.spec, run.result.steps);
    let every = (steps / RATES).max(1) as usize;
    let mut rates: Vec<(f64, f64)> = (0..steps)
        .step_by(every)
        .chain(steps.checked_sub(1))
        .map(|step| (step as f64 + 1.0, spec.schedule.lr_at(step, spec.steps)))
        .collect();
    rates.dedup_by(|a, b| a.0 == b.0);
    let positions = run
        .evals
        .iter()
        .flat_map(|eval| {
            eval.position_losses.iter().zip(1..).map(|(loss, position)| PositionRow {
                run_id: run.key.clone(),
                step: eval.step,
                position,
                loss: *loss,
                ..PositionRow::default()
            })
        })
        .collect();
    PaperRun {
        sets,
        row: run_row(run, None),
        curve: curve_rows(run),
        positions,
        rates,
        rate_sum: spec.schedule.summed_lr(steps, spec.steps),
    }
}
