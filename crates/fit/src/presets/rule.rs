//! The kinds of published constants.

use crate::law::Law;
use crate::laws;
use crate::of_run::divides_budgets;
use scalelaw_core::PF_DAY;
use serde::Serialize;

/// coefficient · N^n · D^d · C^c, with C in `flops_unit` FLOPs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Monomial {
    /// Value where N, D and C are 1.
    pub coefficient: f64,
    /// Exponent of N.
    pub n: f64,
    /// Exponent of D in tokens.
    pub d: f64,
    /// Exponent of C.
    pub c: f64,
    /// What C is measured in, in FLOPs.
    pub flops_unit: f64,
}

impl Monomial {
    /// A power of C in FLOPs.
    pub const fn of_flops(coefficient: f64, c: f64) -> Self {
        Self { coefficient, n: 0.0, d: 0.0, c, flops_unit: 1.0 }
    }

    /// A power of C in PF-days.
    pub const fn of_pf_days(coefficient: f64, c: f64) -> Self {
        Self { coefficient, n: 0.0, d: 0.0, c, flops_unit: PF_DAY }
    }

    /// A product of powers of N and D.
    pub const fn of_n_d(coefficient: f64, n: f64, d: f64) -> Self {
        Self { coefficient, n, d, c: 0.0, flops_unit: 1.0 }
    }

    /// Its value.
    pub fn at(&self, n: f64, d: f64, flops: f64) -> f64 {
        let power = |x: f64, e: f64| if e == 0.0 { 0.0 } else { e * libm::log(x) };
        self.coefficient
            * libm::exp(power(n, self.n) + power(d, self.d) + power(flops / self.flops_unit, self.c))
    }
}

/// Constants of L(N, S_min) and B_crit(L): what Appendix B of Kaplan et al. 2020 plans with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, serde::Deserialize)]
#[allow(missing_docs)] // the paper's symbols
pub struct KaplanConstants {
    /// Non-embedding parameters.
    pub n_c: f64,
    pub alpha_n: f64,
    /// Steps.
    pub s_c: f64,
    pub alpha_s: f64,
    /// Tokens.
    pub b_star: f64,
    pub alpha_b: f64,
}

/// Optima as functions of the budget: no loss is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Frontier {
    /// Optimal model size in parameters; from `d` and C = 6·N·D when absent.
    pub n: Option<Monomial>,
    /// Optimal training tokens; from `n` and C = 6·N·D when absent.
    pub d: Option<Monomial>,
    /// Batch in tokens.
    pub batch: Option<Monomial>,
    /// Steps.
    pub steps: Option<Monomial>,
    /// Loss.
    pub loss: Option<Monomial>,
}

/// A rule for the peak learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LearningRate {
    /// A product of powers.
    Power(Monomial),
    /// .003239 − .0001395·ln N: Kaplan et al. 2020, equation D.1 (the logarithm must be natural).
    KaplanD1,
}

impl LearningRate {
    /// Peak learning rate; `None` where the rule gives none (D.1 reaches zero at N = 1.21e10).
    pub fn at(&self, n: f64, d: f64, flops: f64) -> Option<f64> {
        let lr = match self {
            Self::Power(power) => power.at(n, d, flops),
            Self::KaplanD1 => 0.003239 - 0.0001395 * libm::log(n),
        };
        (lr > 0.0).then_some(lr)
    }
}

/// Rules for what a run is trained with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HyperParameters {
    /// Peak learning rate.
    pub lr: Option<LearningRate>,
    /// Batch in tokens.
    pub batch: Option<Monomial>,
}

/// What the constants of a preset are constants of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A law of the registry with its constants.
    Law {
        /// Name in the registry.
        law: &'static str,
        /// Constants in the law's order.
        constants: &'static [(&'static str, f64)],
    },
    /// L(N, S_min) with B_crit(L).
    Kaplan(KaplanConstants),
    /// B_crit(L) = b_star / L^(1/alpha_b) alone.
    CriticalBatch {
        /// Tokens.
        b_star: f64,
        /// α_B.
        alpha_b: f64,
    },
    /// Optima as functions of the budget.
    Frontier(Frontier),
    /// Training tokens for each model size: (N, D) pairs, straight in logarithms between them.
    Tokens(&'static [(f64, f64)]),
    /// A constant number of training tokens per parameter.
    TokensPerParam(f64),
    /// Exponents of N_opt and D_opt in C; without a coefficient nothing can be planned.
    Exponents {
        /// N ∝ C^n.
        n: f64,
        /// D ∝ C^d.
        d: f64,
    },
    /// Learning rate and batch.
    HyperParameters(HyperParameters),
}

impl Rule {
    /// The registry's law and its constants, where the rule is one.
    pub fn law(&self) -> Option<(Box<dyn Law>, Vec<f64>)> {
        match self {
            Self::Law { law, constants } => {
                laws::by_name(law).ok().map(|l| (l, constants.iter().map(|(_, v)| *v).collect()))
            }
            _ => None,
        }
    }

    /// What it can answer.
    pub fn answers(&self) -> &'static [Answer] {
        match self {
            Self::Law { .. } if self.law().is_some_and(|(law, _)| divides_budgets(law.as_ref())) => {
                &[Answer::Plan, Answer::Loss]
            }
            Self::Law { .. } => &[Answer::Loss],
            Self::Kaplan(_) => &[Answer::Plan, Answer::Loss, Answer::Batch],
            Self::CriticalBatch { .. } => &[Answer::CriticalBatch],
            Self::Frontier(_) | Self::Tokens(_) | Self::TokensPerParam(_) => &[Answer::Plan],
            Self::Exponents { .. } => &[Answer::Exponents],
            Self::HyperParameters(_) => &[Answer::LearningRate, Answer::Batch],
        }
    }
}

/// A question that a preset can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// N and D for a budget.
    Plan,
    /// The loss at a point.
    Loss,
    /// The batch size.
    Batch,
    /// The critical batch size at a loss.
    CriticalBatch,
    /// The peak learning rate.
    LearningRate,
    /// Exponents of the optima, without their coefficients.
    Exponents,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Plan => "plan",
            Self::Loss => "loss",
            Self::Batch => "batch",
            Self::CriticalBatch => "critical batch",
            Self::LearningRate => "lr",
            Self::Exponents => "exponents",
        })
    }
}
