//! Over-training: loss by compute and tokens per parameter (Gadre et al. 2024).

use crate::elementary::exp;
use crate::law::{Domain, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// L(C, M) = E + (a·M^η + b·M^−η)·C^−η with M = D/N.
#[derive(Clone, Copy, Debug)]
pub struct OverTraining;

const PARAMS: &[Param] = &[
    Param::amplitude("E", "E"),
    Param::amplitude("a", "a"),
    Param::amplitude("b", "b"),
    Param::shape("eta", "\\eta", Domain::Positive, &[0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.22, 0.3, 0.45]),
];

impl Law for OverTraining {
    fn name(&self) -> &str {
        "over-training"
    }
    fn equation(&self) -> String {
        "L(C, M) = E + (a*M^eta + b/M^eta)/C^eta".into()
    }
    fn latex(&self) -> String {
        "L(C, M) = E + \\left(a M^{\\eta} + b M^{-\\eta}\\right) C^{-\\eta}".into()
    }
    fn source(&self) -> &str {
        "Gadre et al. 2024, equation 4; M = tokens per parameter"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        const { &[Cow::Borrowed("C"), Cow::Borrowed("M")] }
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }
    fn linear(&self) -> &[usize] {
        &[0, 1, 2]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let eta = p.value[3];
        g[0] = 1.0;
        g[1] = exp(eta * (x.ln[1] - x.ln[0]));
        g[2] = exp(-eta * (x.ln[1] + x.ln[0]));
        let (up, down) = (p.value[1] * g[1], p.value[2] * g[2]);
        g[3] = up * (x.ln[1] - x.ln[0]) - down * (x.ln[1] + x.ln[0]);
        p.value[0] + up + down
    }
}
