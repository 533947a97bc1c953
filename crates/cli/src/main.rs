//! The program `scalelaw`: arguments, progress, rendering and exit codes.
fn main() {}
