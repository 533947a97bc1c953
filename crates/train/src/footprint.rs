//! The memory of a run, before it is begun.

use crate::{model, rule};
use scalelaw_core::RunSpec;
use scalelaw_kernels::device::Footprint;
use scalelaw_kernels::{CpuDevice, Device, SessionOptions};

/// Bytes that training this run on `threads` threads holds.
///
/// # Panics
/// When the spec is impossible: see [`RunSpec::validate`].
pub fn footprint(spec: &RunSpec, threads: usize) -> Footprint {
    let plan = model::plan(&spec.model, spec.training.dropout);
    let options = SessionOptions { threads, chunk: None };
    CpuDevice::new().footprint(&plan, &rule(&spec.optimizer), options)
}
