//! Appendix B of Kaplan et al. 2020: the optimum of L(N, S_min) with B_crit(L), in closed form and solved
//! numerically, and what departures from it cost.
//!
//! C is C_min, in FLOPs: 6·N·B_crit·S_min, what training costs far below the critical batch. A run at
//! B = B_crit takes twice the steps and twice the compute: see [`super::batch`].

use super::error::{PlanError, positive};
use super::search::{Lowest, crossing, lowest};
use crate::law::value;
use crate::laws::{CriticalBatch, KaplanNs, PowerLaw};
use crate::presets::KaplanConstants;

/// The optimum at a budget.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct KaplanOptimum {
    /// Non-embedding parameters.
    pub n: f64,
    /// Minimal steps, S_min.
    pub steps_min: f64,
    /// Critical batch at the final loss, tokens.
    pub b_crit: f64,
    /// Tokens processed, B_crit·S_min.
    pub tokens_min: f64,
    /// Loss, nats per token.
    pub loss: f64,
}

impl KaplanConstants {
    /// L(N, ∞) = (N_c/N)^α_N: the loss after endless training.
    pub fn converged(&self, n: f64) -> f64 {
        value(&PowerLaw::N, &[n], &[self.n_c, self.alpha_n])
    }

    /// L(N, S_min), equation 1.6.
    pub fn loss(&self, n: f64, steps_min: f64) -> f64 {
        value(&KaplanNs, &[n, steps_min], &[self.n_c, self.s_c, self.alpha_n, self.alpha_s])
    }

    /// B_crit(L) = B*/L^(1/α_B) in tokens, equation 1.4.
    pub fn b_crit(&self, loss: f64) -> f64 {
        value(&CriticalBatch, &[loss], &[self.b_star, self.alpha_b])
    }

    /// α_C^min = 1/(1/α_S + 1/α_B + 1/α_N), equations 1.8 and B.7.
    pub fn alpha_c(&self) -> f64 {
        1.0 / (1.0 / self.alpha_s + 1.0 / self.alpha_b + 1.0 / self.alpha_n)
    }

    /// C_c in FLOPs, equation B.8.
    pub fn c_c(&self) -> f64 {
        let (an, as_) = (self.alpha_n, self.alpha_s);
        6.0 * self.n_c
            * self.b_star
            * self.s_c
            * power(1.0 + an / as_, 1.0 / as_ + 1.0 / an)
            * power(as_ / an, 1.0 / as_)
    }

    /// The optimum in closed form, equations B.6, B.9 and B.10.
    ///
    /// # Errors
    /// When the budget is not a positive number.
    pub fn optimum(&self, c_min: f64) -> Result<KaplanOptimum, PlanError> {
        let share = positive("the budget in FLOPs", c_min)? / self.c_c();
        let (ac, spread) = (self.alpha_c(), 1.0 + self.alpha_n / self.alpha_s);
        let loss = power(share, -ac);
        let n = self.n_c * power(share, ac / self.alpha_n) * power(spread, 1.0 / self.alpha_n);
        let steps_min = self.c_c() / (6.0 * self.n_c * self.b_star)
            * power(spread, -1.0 / self.alpha_n)
            * power(share, ac / self.alpha_s);
        let b_crit = self.b_crit(loss);
        Ok(KaplanOptimum { n, steps_min, b_crit, tokens_min: b_crit * steps_min, loss })
    }

    /// The loss of a model of `n` parameters at C_min: equation B.3 solved for L.
    ///
    /// # Errors
    /// When no loss satisfies it.
    pub fn loss_at(&self, n: f64, c_min: f64) -> Result<f64, PlanError> {
        let missing = |ln_l: f64| {
            let loss = libm::exp(ln_l);
            loss - self.loss(n, c_min / (6.0 * n * self.b_crit(loss)))
        };
        crossing(&missing, libm::log(self.converged(n)), 100.0)
            .map(libm::exp)
            .ok_or(PlanError::NoLossAt { n, c_min })
    }

