//! A trainer's state as named tensors and back.

use crate::{TrainError, Trainer};
use scalelaw_graph::{State, Tensor};
use scalelaw_runs::{Checkpoint, NamedTensor, RunDir, RunsError};

/// Where a state is written: [`RunDir::save_checkpoint`] or [`RunDir::save_branch`].
pub(crate) type Save = fn(&mut RunDir, u64, &[NamedTensor<'_>]) -> Result<(), RunsError>;

/// Saves parameters and moments after the steps done. Parameters bear their own names, so that they load
/// elsewhere as they are; moments bear a prefix.
pub(crate) fn save(dir: &mut RunDir, trainer: &Trainer, how: Save) -> Result<(), TrainError> {
    let (step, state) = trainer.snapshot();
    let moments = trainer.moments();
    let parts = [(trainer.plan().tensors(), &state.parameters), (&moments, &state.moments)];
    let named = parts.into_iter().flat_map(|(tensors, values)| {
        tensors.iter().map(|tensor| NamedTensor {
            name: &tensor.name,
            shape: &tensor.shape,
            values: &values[tensor.range.clone()],
        })
    });
    Ok(how(dir, step, &named.collect::<Vec<_>>())?)
}

/// The state of this trainer's model and optimiser in a checkpoint.
pub(crate) fn state(trainer: &Trainer, checkpoint: &Checkpoint) -> Result<State, TrainError> {
    let gather = |tensors: &[Tensor]| {
        let mut flat = vec![0.0; tensors.last().map_or(0, |tensor| tensor.range.end)];
        for tensor in tensors {
            let found = checkpoint.tensors.binary_search_by(|(name, _)| name.cmp(&tensor.name));
            let problem = match found.map(|i| &checkpoint.tensors[i].1) {
                Ok(values) if values.len() == tensor.range.len() => {
                    flat[tensor.range.clone()].copy_from_slice(values);
                    continue;
                }
                Ok(values) => {
                    format!("{}: {} numbers, expected {}", tensor.name, values.len(), tensor.range.len())
                }
                Err(_) => format!("{} is missing", tensor.name),
            };
            return Err(TrainError::Checkpoint { step: checkpoint.step, problem });
        }
        Ok(flat)
    };
    Ok(State { parameters: gather(trainer.plan().tensors())?, moments: gather(&trainer.moments())? })
}
