//! The memory of a run, before it is started.

use crate::{model, rule};
use scalelaw_core::RunSpec;
use scalelaw_graph::{Device, Footprint, SessionOptions};

/// Bytes that training this run on `device` with `threads` threads holds.
///
/// # Panics
/// When the spec is impossible: see [`RunSpec::validate`].
pub fn footprint(device: &dyn Device, spec: &RunSpec, threads: usize) -> Footprint {
    let plan = model::plan(&spec.model, spec.training.dropout);
    let options = SessionOptions { threads, chunk: None };
    device.footprint(&plan, &rule(&spec.optimizer), options)
}