    /// The optimum by minimising [`Self::loss_at`] over N: equations B.3 and B.4.
    ///
    /// # Errors
    /// When there is no minimum between one parameter and 1e30.
    pub fn optimum_numeric(&self, c_min: f64) -> Result<KaplanOptimum, PlanError> {
        positive("the budget in FLOPs", c_min)?;
        let loss_of = |ln_n: f64| self.loss_at(libm::exp(ln_n), c_min).unwrap_or(f64::INFINITY);
        let Lowest::Inside(ln_n, loss) = lowest(&loss_of, 0.0, libm::log(1e30)) else {
            return Err(PlanError::NoSize { name: "Appendix B".into(), flops: c_min });
        };
        let (n, b_crit) = (libm::exp(ln_n), self.b_crit(loss));
        let tokens_min = c_min / (6.0 * n);
        Ok(KaplanOptimum { n, steps_min: tokens_min / b_crit, b_crit, tokens_min, loss })
    }

    /// C_min that brings a model of `n` parameters to `loss`, equation B.15.
    ///
    /// # Errors
    /// When the model never gets there.
    pub fn compute_for(&self, n: f64, loss: f64) -> Result<f64, PlanError> {
        let gap = loss - self.converged(n);
        if gap <= 0.0 {
            return Err(PlanError::NeverReaches { n, loss, converged: self.converged(n) });
        }
        Ok(6.0 * self.b_crit(loss) * self.s_c * n * power(gap, -1.0 / self.alpha_s))
    }

    /// C_min that the optimal model needs for `loss`: [`Self::optimum`] turned round.
    pub fn cheapest_for(&self, loss: f64) -> f64 {
        self.c_c() * power(loss, -1.0 / self.alpha_c())
    }

    /// f = α_N/α_S: how far above its converged loss, relatively, the optimal model stops (B.5, B.11).
    pub fn efficient_f(&self) -> f64 {
        self.alpha_n / self.alpha_s
    }

    /// What reaching the same loss costs with models trained to (1+f)·L(N, ∞) instead of (1+f')·L(N, ∞).
    pub fn stopping(&self, f: f64, other: f64) -> StoppingTrade {
        let n = power((1.0 + f) / (1.0 + other), 1.0 / self.alpha_n);
        let steps = power((1.0 + 1.0 / f) / (1.0 + 1.0 / other), 1.0 / self.alpha_s);
        StoppingTrade { n, steps, compute: n * steps }
    }

    /// Cost of a model x times the optimal size for the same loss; `None` where it never gets there.
    pub fn wrong_size(&self, x: f64) -> Option<WrongSize> {
        let bracket = 1.0 + self.alpha_s / self.alpha_n * (1.0 - power(x, -self.alpha_n));
        (bracket > 0.0).then(|| {
            let steps = power(bracket, -1.0 / self.alpha_s);
            WrongSize { x, compute: x * steps, steps }
        })
    }

    /// The smallest x of [`Self::wrong_size`] that reaches the loss at all.
    pub fn smallest_size(&self) -> f64 {
        power(1.0 + self.alpha_n / self.alpha_s, -1.0 / self.alpha_n)
    }

    /// The two sizes, in multiples of the optimal one, that cost `factor` times the least compute (above 1).
    pub fn sizes_costing(&self, factor: f64) -> Option<[f64; 2]> {
        let excess =
            |ln_x: f64| self.wrong_size(libm::exp(ln_x)).map_or(f64::INFINITY, |w| w.compute) - factor;
        let smaller = crossing(&|ln_x| -excess(ln_x), libm::log(self.smallest_size()) + 1e-9, 0.0)?;
        let larger = crossing(&excess, 0.0, 40.0)?;
        Some([libm::exp(smaller), libm::exp(larger)])
    }

    /// Lower bound of the step at which a run on D tokens should stop, equation 5.7.
    pub fn stop_step(&self, loss_n_d: f64, loss_n_infinite: f64) -> f64 {
        self.s_c * power(loss_n_d - loss_n_infinite, -1.0 / self.alpha_s)
    }
}

/// Ratios of equations B.12 to B.14.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct StoppingTrade {
    /// N_f/N_f'.
    pub n: f64,
    /// S_f/S_f'.
    pub steps: f64,
    /// C_f/C_f'.
    pub compute: f64,
}

/// Ratios to the optimum of equations B.16 and B.17.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct WrongSize {
    /// N/N_eff.
    pub x: f64,
    /// C/C_eff.
    pub compute: f64,
    /// S/S_eff.
    pub steps: f64,
}

fn power(x: f64, exponent: f64) -> f64 {
    libm::pow(x, exponent)
}
