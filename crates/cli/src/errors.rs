//! Errors as a person reads them: what failed, what caused it, what to do about it.

use crate::hints::{self, Usage};
use std::process::ExitCode;

/// An error as lines: `error:`, a `caused by:` line for each cause, a `hint:` line for each hint.
///
/// A cause that the line before already ends with is left out.
pub fn render(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    let mut lines = vec![format!("error: {said}")];
    for cause in error.chain().skip(1).map(|cause| cause.to_string().trim_end().to_owned()) {
        if !said.ends_with(&cause) {
            lines.push(format!("  caused by: {}", cause.replace('\n', "\n    ")));
            said = cause;
        }
    }
    lines.extend(hints::hints(error).iter().map(|hint| format!("hint: {}", hint.replace('\n', "\n      "))));
    lines.join("\n")
}

/// The exit code of a command that ended in an error: 2 for its usage, 1 for its input.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.chain().any(|cause| cause.is::<Usage>()) { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn render_shows_message_causes_and_hints_once_each() {
        let file: anyhow::Result<()> = Err(std::io::Error::other("disk on fire").into());
        let error = file.context("cannot read a.csv: disk on fire").context("no table").unwrap_err();
        assert_eq!(render(&error), "error: no table\n  caused by: cannot read a.csv: disk on fire");
        let error = Usage::error("no law", "name one").context("a.toml");
        assert_eq!(render(&error), "error: a.toml\n  caused by: no law\nhint: name one");
    }
}
