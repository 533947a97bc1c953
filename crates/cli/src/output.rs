//! Data on stdout, for people and for pipes.

use anyhow::Context;
use std::io::{ErrorKind, Write};

/// Writes bytes to stdout; a reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// When stdout cannot be written for another reason, such as a full disk.
pub fn write(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

/// Writes lines of text to stdout.
///
/// # Errors
/// As [`write()`].
pub fn print(text: &str) -> anyhow::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write(format!("{text}{end}").as_bytes())
}

/// Writes a value as JSON to stdout.
///
/// # Errors
/// As [`write()`].
pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
