//! Errors that show the place: file, line, caret, and the nearest name there is.

use scalelaw_core::spelling::nearest;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text with a name: an experiment file, or a recipe of the program.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file's name as the user wrote it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A place in a source.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub source: Arc<Source>,
    pub span: Range<usize>,
}

impl Place {
    /// The place of what an empty table does not say.
    pub fn nowhere() -> Self {
        Self { source: Arc::new(Source { name: String::new(), text: String::new() }), span: 0..0 }
    }
}

/// What is wrong with an experiment file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ExperimentError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What would do.
    pub hint: Option<String>,
    shown: String,
    width: usize,
}

impl ExperimentError {
    pub(crate) fn at(place: &Place, problem: impl Into<String>) -> Self {
        let text = &place.source.text;
        let start = place.span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let shown: &str = text[line_start..].lines().next().unwrap_or_default();
        let line_end = line_start + shown.len();
        let end = place.span.end.clamp(start, line_end.max(start));
        Self {
            file: place.source.name.clone(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            problem: problem.into(),
            hint: None,
            shown: shown.to_owned(),
            width: text[start..end].chars().count().max(1),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean" where one of a few known names is near, and all of them where none is.
    pub(crate) fn expected(self, name: &str, known: &[&str]) -> Self {
        let list = format!("expected one of {}", known.join(", "));
        let named = self.hint(list);
        named.meant(name, known.iter().copied())
    }

    /// Adds "did you mean" where a known name is near.
    pub(crate) fn meant<'a>(self, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

impl fmt::Display for ExperimentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.problem)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.shown)?;
        write!(f, "{gutter} | {}{}", " ".repeat(self.column - 1), "^".repeat(self.width))?;
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_points_at_the_span_with_line_and_caret() {
        let source = Arc::new(Source { name: "a.toml".into(), text: "x = 1\n  wrong = 2\n".into() });
        let error = ExperimentError::at(&Place { source, span: 8..13 }, "no").hint("yes");
        assert_eq!((error.line, error.column), (2, 3));
        assert_eq!(error.to_string(), "a.toml:2:3: no\n  |\n2 |   wrong = 2\n  |   ^^^^^ yes");
    }
}
