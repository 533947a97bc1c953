//! The CPU as a device: executes plans with vector kernels; knows no model.
//!
//! A [plan](scalelaw_graph::Plan) is compiled to this device's own layout: kernels in order, which values share memory,
//! what is kept for the backward pass.
//!
//! **Determinism.** The same plan, parameters and batch give the same bytes on any processor with
//! a fused multiply-add, with any number of threads and any chunk. The rules that ensure it: every element
//! of a product is one chain over k ([`gemm`]), reductions over a row use sixteen virtual lanes added in one
//! tree, transcendental functions are our own, and micro-batches are folded from left to right.

mod buffer;
mod copy;
mod cpu;
mod exp;
mod fold;
pub mod gemm;
pub mod isa;
mod kernel;
mod lanes;
mod layout;
mod lowering;
mod math;
mod ops;
pub mod pack;
mod program;
#[cfg(test)]
mod testing;
mod update;
mod worker;

pub use cpu::CpuDevice;
pub use isa::Isa;
