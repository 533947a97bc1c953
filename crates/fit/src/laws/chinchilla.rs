//! L(N, D) = E + A/N^α + B/D^β: Hoffmann et al. 2022 (Chinchilla), equation 2.

use crate::elementary::exp;
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// Chinchilla's parametric law.
#[derive(Clone, Copy, Debug)]
pub struct Chinchilla;

const PARAMS: &[Param] = &[
    Param::amplitude("E", "E"),
    Param::amplitude("A", "A"),
    Param::amplitude("B", "B"),
    Param::shape("alpha", "\\alpha", Domain::Positive, EXPONENTS),
    Param::shape("beta", "\\beta", Domain::Positive, EXPONENTS),
];

impl Law for Chinchilla {
    fn name(&self) -> &str {
        "chinchilla"
    }
    fn equation(&self) -> String {
        "L(N, D) = E + A/N^alpha + B/D^beta".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = E + \\frac{A}{N^{\\alpha}} + \\frac{B}{D^{\\beta}}".into()
    }
    fn source(&self) -> &str {
        "Hoffmann et al. 2022, equation 2"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N"), Cow::Borrowed("D")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }
    fn linear(&self) -> &[usize] {
        &[0, 1, 2]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let n = exp(-p.value[3] * x.ln[0]);
        let d = exp(-p.value[4] * x.ln[1]);
        let (of_n, of_d) = (p.value[1] * n, p.value[2] * d);
        g[0] = 1.0;
        g[1] = n;
        g[2] = d;
        g[3] = -x.ln[0] * of_n;
        g[4] = -x.ln[1] * of_d;
        p.value[0] + of_n + of_d
    }

    fn hessian(&self, x: Vars<'_>, _: Pars<'_>, g: &[f64], h: &mut [f64]) -> bool {
        h.fill(0.0);
        // ∂²/∂A∂α = −ln N·N^−α; ∂²/∂α² = ln²N·A·N^−α; the same for the data term.
        h[8] = -x.ln[0] * g[1];
        h[18] = -x.ln[0] * g[3];
        h[14] = -x.ln[1] * g[2];
        h[24] = -x.ln[1] * g[4];
        true
    }
}
