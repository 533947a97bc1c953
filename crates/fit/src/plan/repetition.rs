//! What repeated data are worth: Muennighoff et al. 2023, equation 5 and appendix A.

use super::allocation::{Allocation, compute_optimal};
use super::error::{PlanError, positive};
use serde::Serialize;

/// D' = U·(1 + R_D*·(1 − e^(−(epochs − 1)/R_D*))): the new tokens that `epochs` passes over `unique` are worth.
/// Up to one epoch every token is new.
pub fn effective_tokens(unique: f64, epochs: f64, r_star: f64) -> f64 {
    let repeats = (epochs - 1.0).max(0.0);
    unique * (epochs.min(1.0) - r_star * libm::expm1(-repeats / r_star))
}

/// A run on limited data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeated {
    /// Distinct tokens.
    pub unique: f64,
    /// Passes over them.
    pub epochs: f64,
    /// New tokens they are worth.
    pub effective_tokens: f64,
    /// N, tokens processed, and the loss that the law gives at the effective tokens.
    pub allocation: Allocation,
    /// Loss above that of the same budget on endless data, nats per token.
    pub excess_loss: f64,
}

/// The best use of `budget` when only `unique` tokens exist.
///
/// # Errors
/// As [`compute_optimal`].
pub fn with_unique_data(
    loss: &dyn Fn(f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    budget: f64,
    unique: f64,
    r_star: f64,
) -> Result<Repeated, PlanError> {
    positive("the number of unique tokens", unique)?;
    let repeated = |n: f64, d: f64| loss(n, effective_tokens(unique, d / unique, r_star));
    let allocation = compute_optimal(&repeated, flops_per_token, budget)?;
    let free = compute_optimal(loss, flops_per_token, budget)?;
    let epochs = allocation.d / unique;
    Ok(Repeated {
        unique,
        epochs,
        effective_tokens: effective_tokens(unique, epochs, r_star),
        allocation,
        excess_loss: allocation.loss - free.loss,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::muennighoff2023::{A, ALPHA, B, E, R_D_STAR};

    #[test]
    fn effective_tokens_match_the_published_table() {
        for (epochs, worth) in
            [(0.5, 0.5), (1.0, 1.0), (2.0, 1.968), (4.0, 3.726), (8.0, 6.624), (16.0, 10.58), (40.0, 15.17)]
        {
            let got = effective_tokens(1e9, epochs, R_D_STAR) / 1e9;
            assert!((got / worth - 1.0).abs() < 5e-4, "{epochs} epochs: {got}");
        }
    }

    #[test]
    fn limited_data_cost_loss_and_enough_data_cost_none() {
        let loss = |n: f64, d: f64| E + A * libm::pow(n, -ALPHA) + B * libm::pow(d, -ALPHA);
        let little = with_unique_data(&loss, &|n| 6.0 * n, 1e21, 5e9, R_D_STAR).unwrap();
        assert!(little.excess_loss > 0.01 && little.epochs > 2.0, "{little:?}");
        let plenty = with_unique_data(&loss, &|n| 6.0 * n, 1e21, 1e13, R_D_STAR).unwrap();
        assert!(plenty.excess_loss.abs() < 1e-9 && plenty.epochs < 1.0, "{plenty:?}");
    }
}
