//! Joint laws of N and D that bend Chinchilla's: tied exponents, products, shifts, an outer power.

use crate::elementary::{exp, ln};
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

const N_AND_D: &[Cow<'static, str>] = &[Cow::Borrowed("N"), Cow::Borrowed("D")];

const E: Param = Param::linear("E", "E");
const A: Param = Param::linear("A", "A");
const B: Param = Param::linear("B", "B");
/// A coarser grid for laws with more shapes.
const FEW: &[f64] = &[0.08, 0.15, 0.25, 0.35, 0.5, 0.8];
const ALPHA: Param = Param::exponent("alpha", "\\alpha", "N", FEW);
const BETA: Param = Param::exponent("beta", "\\beta", "D", FEW);

/// E + A/N^α + B/D^α: Chinchilla's with one exponent.
#[derive(Clone, Copy, Debug)]
pub struct ChinchillaTied;

impl Law for ChinchillaTied {
    fn name(&self) -> &str {
        "chinchilla-tied"
    }
    fn title(&self) -> &str {
        "Chinchilla's law with one exponent for N and D"
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
        const { &[E, A, B, Param::exponent("alpha", "\\alpha", "N", EXPONENTS)] }
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha] = p.values();
        let [ln_n, ln_d] = x.logs();
        let (n, d) = (exp(-alpha * ln_n), exp(-alpha * ln_d));
        let (of_n, of_d) = (a * n, b * d);
        g.copy_from_slice(&[1.0, n, d, -ln_n * of_n - ln_d * of_d]);
        e + of_n + of_d
    }
}

/// E + A/(N^α·D^β).
#[derive(Clone, Copy, Debug)]
pub struct Multiplicative;

impl Law for Multiplicative {
    fn name(&self) -> &str {
        "multiplicative"
    }
    fn title(&self) -> &str {
        "Loss against the product of powers of N and D"
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

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, alpha, beta] = p.values();
        let [ln_n, ln_d] = x.logs();
        let power = exp(-alpha * ln_n - beta * ln_d);
        let term = a * power;
        g.copy_from_slice(&[1.0, power, -ln_n * term, -ln_d * term]);
        e + term
    }
}

/// E + A/(N + N_0)^α + B/(D + D_0)^β: power laws that level off at small N and D.
#[derive(Clone, Copy, Debug)]
pub struct Shifted;

impl Law for Shifted {
    fn name(&self) -> &str {
        "shifted"
    }
    fn title(&self) -> &str {
        "Chinchilla's law that levels off at small N and D"
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

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, alpha, beta, n_0, d_0] = p.values();
        let [n, d] = x.values();
        let (n, d) = (n + n_0, d + d_0);
        let (ln_n, ln_d) = (ln(n), ln(d));
        let (by_a, by_b) = (exp(-alpha * ln_n), exp(-beta * ln_d));
        let (of_n, of_d) = (a * by_a, b * by_b);
        g.copy_from_slice(&[
            1.0,
            by_a,
            by_b,
            -ln_n * of_n,
            -ln_d * of_d,
            -alpha * of_n / n,
            -beta * of_d / d,
        ]);
        e + of_n + of_d
    }

    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, _: &[f64], h: &mut [f64]) -> bool {
        let [_, a, b, alpha, beta, n_0, d_0] = p.values();
        let [n, d] = x.values();
        h.fill(0.0);
        // A term's amplitude, exponent and shift stand at these places.
        let terms = [([1, 3, 5], a, alpha, n + n_0), ([2, 4, 6], b, beta, d + d_0)];
        for ([amplitude, exponent, shift], factor, power, base) in terms {
            let log = ln(base);
            let unit = exp(-power * log);
            let term = factor * unit;
            h[amplitude * 7 + exponent] = -log * unit;
            h[amplitude * 7 + shift] = -power * unit / base;
            h[exponent * 7 + exponent] = log * log * term;
            h[exponent * 7 + shift] = (power * log - 1.0) * term / base;
            h[shift * 7 + shift] = power * (power + 1.0) * term / (base * base);
        }
        true
    }
}

