//! L(N, S) = (N_c/N)^α_N + (S_c/S)^α_S: Kaplan et al. 2020, equation 1.6.

use crate::elementary::{exp, ln};
use crate::law::{Domain, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// Learning curves: model size and updates, S being S_min where the batch is not far above critical.
#[derive(Clone, Copy, Debug)]
pub struct KaplanNs;

const PARAMS: &[Param] = &[
    Param::amplitude("N_c", "N_c"),
    Param::amplitude("S_c", "S_c"),
    Param::shape("alpha_N", "\\alpha_N", Domain::Positive, &[0.02, 0.04, 0.06, 0.08, 0.11, 0.15, 0.22, 0.35]),
    Param::shape("alpha_S", "\\alpha_S", Domain::Positive, &[0.15, 0.3, 0.45, 0.6, 0.8, 1.1, 1.6]),
];

impl Law for KaplanNs {
    fn name(&self) -> &str {
        "ns"
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
        let (of_n, of_s) = (p.ln[0] - x.ln[0], p.ln[1] - x.ln[1]);
        let model = exp(p.value[2] * of_n);
        let steps = exp(p.value[3] * of_s);
        g[0] = model * p.value[2] / p.value[0];
        g[1] = steps * p.value[3] / p.value[1];
        g[2] = model * of_n;
        g[3] = steps * of_s;
        model + steps
    }

    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, g: &[f64], h: &mut [f64]) -> bool {
        h.fill(0.0);
        for (scale, exponent) in [(0, 2), (1, 3)] {
            let (c, alpha) = (p.value[scale], p.value[exponent]);
            let distance = p.ln[scale] - x.ln[scale];
            h[scale * 4 + scale] = g[scale] * (alpha - 1.0) / c;
            h[scale * 4 + exponent] = g[scale] * (1.0 / alpha + distance);
            h[exponent * 4 + exponent] = g[exponent] * distance;
        }
        true
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        // Linear in N_c^α_N and S_c^α_S, whose basis functions are N^−α_N and S^−α_S.
        let (alpha_n, alpha_s) = (p[2], p[3]);
        let [a, b] = crate::starts::amplitudes(data, |x| [exp(-alpha_n * x.ln[0]), exp(-alpha_s * x.ln[1])])?;
        Some(vec![exp(ln(a) / alpha_n), exp(ln(b) / alpha_s), alpha_n, alpha_s])
    }
}
