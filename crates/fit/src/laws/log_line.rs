//! L(N) = −a·ln(N/b): the rival of the power law in Kaplan et al. 2020, Figure 23.

use crate::data::Data;
use crate::elementary::exp;
use crate::law::{Domain, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// A straight line in ln N.
#[derive(Clone, Copy, Debug)]
pub struct LogLine;

const PARAMS: &[Param] = &[
    Param::shape("a", "a", Domain::Positive, &[0.02, 0.05, 0.1, 0.2, 0.4, 0.8]),
    Param::amplitude("b", "b"),
];

impl Law for LogLine {
    fn name(&self) -> &str {
        "log"
    }
    fn title(&self) -> &str {
        "Loss against the logarithm of N: the rival of the power law"
    }
    fn equation(&self) -> String {
        "L(N) = -a*ln(N/b)".into()
    }
    fn latex(&self) -> String {
        "L(N) = -a \\ln \\frac{N}{b}".into()
    }
    fn source(&self) -> &str {
        "Kaplan et al. 2020, Figure 23 (natural logarithm)"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("N")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([a, b], [_, ln_b], [ln_n]) = (p.values(), p.logs(), x.logs());
        let distance = ln_b - ln_n;
        g.copy_from_slice(&[distance, a / b]);
        a * distance
    }

    fn start(&self, p: &[f64], data: &Data) -> Option<Vec<f64>> {
        // The line of slope −a that stays above every point's half: ln b from the largest L/a + ln N.
        let &[a, _] = p else { return None };
        let ln_b = (0..data.len())
            .map(|i| {
                let [ln_n] = data.vars(i).logs();
                data.y[i] / a + ln_n
            })
            .fold(f64::NEG_INFINITY, f64::max);
        Some(vec![a, exp(ln_b)])
    }
}
