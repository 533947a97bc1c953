//! What Porian et al. 2024 (arXiv 2406.19146) tuned beside learning rate and batch.

/// Adam's β₂ up to [`SMALL_MODEL`].
pub const BETA2_SMALL: f64 = 0.99;
/// Adam's β₂ above it.
pub const BETA2_LARGE: f64 = 0.95;
/// Parameters, head included, up to which a model is small.
pub const SMALL_MODEL: u64 = 220_000_000;
