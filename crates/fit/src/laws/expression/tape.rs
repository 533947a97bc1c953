//! An expression as a list of operations in the order of their evaluation, with first and second derivatives by the
//! parameters: names are looked up once, equal parts are computed once.

use crate::elementary::{exp, ln};
use crate::law::{MAX_PARAMS, Pars, Vars};
use scalelaw_expr::{Expr, Function, Op};

/// What a name in the expression stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Variable(usize),
    Parameter(usize),
}

/// One operation; operands are indices of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Constant(f64),
    Input(Place),
    Negate(usize),
    Binary(Op, usize, usize),
    Unary(Function, usize),
    /// `min` and `max`.
    Choice(Function, usize, usize),
}

/// The operations of an expression; the last is its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tape {
    nodes: Vec<Node>,
}

/// Value of an operation with its derivatives by its operands.
#[derive(Clone, Copy, Debug, Default)]
struct Local {
    value: f64,
    by_a: f64,
    by_b: f64,
    by_aa: f64,
    by_ab: f64,
    by_bb: f64,
}

/// An operation at one place: [`Local`], and its gradient by the parameters.
type Evaluated = (Local, [f64; MAX_PARAMS]);

impl Tape {
    /// `place` says what each name is; texts, truths and comparisons have no value.
    pub fn new(expr: &Expr, place: &dyn Fn(&str) -> Option<Place>) -> Self {
        let mut tape = Self { nodes: vec![] };
        tape.push(expr, place);
        tape
    }

    fn push(&mut self, expr: &Expr, place: &dyn Fn(&str) -> Option<Place>) -> usize {
        let node = match expr {
            Expr::Number(x) => Node::Constant(*x),
            Expr::Name(name) => place(name).map_or(Node::Constant(f64::NAN), Node::Input),
            Expr::Text(_) | Expr::Truth(_) | Expr::Not(_) => Node::Constant(f64::NAN),
            Expr::Negate(x) => Node::Negate(self.push(x, place)),
            Expr::Binary(op, a, b) => Node::Binary(*op, self.push(a, place), self.push(b, place)),
            Expr::Call(function, arguments) => match arguments.as_slice() {
                [a, b] => Node::Choice(*function, self.push(a, place), self.push(b, place)),
                [a, ..] => Node::Unary(*function, self.push(a, place)),
                [] => Node::Constant(f64::NAN),
            },
        };
        // NaN equals nothing, so that a constant without value is never shared; it need not be.
        self.nodes.iter().position(|n| *n == node).unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    /// Value at a place; its gradient by the parameters is written to `gradient`.
    pub fn gradient(&self, x: Vars<'_>, p: Pars<'_>, gradient: &mut [f64]) -> f64 {
        let evaluated = self.evaluate(x, p);
        let Some((top, slopes)) = evaluated.last() else { return f64::NAN };
        gradient.copy_from_slice(&slopes[..gradient.len()]);
        top.value
    }

    /// Second derivatives by the parameters, row-major, of which only the upper triangle is written: the sum over
    /// operations of the value's derivative by the operation times the operation's own second derivatives, in the
    /// gradients of its operands.
    pub fn hessian(&self, x: Vars<'_>, p: Pars<'_>, hessian: &mut [f64]) {
        let n = p.value.len();
        hessian.fill(0.0);
        let evaluated = self.evaluate(x, p);
        let mut adjoint = vec![0.0; self.nodes.len()];
        if let Some(top) = adjoint.last_mut() {
            *top = 1.0;
        }
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let (local, _) = evaluated[i];
            let Some((a, b)) = node.operands() else { continue };
            let second = [local.by_aa, local.by_ab, local.by_bb].map(|d| times(adjoint[i], d));
            if second != [0.0; 3] {
                let (ga, gb) = (&evaluated[a].1, &evaluated[b].1);
                for j in 0..n {
                    for k in j..n {
                        hessian[j * n + k] += times(ga[j] * ga[k], second[0])
                            + times(ga[j] * gb[k] + gb[j] * ga[k], second[1])
                            + times(gb[j] * gb[k], second[2]);
                    }
                }
            }
            adjoint[a] += times(adjoint[i], local.by_a);
            adjoint[b] += times(adjoint[i], local.by_b);
        }
    }

