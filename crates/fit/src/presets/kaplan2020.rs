//! The numbers that Kaplan et al. 2020 (arXiv 2001.08361) print, each written once: the presets, the report and the
//! comparisons read them from here.
//!
//! N counts non-embedding parameters, D distinct tokens, B tokens, S updates; C is 6N FLOPs per token, in PF-days.
//! The paper prints some numbers in two ways; each has a name of its own.

use super::rule::{KaplanConstants, Monomial};
use crate::plan::StoppingTrade;

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

/// −slope·ln(N/scale).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLine {
    /// Loss that a factor e of N takes off, in nats.
    pub slope: f64,
    /// N at which the loss would be 0.
    pub scale: f64,
}

/// L(N) as a logarithm, the rival that Figure 23 rejects.
pub const L_N_LOG_FIGURE_23: LogLine = LogLine { slope: 0.25, scale: 7.1e12 };
/// E, A and p of the loss E + A·T^(−p) at index T of the context, smallest to largest model: Figure 20.
pub const POSITIONS_FIGURE_20: [[f64; 3]; 6] = [
    [4.0, 3.2, 0.47],
    [3.4, 4.0, 0.56],
    [2.9, 4.5, 0.56],
    [2.7, 4.9, 0.60],
    [2.4, 5.1, 0.61],
    [2.3, 5.4, 0.62],
];

/// Excess over the converged loss at the optimum, about: section 6.1, Appendix B.2.
pub const EFFICIENT_EXCESS: f64 = 0.10;
/// Excess over the converged loss that is usual: Appendix B.4.
pub const TYPICAL_EXCESS: f64 = 0.02;
/// What stopping at the first instead of the second excess changes: equations B.12 to B.14.
pub const STOPPING_TRADE: StoppingTrade = StoppingTrade { n: 2.7, steps: 0.13, compute: 0.35 };
/// Sizes between which a model costs little more compute, as multiples of the optimal one: Figure 12.
pub const TOLERABLE_SIZES: [f64; 2] = [0.6, 2.2];
/// The compute that they cost at most, as a multiple of the least: Figure 12, Appendix B.4.
pub const TOLERABLE_COMPUTE: f64 = 1.2;

/// Where L(D) and L(C_min) cross, to a factor of ten: equation 6.8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakDown {
    /// log10 of C* in PF-days.
    pub log10_pf_days: i32,
    /// log10 of N*.
    pub log10_n: i32,
    /// log10 of D* in tokens.
    pub log10_d: i32,
    /// L* in nats per token.
    pub loss: f64,
}

/// Equation 6.8.
pub const BREAK_DOWN: BreakDown = BreakDown { log10_pf_days: 4, log10_n: 12, log10_d: 12, loss: 1.7 };

/// Spread of the loss between seeds, in nats: section 4.2.
pub const SEED_SPREAD_SECTION_4_2: f64 = 0.02;
/// The same of the 3M model of Figure 22.
pub const SEED_SPREAD_FIGURE_22: f64 = 0.05;
/// Lowest and highest loss of that model under any schedule: Figure 22.
pub const LOSSES_FIGURE_22: [f64; 2] = [3.65, 3.90];
