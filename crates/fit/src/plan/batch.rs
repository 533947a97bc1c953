//! Time against compute around the critical batch: section 5.1 of Kaplan et al. 2020.

use super::error::{PlanError, positive};
use serde::Serialize;

/// A batch, in multiples of the critical one, and what it makes of the least steps and the least compute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BatchTrade {
    /// B/B_crit.
    pub ratio: f64,
    /// Batch in tokens.
    pub batch_tokens: f64,
    /// Steps: S_min·(1 + B_crit/B).
    pub steps: f64,
    /// Tokens: E_min·(1 + B/B_crit).
    pub tokens: f64,
    /// Compute: C_min·(1 + B/B_crit).
    pub flops: f64,
}

/// S_min = S/(1 + B_crit/B), equation 5.4.
pub fn steps_min(steps: f64, batch: f64, b_crit: f64) -> f64 {
    steps / (1.0 + b_crit / batch)
}

/// C_min = C/(1 + B/B_crit), equation 5.5.
pub fn compute_min(flops: f64, batch: f64, b_crit: f64) -> f64 {
    flops / (1.0 + batch / b_crit)
}

/// The run with the same result at B = `ratio`·B_crit, equations 5.1, 5.4 and 5.5 turned round.
///
/// # Errors
/// When a number is not positive.
pub fn batch_trade(ratio: f64, b_crit: f64, steps_min: f64, c_min: f64) -> Result<BatchTrade, PlanError> {
    positive("the batch in multiples of B_crit", ratio)?;
    let steps = positive("S_min", steps_min)? * (1.0 + 1.0 / ratio);
    let batch_tokens = ratio * positive("B_crit", b_crit)?;
    Ok(BatchTrade {
        ratio,
        batch_tokens,
        steps,
        tokens: batch_tokens * steps,
        flops: positive("C_min", c_min)? * (1.0 + ratio),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_trade_at_the_critical_batch_doubles_steps_tokens_and_compute() {
        let trade = batch_trade(1.0, 1e6, 1e4, 6e19).unwrap();
        assert_eq!((trade.steps, trade.tokens, trade.flops), (2e4, 2e10, 1.2e20));
    }

    #[test]
    fn batch_trade_lies_on_the_hyperbola_and_inverts_the_adjustments() {
        for ratio in [0.1, 0.7, 5.0] {
            let t = batch_trade(ratio, 1e6, 1e4, 6e19).unwrap();
            let product = (t.steps / 1e4 - 1.0) * (t.tokens / 1e10 - 1.0);
            assert!((product - 1.0).abs() < 1e-12, "{product}");
            assert!((steps_min(t.steps, t.batch_tokens, 1e6) / 1e4 - 1.0).abs() < 1e-12);
            assert!((compute_min(t.flops, t.batch_tokens, 1e6) / 6e19 - 1.0).abs() < 1e-12);
        }
        assert!(batch_trade(0.0, 1e6, 1e4, 6e19).is_err());
    }
}
