//! The finished runs of a sweep's directory, as the paper's figures take them.

use super::missing;
use anyhow::{Context, bail};
use scalelaw_lab::paper::{PaperRun, PaperRuns};
use scalelaw_lab::rows::{curve_rows, run_row};
use scalelaw_lab::sweep::planned;
use scalelaw_runs::{FinishedRun, Outcome, finished_run};
use scalelaw_table::PositionRow;
use std::path::Path;

/// Points that a schedule is drawn with.
const RATES: u64 = 200;

/// Reads `dir`, the output directory of one or several sweeps.
///
/// # Errors
/// When it holds no sweep, no run of it is finished, or a finished run is damaged.
pub fn read(dir: &Path) -> anyhow::Result<PaperRuns> {
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
        bail!(
            "{}: none of {} planned runs is finished; scalelaw sweep EXPERIMENT --out {} goes on with them",
            dir.display(),
            lines.len(),
            dir.display()
        )
    };
    let missing = missing::sets(dir, &lines, &finished).context("the experiments of the paper")?;
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
