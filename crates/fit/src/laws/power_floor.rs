//! L(x) = E + (x_c/x)^α: a power law above an irreducible loss (Henighan et al. 2020, equation 1.1).

use crate::elementary::exp;
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// A power law in one variable above a floor, written with the amplitude k = x_c^α so that it is linear in E and k.
#[derive(Clone, Copy, Debug)]
pub struct PowerFloor {
    name: &'static str,
    variable: &'static str,
    variables: &'static [Cow<'static, str>],
}

const PARAMS: &[Param] = &[
    Param::amplitude("E", "E"),
    Param::amplitude("k", "k"),
    Param::shape("alpha", "\\alpha", Domain::Positive, EXPONENTS),
];

impl PowerFloor {
    /// In parameters.
    pub const N: Self = Self { name: "n-floor", variable: "N", variables: &[Cow::Borrowed("N")] };
    /// In tokens.
    pub const D: Self = Self { name: "d-floor", variable: "D", variables: &[Cow::Borrowed("D")] };
    /// In compute.
    pub const C: Self = Self { name: "c-floor", variable: "C", variables: &[Cow::Borrowed("C")] };
}

impl Law for PowerFloor {
    fn name(&self) -> &str {
        self.name
    }
    fn equation(&self) -> String {
        format!("L({0}) = E + k/{0}^alpha", self.variable)
    }
    fn latex(&self) -> String {
        format!("L({0}) = E + \\frac{{k}}{{{0}^{{\\alpha}}}}", self.variable)
    }
    fn source(&self) -> &str {
        "Henighan et al. 2020, equation 1.1"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        self.variables
    }
    fn params(&self) -> &[Param] {
        PARAMS
    }
    fn linear(&self) -> &[usize] {
        &[0, 1]
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let power = exp(-p.value[2] * x.ln[0]);
        let term = p.value[1] * power;
        g[0] = 1.0;
        g[1] = power;
        g[2] = -x.ln[0] * term;
        p.value[0] + term
    }
}
