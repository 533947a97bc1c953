//! Data on stdout, for people and for pipes.

use anyhow::Context;
use std::io::{ErrorKind, Write};
use std::path::Path;

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

/// Writes a value as JSON to a file.
///
/// # Errors
/// The file cannot be written.
pub fn json_file<T: serde::Serialize + ?Sized>(path: &Path, value: &T) -> anyhow::Result<()> {
    file(path, &(serde_json::to_string_pretty(value)? + "\n"))
}

/// Writes text to a file.
///
/// # Errors
/// The file cannot be written.
pub fn file(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The two ends of a 95% interval of a number near 1, or that it is open.
pub fn interval(ends: Option<[f64; 2]>, places: usize) -> String {
    ends.map_or_else(|| "open".into(), |[lo, hi]| format!("{lo:.places$} … {hi:.places$}"))
}
