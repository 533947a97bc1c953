//! Starting a run from the state of its trunk instead of from the beginning: less work, the same bytes.

use crate::TrainError;
use scalelaw_core::RunSpec;
use scalelaw_runs::{Checkpoint, EvalRecord, RunDir, branch_state, finished_run};
use std::path::Path;

/// The state with which this run leaves its parent, and the evaluations until then; its logs are written as
/// if it had trained alone. `None` for a run without a parent.
pub(crate) fn start(
    spec: &RunSpec,
    dir: &mut RunDir,
) -> Result<Option<(Checkpoint, Vec<EvalRecord>)>, TrainError> {
    let (Some(parent), Some(step)) = (&spec.training.parent_run, spec.branch_step()) else {
        return Ok(None);
    };
    let refuse = |problem: String| Err(TrainError::Branch { parent: parent.clone(), problem });
    let trunk_dir = dir.path().parent().unwrap_or(Path::new(".")).join(parent);
    let Some(trunk) = finished_run(&trunk_dir)? else {
        return refuse(format!("{} holds no finished run: run it first", trunk_dir.display()));
    };
    let mut same = trunk.spec.clone();
    (same.steps, same.schedule.decay) = (spec.steps, spec.schedule.decay);
    same.training.branch_steps.clone_from(&spec.training.branch_steps);
    if trunk.key != *parent || same.key() != spec.key() {
        return refuse("it trains another model, or in another way, than this run".into());
    }
    let rate = |spec: &RunSpec, step| spec.schedule.lr_at(step, spec.steps);
    if let Some(other) = (0..step).find(|&step| rate(spec, step) != rate(&trunk.spec, step)) {
        return refuse(format!("its rate at step {other} is another than this run's"));
    }
    if !trunk.spec.training.branch_steps.contains(&step) || trunk.result.steps < step {
        return refuse(format!("it kept no state of step {step}: list it under training.branch_steps"));
    }
    let state = branch_state(&trunk_dir, step)?;
    // The trunk's last evaluation may be off this run's grid.
    let grid = spec.evaluation_steps();
    let mut evals = trunk.evals;
    evals.retain(|eval| eval.step <= step && grid.binary_search(&eval.step).is_ok());
    dir.write_steps(0, &trunk.steps[..step as usize])?;
    for eval in &evals {
        dir.write_eval(eval)?;
    }
    Ok(Some((state, evals)))
}
