//! What is wrong with a spec.

use crate::shape::ShapeError;

/// A spec that cannot be run or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The TOML does not describe a spec; the message has line and caret.
    #[error("{0}")]
    Toml(String),
    /// The shape is impossible.
    #[error("[model] {0}")]
    Shape(#[from] ShapeError),
    /// A value is out of range.
    #[error("{key} = {value}: expected {expected}")]
    Value {
        /// Path of the key.
        key: &'static str,
        /// Value found.
        value: String,
        /// What would do.
        expected: &'static str,
    },
}
