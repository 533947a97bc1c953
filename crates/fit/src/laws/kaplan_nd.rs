//! L(N, D) = [(N_c/N)^(α_N/α_D) + D_c/D]^α_D: Kaplan et al. 2020, equation 1.5.

use crate::data::Data;
use crate::elementary::{exp, ln};
use crate::law::{Law, Param, Pars, Vars};
use crate::starts::amplitudes;
use std::borrow::Cow;

/// The joint law of model and data size.
#[derive(Clone, Copy, Debug)]
pub struct KaplanNd;

const SHAPES: &[f64] = &[0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.45];

const PARAMS: &[Param] = &[
    Param::amplitude("N_c", "N_c"),
    Param::amplitude("D_c", "D_c"),
    Param::exponent("alpha_N", "\\alpha_N", "N", SHAPES),
    Param::exponent("alpha_D", "\\alpha_D", "D", SHAPES),
];

impl Law for KaplanNd {
    fn name(&self) -> &str {
        "nd"
    }
    fn title(&self) -> &str {
        "Loss against model and data size, early-stopped"
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
        let [n_c, d_c, alpha_n, alpha_d] = p.values();
        let [ln_n_c, ..]: [f64; 4] = p.logs();
        let ([_, d], [ln_n, _]) = (x.values(), x.logs());
        let distance = ln_n_c - ln_n;
        let model = exp(alpha_n / alpha_d * distance);
        let data = d_c / d;
        let sum = model + data;
        let ln_sum = ln(sum);
        let loss = exp(alpha_d * ln_sum);
        let share = model / sum;
        g.copy_from_slice(&[
            loss * share * alpha_n / n_c,
            loss * alpha_d * (1.0 - share) / d_c,
            loss * share * distance,
            loss * (ln_sum - share * distance * alpha_n / alpha_d),
        ]);
        loss
    }

    fn start(&self, p: &[f64], data: &Data) -> Option<Vec<f64>> {
        // L^(1/α_D) is linear in N_c^(α_N/α_D) and D_c.
        let &[_, _, alpha_n, alpha_d] = p else { return None };
        let ratio = alpha_n / alpha_d;
        let [model, d_c] = amplitudes(&data.transformed(|y| exp(ln(y) / alpha_d)), |x| {
            let ([ln_n, _], [_, d]) = (x.logs(), x.values());
            [exp(-ratio * ln_n), 1.0 / d]
        })?;
        Some(vec![exp(ln(model) / ratio), d_c, alpha_n, alpha_d])
    }
}
