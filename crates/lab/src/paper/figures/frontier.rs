//! Figures 3 and 15 with the frontier of a study's own runs.

use super::{BudgetRise, Contradiction};
use crate::paper::fits::Fits;
use scalelaw_fit::chain::Section;
use scalelaw_fit::plan::contradiction::Claims;

/// A constant of the adjusted frontier.
fn frontier(fits: &Fits, name: &str) -> Option<f64> {
    fits.chain.as_ref().ok()?.constant(Section::AdjustedFrontier, name).map(|c| c.value)
}

pub(super) fn budget_rise(fits: &Fits) -> Option<BudgetRise> {
    let [Some(s), Some(b), Some(n)] = ["p_S", "p_B", "p_N"].map(|name| frontier(fits, name)) else {
        return None;
    };
    Some(BudgetRise::new([s, b, n]))
}

pub(super) fn contradiction(fits: &Fits) -> Option<Contradiction> {
    let d = &fits.d.as_ref().ok()?.law;
    let claims = Claims {
        variant: "these runs".into(),
        c_c: frontier(fits, "C_c_min")?,
        alpha_c: frontier(fits, "alpha_C_min")?,
        d_0: frontier(fits, "D_e")?,
        p: frontier(fits, "p_D")?,
        d_c: d.param("D_c")?,
        alpha_d: d.param("alpha_D")?,
        n_0: frontier(fits, "N_e")?,
        p_n: frontier(fits, "p_N")?,
    };
    let crossing = claims.clone().crossing().ok();
    let span = crossing.as_ref().map_or((1e-11, 1e7), |at| {
        ((at.pf_days / 100.0).clamp(1e-30, 1e-11), (at.pf_days * 100.0).clamp(1e-6, 1e30))
    });
    let tokens = |c: f64| claims.d_0 * libm::pow(c, claims.p);
    Some(Contradiction::new(&claims, span, tokens, crossing.into_iter().collect()))
}
