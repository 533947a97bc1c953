//! Expression to text that parses back to the same expression.

use crate::parse::{is_name, is_name_start, truth};
use crate::{Expr, Op};
use std::fmt;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(x) => write!(f, "{x:?}"),
            Self::Text(t) => write!(f, "'{}'", t.replace('\'', "''")),
            Self::Truth(t) => write!(f, "{t}"),
            Self::Name(name) if plain(name) => f.write_str(name),
            Self::Name(name) => write!(f, "`{}`", name.replace('`', "``")),
            Self::Negate(x) => write!(f, "-{}", Operand(x, 8)),
            Self::Not(x) => write!(f, "not {}", Operand(x, 4)),
            Self::Binary(op, a, b) => {
                let (left, right) = if *op == Op::Power {
                    (op.binding() + 1, op.binding())
                } else {
                    (op.binding(), op.binding() + 1)
                };
                let space = if *op == Op::Power { "" } else { " " };
                write!(f, "{}{space}{}{space}{}", Operand(a, left), op.symbol(), Operand(b, right))
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                for (i, x) in arguments.iter().enumerate() {
                    write!(f, "{}{x}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// A name that needs no back quotes.
fn plain(name: &str) -> bool {
    name.starts_with(is_name_start)
        && name.chars().all(is_name)
        && !matches!(name, "or" | "and" | "not")
        && truth(name).is_none()
}

/// An operand in parentheses unless it binds at least this tightly.
struct Operand<'a>(&'a Expr, u8);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binding = match self.0 {
            Expr::Binary(op, ..) => op.binding(),
            Expr::Negate(_) => 7,
            Expr::Not(_) => 3,
            Expr::Number(_) | Expr::Text(_) | Expr::Truth(_) | Expr::Name(_) | Expr::Call(..) => 10,
        };
        if binding >= self.1 { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}
