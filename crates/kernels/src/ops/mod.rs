//! The operations of a plan, one file each: forward, backward, cost, and tests against an f64 reference.

pub mod activation;
pub mod adafactor;
pub mod adam;
pub mod attention;
pub mod copy;
pub mod dropout;
pub mod embed;
pub mod fold;
pub mod head;
pub mod linear;
pub mod lstm;
pub mod norm;
pub mod qk_norm;
#[cfg(test)]
pub(crate) mod reference;
pub mod rotary;
pub mod swiglu;

/// Whether a gradient is the first to reach its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// First: overwrite.
    Set,
    /// Not the first: add.
    Add,
}

/// Distance between the rows of an activation of `width` columns.
///
/// At least one column is free behind the row (a layer's backward keeps a 1 there, which makes the bias
/// gradient one more row of the weight gradient), and the distance is an odd number of cache lines, so that
/// a walk down a column visits every set of the cache.
pub const fn row_stride(width: usize) -> usize {
    (((width + 16) / 16) | 1) * 16
}

/// Work of one operation on one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Cost {
    /// Floating-point operations of the forward pass in matrix products (a multiply-add is two).
    pub forward_flops: f64,
    /// The same for the backward pass.
    pub backward_flops: f64,
    /// Bytes of activations read and written by both passes.
    pub bytes: f64,
}

impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            forward_flops: self.forward_flops + other.forward_flops,
            backward_flops: self.backward_flops + other.backward_flops,
            bytes: self.bytes + other.bytes,
        }
    }
}
