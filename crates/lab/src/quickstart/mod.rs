//! The whole study in miniature: its laws.

pub mod laws;
