//! A finished study on paper: its figures, and its laws in the symbols of papers.

pub mod figures;
pub(crate) mod symbols;

pub use scalelaw_lab::study::Study;
