//! The device that computes a run, and the precision of its numbers. Both decide the bytes of a run.

use serde::{Deserialize, Serialize};

/// The class of device that trains a run. A run has the same bytes on all devices of a class, and other bytes on another
/// class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    /// The cores of a processor with fused multiply-add.
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
