//! L(N, S) = (N_c/N)^α_N + (S_c/S)^α_S: Kaplan et al. 2020, equation 1.6.

use crate::elementary::{exp, ln};
use crate::law::{Law, Param, Pars, Vars};
use std::borrow::Cow;

/// Learning curves: model size and updates, S being S_min where the batch is not far above critical.
#[derive(Clone, Copy, Debug)]
pub struct KaplanNs;

const PARAMS: &[Param] = &[
    Param::amplitude("N_c", "N_c"),
    Param::amplitude("S_c", "S_c"),
    Param::exponent("alpha_N", "\\alpha_N", "N", &[0.02, 0.04, 0.06, 0.08, 0.11, 0.15, 0.22, 0.35]),
    Param::exponent("alpha_S", "\\alpha_S", "S", &[0.15, 0.3, 0.45, 0.6, 0.8, 1.1, 1.6]),
];

impl Law for KaplanNs {
    fn name(&self) -> &str {
        "ns"
    }
    fn title(&self) -> &str {
        "Loss against model size and updates: learning curves"
    }
    fn equation(&self) -> String {
        "L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S".into()
    }
    fn latex(&self) -> String {
        "L(N, S) = \\left(\\frac{N_c}{N}\\right)^{\\alpha_N} + \\left(\\frac{S_c}{S}\\right)^{\\alpha_S}"
            .into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, equation 1.6"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N"), Cow::Borrowed("S")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [n_c, s_c, alpha_n, alpha_s] = p.values();
        let [ln_n_c, ln_s_c, ..]: [f64; 4] = p.logs();
        let [ln_n, ln_s] = x.logs();
        let (of_n, of_s) = (ln_n_c - ln_n, ln_s_c - ln_s);
        let model = exp(alpha_n * of_n);
        let steps = exp(alpha_s * of_s);
        g.copy_from_slice(&[model * alpha_n / n_c, steps * alpha_s / s_c, model * of_n, steps * of_s]);
        model + steps
    }

    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, g: &[f64], h: &mut [f64]) -> bool {
        let &[by_n_c, by_s_c, by_alpha_n, by_alpha_s] = g else { return false };
        let [n_c, s_c, alpha_n, alpha_s] = p.values();
        let [ln_n_c, ln_s_c, ..]: [f64; 4] = p.logs();
        let [ln_n, ln_s] = x.logs();
        // Of one term (c/x)^α: ∂²/∂c², ∂²/∂c∂α and ∂²/∂α².
        let term = |by_c: f64, by_alpha: f64, c: f64, alpha: f64, distance: f64| {
            [by_c * (alpha - 1.0) / c, by_c * (1.0 / alpha + distance), by_alpha * distance]
        };
        let [n_n, n_alpha, n_alphas] = term(by_n_c, by_alpha_n, n_c, alpha_n, ln_n_c - ln_n);
        let [s_s, s_alpha, s_alphas] = term(by_s_c, by_alpha_s, s_c, alpha_s, ln_s_c - ln_s);
        #[rustfmt::skip]
        h.copy_from_slice(&[
            // N_c, S_c, alpha_N,  alpha_S
            n_n, 0.0, n_alpha,  0.0,
            0.0, s_s, 0.0,      s_alpha,
            0.0, 0.0, n_alphas, 0.0,
            0.0, 0.0, 0.0,      s_alphas,
        ]);
        true
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        // Linear in N_c^α_N and S_c^α_S, whose basis functions are N^−α_N and S^−α_S.
        let &[_, _, alpha_n, alpha_s] = p else { return None };
        let [a, b] = crate::starts::amplitudes(data, |x| {
            let [ln_n, ln_s] = x.logs();
            [exp(-alpha_n * ln_n), exp(-alpha_s * ln_s)]
        })?;
        Some(vec![exp(ln(a) / alpha_n), exp(ln(b) / alpha_s), alpha_n, alpha_s])
    }
}
