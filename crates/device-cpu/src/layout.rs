//! How activations lie in this device's memory.

/// Whether a gradient is the first to reach its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// First: overwrite.
    Set,
    /// Not the first: add.
    Add,
}

/// Distance between the rows of an activation of `width` columns.
///
/// At least one column is free behind the row (a layer's backward pass keeps a 1 there, which makes the bias
/// gradient one more row of the weight gradient), and the distance is an odd number of cache lines, so that
/// a walk down a column visits every set of the cache.
pub(crate) const fn row_stride(width: usize) -> usize {
    (((width + 16) / 16) | 1) * 16
}
