//! Over-training: loss by compute and tokens per parameter (Gadre et al. 2024).

use crate::elementary::exp;
use crate::law::{Law, Param, Pars, Vars};
use std::borrow::Cow;

/// L(C, M) = E + (a·M^η + b·M^−η)·C^−η with M = D/N.
#[derive(Clone, Copy, Debug)]
pub struct OverTraining;

const PARAMS: &[Param] = &[
    Param::linear("E", "E"),
    Param::linear("a", "a"),
    Param::linear("b", "b"),
    Param::exponent("eta", "\\eta", "C", &[0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.22, 0.3, 0.45]),
];

impl Law for OverTraining {
    fn name(&self) -> &str {
        "over-training"
    }
    fn title(&self) -> &str {
        "Loss against compute and tokens per parameter"
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

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let [e, a, b, eta] = p.values();
        let [ln_c, ln_m] = x.logs();
        let (by_a, by_b) = (exp(eta * (ln_m - ln_c)), exp(-eta * (ln_m + ln_c)));
        let (up, down) = (a * by_a, b * by_b);
        g.copy_from_slice(&[1.0, by_a, by_b, up * (ln_m - ln_c) - down * (ln_m + ln_c)]);
        e + up + down
    }
}
