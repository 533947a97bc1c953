//! The operations of a plan as this device executes them, one file each: buffers, both passes, and tests against f64.

mod activation;
mod attention;
mod dropout;
mod embed;
mod head;
mod linear;
mod lstm;
mod norm;
mod qk_norm;
mod rotary;
mod swiglu;

use crate::kernel::Kernel;
use crate::lowering::{Input, Lowering};
use scalelaw_graph::{Operation, Value};

/// A kernel and the input whose gradient it computes.
type Lowered = (Box<dyn Kernel>, Input);

/// The kernel of an operation.
pub(crate) fn lower(operation: Operation, out: Value, to: &mut Lowering<'_>) -> Lowered {
    match operation {
        Operation::Embed(op) => embed::lower(op, out, to),
        Operation::Norm(op) => norm::lower(op, out, to),
        Operation::Linear(op) => linear::lower(op, out, to),
        Operation::Dropout(op) => dropout::lower(op, out, to),
        Operation::Swiglu(op) => swiglu::lower(op, out, to),
        Operation::QkNorm(op) => qk_norm::lower(op, out, to),
        Operation::Rotary(op) => rotary::lower(op, out, to),
        Operation::Attention(op) => attention::lower(op, out, to),
        Operation::Lstm(op) => lstm::lower(op, out, to),
        Operation::Head(op) => head::lower(op, out, to),
    }
}
