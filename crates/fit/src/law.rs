//! What a law is: named parameters, variables, a value with its gradient, and where it comes from.

use crate::elementary::{exp, ln};
use crate::plan::ClosedFormOptimum;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// No law has more parameters than this; per-point scratch lives on the stack.
pub const MAX_PARAMS: usize = 16;

/// Where a parameter may be. Fits run in unconstrained coordinates; the domain is the transform.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Any real number.
    Real,
    /// Above zero, fitted as its logarithm.
    Positive,
    /// Between two bounds, fitted as the logit of its position.
    Between(f64, f64),
}

impl Domain {
    /// The unconstrained coordinate of a natural value.
    pub fn to_internal(self, value: f64) -> f64 {
        match self {
            Self::Real => value,
            Self::Positive => ln(value),
            Self::Between(lo, hi) => ln((value - lo) / (hi - value)),
        }
    }

    /// The natural value, and its first and second derivative by the unconstrained coordinate.
    pub fn from_internal(self, theta: f64) -> (f64, f64, f64) {
        match self {
            Self::Real => (theta, 1.0, 0.0),
            Self::Positive => {
                let p = exp(theta);
                (p, p, p)
            }
            Self::Between(lo, hi) => {
                let s = 1.0 / (1.0 + exp(-theta));
                let slope = (hi - lo) * s * (1.0 - s);
                (lo + (hi - lo) * s, slope, slope * (1.0 - 2.0 * s))
            }
        }
    }

    /// Lowest and highest value, infinite where there is none.
    pub fn ends(self) -> [f64; 2] {
        match self {
            Self::Real => [f64::NEG_INFINITY, f64::INFINITY],
            Self::Positive => [0.0, f64::INFINITY],
            Self::Between(lo, hi) => [lo, hi],
        }
    }

    /// Whether `value` lies inside.
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Real => true,
                Self::Positive => value > 0.0,
                Self::Between(lo, hi) => lo < value && value < hi,
            }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Real => f.write_str("the real numbers"),
            Self::Positive => f.write_str("above 0"),
            Self::Between(lo, hi) => write!(f, "between {lo} and {hi}"),
        }
    }
}

/// A parameter of a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The paper's symbol in plain text: `alpha_N`, `N_c`.
    pub name: Cow<'static, str>,
    /// The symbol in LaTeX.
    pub latex: Cow<'static, str>,
    /// Where it may be.
    pub domain: Domain,
    /// Start values. Empty when [`Law::start`] finds it from the data, given the others.
    pub grid: Cow<'static, [f64]>,
    /// The variable that it is the exponent of.
    pub exponent_of: Option<Cow<'static, str>>,
    /// Whether the law's value is linear in it, given the others: starts then get it by least squares.
    pub linear: bool,
}

impl Param {
    /// A parameter that every start takes from a grid.
    pub const fn shape(
        name: &'static str,
        latex: &'static str,
        domain: Domain,
        grid: &'static [f64],
    ) -> Self {
        Self::new(name, latex, domain, grid, None, false)
    }

    /// A positive exponent of `variable`; every start takes it from a grid.
    pub const fn exponent(
        name: &'static str,
        latex: &'static str,
        variable: &'static str,
        grid: &'static [f64],
    ) -> Self {
        Self::new(name, latex, Domain::Positive, grid, Some(Cow::Borrowed(variable)), false)
    }

    /// A positive parameter that [`Law::start`] finds from the data once the others are chosen.
    pub const fn amplitude(name: &'static str, latex: &'static str) -> Self {
        Self::new(name, latex, Domain::Positive, &[], None, false)
    }

    /// A positive parameter that the law's value is linear in.
    pub const fn linear(name: &'static str, latex: &'static str) -> Self {
        Self::new(name, latex, Domain::Positive, &[], None, true)
    }

    const fn new(
        name: &'static str,
        latex: &'static str,
        domain: Domain,
        grid: &'static [f64],
        exponent_of: Option<Cow<'static, str>>,
        linear: bool,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            latex: Cow::Borrowed(latex),
            domain,
            grid: Cow::Borrowed(grid),
            exponent_of,
            linear,
        }
    }
}

/// Exponents that language-model losses have shown (published values run from .03 to .85).
pub const EXPONENTS: &[f64] = &[0.03, 0.06, 0.1, 0.15, 0.22, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0];

/// The variables of one point, in the order of [`Law::variables`], with their logarithms.
#[derive(Clone, Copy, Debug)]
pub struct Vars<'a> {
    /// Values.
    pub value: &'a [f64],
    /// Natural logarithms (NaN or −∞ where the value is not positive).
    pub ln: &'a [f64],
}

/// Parameter values, in the order of [`Law::params`], with their logarithms.
#[derive(Clone, Copy, Debug)]
pub struct Pars<'a> {
    /// Values.
    pub value: &'a [f64],
    /// Natural logarithms (NaN where the value is not positive).
    pub ln: &'a [f64],
}

impl Vars<'_> {
    /// The values, to be bound to the variables' names: `let [n, d] = x.values();`.
    ///
    /// # Panics
    /// `V` is not the number of the law's variables.
    pub fn values<const V: usize>(&self) -> [f64; V] {
        in_order(self.value)
    }

    /// Their logarithms, likewise.
    ///
    /// # Panics
    /// `V` is not the number of the law's variables.
    pub fn logs<const V: usize>(&self) -> [f64; V] {
        in_order(self.ln)
    }
}

