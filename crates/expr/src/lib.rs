//! Expressions over named columns: `tokens > 3e7 and run != 'bad'`, `E + A/N^alpha`.
//!
//! One grammar serves the selection of rows and the user's own laws:
//! `or`, `and`, `not`, `== != < <= > >=`, `+ - * /`, unary `-`, `^` (right-associative), calls, numbers
//! (`1.5B`, `3e19`), texts in quotes, `true` and `false`, names, and any other column name in back quotes.

mod eval;
mod parse;
mod print;

pub use eval::{EvalError, Value};
pub use parse::{ParseError, ParseProblem, parse};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// `true` or `false`; `True` and `TRUE` are the same.
    Truth(bool),
    /// A column, variable or parameter.
    Name(String),
    /// `-x`.
    Negate(Box<Expr>),
    /// `not x`.
    Not(Box<Expr>),
    /// Two operands.
    Binary(Op, Box<Expr>, Box<Expr>),
    /// A function of one or two arguments.
    Call(Function, Vec<Expr>),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Op {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Op {
    /// Every operator with its spelling and how tightly it binds.
    pub(crate) const ALL: [(Self, &'static str, u8); 13] = [
        (Self::Or, "or", 1),
        (Self::And, "and", 2),
        (Self::Equal, "==", 4),
        (Self::NotEqual, "!=", 4),
        (Self::LessEqual, "<=", 4),
        (Self::GreaterEqual, ">=", 4),
        (Self::Less, "<", 4),
        (Self::Greater, ">", 4),
        (Self::Add, "+", 5),
        (Self::Subtract, "-", 5),
        (Self::Multiply, "*", 6),
        (Self::Divide, "/", 6),
        (Self::Power, "^", 8),
    ];

    /// Spelling.
    pub fn symbol(self) -> &'static str {
        Self::ALL.iter().find(|(op, ..)| *op == self).map_or("", |(_, symbol, _)| symbol)
    }

    pub(crate) fn binding(self) -> u8 {
        Self::ALL.iter().find(|(op, ..)| *op == self).map_or(0, |(.., binding)| *binding)
    }
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Function {
    Exp,
    /// Natural logarithm; `log` is the same.
    Ln,
    Log10,
    Log2,
    Sqrt,
    Abs,
    /// To the nearest whole number, halves away from zero.
    Round,
    Min,
    Max,
}

impl Function {
    pub(crate) const ALL: [(Self, &'static str, usize); 10] = [
        (Self::Exp, "exp", 1),
        (Self::Ln, "ln", 1),
        (Self::Ln, "log", 1),
        (Self::Log10, "log10", 1),
        (Self::Log2, "log2", 1),
        (Self::Sqrt, "sqrt", 1),
        (Self::Abs, "abs", 1),
        (Self::Round, "round", 1),
        (Self::Min, "min", 2),
        (Self::Max, "max", 2),
    ];

    /// Spelling.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(f, ..)| *f == self).map_or("", |(_, name, _)| name)
    }
}

impl Expr {
    /// Every name in the expression, in order of first appearance.
    pub fn names(&self) -> Vec<String> {
        fn visit(expr: &Expr, out: &mut Vec<String>) {
            match expr {
                Expr::Name(name) if !out.contains(name) => out.push(name.clone()),
                Expr::Number(_) | Expr::Text(_) | Expr::Truth(_) | Expr::Name(_) => {}
                Expr::Negate(x) | Expr::Not(x) => visit(x, out),
                Expr::Binary(_, a, b) => {
                    visit(a, out);
                    visit(b, out);
                }
                Expr::Call(_, arguments) => arguments.iter().for_each(|x| visit(x, out)),
            }
        }
        let mut out = Vec::new();
        visit(self, &mut out);
        out
    }
}
