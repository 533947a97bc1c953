//! L(x) = E + (x_c/x)^α: a power law above an irreducible loss (Henighan et al. 2020, equation 1.1).

use crate::elementary::exp;
use crate::law::{EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// A power law in one variable above a floor, written with the amplitude k = x_c^α so that it is linear in E and k.
#[derive(Clone, Copy, Debug)]
pub struct PowerFloor {
    name: &'static str,
    title: &'static str,
    variable: &'static str,
    variables: &'static [Cow<'static, str>],
    params: &'static [Param],
}

macro_rules! power_floor {
    ($name:literal, $title:literal, $x:literal) => {
        PowerFloor {
            name: $name,
            title: $title,
            variable: $x,
            variables: &[Cow::Borrowed($x)],
            params: &[
                Param::linear("E", "E"),
                Param::linear("k", "k"),
                Param::exponent("alpha", "\\alpha", $x, EXPONENTS),
            ],
        }
    };
}

impl PowerFloor {
    /// In parameters.
    pub const N: Self = power_floor!("n-floor", "Loss against model size, above an irreducible loss", "N");
    /// In tokens.
    pub const D: Self = power_floor!("d-floor", "Loss against data, above an irreducible loss", "D");
    /// In compute.
    pub const C: Self = power_floor!("c-floor", "Loss against compute, above an irreducible loss", "C");
}

impl Law for PowerFloor {
    fn name(&self) -> &str {
        self.name
    }
    fn title(&self) -> &str {
        self.title
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
        self.params
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let ([e, k, alpha], [ln_x]) = (p.values(), x.logs());
        let power = exp(-alpha * ln_x);
        let term = k * power;
        g.copy_from_slice(&[1.0, power, -ln_x * term]);
        e + term
    }
}