/// E + (A·N^−α + B·D^−β)^k: k = 1 is Chinchilla's, β = 1 and E = 0 Kaplan's joint law.
#[derive(Clone, Copy, Debug)]
pub struct Skaling;

/// What value, gradient and Hessian of [`Skaling`] are made of.
struct SkalingParts {
    /// Derivatives of the inner sum by A, B, α and β.
    of_inner: [f64; 4],
    inner: f64,
    ln_inner: f64,
    /// The inner sum to the power k, and its derivative by the sum.
    outer: f64,
    slope: f64,
}

impl SkalingParts {
    fn of(x: Vars<'_>, p: Pars<'_>) -> Self {
        let [_, a, b, alpha, beta, k] = p.values();
        let [ln_n, ln_d] = x.logs();
        let (n, d) = (exp(-alpha * ln_n), exp(-beta * ln_d));
        let inner = a * n + b * d;
        let ln_inner = ln(inner);
        let outer = exp(k * ln_inner);
        let of_inner = [n, d, -a * n * ln_n, -b * d * ln_d];
        Self { of_inner, inner, ln_inner, outer, slope: k * outer / inner }
    }
}

impl Law for Skaling {
    fn name(&self) -> &str {
        "skaling"
    }
    fn title(&self) -> &str {
        "Chinchilla's law with an outer power"
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
                Param::amplitude("A", "A"),
                Param::amplitude("B", "B"),
                Param::exponent("alpha", "\\alpha", "N", &[0.2, 0.35, 0.6, 1.0]),
                Param::exponent("beta", "\\beta", "D", &[0.2, 0.35, 0.6, 1.0]),
                Param::shape("k", "k", Domain::Positive, &[0.3, 0.6, 1.0, 1.5]),
            ]
        }
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, ..] = p.values::<6>();
        let SkalingParts { of_inner: [a, b, alpha, beta], ln_inner, outer, slope, .. } =
            SkalingParts::of(x, p);
        g.copy_from_slice(&[1.0, slope * a, slope * b, slope * alpha, slope * beta, outer * ln_inner]);
        e + outer
    }

    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, _: &[f64], h: &mut [f64]) -> bool {
        let [.., k] = p.values::<6>();
        let [ln_n, ln_d] = x.logs();
        let SkalingParts { of_inner, inner, ln_inner, outer, slope } = SkalingParts::of(x, p);
        let bend = slope * (k - 1.0) / inner;
        let by_k = slope * ln_inner + outer / inner;
        h.fill(0.0);
        for (i, by_i) in of_inner.iter().enumerate() {
            for (j, by_j) in of_inner.iter().enumerate().skip(i) {
                h[(i + 1) * 6 + j + 1] = bend * by_i * by_j;
            }
            h[(i + 1) * 6 + 5] = by_k * by_i;
        }
        let [a, b, alpha, beta] = of_inner;
        h[6 + 3] -= slope * a * ln_n;
        h[2 * 6 + 4] -= slope * b * ln_d;
        h[3 * 6 + 3] -= slope * alpha * ln_n;
        h[4 * 6 + 4] -= slope * beta * ln_d;
        h[5 * 6 + 5] = outer * ln_inner * ln_inner;
        true
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        // (L − E)^(1/k) is linear in A and B; E must lie below every loss.
        let &[e, _, _, alpha, beta, k] = p else { return None };
        let lowest = data.y().iter().copied().fold(f64::INFINITY, f64::min);
        let e = e.min(0.9 * lowest);
        let inner = data.transformed(|y| libm::pow(y - e, 1.0 / k));
        let [a, b] = crate::starts::amplitudes(&inner, |x| {
            let [ln_n, ln_d] = x.logs();
            [exp(-alpha * ln_n), exp(-beta * ln_d)]
        })?;
        Some(vec![e, a, b, alpha, beta, k])
    }
}
