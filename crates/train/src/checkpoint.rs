//! A trainer's state as named tensors and back.

use crate::{TrainError, Trainer};
use scalelaw_kernels::{Plan, State};
use scalelaw_runs::{Checkpoint, NamedTensor, RunDir};

/// Prefixes of the moments' names; parameters have none, so that they load elsewhere as they are.
const FIRST: &str = "adam.exp_avg.";
const SECOND: &str = "adam.exp_avg_sq.";

/// Saves parameters and moments after the steps done.
pub(crate) fn save(dir: &mut RunDir, trainer: &Trainer) -> Result<(), TrainError> {
    let (step, state) = trainer.snapshot();
    let parts = [("", &state.parameters), (FIRST, &state.first), (SECOND, &state.second)];
    let mut named = vec![];
    for (prefix, values) in parts {
        for tensor in trainer.plan().tensors() {
            let name = format!("{prefix}{}", tensor.name);
            named.push((name, &tensor.shape, &values[tensor.range.clone()]));
        }
    }
    let tensors: Vec<NamedTensor<'_>> =
        named.iter().map(|(name, shape, values)| NamedTensor { name, shape, values }).collect();
    Ok(dir.save_checkpoint(step, &tensors)?)
}

/// The state in a checkpoint of a model with this plan.
pub(crate) fn state(plan: &Plan, checkpoint: Checkpoint) -> Result<State, TrainError> {
    let gather = |prefix: &str| {
        let mut flat = vec![0.0; plan.n_parameters()];
        for tensor in plan.tensors() {
            let name = format!("{prefix}{}", tensor.name);
            let found = checkpoint.tensors.binary_search_by(|(n, _)| n.as_str().cmp(&name));
            let problem = match found.map(|i| &checkpoint.tensors[i].1) {
                Ok(values) if values.len() == tensor.range.len() => {
                    flat[tensor.range.clone()].copy_from_slice(values);
                    continue;
                }
                Ok(values) => format!("{name}: {} numbers, expected {}", values.len(), tensor.range.len()),
                Err(_) => format!("{name} is missing"),
            };
            return Err(TrainError::Checkpoint { step: checkpoint.step, problem });
        }
        Ok(flat)
    };
    Ok(State { parameters: gather("")?, first: gather(FIRST)?, second: gather(SECOND)? })
}
