use crate::{CheckpointDamage, RunsError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use scalelaw_files::write_atomically;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A tensor to be saved.
#[derive(Clone, Copy, Debug)]
pub struct NamedTensor<'a> {
    /// The field's usual name: `h.0.attn.c_attn.weight`; optimiser moments carry a prefix.
    pub name: &'a str,
    /// Its dimensions.
    pub shape: &'a [usize],
    /// Row-major values.
    pub values: &'a [f32],
}

/// A state from which a run resumes.
#[derive(Debug)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Length of `events.jsonl` at that step.
    pub events_bytes: u64,
    /// Tensors by name, in the order of their names.
    pub tensors: Vec<(String, Vec<f32>)>,
}

/// The one entry of the metadata, `<step> <events_bytes> <digest>`: of several, the format leaves the order open,
/// and the same state must have the same bytes.
const STATE: &str = "step events_bytes digest";

/// How the names of checkpoints begin.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// How the name of the state with the lowest test loss begins.
pub(crate) const BEST: &str = "best";

/// Path of the checkpoint after `step` steps.
pub(crate) fn path_of(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("{CHECKPOINT}-{step}.safetensors"))
}

/// Path of the state after `step` steps that is kept for runs that branch off.
pub(crate) fn branch_path_of(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("branch-{step}.safetensors"))
}

/// Path of the state with the lowest test loss, that after `step` steps.
pub(crate) fn best_path_of(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("{BEST}-{step}.safetensors"))
}

/// Steps of the states in a directory whose names begin with `kind`, newest first.
pub(crate) fn steps_in(dir: &Path, kind: &str) -> Result<Vec<u64>, RunsError> {
    let mut steps: Vec<u64> = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| RunsError::io("list", dir, e))? {
        let name = entry.map_err(|e| RunsError::io("list", dir, e))?.file_name();
        let step = name
            .to_str()
            .and_then(|n| n.strip_prefix(kind))
            .and_then(|n| n.strip_prefix('-'))
            .and_then(|n| n.strip_suffix(".safetensors"))
            .and_then(|n| n.parse::<u64>().ok());
        steps.extend(step);
    }
    steps.sort_unstable_by_key(|step| std::cmp::Reverse(*step));
    Ok(steps)
}

/// Writes a checkpoint atomically.
pub(crate) fn save(
    path: &Path,
    step: u64,
    events_bytes: u64,
    tensors: &[NamedTensor<'_>],
) -> Result<(), RunsError> {
    let mut bytes = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        bytes.push(tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, data) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.to_vec(), data)
            .map_err(|e| RunsError::checkpoint(path, e))?;
        views.push((tensor.name, view));
    }
    let digest = digest(step, events_bytes, views.iter().map(|(n, v)| (*n, v.data())));
    let metadata = HashMap::from([(STATE.to_owned(), format!("{step} {events_bytes} {digest}"))]);
    let file = serialize(views, Some(metadata)).map_err(|e| RunsError::checkpoint(path, e))?;
    Ok(write_atomically(path, &file)?)
}

/// Reads and verifies a checkpoint.
pub(crate) fn load(path: &Path, step: u64) -> Result<Checkpoint, RunsError> {
    let bytes = fs::read(path).map_err(|e| RunsError::io("read", path, e))?;
    let damaged = |damage: CheckpointDamage| RunsError::checkpoint(path, damage);
    let format = |error: safetensors::SafeTensorError| RunsError::checkpoint(path, error);
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(format)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let state: Vec<&str> = metadata.get(STATE).map(|state| state.split(' ').collect()).unwrap_or_default();
    let [named_step, events_bytes, expected] = state[..] else {
        return Err(damaged(CheckpointDamage::State));
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| damaged(CheckpointDamage::State));
    let events_bytes = number(events_bytes)?;
    let found_step = number(named_step)?;
    if found_step != step {
        return Err(damaged(CheckpointDamage::Step(found_step)));
    }
    let file = SafeTensors::deserialize(&bytes).map_err(format)?;
    let mut views: Vec<_> = file.tensors();
    views.sort_by(|a, b| a.0.cmp(&b.0));
    let found = digest(step, events_bytes, views.iter().map(|(n, v)| (n.as_str(), v.data())));
    if expected != found {
        return Err(damaged(CheckpointDamage::Digest));
    }
    let tensors = views
        .into_iter()
        .map(|(name, view)| {
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            (name, values.collect())
        })
        .collect();
    Ok(Checkpoint { step, events_bytes, tensors })
}

/// Digest over names and values, in the order of the names.
fn digest<'a>(step: u64, events_bytes: u64, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut sorted: Vec<_> = tensors.collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&step.to_le_bytes()).update(&events_bytes.to_le_bytes());
    for (name, data) in sorted {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hasher.update(&(data.len() as u64).to_le_bytes()).update(data);
    }
    hasher.finalize().to_hex().to_string()
}