    fn evaluate(&self, x: Vars<'_>, p: Pars<'_>) -> Vec<Evaluated> {
        let mut done: Vec<Evaluated> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut slopes = [0.0; MAX_PARAMS];
            let local = match *node {
                Node::Constant(value) => Local { value, ..Local::default() },
                Node::Input(Place::Variable(i)) => Local { value: x.value[i], ..Local::default() },
                Node::Input(Place::Parameter(j)) => {
                    slopes[j] = 1.0;
                    Local { value: p.value[j], ..Local::default() }
                }
                Node::Negate(a) => Local { value: -done[a].0.value, by_a: -1.0, ..Local::default() },
                Node::Binary(op, a, b) => {
                    let ln_a = match self.nodes[a] {
                        Node::Input(Place::Variable(i)) => Some(x.ln[i]),
                        Node::Input(Place::Parameter(j)) => Some(p.ln[j]),
                        _ => None,
                    };
                    let constant_b = matches!(self.nodes[b], Node::Constant(_));
                    binary(op, done[a].0.value, ln_a, done[b].0.value, constant_b)
                }
                Node::Unary(function, a) => unary(function, done[a].0.value),
                Node::Choice(function, a, b) => {
                    let (a, b) = (done[a].0.value, done[b].0.value);
                    if (a < b) == (function == Function::Min) {
                        Local { value: a, by_a: 1.0, ..Local::default() }
                    } else {
                        Local { value: b, by_b: 1.0, ..Local::default() }
                    }
                }
            };
            if let Some((a, b)) = node.operands() {
                for (slope, (by_a, by_b)) in
                    slopes.iter_mut().zip(done[a].1.iter().zip(&done[b].1)).take(p.value.len())
                {
                    *slope = times(*by_a, local.by_a) + times(*by_b, local.by_b);
                }
            }
            done.push((local, slopes));
        }
        done
    }
}

impl Node {
    /// Its operands; one that has a single operand has it twice, and no derivative by the second.
    fn operands(self) -> Option<(usize, usize)> {
        match self {
            Self::Constant(_) | Self::Input(_) => None,
            Self::Negate(a) | Self::Unary(_, a) => Some((a, a)),
            Self::Binary(_, a, b) | Self::Choice(_, a, b) => Some((a, b)),
        }
    }
}

