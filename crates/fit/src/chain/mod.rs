//! Kaplan et al.'s whole chain from one table of learning curves.
//!
//! Batch scans → first step to each loss level → S_min and E_min hyperbolas (Figures 18, 19) → B_crit(L) →
//! every point adjusted to S_min and C_min → L(N, S_min) → frontiers at the batch used and adjusted → exponents
//! of N, B, S and D. One bootstrap over trunks carries every interval through. What the curves cannot give is
//! refused, with the reason, and the rest is done.

mod curve;
mod estimate;
mod frontier;
mod report;
mod scan;

pub use curve::{Point, Trunk, smoothed, steps_to};
pub use estimate::Section;
pub use report::{ChainReport, Constant, FORMAT, FrontierPlace, Part, chain};
pub use scan::Level;

use scalelaw_core::Conventions;

/// A run of the (N, D) grid, early-stopped: what Table 2 is fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct GridRun {
    /// Parameters.
    pub n: f64,
    /// Unique training tokens.
    pub d: f64,
    /// Lowest test loss, nats per token.
    pub loss: f64,
}

/// How to walk the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainOptions {
    /// Steps at the start of every curve that are left out (warm-up).
    pub skip_steps: f64,
    /// Half width, in ln step, of the window that curves are averaged over.
    pub smoothing: f64,
    /// Ratio of neighbouring loss levels.
    pub level_ratio: f64,
    /// Points of a curve, evenly in ln step, that L(N, S_min) is fitted to.
    pub points_per_curve: usize,
    /// Resamples of trunks.
    pub bootstrap: usize,
    /// Seed of the resampling.
    pub seed: u64,
    /// What N, C and D count.
    pub conventions: Conventions,
}

#[cfg(test)]
mod tests;
