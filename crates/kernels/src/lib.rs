//! Arithmetic on one device: executes a plan; knows no model.
//!
//! A model is built on a [`Graph`], which becomes a [`Plan`]; a [`Device`] opens a [`Session`] on it.
//!
//! **Determinism.** On the CPU the same plan, parameters and batch give the same bytes on any processor with
//! a fused multiply-add, with any number of threads and any chunk. The rules that make it so: every element
//! of a product is one chain over k ([`gemm`]), reductions over a row use sixteen virtual lanes added in one
//! tree, transcendental functions are our own, and micro-batches are folded from left to right.

pub mod buffer;
pub mod cpu;
pub mod device;
mod exp;
pub mod gemm;
pub mod graph;
pub mod isa;
mod lanes;
mod math;
pub mod ops;
pub mod pack;
pub mod plan;
pub mod update;

pub use cpu::{CpuDevice, CpuSession};
pub use device::{Batch, Device, DeviceError, Session, SessionOptions, State, StepStatistics};
pub use graph::{Graph, Tensor};
pub use isa::Isa;
pub use ops::adafactor::{Adafactor, StepSize};
pub use ops::adam::Adam;
pub use ops::dropout::DropoutKey;
pub use plan::Plan;
pub use update::{Rule, Update};
