//! Models as plans of operations, and the boundary to the devices that execute them.
//!
//! A model is built on a [`Graph`], which becomes a [`Plan`]: logical shapes only, no memory layout. A [`Device`]
//! opens a [`Session`] on a plan and lays it out as suits its hardware. [`ReferenceDevice`] executes plans in f64
//! with plain loops: it is what every other device is tested against.

pub mod device;
pub mod graph;
pub mod liveness;
pub mod ops;
pub mod plan;
pub mod reference;
pub mod sequence;
pub mod tensor;
pub mod update;

pub use device::{Batch, Device, DeviceError, Footprint, Session, SessionOptions, State, StepStatistics};
pub use graph::Graph;
pub use ops::{DropoutKey, Op, Operation};
pub use plan::Plan;
pub use reference::ReferenceDevice;
pub use tensor::{Parameter, Role, Tensor, Value};
pub use update::{Adafactor, Adam, Rule, StepSize, Update};