/// A product in which 0 wins over what does not exist: a value that does not depend on a parameter has slope 0 by it,
/// whatever the derivative on the way.
fn times(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// `ln_a` is the logarithm of `a` where it is known.
fn binary(op: Op, a: f64, ln_a: Option<f64>, b: f64, constant_b: bool) -> Local {
    match op {
        Op::Add => Local { value: a + b, by_a: 1.0, by_b: 1.0, ..Local::default() },
        Op::Subtract => Local { value: a - b, by_a: 1.0, by_b: -1.0, ..Local::default() },
        Op::Multiply => Local { value: a * b, by_a: b, by_b: a, by_ab: 1.0, ..Local::default() },
        Op::Divide => {
            let inverse = 1.0 / b;
            let value = a / b;
            Local {
                value,
                by_a: inverse,
                by_b: -value * inverse,
                by_ab: -inverse * inverse,
                by_bb: 2.0 * value * inverse * inverse,
                ..Local::default()
            }
        }
        // A constant exponent may stand on a negative base, whose logarithm does not exist.
        Op::Power if constant_b => Local {
            value: libm::pow(a, b),
            by_a: times(b, libm::pow(a, b - 1.0)),
            by_aa: times(b * (b - 1.0), libm::pow(a, b - 2.0)),
            ..Local::default()
        },
        Op::Power => {
            let ln_a = ln_a.unwrap_or_else(|| ln(a));
            let value = if ln_a.is_finite() { exp(b * ln_a) } else { libm::pow(a, b) };
            let rate = b / a;
            Local {
                value,
                by_a: value * rate,
                by_b: value * ln_a,
                by_aa: value * (rate - 1.0 / a) * rate,
                by_ab: value * (1.0 / a + rate * ln_a),
                by_bb: value * ln_a * ln_a,
            }
        }
        _ => Local { value: f64::NAN, ..Local::default() },
    }
}

fn unary(function: Function, x: f64) -> Local {
    let of = |value, by_a, by_aa| Local { value, by_a, by_aa, ..Local::default() };
    let inverse = 1.0 / x;
    match function {
        Function::Exp => {
            let e = exp(x);
            of(e, e, e)
        }
        Function::Ln => of(ln(x), inverse, -inverse * inverse),
        Function::Log10 => logarithm(libm::log10(x), std::f64::consts::LOG10_E * inverse, inverse),
        Function::Log2 => logarithm(libm::log2(x), std::f64::consts::LOG2_E * inverse, inverse),
        Function::Sqrt => {
            let root = x.sqrt();
            of(root, 0.5 / root, -0.25 / root * inverse)
        }
        Function::Abs => of(x.abs(), x.signum(), 0.0),
        Function::Round => of(libm::round(x), 0.0, 0.0),
        Function::Min | Function::Max => of(f64::NAN, 0.0, 0.0),
    }
}

fn logarithm(value: f64, slope: f64, inverse: f64) -> Local {
    Local { value, by_a: slope, by_aa: -slope * inverse, ..Local::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use scalelaw_expr::parse;

    const PARAMETERS: [&str; 3] = ["E", "A", "a"];

    fn tape(text: &str) -> Tape {
        Tape::new(&parse(text).unwrap(), &|name| {
            let parameter = PARAMETERS.iter().position(|p| *p == name);
            Some(parameter.map_or(Place::Variable(0), Place::Parameter))
        })
    }

    /// Value, gradient and upper triangle of the Hessian at N and the parameters.
    fn at(tape: &Tape, n: f64, p: [f64; 3]) -> (f64, [f64; 3], [f64; 9]) {
        let (x, ln_x, ln_p) = ([n], [ln(n)], p.map(ln));
        let (x, p) = (Vars { value: &x, ln: &ln_x }, Pars { value: &p, ln: &ln_p });
        let (mut gradient, mut hessian) = ([0.0; 3], [0.0; 9]);
        let value = tape.gradient(x, p, &mut gradient);
        tape.hessian(x, p, &mut hessian);
        (value, gradient, hessian)
    }

    /// Every derivative beside central differences of the one below it.
    fn check(text: &str, n: f64, p: [f64; 3]) {
        let tape = tape(text);
        let (_, gradient, hessian) = at(&tape, n, p);
        for j in 0..3 {
            let h = 1e-5 * p[j].abs().max(1e-3);
            let moved = |h: f64| {
                let mut q = p;
                q[j] += h;
                at(&tape, n, q)
            };
            let (up, down) = (moved(h), moved(-h));
            let close = |analytic: f64, numeric: f64| {
                (analytic - numeric).abs() <= 1e-6 * (1.0 + analytic.abs().max(numeric.abs()))
            };
            assert!(close(gradient[j], (up.0 - down.0) / (2.0 * h)), "{text}: {j}");
            for k in 0..=j {
                let numeric = (up.1[k] - down.1[k]) / (2.0 * h);
                assert!(
                    close(hessian[k * 3 + j], numeric),
                    "{text}: {k} {j}: {} {numeric}",
                    hessian[k * 3 + j]
                );
            }
        }
    }

    #[test]
    fn derivatives_of_every_operation_equal_central_differences() {
        for text in [
            "E + A/N^a",
            "E + A/N^a - exp(-a*sqrt(A)) + min(a, A)*log2(N) + ln(A)^2",
            "(E - A)^3 * max(E, a) / log10(A + N)",
            "abs(a - A)^E + (A/N)^(a/E) - -A*A",
            "round(A) * E * a^A + log(E*A*a)",
        ] {
            check(text, 3.0, [1.7, 4.2, 0.3]);
        }
    }

    #[test]
    fn negative_and_zero_bases_have_the_derivatives_that_exist() {
        let (value, gradient, hessian) = at(&tape("(E - A)^2"), 1.0, [1.0, 3.0, 0.0]);
        assert_eq!((value, gradient[0], gradient[1]), (4.0, -4.0, 4.0));
        assert_eq!((hessian[0], hessian[1], hessian[4]), (2.0, -2.0, 2.0));
        // A parameter that the value does not depend on has slope 0, not NaN.
        let (value, gradient, _) = at(&tape("E + A*N^0.5"), 0.0, [1.0, 3.0, 0.0]);
        assert_eq!((value, gradient), (1.0, [1.0, 0.0, 0.0]));
        assert!(at(&tape("'text' + E"), 1.0, [1.0; 3]).0.is_nan());
    }

    #[test]
    fn equal_parts_are_computed_once() {
        // A, N, a, N^a, A/N^a, E, E*N^a and the sum.
        assert_eq!(tape("A/N^a + E*N^a").nodes.len(), 8);
    }

    proptest! {
        #[test]
        fn derivatives_of_a_law_equal_central_differences_anywhere(
            n in 2.0..1e6f64, e in 0.5..3.0f64, amplitude in 0.1..50.0f64, a in 0.05..1.5f64,
        ) {
            check("E + A/N^a + (a + A*ln(N))/(E*N)", n, [e, amplitude, a]);
        }
    }
}
