//! Critical batch size: B_crit(L) and the trade of steps against examples it comes from.

use crate::elementary::exp;
use crate::law::{Law, Param, Pars, Response, Vars};
use std::borrow::Cow;

/// B_crit(L) = B*/L^(1/α_B).
#[derive(Clone, Copy, Debug)]
pub struct CriticalBatch;

const CRITICAL: &[Param] = &[
    Param::linear("B_star", "B_*"),
    Param::exponent("alpha_B", "\\alpha_B", "L", &[0.05, 0.1, 0.15, 0.21, 0.3, 0.5, 1.0]),
];

impl Law for CriticalBatch {
    fn name(&self) -> &str {
        "b-crit"
    }
    fn title(&self) -> &str {
        "Critical batch size against loss"
    }
    fn equation(&self) -> String {
        "B_crit(L) = B_star/L^(1/alpha_B)".into()
    }
    fn latex(&self) -> String {
        "B_{\\mathrm{crit}}(L) = \\frac{B_*}{L^{1/\\alpha_B}}".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, equation 1.4"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("L")] }
    }
    fn params(&self) -> &[Param] {
        CRITICAL
    }
    fn response(&self) -> Response {
        Response::CriticalBatch
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([b_star, alpha_b], [ln_l]) = (p.values(), x.logs());
        let power = exp(-ln_l / alpha_b);
        let batch = b_star * power;
        g.copy_from_slice(&[power, batch * ln_l / (alpha_b * alpha_b)]);
        batch
    }
}

/// S(B) = S_min + E_min/B: the steps that reach one loss at each batch size, equivalent to
/// (S/S_min − 1)(E/E_min − 1) = 1 with E = B·S; B_crit = E_min/S_min.
#[derive(Clone, Copy, Debug)]
pub struct StepsForExamples;

const TRADE: &[Param] = &[Param::linear("S_min", "S_{\\min}"), Param::linear("E_min", "E_{\\min}")];

impl Law for StepsForExamples {
    fn name(&self) -> &str {
        "steps-for-examples"
    }
    fn title(&self) -> &str {
        "Updates against batch size at one loss"
    }
    fn equation(&self) -> String {
        "S(B) = S_min + E_min/B".into()
    }
    fn latex(&self) -> String {
        "S(B) = S_{\\min} + \\frac{E_{\\min}}{B}".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, equations 5.1 and 5.2; McCandlish et al. 2018"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("B")] }
    }
    fn params(&self) -> &[Param] {
        TRADE
    }
    fn response(&self) -> Response {
        Response::Steps
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([s_min, e_min], [b]) = (p.values(), x.values());
        g.copy_from_slice(&[1.0, 1.0 / b]);
        s_min + e_min / b
    }
}
