//! Joint laws of N and D that bend Chinchilla's: tied exponents, products, shifts, an outer power.

use crate::elementary::{exp, ln};
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

const N_AND_D: &[Cow<'static, str>] = &[Cow::Borrowed("N"), Cow::Borrowed("D")];

const E: Param = Param::amplitude("E", "E");
const A: Param = Param::amplitude("A", "A");
const B: Param = Param::amplitude("B", "B");
/// A coarser grid for laws with more shapes.
const FEW: &[f64] = &[0.08, 0.15, 0.25, 0.35, 0.5, 0.8];
const ALPHA: Param = Param::shape("alpha", "\\alpha", Domain::Positive, FEW);
const BETA: Param = Param::shape("beta", "\\beta", Domain::Positive, FEW);

/// E + A/N^α + B/D^α: Chinchilla's with one exponent.
#[derive(Clone, Copy, Debug)]
pub struct ChinchillaTied;

impl Law for ChinchillaTied {
    fn name(&self) -> &str {
        "chinchilla-tied"
    }
    fn equation(&self) -> String {
        "L(N, D) = E + A/N^alpha + B/D^alpha".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = E + \\frac{A}{N^{\\alpha}} + \\frac{B}{D^{\\alpha}}".into()
    }
    fn source(&self) -> &str {
        "Hoffmann et al. 2022 with alpha = beta; Muennighoff et al. 2023, appendix A"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        N_AND_D
    }
    fn params(&self) -> &[Param] {
        const { &[E, A, B, Param::shape("alpha", "\\alpha", Domain::Positive, EXPONENTS)] }
    }
    fn linear(&self) -> &[usize] {
        &[0, 1, 2]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        g[0] = 1.0;
        g[1] = exp(-p.value[3] * x.ln[0]);
        g[2] = exp(-p.value[3] * x.ln[1]);
        let (of_n, of_d) = (p.value[1] * g[1], p.value[2] * g[2]);
        g[3] = -x.ln[0] * of_n - x.ln[1] * of_d;
        p.value[0] + of_n + of_d
    }
}

/// E + A/(N^α·D^β).
#[derive(Clone, Copy, Debug)]
pub struct Multiplicative;

impl Law for Multiplicative {
    fn name(&self) -> &str {
        "multiplicative"
    }
    fn equation(&self) -> String {
        "L(N, D) = E + A/(N^alpha*D^beta)".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = E + \\frac{A}{N^{\\alpha} D^{\\beta}}".into()
    }
    fn source(&self) -> &str {
        "the multiplicative form of simple-scaling-laws 0.2.0; compare Zhang et al. 2024 (fine-tuning)"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        N_AND_D
    }
    fn params(&self) -> &[Param] {
        const { &[E, A, ALPHA, BETA] }
    }
    fn linear(&self) -> &[usize] {
        &[0, 1]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        g[0] = 1.0;
        g[1] = exp(-p.value[2] * x.ln[0] - p.value[3] * x.ln[1]);
        let term = p.value[1] * g[1];
        g[2] = -x.ln[0] * term;
        g[3] = -x.ln[1] * term;
        p.value[0] + term
    }
}

/// E + A/(N + N_0)^α + B/(D + D_0)^β: power laws that level off at small N and D.
#[derive(Clone, Copy, Debug)]
pub struct Shifted;

impl Law for Shifted {
    fn name(&self) -> &str {
        "shifted"
    }
    fn equation(&self) -> String {
        "L(N, D) = E + A/(N + N_0)^alpha + B/(D + D_0)^beta".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = E + \\frac{A}{(N + N_0)^{\\alpha}} + \\frac{B}{(D + D_0)^{\\beta}}".into()
    }
    fn source(&self) -> &str {
        "the shifted power law (Hestness et al. 2017's small-data region; simple-scaling-laws 0.2.0)"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        N_AND_D
    }
    fn params(&self) -> &[Param] {
        const {
            &[
                E,
                A,
                B,
                ALPHA,
                BETA,
                Param::shape("N_0", "N_0", Domain::Positive, &[1e5, 1e7]),
                Param::shape("D_0", "D_0", Domain::Positive, &[1e6, 1e8]),
            ]
        }
    }
    fn linear(&self) -> &[usize] {
        &[0, 1, 2]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let (n, d) = (x.value[0] + p.value[5], x.value[1] + p.value[6]);
        let (ln_n, ln_d) = (ln(n), ln(d));
        g[0] = 1.0;
        g[1] = exp(-p.value[3] * ln_n);
        g[2] = exp(-p.value[4] * ln_d);
        let (of_n, of_d) = (p.value[1] * g[1], p.value[2] * g[2]);
        g[3] = -ln_n * of_n;
        g[4] = -ln_d * of_d;
        g[5] = -p.value[3] * of_n / n;
        g[6] = -p.value[4] * of_d / d;
        p.value[0] + of_n + of_d
    }
}

/// E + (A·N^−α + B·D^−β)^k: k = 1 is Chinchilla's, β = 1 and E = 0 Kaplan's joint law.
#[derive(Clone, Copy, Debug)]
pub struct Skaling;

impl Law for Skaling {
    fn name(&self) -> &str {
        "skaling"
    }
    fn equation(&self) -> String {
        "L(N, D) = E + (A/N^alpha + B/D^beta)^k".into()
    }
    fn latex(&self) -> String {
        "L(N, D) = E + \\left(\\frac{A}{N^{\\alpha}} + \\frac{B}{D^{\\beta}}\\right)^{k}".into()
    }
    fn source(&self) -> &str {
        "Videau et al. 2026 (Skaling)"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        N_AND_D
    }
    fn params(&self) -> &[Param] {
        const {
            &[
                Param::shape("E", "E", Domain::Positive, &[0.3, 1.0, 1.8]),
                A,
                B,
                Param::shape("alpha", "\\alpha", Domain::Positive, &[0.2, 0.35, 0.6, 1.0]),
                Param::shape("beta", "\\beta", Domain::Positive, &[0.2, 0.35, 0.6, 1.0]),
                Param::shape("k", "k", Domain::Positive, &[0.3, 0.6, 1.0, 1.5]),
            ]
        }
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha, beta, k] =
            [p.value[0], p.value[1], p.value[2], p.value[3], p.value[4], p.value[5]];
        let (n, d) = (exp(-alpha * x.ln[0]), exp(-beta * x.ln[1]));
        let inner = a * n + b * d;
        let ln_inner = ln(inner);
        let outer = exp(k * ln_inner);
        let slope = k * outer / inner;
        g[0] = 1.0;
        g[1] = slope * n;
        g[2] = slope * d;
        g[3] = -slope * a * n * x.ln[0];
        g[4] = -slope * b * d * x.ln[1];
        g[5] = outer * ln_inner;
        e + outer
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        // (L − E)^(1/k) is linear in A and B; E must lie below every loss.
        let lowest = data.y().iter().copied().fold(f64::INFINITY, f64::min);
        let (e, k) = (p[0].min(0.9 * lowest), p[5]);
        let inner = data.transformed(|y| libm::pow(y - e, 1.0 / k));
        let [a, b] = crate::starts::amplitudes(&inner, |x| [exp(-p[3] * x.ln[0]), exp(-p[4] * x.ln[1])])?;
        Some(vec![e, a, b, p[3], p[4], k])
    }
}