impl Pars<'_> {
    /// The values, to be bound to the parameters' names: `let [e, a, b, alpha, beta] = p.values();`.
    ///
    /// # Panics
    /// `P` is not the number of the law's parameters.
    pub fn values<const P: usize>(&self) -> [f64; P] {
        in_order(self.value)
    }

    /// Their logarithms, likewise.
    ///
    /// # Panics
    /// `P` is not the number of the law's parameters.
    pub fn logs<const P: usize>(&self) -> [f64; P] {
        in_order(self.ln)
    }
}

fn in_order<const N: usize>(values: &[f64]) -> [f64; N] {
    values.try_into().expect("a law is given as many values as it names")
}

/// What a law predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Loss in nats per token.
    Loss,
    /// Critical batch size in tokens.
    CriticalBatch,
    /// Number of updates.
    Steps,
    /// A hyper-parameter: learning rate or batch size.
    HyperParameter,
    /// The column the user names.
    Column,
}

/// A scaling law. Adding one is one file under `laws/` and its line in the registry.
pub trait Law: Send + Sync {
    /// Name in requests and files.
    fn name(&self) -> &str;
    /// One line for a list: what it predicts from what.
    fn title(&self) -> &str;
    /// The equation as text, in the parameters' names.
    fn equation(&self) -> String;
    /// The equation in LaTeX.
    fn latex(&self) -> String;
    /// Paper and equation.
    fn source(&self) -> &str;
    /// Columns it is a function of: `N`, `D`, `C`, `S`, `B`, `L`, `U`, `T` or the user's own.
    fn variables(&self) -> &[Cow<'static, str>];
    /// Its parameters.
    fn params(&self) -> &[Param];
    /// What it predicts.
    fn response(&self) -> Response {
        Response::Loss
    }

    /// Value at `x`, and its gradient by the parameters written to `gradient`.
    ///
    /// # Shapes
    /// `x` `[n_variables]`, `p` and `gradient` `[n_params]`, all in the law's order.
    ///
    /// # Units
    /// Losses in nats per token, batch sizes in tokens, compute in FLOPs, as the data count them.
    fn eval(&self, x: Vars<'_>, p: Pars<'_>, gradient: &mut [f64]) -> f64;

    /// Second derivatives by the parameters; `false` where the law does not write them out, so that they are taken as
    /// differences of the gradient. Laws that are refitted thousands of times write them out.
    ///
    /// # Shapes
    /// `gradient` `[n_params]`, as [`Self::eval`] wrote it; `hessian` `[n_params, n_params]`, row-major, of which only
    /// the upper triangle is read.
    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, gradient: &[f64], hessian: &mut [f64]) -> bool {
        let _ = (x, p, gradient, hessian);
        false
    }

    /// The division of a budget of C = 6·N·D in closed form, where the law has one.
    fn closed_form_optimum(&self) -> Option<&dyn ClosedFormOptimum> {
        None
    }

    /// Completes a start: `p` holds grid values where [`Param::grid`] has them. `None` when the data admit none.
    fn start(&self, p: &[f64], data: &crate::Data) -> Option<Vec<f64>> {
        crate::starts::project(self, p, data)
    }
}

/// Value of `law` at natural variables and parameters, in the law's order.
pub fn value<L: Law + ?Sized>(law: &L, x: &[f64], p: &[f64]) -> f64 {
    value_and_gradient(law, x, p).0
}

/// Value and gradient by the parameters at natural variables and parameters, in the law's order.
pub fn value_and_gradient<L: Law + ?Sized>(law: &L, x: &[f64], p: &[f64]) -> (f64, Vec<f64>) {
    let ln_x: Vec<f64> = x.iter().map(|v| ln(*v)).collect();
    let ln_p: Vec<f64> = p.iter().map(|v| ln(*v)).collect();
    let mut gradient = vec![0.0; p.len()];
    let v = law.eval(Vars { value: x, ln: &ln_x }, Pars { value: p, ln: &ln_p }, &mut gradient);
    (v, gradient)
}

/// Second derivatives by the parameters listed in `by` (rows and columns of the others stay 0), as one-sided
/// differences of the analytic gradient.
pub fn hessian_by_differences<L: Law + ?Sized>(
    law: &L,
    x: Vars<'_>,
    p: Pars<'_>,
    gradient: &[f64],
    by: &[usize],
    hessian: &mut [f64],
) {
    let n = p.value.len();
    let mut moved = [0.0; MAX_PARAMS];
    let mut moved_ln = [0.0; MAX_PARAMS];
    let mut g = [0.0; MAX_PARAMS];
    moved[..n].copy_from_slice(p.value);
    moved_ln[..n].copy_from_slice(p.ln);
    for &j in by {
        // sqrt(machine epsilon): balances truncation against rounding for a one-sided difference.
        let at = p.value[j] + 1.5e-8 * p.value[j].abs().max(1e-8);
        let step = at - p.value[j];
        (moved[j], moved_ln[j]) = (at, ln(at));
        law.eval(x, Pars { value: &moved[..n], ln: &moved_ln[..n] }, &mut g[..n]);
        for &k in by.iter().filter(|k| **k <= j) {
            hessian[k * n + j] = (g[k] - gradient[k]) / step;
        }
        (moved[j], moved_ln[j]) = (p.value[j], p.ln[j]);
    }
}
