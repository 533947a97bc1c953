//! How much data a model needs, whatever the loss law of N and D.

use super::error::{PlanError, positive};
use super::search::crossing;

/// Tokens that stand for "infinite data": no published law's data term is above 1e-9 there.
const ENDLESS: f64 = 1e150;

/// δL = L(N, D)/L(N, ∞) − 1: the relative excess of the loss on limited data.
///
/// # Source
/// Kaplan et al. 2020, equation 4.2.
pub fn overfit(loss: &dyn Fn(f64, f64) -> f64, n: f64, d: f64) -> f64 {
    loss(n, d) / loss(n, ENDLESS) - 1.0
}

/// The least D for which [`overfit`] is at most `delta`: equation 4.4 for any law.
///
/// # Errors
/// When no number of tokens does.
pub fn tokens_needed(loss: &dyn Fn(f64, f64) -> f64, n: f64, delta: f64) -> Result<f64, PlanError> {
    positive("N", n)?;
    positive("the tolerated excess of the loss", delta)?;
    crossing(&|ln_d| delta - overfit(loss, n, libm::exp(ln_d)), 0.0, libm::log(ENDLESS))
        .map(libm::exp)
        .ok_or(PlanError::NoAmountOfData { n, delta })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::value;
    use crate::laws::KaplanNd;
    use crate::presets::kaplan2020::{Joint, L_N_D};

    /// Table 2.
    fn kaplan(n: f64, d: f64) -> f64 {
        let Joint { n_c, d_c, alpha_n, alpha_d } = L_N_D;
        value(&KaplanNd, &[n, d], &[n_c, d_c, alpha_n, alpha_d])
    }

    #[test]
    fn tokens_needed_under_table_2_is_5500_n_to_the_738() {
        // paper.md, equation 4.4: T2 constants give 5.5e3·N^.738; 2.3e10 tokens at N = 1e9 by 5e3·N^.74.
        for n in [1e6, 1e9, 1e11] {
            let d = tokens_needed(&kaplan, n, 0.02).unwrap();
            assert!((d / (5.5e3 * libm::pow(n, 0.738)) - 1.0).abs() < 0.02, "{n:e}: {d:e}");
        }
        let ratio = tokens_needed(&kaplan, 8e8, 0.02).unwrap() / tokens_needed(&kaplan, 1e8, 0.02).unwrap();
        assert!((ratio - 4.66).abs() < 0.03, "8x N needs {ratio}x D");
    }

    #[test]
    fn overfit_equals_equation_4_3() {
        let (n, d): (f64, f64) = (1e8, 1e9);
        let equation = libm::pow(1.0 + libm::pow(n / 6.4e13, 0.076 / 0.103) * 1.8e13 / d, 0.103) - 1.0;
        assert!((overfit(&kaplan, n, d) - equation).abs() < 1e-12);
    }

    #[test]
    fn tokens_needed_is_the_inverse_of_overfit() {
        let d = tokens_needed(&kaplan, 3e7, 0.05).unwrap();
        assert!((overfit(&kaplan, 3e7, d) - 0.05).abs() < 1e-9);
        assert!(tokens_needed(&kaplan, 3e7, 0.0).is_err());
    }
}
