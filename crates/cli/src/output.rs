//! Data on stdout, for people and for pipes.

use anyhow::Context;
use std::io::{ErrorKind, Write};

/// Writes pieces to stdout as they come; ends early, and not as an error, when the reader has seen enough (`| head`).
///
/// # Errors
/// The first one of the pieces, or that stdout cannot be written for another reason, such as a full disk.
pub fn pieces<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = anyhow::Result<P>>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    for piece in pieces {
        match stdout.write_all(piece?.as_ref()).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("cannot write to stdout")?,
        }
    }
    Ok(())
}

/// Writes bytes to stdout.
///
/// # Errors
/// As [`pieces`].
pub fn write(bytes: &[u8]) -> anyhow::Result<()> {
    pieces([Ok(bytes)])
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
