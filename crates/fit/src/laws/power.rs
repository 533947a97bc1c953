//! L(x) = (x_c/x)^α: Kaplan et al. 2020, equations 1.1 to 1.3.

use crate::data::Data;
use crate::elementary::exp;
use crate::law::{Domain, EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// A pure power law in one variable.
#[derive(Clone, Copy, Debug)]
pub struct PowerLaw {
    name: &'static str,
    variables: &'static [Cow<'static, str>],
    params: &'static [Param],
    equation: &'static str,
    latex: &'static str,
    source: &'static str,
}

macro_rules! power_law {
    ($name:literal, $x:literal, $scale:literal, $alpha:literal, $scale_tex:literal, $alpha_tex:literal, $source:literal) => {
        PowerLaw {
            name: $name,
            variables: &[Cow::Borrowed($x)],
            params: &[
                Param::amplitude($scale, $scale_tex),
                Param::shape($alpha, $alpha_tex, Domain::Positive, EXPONENTS),
            ],
            equation: concat!("L(", $x, ") = (", $scale, "/", $x, ")^", $alpha),
            latex: concat!(
                "L(",
                $x,
                ") = \\left(\\frac{",
                $scale_tex,
                "}{",
                $x,
                "}\\right)^{",
                $alpha_tex,
                "}"
            ),
            source: $source,
        }
    };
}

impl PowerLaw {
    /// L(N), converged runs on full data.
    pub const N: Self =
        power_law!("n", "N", "N_c", "alpha_N", "N_c", "\\alpha_N", "Kaplan et al. 2020, equation 1.1");
    /// L(D), early-stopped runs of one large model.
    pub const D: Self =
        power_law!("d", "D", "D_c", "alpha_D", "D_c", "\\alpha_D", "Kaplan et al. 2020, equation 1.2");
    /// L(C), the envelope of learning curves at the batch size used.
    pub const C: Self =
        power_law!("c", "C", "C_c", "alpha_C", "C_c", "\\alpha_C", "Kaplan et al. 2020, equation 3.3");
    /// L(C_min), the envelope with compute adjusted to small batches.
    pub const C_MIN: Self = power_law!(
        "c-min",
        "C",
        "C_c_min",
        "alpha_C_min",
        "C_c^{\\min}",
        "\\alpha_C^{\\min}",
        "Kaplan et al. 2020, equation 1.3"
    );
}

impl Law for PowerLaw {
    fn name(&self) -> &str {
        self.name
    }
    fn equation(&self) -> String {
        self.equation.to_string()
    }
    fn latex(&self) -> String {
        self.latex.to_string()
    }
    fn source(&self) -> &str {
        self.source
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        self.variables
    }
    fn params(&self) -> &[Param] {
        self.params
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        let (scale, alpha) = (p.value[0], p.value[1]);
        let distance = p.ln[0] - x.ln[0];
        let loss = exp(alpha * distance);
        g[0] = loss * alpha / scale;
        g[1] = loss * distance;
        loss
    }

    fn start(&self, p: &[f64], data: &Data) -> Option<Vec<f64>> {
        // ln L = α (ln x_c − ln x): the mean of ln x_c at this α.
        let alpha = p[1];
        let (sum, weight) = (0..data.len()).fold((0.0, 0.0), |(s, w), i| {
            (s + data.weight[i] * (data.ln_y[i] / alpha + data.vars(i).ln[0]), w + data.weight[i])
        });
        Some(vec![exp(sum / weight), alpha])
    }
}
