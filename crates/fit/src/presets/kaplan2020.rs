//! The numbers that Kaplan et al. 2020 (arXiv 2001.08361) print, each written once: the presets, the report and the
//! comparisons read them from here.
//!
//! N counts non-embedding parameters, D distinct tokens, B tokens, S updates; C is 6N FLOPs per token, in PF-days.
//! The paper prints some numbers in two ways; each has a name of its own.

use super::rule::{KaplanConstants, Monomial};

/// L(x) = (scale/x)^exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// x at which the law gives one nat.
    pub scale: f64,
    /// Exponent.
    pub exponent: f64,
}

/// L(N): equation 1.1, Table 5.
pub const L_N: Power = Power { scale: 8.8e13, exponent: 0.076 };
/// L(D): equation 1.2, Table 5.
pub const L_D: Power = Power { scale: 5.4e13, exponent: 0.095 };
/// L(C) at the fixed batch: equation 3.3, Table 5.
pub const L_C: Power = Power { scale: 1.6e7, exponent: 0.057 };
/// L(C) with the scale of Figure 13.
pub const L_C_FIGURE_13: Power = Power { scale: 2.0e7, ..L_C };
/// L(C_min): equation 1.3, Table 5.
pub const L_C_MIN: Power = Power { scale: 3.1e8, exponent: 0.050 };
/// L(C_min) with the scale of Figures 1 and 13.
pub const L_C_MIN_FIGURE_1: Power = Power { scale: 2.3e8, ..L_C_MIN };
/// α_C^min as equation 6.4 prints its prediction; the printed exponents give .052.
pub const ALPHA_C_MIN_EQUATION_6_4: f64 = 0.054;
/// α_C^min as equation B.7 prints its prediction.
pub const ALPHA_C_MIN_EQUATION_B_7: f64 = 0.052;

/// Constants of L(N, D), equation 1.5.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // the paper's symbols
pub struct Joint {
    pub n_c: f64,
    pub d_c: f64,
    pub alpha_n: f64,
    pub alpha_d: f64,
}

/// L(N, D): Table 2.
pub const L_N_D: Joint = Joint { n_c: 6.4e13, d_c: 1.8e13, alpha_n: 0.076, alpha_d: 0.103 };

/// L(N, S_min) and B_crit(L): Tables 3 and 5.
pub const TRAINING: KaplanConstants =
    KaplanConstants { n_c: 6.5e13, alpha_n: 0.077, s_c: 2.1e3, alpha_s: 0.76, b_star: 2.1e8, alpha_b: 0.21 };
/// B* as equation 1.4 rounds it.
pub const B_STAR_EQUATION_1_4: f64 = 2e8;

/// Optimal N at C_min: Table 6.
pub const N_OPT: Monomial = Monomial::of_pf_days(1.3e9, 0.73);
/// Batch far below the critical one at C_min: Table 6.
pub const BATCH: Monomial = Monomial::of_pf_days(2.0e6, 0.24);
/// S_min at C_min: Table 6.
pub const STEPS: Monomial = Monomial::of_pf_days(5.4e3, 0.03);
/// Tokens of one epoch at C_min: Table 6.
pub const TOKENS: Monomial = Monomial::of_pf_days(2e10, 0.27);
/// The same tokens as equation 6.7 prints them, for a run at the critical batch.
pub const TOKENS_EQUATION_6_7: Monomial = Monomial::of_pf_days(4e10, 0.26);
/// Optimal N at C, at the fixed batch: Figure 14.
pub const N_OPT_NAIVE: Monomial = Monomial::of_pf_days(1.6e9, 0.88);

/// α_N/α_D as section 4.2 and Figure 9 print it.
pub const OVERFITTING_EXPONENT: f64 = 0.74;
