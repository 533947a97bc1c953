//! What repeated data are worth: Muennighoff et al. 2023, equations 5 and 6.

use super::allocation::{Allocation, compute_optimal};
use super::error::{PlanError, positive};
use super::search::crossing;
use serde::Serialize;

/// How fast repetition loses its worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decay {
    /// R_D*: repetitions of the data after which new passes are worth 1/e less.
    pub data: f64,
    /// R_N*: the same of parameters beyond the optimal size for the distinct tokens.
    pub params: f64,
}

/// What `total` of something is worth of which only `unique` is new: unique·(1 + R*·(1 − e^(−R/R*))) with
/// R = total/unique − 1. Up to `unique` all of it is new.
pub fn effective(unique: f64, total: f64, r_star: f64) -> f64 {
    let times = total / unique;
    let repeats = (times - 1.0).max(0.0);
    unique * (times.min(1.0) - r_star * libm::expm1(-repeats / r_star))
}

/// A run on limited data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeated {
    /// Distinct tokens.
    pub unique: f64,
    /// Passes over them.
    pub epochs: f64,
    /// New tokens that the passes are worth; none where the law itself counts distinct tokens.
    pub effective_tokens: Option<f64>,
    /// Parameters that N is worth with so few distinct tokens; none likewise.
    pub effective_params: Option<f64>,
    /// N, tokens processed, and the loss.
    pub allocation: Allocation,
    /// Loss above that of the same budget on endless data, nats per token.
    pub excess_loss: f64,
}

/// The best use of `budget` when only `unique` tokens exist, by a law of runs without repetition: data and parameters
/// lose their worth by `decay`.
///
/// # Errors
/// As [`compute_optimal`].
///
/// # Source
/// Muennighoff et al. 2023, equations 5 and 6 and appendix A, minimised numerically.
pub fn with_unique_data(
    loss: &dyn Fn(f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    budget: f64,
    unique: f64,
    decay: Decay,
) -> Result<Repeated, PlanError> {
    positive("the number of unique tokens", unique)?;
    let optimal = |tokens: f64| params_for_tokens(loss, flops_per_token, tokens);
    let of_all = optimal(unique);
    let worth = |n: f64, d: f64| {
        // A run of less than one pass has only its own tokens.
        let distinct = unique.min(d);
        let size = if distinct < unique { optimal(distinct) } else { of_all };
        let params = size.map_or(n, |size| effective(size, n, decay.params));
        (params, effective(distinct, d, decay.data))
    };
    let repeated = |n: f64, d: f64| {
        let (params, tokens) = worth(n, d);
        loss(params, tokens)
    };
    let allocation = compute_optimal(&repeated, flops_per_token, budget)?;
    let (params, tokens) = worth(allocation.n, allocation.d);
    Ok(Repeated {
        unique,
        epochs: allocation.d / unique,
        effective_tokens: Some(tokens),
        effective_params: Some(params),
        allocation,
        excess_loss: allocation.loss - compute_optimal(loss, flops_per_token, budget)?.loss,
    })
}

/// The same by a law that counts distinct tokens itself: `loss(N, D, U)`.
///
/// # Errors
/// As [`compute_optimal`].
pub fn by_the_law(
    loss: &dyn Fn(f64, f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    budget: f64,
    unique: f64,
) -> Result<Repeated, PlanError> {
    positive("the number of unique tokens", unique)?;
    let allocation = compute_optimal(&|n, d| loss(n, d, unique.min(d)), flops_per_token, budget)?;
    let free = compute_optimal(&|n, d| loss(n, d, d), flops_per_token, budget)?;
    Ok(Repeated {
        unique,
        epochs: allocation.d / unique,
        effective_tokens: None,
        effective_params: None,
        allocation,
        excess_loss: allocation.loss - free.loss,
    })
}

/// The size for which `tokens` are compute-optimal: there the loss is level along a constant cost. `None` where the law
/// prefers the smallest or the largest size.
fn params_for_tokens(
    loss: &dyn Fn(f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    tokens: f64,
) -> Option<f64> {
    /// Far above rounding, and small against any curvature of a power law.
    const STEP: f64 = 1e-4;
    let rise = |ln_n: f64| {
        let n = libm::exp(ln_n);
        let beside = |factor: f64| {
            let other = n * factor;
            loss(other, tokens * flops_per_token(n) / flops_per_token(other))
        };
        beside(1.0 + STEP) - beside(1.0 - STEP)
    };
    crossing(&rise, 0.0, 90.0).map(libm::exp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::value;
    use crate::laws::DataConstrained;
    use crate::plan::basis::six_n;
    use crate::presets::muennighoff2023::{A, ALPHA, B, DECAY, E};

    fn loss(n: f64, d: f64) -> f64 {
        E + A * libm::pow(n, -ALPHA) + B * libm::pow(d, -ALPHA)
    }

    #[test]
    fn effective_tokens_match_the_published_table() {
        for (epochs, worth) in
            [(0.5, 0.5), (1.0, 1.0), (2.0, 1.968), (4.0, 3.726), (8.0, 6.624), (16.0, 10.58), (40.0, 15.17)]
        {
            let got = effective(1e9, epochs * 1e9, DECAY.data) / 1e9;
            assert!((got / worth - 1.0).abs() < 5e-4, "{epochs} epochs: {got}");
        }
    }

    #[test]
    fn limited_data_of_equations_5_and_6_make_the_model_smaller_and_the_epochs_more() {
        // Their constants, 25e9 distinct tokens, the budget of their 8.7B model: minimised to the digits given.
        let by_equations = with_unique_data(&loss, &six_n, 9.3e21, 25e9, DECAY).unwrap();
        let constants = [E, A, B, ALPHA, ALPHA, DECAY.data, DECAY.params];
        let of_law = |n: f64, d: f64, u: f64| value(&DataConstrained, &[n, d, u], &constants);
        let by_law = by_the_law(&of_law, &six_n, 9.3e21, 25e9).unwrap();
        for got in [by_equations, by_law] {
            assert!((got.allocation.n / 6.8e9 - 1.0).abs() < 0.01, "{got:?}");
            assert!((got.epochs - 9.1).abs() < 0.05, "{got:?}");
            assert!((got.excess_loss - 0.0330).abs() < 5e-5, "{got:?}");
        }
        assert!((by_equations.allocation.n / by_law.allocation.n - 1.0).abs() < 1e-5);
    }

    #[test]
    fn enough_data_cost_nothing() {
        let plenty = with_unique_data(&loss, &six_n, 1e21, 1e13, DECAY).unwrap();
        assert!(plenty.excess_loss.abs() < 1e-9 && plenty.epochs < 1.0, "{plenty:?}");
    }
}
