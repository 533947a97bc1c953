//! L(N, D) = E + A/N^α + B/D^β: Hoffmann et al. 2022 (Chinchilla), equation 2.

use crate::elementary::exp;
use crate::law::{EXPONENTS, Law, Param, Pars, Vars, value};
use crate::plan::{Allocation, ClosedFormOptimum};
use std::borrow::Cow;

/// Chinchilla's parametric law.
#[derive(Clone, Copy, Debug)]
pub struct Chinchilla;

const PARAMS: &[Param] = &[
    Param::linear("E", "E"),
    Param::linear("A", "A"),
    Param::linear("B", "B"),
    Param::exponent("alpha", "\\alpha", "N", EXPONENTS),
    Param::exponent("beta", "\\beta", "D", EXPONENTS),
];

impl Law for Chinchilla {
    fn name(&self) -> &str {
        "chinchilla"
    }
    fn title(&self) -> &str {
        "Loss against model and data size, above an irreducible loss"
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

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha, beta] = p.values();
        let [ln_n, ln_d] = x.logs();
        let (n, d) = (exp(-alpha * ln_n), exp(-beta * ln_d));
        let (of_n, of_d) = (a * n, b * d);
        g.copy_from_slice(&[1.0, n, d, -ln_n * of_n, -ln_d * of_d]);
        e + of_n + of_d
    }

    fn hessian(&self, x: Vars<'_>, _: Pars<'_>, g: &[f64], h: &mut [f64]) -> bool {
        let &[_, by_a, by_b, by_alpha, by_beta] = g else { return false };
        let [ln_n, ln_d] = x.logs();
        // ∂²/∂A∂α = −ln N·N^−α; ∂²/∂α² = ln²N·A·N^−α; the same for the data term. Upper triangle.
        let (a_alpha, alpha_alpha) = (-ln_n * by_a, -ln_n * by_alpha);
        let (b_beta, beta_beta) = (-ln_d * by_b, -ln_d * by_beta);
        #[rustfmt::skip]
        h.copy_from_slice(&[
            // E,  A,   B,   alpha,       beta
            0.0, 0.0, 0.0, 0.0,         0.0,
            0.0, 0.0, 0.0, a_alpha,     0.0,
            0.0, 0.0, 0.0, 0.0,         b_beta,
            0.0, 0.0, 0.0, alpha_alpha, 0.0,
            0.0, 0.0, 0.0, 0.0,         beta_beta,
        ]);
        true
    }

    fn closed_form_optimum(&self) -> Option<&dyn ClosedFormOptimum> {
        Some(self)
    }
}

/// N = G·(C/6)^(β/(α+β)), D = (C/6)/N, G = (αA/βB)^(1/(α+β)): Hoffmann et al. 2022, equation 4.
impl ClosedFormOptimum for Chinchilla {
    fn optimum(&self, constants: &[f64], flops: f64) -> Allocation {
        let [_, a, b, alpha, beta] = Pars { value: constants, ln: &[] }.values();
        let g = libm::pow(alpha * a / (beta * b), 1.0 / (alpha + beta));
        let n = g * libm::pow(flops / 6.0, beta / (alpha + beta));
        let d = flops / 6.0 / n;
        Allocation { n, d, loss: value(self, &[n, d], constants) }
    }
}
