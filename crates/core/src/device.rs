//! Where a run is computed, and in which numbers: both decide its bytes.

use serde::{Deserialize, Serialize};

/// The kind of device that trains a run. Runs have the same bytes on all devices of a class, and never across classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    /// Cores of a processor with fused multiply-add.
    #[default]
    Cpu,
}

impl DeviceClass {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The numbers that weights, activations and gradients are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// IEEE 754 single precision.
    #[default]
    F32,
}

impl Precision {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
