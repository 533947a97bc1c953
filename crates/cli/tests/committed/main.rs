//! What the program prints against what is committed: the help of every command, the messages of mistakes, and the
//! commands of the documentation. `cargo xtask snapshots` writes the committed files anew.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

mod documentation;
mod errors;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The program, with nothing to read from stdin.
fn scalelaw(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scalelaw"));
    command.current_dir(dir).stdin(std::process::Stdio::null());
    command
}

/// Compares a text with the committed one, or writes it where `SNAPSHOTS=write` asks for that.
fn assert_committed(path: &Path, text: &str) {
    if std::env::var_os("SNAPSHOTS").is_some_and(|v| v == "write") {
        return std::fs::write(path, text).unwrap();
    }
    // A checkout on Windows may have other ends of lines.
    let committed = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    if committed == text {
        return;
    }
    let (mut old, mut new) = (committed.lines(), text.lines());
    let mut line = 1;
    loop {
        let (expected, found) = (old.next(), new.next());
        assert_eq!(
            found,
            expected,
            "{}:{line} is stale; if the change is meant: cargo xtask snapshots",
            path.display()
        );
        line += 1;
    }
}
