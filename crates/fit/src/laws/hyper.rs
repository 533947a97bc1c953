//! Hyper-parameters as power laws of model and data size.

use crate::elementary::exp;
use crate::law::{Domain, Law, Param, Pars, Response, Vars};
use std::borrow::Cow;

/// y = k·N^a·D^b (or of N or D alone): learning rate, batch size.
#[derive(Clone, Copy, Debug)]
pub struct HyperPower {
    name: &'static str,
    title: &'static str,
    equation: &'static str,
    latex: &'static str,
    source: &'static str,
    variables: &'static [Cow<'static, str>],
    params: &'static [Param],
}

const K: Param = Param::linear("k", "k");
const SLOPES: &[f64] = &[-0.7, -0.2, 0.2, 0.6];
const A: Param = Param::shape("a", "a", Domain::Real, SLOPES);
const B: Param = Param::shape("b", "b", Domain::Real, SLOPES);

impl HyperPower {
    /// Of N and D.
    pub const ND: Self = Self {
        name: "hyper-nd",
        title: "Learning rate or batch size against model and data size",
        equation: "y(N, D) = k*N^a*D^b",
        latex: "y(N, D) = k N^{a} D^{b}",
        source: "Step Law (Li et al. 2025): lr = 1.79 N^-0.713 D^0.307",
        variables: &[Cow::Borrowed("N"), Cow::Borrowed("D")],
        params: &[K, A, B],
    };
    /// Of N.
    pub const N: Self = Self {
        name: "hyper-n",
        title: "Learning rate or batch size against model size",
        equation: "y(N) = k*N^a",
        latex: "y(N) = k N^{a}",
        source: "Porian et al. 2024: lr = 3.7 N^-0.36",
        variables: &[Cow::Borrowed("N")],
        params: &[K, A],
    };
    /// Of D.
    pub const D: Self = Self {
        name: "hyper-d",
        title: "Learning rate or batch size against data",
        equation: "y(D) = k*D^b",
        latex: "y(D) = k D^{b}",
        source: "Step Law (Li et al. 2025): batch = 0.58 D^0.571 tokens",
        variables: &[Cow::Borrowed("D")],
        params: &[K, B],
    };
    /// Of C.
    pub const C: Self = Self {
        name: "hyper-c",
        title: "Learning rate or batch size against compute",
        equation: "y(C) = k*C^a",
        latex: "y(C) = k C^{a}",
        source: "DeepSeek LLM 2024: lr = 0.3118 C^-0.125; Kaplan et al. 2020, equation 1.7",
        variables: &[Cow::Borrowed("C")],
        params: &[K, A],
    };
}

impl Law for HyperPower {
    fn name(&self) -> &str {
        self.name
    }
    fn title(&self) -> &str {
        self.title
    }
    fn equation(&self) -> String {
        self.equation.into()
    }
    fn latex(&self) -> String {
        self.latex.into()
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
    fn response(&self) -> Response {
        Response::HyperParameter
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        // k, then one slope for each variable.
        let Some((k, slopes)) = p.value.split_first() else { return f64::NAN };
        let Some((by_k, by_slopes)) = g.split_first_mut() else { return f64::NAN };
        let exponent: f64 = x.ln.iter().zip(slopes).map(|(ln, slope)| ln * slope).sum();
        *by_k = exp(exponent);
        let value = k * *by_k;
        for (g, ln) in by_slopes.iter_mut().zip(x.ln) {
            *g = value * ln;
        }
        value
    }
}
