//! One file per command: request, report struct, rendering.

pub mod paper;
pub mod runs;
pub mod train;
