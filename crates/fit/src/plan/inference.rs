//! Over-training for inference: Sardana & Frankle 2023 (arXiv 2401.00448), equation 3.

use super::error::{PlanError, positive};
use super::search::{Lowest, crossing, lowest};
use serde::Serialize;

/// The cheapest run to train and then to serve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Served {
    /// Parameters.
    pub n: f64,
    /// Training tokens.
    pub d: f64,
    /// Training and inference FLOPs.
    pub flops: f64,
    /// Training FLOPs of those.
    pub training_flops: f64,
}

/// Minimises 6·N·D + 2·N·D_inference over the models that reach `target` nats per token.
///
/// # Errors
/// When no model reaches the loss.
pub fn serve(
    loss: &dyn Fn(f64, f64) -> f64,
    target: f64,
    inference_tokens: f64,
) -> Result<Served, PlanError> {
    positive("the target loss", target)?;
    if !(inference_tokens >= 0.0 && inference_tokens.is_finite()) {
        return Err(PlanError::NotPositive { name: "the tokens of inference", value: inference_tokens });
    }
    let tokens = |n: f64| crossing(&|ln_d| target - loss(n, libm::exp(ln_d)), 0.0, 120.0).map(libm::exp);
    let cost = |ln_n: f64| {
        let n = libm::exp(ln_n);
        tokens(n).map_or(f64::INFINITY, |d| libm::log(6.0 * n * d + 2.0 * n * inference_tokens))
    };
    let unreachable = || PlanError::NoModelReaches { loss: target };
    // An over-trained model lies just above the smallest that gets there at all, far from the scan's steps
    // where the demand is large: scan from that size on.
    let reaches = |ln_n: f64| if tokens(libm::exp(ln_n)).is_some() { 1.0 } else { -1.0 };
    let smallest = crossing(&reaches, 0.0, libm::log(1e30)).ok_or_else(unreachable)?;
    match lowest(&cost, smallest, smallest + 14.0) {
        Lowest::Inside(ln_n, _) => {
            let n = libm::exp(ln_n);
            let d = tokens(n).ok_or_else(unreachable)?;
            let training_flops = 6.0 * n * d;
            Ok(Served { n, d, training_flops, flops: training_flops + 2.0 * n * inference_tokens })
        }
        _ => Err(unreachable()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cheapest_for_loss, compute_optimal};
    use super::*;

    /// Hoffmann et al. 2022, unrounded.
    fn chinchilla(n: f64, d: f64) -> f64 {
        crate::presets::tests::loss_of("chinchilla2022")(n, d)
    }

    #[test]
    fn serve_without_demand_is_the_compute_optimum() {
        let plan = compute_optimal(&chinchilla, &|n| 6.0 * n, 1e22).unwrap();
        let served = serve(&chinchilla, plan.loss, 0.0).unwrap();
        assert!((served.n / plan.n - 1.0).abs() < 1e-5, "{:e} {:e}", served.n, plan.n);
        assert!((served.flops / 1e22 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn serve_quality_of_a_30b_model_for_1e13_tokens_is_a_smaller_longer_run() {
        // Sardana & Frankle's example: 13.6B on 2.84 times the data, 28% fewer FLOPs. Their 30B is the size
        // whose compute-optimal run has the quality.
        let of_budget = |c: f64| compute_optimal(&chinchilla, &|n| 6.0 * n, c).unwrap();
        let budget =
            crossing(&|ln_c| of_budget(libm::exp(ln_c)).n - 30e9, 40.0, 70.0).map(libm::exp).unwrap();
        let optimal = of_budget(budget);
        let served = serve(&chinchilla, optimal.loss, 1e13).unwrap();
        let saved = 1.0 - served.flops / (budget + 2.0 * optimal.n * 1e13);
        assert!((served.n / 13.6e9 - 1.0).abs() < 0.05, "{:e}", served.n);
        assert!((served.d / optimal.d - 2.84).abs() < 0.2, "{}", served.d / optimal.d);
        assert!((saved - 0.28).abs() < 0.03, "{saved}");
    }

    #[test]
    fn serve_below_the_irreducible_loss_is_refused() {
        assert!(serve(&chinchilla, 1.6, 1e12).is_err());
        assert!(cheapest_for_loss(&chinchilla, &|n| 6.0 * n, 1.6).is_err());
    }
}
