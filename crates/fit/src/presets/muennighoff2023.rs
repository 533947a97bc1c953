//! What Muennighoff et al. 2023 (arXiv 2305.16264) fitted to repeated data on C4, from their notebook.

use crate::plan::repetition::Decay;

/// ln E, ln A and ln B of the law of unique data: what they fitted.
pub const LN_AMPLITUDES: [(&str, f64); 3] = [("E", 0.625_480_4), ("A", 6.255_414), ("B", 7.304_997_4)];
/// E = exp(.6254804) in six digits.
pub const E: f64 = 1.86914;
/// A = exp(6.255414) in five digits.
pub const A: f64 = 520.82;
/// B = exp(7.3049974) in six digits.
pub const B: f64 = 1487.72;
/// α = β.
pub const ALPHA: f64 = 0.352_659_6;
/// R_D*: repetitions after which new passes are worth 1/e less. Their 182 runs do not determine it: see
/// [`R_D_STAR_MINIMA`].
pub const R_D_STAR: f64 = 15.387756;
/// Between these lie the R_D* of minima that fit their runs as well.
pub const R_D_STAR_MINIMA: [f64; 2] = [15.0, 160.0];
/// The Huber objective of their 182 runs at [`R_D_STAR`] and [`R_N_STAR`], from their data.
pub const OBJECTIVE: f64 = 0.015_825_935_3;
/// R_N*: the same of parameters beyond the optimal size for the unique data.
pub const R_N_STAR: f64 = 5.309743;
/// Both.
pub const DECAY: Decay = Decay { data: R_D_STAR, params: R_N_STAR };
