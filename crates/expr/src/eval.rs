//! Values of expressions.

use crate::parse::truth;
use crate::{Expr, Function, Op};

/// Operands of the wrong kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// An operand is not of the kind that its operator takes.
    #[error("{operand} is {got}, expected {expected}")]
    Kind {
        /// The operand.
        operand: String,
        /// Its kind.
        got: &'static str,
        /// The kind that was expected.
        expected: &'static str,
    },
    /// Two values of different kinds are compared.
    #[error("cannot compare {left} with {right} in {comparison}")]
    Comparison {
        /// The comparison.
        comparison: String,
        /// Kind of its left side.
        left: &'static str,
        /// Kind of its right side.
        right: &'static str,
    },
}

/// What an expression is at one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number; missing cells are NaN and compare false.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// True or false.
    Truth(bool),
}

impl Value<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::Truth(_) => "true or false",
        }
    }

    /// The truth that the value is or spells; a text may (`True`), a number does not.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Truth(t) => Some(*t),
            Value::Text(text) => truth(text.trim()),
            Value::Number(_) => None,
        }
    }
}

impl Expr {
    /// Value where `name` says what each name is.
    ///
    /// # Errors
    /// [`EvalError`] names the operand of the wrong kind.
    pub fn eval<'a>(&'a self, name: &dyn Fn(&str) -> Value<'a>) -> Result<Value<'a>, EvalError> {
        let wrong = |e: &Self, got: &Value<'_>, expected| EvalError::Kind {
            operand: e.to_string(),
            got: got.kind(),
            expected,
        };
        let number = |e: &'a Self| match e.eval(name)? {
            Value::Number(x) => Ok(x),
            other => Err(wrong(e, &other, "a number")),
        };
        let truth = |e: &'a Self| {
            let value = e.eval(name)?;
            value.truth().ok_or_else(|| wrong(e, &value, "a comparison"))
        };
        Ok(match self {
            Self::Number(x) => Value::Number(*x),
            Self::Text(t) => Value::Text(t),
            Self::Truth(t) => Value::Truth(*t),
            Self::Name(n) => name(n),
            Self::Negate(x) => Value::Number(-number(x)?),
            Self::Not(x) => Value::Truth(!truth(x)?),
            Self::Binary(Op::Or, a, b) => Value::Truth(truth(a)? | truth(b)?),
            Self::Binary(Op::And, a, b) => Value::Truth(truth(a)? & truth(b)?),
            Self::Binary(op @ (Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Power), a, b) => {
                Value::Number(arithmetic(*op, number(a)?, number(b)?))
            }
            Self::Binary(op, a, b) => {
                let ordering = match (a.eval(name)?, b.eval(name)?) {
                    (Value::Number(x), Value::Number(y)) => x.partial_cmp(&y),
                    (Value::Text(x), Value::Text(y)) => Some(x.cmp(y)),
                    // Tables spell truths as words or as 1 and 0; a missing cell is neither.
                    (Value::Truth(x), Value::Number(y)) => f64::from(u8::from(x)).partial_cmp(&y),
                    (Value::Number(x), Value::Truth(y)) => x.partial_cmp(&f64::from(u8::from(y))),
                    (Value::Truth(_), Value::Text("")) | (Value::Text(""), Value::Truth(_)) => None,
                    (x, y) if x.truth().is_some() && y.truth().is_some() => x.truth().partial_cmp(&y.truth()),
                    (x, y) => {
                        return Err(EvalError::Comparison {
                            comparison: self.to_string(),
                            left: x.kind(),
                            right: y.kind(),
                        });
                    }
                };
                // A missing number is neither equal nor unequal to anything: every comparison is false.
                Value::Truth(ordering.is_some_and(|o| match op {
                    Op::Equal => o.is_eq(),
                    Op::NotEqual => o.is_ne(),
                    Op::Less => o.is_lt(),
                    Op::LessEqual => o.is_le(),
                    Op::Greater => o.is_gt(),
                    _ => o.is_ge(),
                }))
            }
            Self::Call(function, x) => Value::Number(match (function, x.as_slice()) {
                (Function::Min, [a, b]) => number(a)?.min(number(b)?),
                (Function::Max, [a, b]) => number(a)?.max(number(b)?),
                (_, [a, ..]) => unary(*function, number(a)?),
                (_, []) => f64::NAN,
            }),
        })
    }
}

fn arithmetic(op: Op, a: f64, b: f64) -> f64 {
    match op {
        Op::Add => a + b,
        Op::Subtract => a - b,
        Op::Multiply => a * b,
        Op::Divide => a / b,
        Op::Power => libm::pow(a, b),
        _ => f64::NAN,
    }
}

fn unary(function: Function, x: f64) -> f64 {
    match function {
        Function::Exp => libm::exp(x),
        Function::Ln => libm::log(x),
        Function::Log10 => libm::log10(x),
        Function::Log2 => libm::log2(x),
        Function::Sqrt => x.sqrt(),
        Function::Abs => x.abs(),
        Function::Round => libm::round(x),
        Function::Min | Function::Max => f64::NAN,
    }
}
