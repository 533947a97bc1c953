//! The operations of a plan, one file each: operands and shapes, cost, and both passes in f64.
//!
//! A new operation is a file here and a line in each of the two lists below; every device then fails to compile until it
//! executes the operation too.

mod activation;
mod attention;
mod dropout;
mod embed;
mod head;
mod linear;
mod lstm;
pub mod norm;
mod qk_norm;
mod rotary;
mod swiglu;

pub use activation::Activation;
pub use attention::{Attention, Heads};
pub use dropout::{Dropout, DropoutKey, RowMask};
pub use embed::Embed;
pub use head::Head;
pub use linear::{Affine, Epilogue, Linear};
pub use lstm::Lstm;
pub use norm::Norm;
pub use qk_norm::QkNorm;
pub use rotary::Rotary;
pub use swiglu::Swiglu;

use crate::sequence::Sequence;
use crate::tensor::Value;
use std::fmt::Debug;

macro_rules! operations {
    ($($name:ident)*) => {
        /// Any operation.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs, reason = "every variant is named like its operation")]
        pub enum Operation { $($name($name)),* }

        impl Operation {
            /// What the operation says of itself.
            pub fn as_op(&self) -> &dyn Op {
                match self { $(Self::$name(op) => op),* }
            }
        }

        $(impl From<$name> for Operation {
            fn from(op: $name) -> Self { Self::$name(op) }
        })*
    };
}

operations! { Embed Norm Linear Dropout Swiglu QkNorm Rotary Attention Lstm Head }

/// What an operation says of itself.
pub trait Op: Debug {
    /// The values it reads.
    fn inputs(&self) -> Vec<Value>;

    /// Columns of its output.
    ///
    /// # Panics
    /// When the shapes of its operands do not fit together.
    fn width(&self, n_ctx: usize) -> usize;

    /// Work per sequence.
    fn cost(&self, n_ctx: usize) -> Cost;

    /// Its output for one sequence.
    fn forward(&self, at: &Sequence<'_>) -> Vec<f64>;

    /// Adds to the gradients of its inputs and parameters, given its output and that output's gradient.
    fn backward(&self, at: &mut Sequence<'_>, out: &[f64], d_out: &[f64]);
}

/// Floating-point operations in matrix products (a multiply-add is two) per sequence.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Cost {
    /// Of the forward pass.
    pub forward_flops: f64,
    /// Of the backward pass.
    pub backward_flops: f64,
}

impl Cost {
    /// Of an operation whose backward pass has twice as many products as its forward pass.
    pub fn products(forward_flops: f64) -> Self {
        Self { forward_flops, backward_flops: 2.0 * forward_flops }
    }
}

impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            forward_flops: self.forward_flops + other.forward_flops,
            backward_flops: self.backward_flops + other.backward_flops,
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
