//! Text to expression: precedence climbing over a hand-written lexer.

use crate::{Expr, Function, Op};

/// Text that is not an expression.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{problem} at character {position}: {}▸{}", before(text, *position), after(text, *position))]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// Character at which parsing failed, from 1.
    pub position: usize,
    /// What is wrong there.
    pub problem: ParseProblem,
}

/// Why parsing failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseProblem {
    /// Text follows a complete expression.
    #[error("expected an operator or the end")]
    Operator,
    /// A value is missing.
    #[error("expected a number, a column, a quoted text or (")]
    Value,
    /// A binary operator has no left operand.
    #[error("expected a value before the operator")]
    LeftOperand,
    /// The text ends too early.
    #[error("expected more")]
    End,
    /// A character is missing.
    #[error("expected {0}")]
    Character(char),
    /// A quoted text or name has no end.
    #[error("no closing {0}")]
    Unclosed(char),
    /// Not a number.
    #[error(transparent)]
    Number(#[from] scalelaw_core::number::NumberError),
    /// No function has this name.
    #[error("no function {name:?}; there are {}", known.join(", "))]
    UnknownFunction {
        /// Name.
        name: String,
        /// Functions there are.
        known: Vec<&'static str>,
    },
    /// More nested parentheses than an expression may have.
    #[error("too deeply nested")]
    TooDeep,
}

fn before(text: &str, position: usize) -> String {
    text.chars().take(position.saturating_sub(1)).collect()
}

fn after(text: &str, position: usize) -> String {
    text.chars().skip(position.saturating_sub(1)).collect()
}

/// Parses an expression.
///
/// # Errors
/// [`ParseError`] says where and what was expected.
///
/// # Example
/// ```
/// let e = scalelaw_expr::parse("tokens > 3e7 and not (run == 'bad')")?;
/// assert_eq!(e.names(), ["tokens", "run"]);
/// # Ok::<(), scalelaw_expr::ParseError>(())
/// ```
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser { chars: text.chars().collect(), at: 0, text, depth: 0 };
    let expr = parser.binary(0)?;
    parser.skip_space();
    if parser.at < parser.chars.len() {
        return Err(parser.fail(ParseProblem::Operator));
    }
    Ok(expr)
}

/// Nesting that no human writes; keeps hostile input from exhausting the stack.
const DEEPEST: usize = 200;

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    text: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn fail(&self, problem: ParseProblem) -> ParseError {
        ParseError { text: self.text.to_string(), position: self.at + 1, problem }
    }

    fn skip_space(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn binary(&mut self, weakest: u8) -> Result<Expr, ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fail(ParseProblem::TooDeep));
        }
        let mut left = self.prefix()?;
        while let Some((op, length)) = self.operator() {
            let binding = op.binding();
            if binding < weakest {
                break;
            }
            self.at += length;
            // `^` is right-associative; comparisons do not chain.
            let right = self.binary(if op == Op::Power { binding } else { binding + 1 })?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&mut self) -> Option<(Op, usize)> {
        self.skip_space();
        Op::ALL.iter().find_map(|(op, symbol, _)| {
            let length = symbol.chars().count();
            let here = self.chars.get(self.at..self.at + length)?;
            let spelled = here.iter().copied().eq(symbol.chars());
            let word = symbol.starts_with(|c: char| c.is_alphabetic());
            let ends = !word || self.chars.get(self.at + length).is_none_or(|c| !is_name(*c));
            (spelled && ends).then_some((*op, length))
        })
    }

    fn prefix(&mut self) -> Result<Expr, ParseError> {
        self.skip_space();
        match self.chars.get(self.at).copied() {
            Some('-') => {
                self.at += 1;
                // Binds looser than ^ and tighter than *: -x^2 is -(x^2).
                let inner = self.binary(7)?;
                Ok(Expr::Negate(Box::new(inner)))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.binary(0)?;
                self.expect(')')?;
                Ok(inner)
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote).map(Expr::Text),
            Some('`') => self.quoted('`').map(Expr::Name),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_name_start(c) => self.word(),
            Some(_) => Err(self.fail(ParseProblem::Value)),
            None => Err(self.fail(ParseProblem::End)),
        }
    }

    fn expect(&mut self, c: char) -> Result<(), ParseError> {
        self.skip_space();
        if self.chars.get(self.at) == Some(&c) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.fail(ParseProblem::Character(c)))
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        while let Some(&c) = self.chars.get(self.at) {
            self.at += 1;
            if c != quote {
                out.push(c);
            } else if self.chars.get(self.at) == Some(&quote) {
                // A doubled quote stands for itself.
                self.at += 1;
                out.push(quote);
            } else {
                return Ok(out);
            }
        }
        self.at = start;
        Err(self.fail(ParseProblem::Unclosed(quote)))
    }

    fn number(&mut self) -> Result<Expr, ParseError> {
        let start = self.at;
        while let Some(&c) = self.chars.get(self.at) {
            let exponent_sign = matches!(c, '+' | '-')
                && matches!(self.chars[self.at - 1], 'e' | 'E')
                && self.at > start
                && self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit);
            if c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent_sign {
                self.at += 1;
            } else {
                break;
            }
        }
        let text: String = self.chars[start..self.at].iter().collect();
        scalelaw_core::number::parse(&text).map(Expr::Number).map_err(|e| {
            self.at = start;
            self.fail(e.into())
        })
    }

    fn word(&mut self) -> Result<Expr, ParseError> {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| is_name(*c)) {
            self.at += 1;
        }
        let word: String = self.chars[start..self.at].iter().collect();
        if word == "not" {
            return Ok(Expr::Not(Box::new(self.binary(3)?)));
        }
        if word == "or" || word == "and" {
            self.at = start;
            return Err(self.fail(ParseProblem::LeftOperand));
        }
        self.skip_space();
        if self.chars.get(self.at) != Some(&'(') {
            return Ok(truth(&word).map_or(Expr::Name(word), Expr::Truth));
        }
        let Some((function, _, arity)) = Function::ALL.iter().find(|(_, name, _)| *name == word) else {
            self.at = start;
            let known = Function::ALL.iter().map(|(_, name, _)| *name).collect();
            return Err(self.fail(ParseProblem::UnknownFunction { name: word, known }));
        };
        self.at += 1;
        let mut arguments = vec![self.binary(0)?];
        for _ in 1..*arity {
            self.expect(',')?;
            arguments.push(self.binary(0)?);
        }
        self.expect(')')?;
        Ok(Expr::Call(*function, arguments))
    }
}

/// The truth that a word spells: `true`, `True`, `FALSE`.
pub(crate) fn truth(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

pub(crate) fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}
