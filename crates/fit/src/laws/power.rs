//! L(x) = (x_c/x)^α: Kaplan et al. 2020, equations 1.1 to 1.3.

use crate::data::Data;
use crate::elementary::exp;
use crate::law::{EXPONENTS, Law, Param, Pars, Vars};
use std::borrow::Cow;

/// A pure power law in one variable.
#[derive(Clone, Copy, Debug)]
pub struct PowerLaw {
    name: &'static str,
    title: &'static str,
    variables: &'static [Cow<'static, str>],
    params: &'static [Param],
    equation: &'static str,
    latex: &'static str,
    source: &'static str,
}

macro_rules! power_law {
    ($name:literal, $title:literal, $x:literal, $scale:literal, $alpha:literal, $scale_tex:literal, $alpha_tex:literal, $source:literal) => {
        PowerLaw {
            name: $name,
            title: $title,
            variables: &[Cow::Borrowed($x)],
            params: &[
                Param::amplitude($scale, $scale_tex),
                Param::exponent($alpha, $alpha_tex, $x, EXPONENTS),
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
    pub const N: Self = power_law!(
        "n",
        "Loss against model size: converged runs on the full data",
        "N",
        "N_c",
        "alpha_N",
        "N_c",
        "\\alpha_N",
        "Kaplan et al. 2020, equation 1.1"
    );
    /// L(D), early-stopped runs of one large model.
    pub const D: Self = power_law!(
        "d",
        "Loss against data: early-stopped runs of one large model",
        "D",
        "D_c",
        "alpha_D",
        "D_c",
        "\\alpha_D",
        "Kaplan et al. 2020, equation 1.2"
    );
    /// L(C), the envelope of learning curves at the batch size used.
    pub const C: Self = power_law!(
        "c",
        "Loss against compute: the envelope of learning curves",
        "C",
        "C_c",
        "alpha_C",
        "C_c",
        "\\alpha_C",
        "Kaplan et al. 2020, equation 3.3"
    );
    /// L(C_min), the envelope with compute adjusted to small batches.
    pub const C_MIN: Self = power_law!(
        "c-min",
        "Loss against compute adjusted to batches far below critical",
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
    fn title(&self) -> &str {
        self.title
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
        let ([scale, alpha], [ln_scale, _], [ln_x]) = (p.values(), p.logs(), x.logs());
        let distance = ln_scale - ln_x;
        let loss = exp(alpha * distance);
        g.copy_from_slice(&[loss * alpha / scale, loss * distance]);
        loss
    }

    fn start(&self, p: &[f64], data: &Data) -> Option<Vec<f64>> {
        // ln L = α (ln x_c − ln x): the mean of ln x_c at this α.
        let &[_, alpha] = p else { return None };
        let (sum, weight) = (0..data.len()).fold((0.0, 0.0), |(s, w), i| {
            let [ln_x] = data.vars(i).logs();
            (s + data.weight[i] * (data.ln_y[i] / alpha + ln_x), w + data.weight[i])
        });
        Some(vec![exp(sum / weight), alpha])
    }
}
