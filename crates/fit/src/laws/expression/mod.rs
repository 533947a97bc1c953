//! A user's own law: an expression over named columns, the other names being parameters.

mod tape;

use crate::error::FitError;
use crate::law::{Domain, EXPONENTS, Law, MAX_PARAMS, Param, Pars, Response, Vars};
use scalelaw_expr::{Expr, Op, parse};
use std::borrow::Cow;
use tape::{Place, Tape};

/// A law given as text, such as `E + A/N^alpha`.
#[derive(Clone, Debug)]
pub struct Expression {
    expr: Expr,
    variables: Vec<Cow<'static, str>>,
    params: Vec<Param>,
    tape: Tape,
}

/// Where starts are looked for when a parameter has no bounds: four magnitudes, small to large.
const GRID: &[f64] = &[0.05, 0.4, 3.0, 300.0];

impl Expression {
    /// Parses `text`; names among `columns` are variables, all others parameters.
    /// `bounds` gives a parameter's range (`lo`, `hi`); others are positive.
    ///
    /// # Errors
    /// No expression, no parameter, too many parameters, or a bound for a name that is not there.
    pub fn new(text: &str, columns: &[&str], bounds: &[(String, f64, f64)]) -> Result<Self, FitError> {
        let expr = parse(text).map_err(|source| FitError::Expression { text: text.into(), source })?;
        let names = expr.names();
        let (variables, free): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|n| columns.contains(&n.as_str()));
        if free.is_empty() || free.len() > MAX_PARAMS {
            return Err(FitError::ParameterCount {
                text: text.into(),
                got: free.len(),
                most: MAX_PARAMS,
                columns: columns.iter().map(|c| (*c).to_string()).collect(),
            });
        }
        if let Some((name, ..)) = bounds.iter().find(|(n, ..)| !free.contains(n)) {
            return Err(FitError::UnknownParameter { law: text.into(), name: name.clone(), known: free });
        }
        let mut params: Vec<Param> = free
            .iter()
            .map(|name| Param {
                exponent_of: raised(&expr, name, &variables).map(Cow::Owned),
                ..parameter(name, bounds)
            })
            .collect();
        // Starts as the built-in laws have them: exponents from the grid of exponents, amplitudes by least squares.
        let exponents = params.iter().filter(|p| p.exponent_of.is_some()).count();
        let mut linear: Vec<&str> = Vec::new();
        for (param, name) in params.iter_mut().zip(&free).filter(|(p, _)| p.domain == Domain::Positive) {
            linear.push(name);
            if affine(&expr, &linear).is_some() {
                (param.linear, param.grid) = (true, Cow::Owned(vec![]));
                continue;
            }
            linear.pop();
            if param.exponent_of.is_some() {
                let coarse = if exponents > 2 { 3 } else { 1 };
                param.grid = EXPONENTS.iter().copied().step_by(coarse).collect();
            }
        }
        let place = |name: &str| {
            let among = |names: &[String]| names.iter().position(|n| n == name);
            among(&variables).map(Place::Variable).or_else(|| among(&free).map(Place::Parameter))
        };
        let tape = Tape::new(&expr, &place);
        Ok(Self { expr, variables: variables.into_iter().map(Cow::Owned).collect(), params, tape })
    }
}

fn parameter(name: &str, bounds: &[(String, f64, f64)]) -> Param {
    let (domain, grid) = match bounds.iter().find(|(n, ..)| n == name) {
        None => (Domain::Positive, GRID.to_vec()),
        Some((_, lo, hi)) => {
            let domain = match (lo.is_finite(), hi.is_finite()) {
                (true, true) => Domain::Between(*lo, *hi),
                (true, false) if *lo == 0.0 => Domain::Positive,
                _ => Domain::Real,
            };
            let grid = match domain {
                Domain::Between(lo, hi) if lo > 0.0 && hi / lo > 100.0 => {
                    [0.1, 0.35, 0.65, 0.9].iter().map(|s| lo * libm::pow(hi / lo, *s)).collect()
                }
                Domain::Between(lo, hi) => {
                    [0.1, 0.35, 0.65, 0.9].iter().map(|s| lo + (hi - lo) * s).collect()
                }
                Domain::Positive => GRID.to_vec(),
                Domain::Real => vec![-1.0, 0.1, 1.0, 30.0],
            };
            (domain, grid)
        }
    };
    Param {
        name: Cow::Owned(name.to_string()),
        latex: Cow::Owned(format!("\\mathrm{{{}}}", name.replace('_', "\\_"))),
        domain,
        grid: Cow::Owned(grid),
        exponent_of: None,
        linear: false,
    }
}

/// Whether `expr` depends on the names listed, being a sum of terms that each hold one of them at most, as a factor;
/// `None` where it depends on them otherwise.
fn affine(expr: &Expr, names: &[&str]) -> Option<bool> {
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Truth(_) => Some(false),
        Expr::Name(name) => Some(names.contains(&name.as_str())),
        Expr::Negate(x) => affine(x, names),
        Expr::Binary(Op::Add | Op::Subtract, a, b) => Some(affine(a, names)? | affine(b, names)?),
        Expr::Binary(Op::Multiply, a, b) => match (affine(a, names)?, affine(b, names)?) {
            (true, true) => None,
            (a, b) => Some(a || b),
        },
        Expr::Binary(Op::Divide, a, b) => {
            if affine(b, names)? {
                None
            } else {
                affine(a, names)
            }
        }
        Expr::Binary(_, a, b) => (!affine(a, names)? && !affine(b, names)?).then_some(false),
        Expr::Not(x) => (!affine(x, names)?).then_some(false),
        Expr::Call(_, arguments) => {
            arguments.iter().all(|x| affine(x, names) == Some(false)).then_some(false)
        }
    }
}

/// The variable in the base of the first power whose exponent names `param`.
fn raised(expr: &Expr, param: &str, variables: &[String]) -> Option<String> {
    let inside = |x: &Expr| raised(x, param, variables);
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Truth(_) | Expr::Name(_) => None,
        Expr::Negate(x) | Expr::Not(x) => inside(x),
        Expr::Call(_, arguments) => arguments.iter().find_map(inside),
        Expr::Binary(op, a, b) => {
            let here = *op == Op::Power && b.names().iter().any(|n| n == param);
            let base = here.then(|| a.names().into_iter().find(|n| variables.contains(n))).flatten();
            base.or_else(|| inside(a)).or_else(|| inside(b))
        }
    }
}

impl Law for Expression {
    fn name(&self) -> &str {
        "expression"
    }
    fn title(&self) -> &str {
        "A law given as an expression"
    }
    fn equation(&self) -> String {
        self.expr.to_string()
    }
    fn latex(&self) -> String {
        format!("\\texttt{{{}}}", self.expr.to_string().replace('_', "\\_").replace('^', "\\^{}"))
    }
    fn source(&self) -> &str {
        "given by the user"
    }
    fn variables(&self) -> &[Cow<'static, str>] {
        &self.variables
    }
    fn params(&self) -> &[Param] {
        &self.params
    }
    fn response(&self) -> Response {
        Response::Column
    }

    fn eval(&self, x: Vars<'_>, p: Pars<'_>, g: &mut [f64]) -> f64 {
        self.tape.gradient(x, p, g)
    }

    fn hessian(&self, x: Vars<'_>, p: Pars<'_>, _: &[f64], h: &mut [f64]) -> bool {
        self.tape.hessian(x, p, h);
        true
    }
}
