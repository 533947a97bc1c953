//! Dividing a budget between model and data, numerically, for any loss law of N and D.

use super::error::{PlanError, positive};
use super::search::{Lowest, crossing, lowest};

/// How a budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Allocation {
    /// Parameters, counted as the law counts them.
    pub n: f64,
    /// Training tokens, counted as the law counts them.
    pub d: f64,
    /// Loss that the law predicts, nats per token.
    pub loss: f64,
}

impl Allocation {
    /// Training tokens per parameter, in the law's own counts.
    pub fn tokens_per_param(&self) -> f64 {
        self.d / self.n
    }
}

/// A law of N and D whose best division of a budget of C = 6·N·D has a formula.
pub trait ClosedFormOptimum {
    /// The division of `flops`; `constants` are the law's, in its own order.
    fn optimum(&self, constants: &[f64], flops: f64) -> Allocation;
}

/// The N and D with the lowest loss among those that cost exactly `budget` training FLOPs.
///
/// # Units
/// `loss(N, D)` in nats per token, `budget` in training FLOPs, `flops_per_token(N)` in FLOPs per training token by the
/// budget's convention (`6·N`, or with head and attention).
///
/// # Errors
/// [`PlanError::NoInteriorOptimum`] when the law prefers the smallest or largest trainable model.
///
/// # Example
/// ```
/// // Besiroglu et al. 2024: about 18 tokens per parameter at Chinchilla's budget.
/// use scalelaw_fit::{plan::compute_optimal, presets::Preset, value};
/// let (law, constants) = Preset::by_name("besiroglu2024")?.rule.law().unwrap();
/// let loss = |n: f64, d: f64| value(law.as_ref(), &[n, d], &constants);
/// let plan = compute_optimal(&loss, &|n| 6.0 * n, 5.76e23)?;
/// assert!((plan.tokens_per_param() - 18.3).abs() < 0.1);
/// # Ok::<(), scalelaw_fit::plan::PlanError>(())
/// ```
pub fn compute_optimal(
    loss: &dyn Fn(f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    budget: f64,
) -> Result<Allocation, PlanError> {
    positive("the budget in FLOPs", budget)?;
    let tokens = |n: f64| budget / flops_per_token(n);
    // From one parameter up to the size that the budget trains on a single token.
    let mut largest = 0.0;
    while tokens(libm::exp(largest)) > 1.0 && largest < 700.0 {
        largest += 1.0;
    }
    match lowest(&|ln_n| loss(libm::exp(ln_n), tokens(libm::exp(ln_n))), 0.0, largest) {
        Lowest::Inside(ln_n, loss) => {
            let n = libm::exp(ln_n);
            Ok(Allocation { n, d: tokens(n), loss })
        }
        Lowest::Left => Err(PlanError::NoInteriorOptimum { budget, side: "smallest", n: 1.0 }),
        Lowest::Right => Err(PlanError::NoInteriorOptimum { budget, side: "largest", n: libm::exp(largest) }),
        Lowest::Nowhere => Err(PlanError::NoValue { budget }),
    }
}

/// Budgets searched for a target loss, in FLOPs.
const BUDGETS: [f64; 2] = [1e6, 1e40];

/// The smallest budget whose compute-optimal run reaches `target` nats per token, and that run.
///
/// Arguments as in [`compute_optimal`].
///
/// # Errors
/// [`PlanError::Unreachable`] when the law never gets there.
pub fn cheapest_for_loss(
    loss: &dyn Fn(f64, f64) -> f64,
    flops_per_token: &dyn Fn(f64) -> f64,
    target: f64,
) -> Result<(f64, Allocation), PlanError> {
    positive("the target loss", target)?;
    let [least, most] = BUDGETS.map(libm::log);
    let reached = |ln_c: f64| compute_optimal(loss, flops_per_token, libm::exp(ln_c));
    // An error at some budget counts as a loss not reached; it is reported when no budget does.
    let missing = |ln_c: f64| target - reached(ln_c).map_or(f64::INFINITY, |a| a.loss);
    let Some(ln_c) = crossing(&missing, least, most) else {
        let lowest = reached(most)?.loss;
        return Err(PlanError::Unreachable { loss: target, lowest, most: BUDGETS[1] });
    };
    Ok((libm::exp(ln_c), reached(ln_c)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(n: f64, d: f64) -> f64 {
        crate::presets::tests::loss_of("besiroglu2024")(n, d)
    }

    #[test]
    fn compute_optimal_of_published_law_matches_golden_values_at_three_budgets() {
        // Computed from the constants in full precision. Half a unit of the fifth digit of an exponent, which
        // is all we have, moves N and D by 1.3e-4.
        for (c, n, d) in
            [(1e21, 2.7821e9, 5.9906e10), (5.76e23, 7.2356e10, 1.3268e12), (3.8e25, 6.197e11, 1.0221e13)]
        {
            let plan = compute_optimal(&epoch, &|n| 6.0 * n, c).unwrap();
            assert!((plan.n / n - 1.0).abs() < 1.3e-4, "{c:e}: N {:e}", plan.n);
            assert!((plan.d / d - 1.0).abs() < 1.3e-4, "{c:e}: D {:e}", plan.d);
        }
    }

    #[test]
    fn compute_optimal_with_a_head_spends_exactly_the_budget() {
        let flops = |n: f64| 6.0 * (n + 512.0 * libm::sqrt(n / 24.0));
        let plan = compute_optimal(&epoch, &flops, 1e15).unwrap();
        assert!((flops(plan.n) * plan.d / 1e15 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn compute_optimal_of_a_law_without_data_term_is_refused() {
        let error = compute_optimal(&|n, _| libm::pow(n, -0.1), &|n| 6.0 * n, 1e20).unwrap_err();
        assert!(matches!(error, PlanError::NoInteriorOptimum { side: "largest", .. }), "{error}");
        assert!(compute_optimal(&epoch, &|n| 6.0 * n, f64::NAN).is_err());
    }

    #[test]
    fn cheapest_for_loss_inverts_compute_optimal() {
        let plan = compute_optimal(&epoch, &|n| 6.0 * n, 3e22).unwrap();
        let (budget, again) = cheapest_for_loss(&epoch, &|n| 6.0 * n, plan.loss).unwrap();
        assert!((budget / 3e22 - 1.0).abs() < 1e-9, "{budget:e}");
        assert!((again.n / plan.n - 1.0).abs() < 1e-6);
    }

    #[test]
    fn cheapest_for_loss_below_the_irreducible_loss_is_refused() {
        let error = cheapest_for_loss(&epoch, &|n| 6.0 * n, 1.8).unwrap_err();
        assert!(matches!(error, PlanError::Unreachable { .. }), "{error}");
    }
}
