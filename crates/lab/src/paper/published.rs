//! The paper's laws with its constants, which are those of [`kaplan2020`]: no number of theirs is written twice.

use scalelaw_fit::laws::{KaplanNd, PowerLaw};
use scalelaw_fit::presets::kaplan2020::{Joint, L_N_D};
use scalelaw_fit::value;

/// Tokens an update of the paper's runs: 512 sequences of 1024 (section 2.2).
pub(super) const BATCH: f64 = 524_288.0;
/// N of the runs on subsets (Figures 4 and 9), non-embedding parameters.
pub(super) const SIZES: [f64; 6] = [393.2e3, 3e6, 25e6, 85e6, 302e6, 708e6];
/// D of those runs, tokens.
pub(super) const SUBSETS: [f64; 8] = [21e6, 43e6, 86e6, 172e6, 344e6, 688e6, 1.4e9, 22e9];

/// Equation 1.5 with Table 2.
pub(super) fn loss_n_d(n: f64, d: f64) -> f64 {
    let Joint { n_c, d_c, alpha_n, alpha_d } = L_N_D;
    value(&KaplanNd, &[n, d], &[n_c, d_c, alpha_n, alpha_d])
}

/// L(C_min) in PF-days with any C_c^min and exponent.
pub(super) fn loss_c_min(pf_days: f64, c_c: f64, alpha: f64) -> f64 {
    value(&PowerLaw::C_MIN, &[pf_days], &[c_c, alpha])
}

/// L(D) with any D_c and exponent.
pub(super) fn loss_d(d: f64, d_c: f64, alpha: f64) -> f64 {
    value(&PowerLaw::D, &[d], &[d_c, alpha])
}
