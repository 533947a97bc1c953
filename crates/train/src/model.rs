//! The plan of a model of any architecture.

use crate::{lstm, transformer};
use scalelaw_core::{Architecture, ModelShape};
use scalelaw_graph::Plan;

/// The plan of a model of this shape that drops a share `dropout` of its activations in training.
///
/// # Panics
/// When the shape is impossible: see [`ModelShape::validate`].
pub fn plan(shape: &ModelShape, dropout: f64) -> Plan {
    match &shape.architecture {
        Architecture::Transformer(blocks) => transformer::plan(shape, blocks, dropout),
        Architecture::Lstm => lstm::plan(shape, dropout),
    }
}
