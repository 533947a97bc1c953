//! Power laws that bend: one smooth break (BNSL), and saturation at both ends (M4).

use crate::elementary::{exp, ln};
use crate::law::{Domain, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// L(N) = a + b·N^−c0·(1 + (N/d)^(1/f))^(−c1·f): slope c0 before d, c0 + c1 after.
#[derive(Clone, Copy, Debug)]
pub struct BrokenPower;

const BROKEN: &[Param] = &[
    Param::linear("a", "a"),
    Param::linear("b", "b"),
    Param::shape("c0", "c_0", Domain::Real, &[0.03, 0.1, 0.25]),
    Param::shape("c1", "c_1", Domain::Real, &[-0.1, 0.1, 0.4]),
    Param::shape("d", "d", Domain::Positive, &[1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]),
    Param::shape("f", "f", Domain::Positive, &[0.2, 0.8]),
];

impl Law for BrokenPower {
    fn name(&self) -> &str {
        "broken"
    }
    fn title(&self) -> &str {
        "Loss against N with one smooth break of the slope"
    }
    fn equation(&self) -> String {
        "L(N) = a + b*N^(-c0)*(1 + (N/d)^(1/f))^(-c1*f)".into()
    }
    fn latex(&self) -> String {
        "L(N) = a + b N^{-c_0} \\left(1 + (N/d)^{1/f}\\right)^{-c_1 f}".into()
    }
    fn source(&self) -> &str {
        "Caballero et al. 2023 (broken neural scaling law), equation 1 with one break"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N")] }
    }
    fn params(&self) -> &[Param] {
        BROKEN
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [a, b, c0, c1, d, f] = p.values();
        let [_, _, _, _, ln_d, _] = p.logs();
        let [ln_n] = x.logs();
        let t = (ln_n - ln_d) / f;
        // ln(1 + e^t) without overflow, and its slope.
        let soft = if t > 0.0 { t + libm::log1p(exp(-t)) } else { libm::log1p(exp(t)) };
        let share = 1.0 / (1.0 + exp(-t));
        let bend = exp(-c0 * ln_n - c1 * f * soft);
        let term = b * bend;
        g.copy_from_slice(&[
            1.0,
            bend,
            -term * ln_n,
            -term * f * soft,
            term * c1 * share / d,
            -term * c1 * (soft - share * t),
        ]);
        a + term
    }
}

/// M4: (L − L_inf)/(L_0 − L)^α = β·N^−c, solved for L between L_inf and L_0.
#[derive(Clone, Copy, Debug)]
pub struct M4;

const SATURATING: &[Param] = &[
    Param::shape("L_inf", "L_\\infty", Domain::Positive, &[0.4, 1.0, 1.7, 2.3]),
    Param::shape("L_0", "L_0", Domain::Positive, &[6.0, 8.0, 10.8]),
    Param::shape("alpha", "\\alpha", Domain::Positive, &[0.3, 1.0]),
    Param::amplitude("beta", "\\beta"),
    Param::shape("c", "c", Domain::Positive, &[0.06, 0.12, 0.25, 0.45, 0.8]),
];

impl Law for M4 {
    fn name(&self) -> &str {
        "m4"
    }
    fn title(&self) -> &str {
        "Loss against N that saturates at both ends"
    }
    fn equation(&self) -> String {
        "(L - L_inf)/(L_0 - L)^alpha = beta/N^c".into()
    }
    fn latex(&self) -> String {
        "\\frac{L - L_\\infty}{(L_0 - L)^{\\alpha}} = \\beta N^{-c}".into()
    }
    fn source(&self) -> &str {
        "Alabdulmohsin et al. 2022, equation 3 (M4)"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N")] }
    }
    fn params(&self) -> &[Param] {
        SATURATING
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [low, high, alpha, beta, c] = p.values();
        let [_, _, _, ln_beta, _] = p.logs();
        let [ln_n] = x.logs();
        if high <= low {
            return f64::NAN;
        }
        // u = ln[(L − low)/(high − L)] turns the bracket into the real line, where
        // h(u) = ln(L − low) − α·ln(high − L) − ln β + c·ln N rises strictly.
        let target = ln_beta - c * ln_n;
        let ln_width = ln(high - low);
        let log1p_exp = |t: f64| if t > 0.0 { t + libm::log1p(exp(-t)) } else { libm::log1p(exp(t)) };
        let mut u = target;
        for _ in 0..60 {
            // ln(L − low) = ln_width − ln(1 + e^−u); ln(high − L) = ln_width − ln(1 + e^u).
            let h = (1.0 - alpha) * ln_width - log1p_exp(-u) + alpha * log1p_exp(u) - target;
            let share = 1.0 / (1.0 + exp(-u));
            let step = h / ((1.0 - share) + alpha * share);
            u -= step;
            // Newton's next step would be the square of this one: below rounding.
            if step.abs() <= 1e-8 * (1.0 + u.abs()) {
                break;
            }
        }
        let share = 1.0 / (1.0 + exp(-u));
        let (above, below) = ((high - low) * share, (high - low) * (1.0 - share));
        // F(L, θ) = ln(L − low) − α ln(high − L) − ln β + c ln N = 0: dL/dθ = −F_θ/F_L.
        let by_loss = 1.0 / above + alpha / below;
        g.copy_from_slice(&[
            (1.0 / above) / by_loss,
            (alpha / below) / by_loss,
            ln(below) / by_loss,
            1.0 / (beta * by_loss),
            -ln_n / by_loss,
        ]);
        low + above
    }

    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        let &[low, high, alpha, _, c] = p else { return None };
        let (lowest, highest) =
            data.y().iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), y| (lo.min(*y), hi.max(*y)));
        let (low, high) = (low.min(0.95 * lowest), high.max(1.05 * highest));
        // The mean of ln β at these ends and this slope.
        let n = data.len() as f64;
        let mean = (0..data.len())
            .map(|i| {
                let (y, [ln_n]) = (data.y()[i], data.vars(i).logs());
                ln(y - low) - alpha * ln(high - y) + c * ln_n
            })
            .sum::<f64>()
            / n;
        Some(vec![low, high, alpha, exp(mean), c])
    }
}
