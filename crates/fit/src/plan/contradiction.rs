//! Where Kaplan et al.'s laws contradict each other: section 6.3, Figure 15.
//!
//! Compute-efficient training uses data that grow as C^p; L(D) of those data falls slower than L(C_min), so
//! the two must cross, and one law must fail before.

use super::error::{PlanError, positive};
use crate::law::value;
use crate::laws::PowerLaw;
use crate::presets::Monomial;
use crate::presets::kaplan2020::{self, Joint, Power};
use scalelaw_core::PF_DAY;
use serde::Serialize;

/// Constants of the two laws and of the data that efficient training uses. C in PF-days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claims {
    /// What varies from the paper's best match, in words.
    pub variant: String,
    /// C_c^min in PF-days.
    pub c_c: f64,
    /// α_C^min.
    pub alpha_c: f64,
    /// Tokens at one PF-day.
    pub d_0: f64,
    /// Exponent of those tokens.
    pub p: f64,
    /// D_c in tokens.
    pub d_c: f64,
    /// α_D.
    pub alpha_d: f64,
    /// Optimal N at one PF-day.
    pub n_0: f64,
    /// Its exponent.
    pub p_n: f64,
}

/// Where they cross.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossing {
    /// The claims.
    pub claims: Claims,
    /// C* in PF-days.
    pub pf_days: f64,
    /// C* in FLOPs.
    pub flops: f64,
    /// L* in nats per token.
    pub loss: f64,
    /// D* in tokens.
    pub d: f64,
    /// N*.
    pub n: f64,
}

impl Claims {
    /// Tables 5 and 6 with Figure 1's C_c^min: the closest to equation 6.8.
    pub fn paper() -> Self {
        let Power { scale, exponent } = kaplan2020::L_C_MIN_FIGURE_1;
        Self {
            variant: format!("Table 6 data, C_c^min {scale:e} (Figure 1): closest to equation 6.8"),
            c_c: scale,
            alpha_c: exponent,
            d_0: kaplan2020::TOKENS.coefficient,
            p: kaplan2020::TOKENS.c,
            d_c: kaplan2020::L_D.scale,
            alpha_d: kaplan2020::L_D.exponent,
            n_0: kaplan2020::N_OPT.coefficient,
            p_n: kaplan2020::N_OPT.c,
        }
    }

    /// Solves (D_c/(D_0·C^p))^α_D = (C_c/C)^α_C.
    ///
    /// # Errors
    /// When the exponents never cross (α_C ≤ p·α_D).
    pub fn crossing(self) -> Result<Crossing, PlanError> {
        positive("alpha_C - p * alpha_D", self.alpha_c - self.p * self.alpha_d)?;
        let ln_c = (self.alpha_c * libm::log(self.c_c) - self.alpha_d * libm::log(self.d_c / self.d_0))
            / (self.alpha_c - self.p * self.alpha_d);
        let pf_days = libm::exp(ln_c);
        Ok(Crossing {
            pf_days,
            flops: pf_days * PF_DAY,
            loss: value(&PowerLaw::C_MIN, &[pf_days], &[self.c_c, self.alpha_c]),
            d: self.d_0 * libm::pow(pf_days, self.p),
            n: self.n_0 * libm::pow(pf_days, self.p_n),
            claims: self,
        })
    }
}

/// The crossing under every number the paper prints for its parts: no single one is the answer.
pub fn sensitivity() -> Vec<Crossing> {
    let base = Claims::paper();
    let c_c = kaplan2020::L_C_MIN.scale;
    let text = Claims { c_c, ..base.clone() };
    let Monomial { coefficient: d_0, c: p, .. } = kaplan2020::TOKENS_EQUATION_6_7;
    let equation_6_7 = |claims: &Claims| Claims { d_0, p, ..claims.clone() };
    let Joint { d_c, alpha_d, .. } = kaplan2020::L_N_D;
    let table_2 = |claims: &Claims| Claims { d_c, alpha_d, ..claims.clone() };
    let exponent = |alpha_c: f64, equation: &str| Claims {
        variant: format!("alpha_C {} ({equation})", bare(alpha_c)),
        alpha_c,
        ..base.clone()
    };
    let named = |variant: String, claims: Claims| Claims { variant, ..claims };
    let n_0 = kaplan2020::N_OPT.coefficient;
    [
        base.clone(),
        // 2·1 PF-day/(6·N_opt), in two digits.
        named(format!("C_c^min {c_c:e} (text), data 2C/(6·{n_0:e})"), Claims { d_0: 2.2e10, ..text.clone() }),
        named(
            format!("equation 6.7 as printed: {d_0:e}·C^{}, C_c^min {c_c:e}", bare(p)),
            equation_6_7(&text),
        ),
        named(format!("C_c^min {c_c:e} (text), Table 6 data"), text.clone()),
        named(format!("L(D) by Table 2: D_c {d_c:e}, alpha_D {}", bare(alpha_d)), table_2(&base)),
        named(format!("L(D) by Table 2, C_c^min {c_c:e}, equation 6.7"), table_2(&equation_6_7(&text))),
        exponent(kaplan2020::ALPHA_C_MIN_EQUATION_B_7, "equation B.7"),
        exponent(kaplan2020::ALPHA_C_MIN_EQUATION_6_4, "equation 6.4"),
    ]
    .into_iter()
    .filter_map(|claims| claims.crossing().ok())
    .collect()
}

/// An exponent as the paper's readers quote it: `.26`.
fn bare(exponent: f64) -> String {
    let text = exponent.to_string();
    text.strip_prefix('0').map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossing_of_printed_variants_matches_the_reference_sheet() {
        // paper.md section 5.8: C* in PF-days, L*, D*, N*.
        let rows = sensitivity();
        for (row, c, l, d, n) in [
            (0, 6.1e3, 1.69, 2.1e11, 7.5e11),
            (1, 1.6e4, 1.64, 3.0e11, 1.5e12),
            (2, 1.1e5, 1.49, 8.1e11, 6.1e12),
        ] {
            let got = &rows[row];
            for (what, got, want, tolerance) in [
                ("C", got.pf_days, c, 0.04),
                ("L", got.loss, l, 0.005),
                ("D", got.d, d, 0.03),
                ("N", got.n, n, 0.03),
            ] {
                assert!((got / want - 1.0).abs() < tolerance, "row {row} {what}: {got:e}, expected {want:e}");
            }
        }
        // Table 2's L(D) moves it to 1e5 to 3e6.
        assert!((0.9e5..3.3e6).contains(&rows[4].pf_days), "{:e}", rows[4].pf_days);
        assert!((0.9e5..3.3e6).contains(&rows[5].pf_days), "{:e}", rows[5].pf_days);
    }

    #[test]
    fn crossing_of_laws_that_never_meet_is_refused() {
        assert!(Claims { alpha_c: 0.01, ..Claims::paper() }.crossing().is_err());
    }
}
