//! L(N, D) = [(N_c/N)^(α_N/α_D) + D_c/D]^α_D: Kaplan et al. 2020, equation 1.5.

use crate::data::Data;
use crate::elementary::{exp, ln};
use crate::law::{Domain, Law, Param, Pars, Vars};
use crate::starts::amplitudes;
use std::borrow::Cow;

/// The joint law of model and data size.
#[derive(Clone, Copy, Debug)]
pub struct KaplanNd;

const SHAPES: &[f64] = &[0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.45];

const PARAMS: &[Param] = &[
    Param::amplitude("N_c", "N_c"),
    Param::amplitude("D_c", "D_c"),
    Param::shape("alpha_N", "\\alpha_N", Domain::Positive, SHAPES),
    Param::shape("alpha_D", "\\alpha_D", Domain::Positive, SHAPES),
];

impl Law for KaplanNd {
    fn name(&self) -> &str {
        "nd"
    }
    fn equation(&self) -> String {
        "L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = \\left[\\left(\\frac{N_c}{N}\\right)^{\\alpha_N/\\alpha_D} + \\frac{D_c}{D}\\right]^{\\alpha_D}".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, equation 1.5"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N"), Cow::Borrowed("D")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [n_c, d_c, alpha_n, alpha_d] = [p.value[0], p.value[1], p.value[2], p.value[3]];
        let distance = p.ln[0] - x.ln[0];
        let model = exp(alpha_n / alpha_d * distance);
        let data = d_c / x.value[1];
        let sum = model + data;
        let ln_sum = ln(sum);
        let loss = exp(alpha_d * ln_sum);
        let share = model / sum;
        g[0] = loss * share * alpha_n / n_c;
        g[1] = loss * alpha_d * (1.0 - share) / d_c;
        g[2] = loss * share * distance;
        g[3] = loss * (ln_sum - share * distance * alpha_n / alpha_d);
        loss
    }

    fn start(&self, p: &[f64], data: &Data) -> Option<Vec<f64>> {
        // L^(1/α_D) is linear in N_c^(α_N/α_D) and D_c.
        let (alpha_n, alpha_d) = (p[2], p[3]);
        let ratio = alpha_n / alpha_d;
        let [model, d_c] = amplitudes(&data.transformed(|y| exp(ln(y) / alpha_d)), |x| {
            [exp(-ratio * x.ln[0]), 1.0 / x.value[1]]
        })?;
        Some(vec![exp(ln(model) / ratio), d_c, alpha_n, alpha_d])
    }
}
