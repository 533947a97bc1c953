//! Developer commands: `cargo xtask check` is what CI runs.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::{Command, ExitCode};

const CHECKS: [(&str, &[&str]); 4] = [
    ("formatting", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace", "--all-targets", "--locked"]),
    ("documentation tests", &["test", "--workspace", "--doc", "--locked"]),
];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(),
        _ => {
            eprintln!("usage: cargo xtask check    formatting, lints, tests, documentation tests");
            ExitCode::from(2)
        }
    }
}

fn check() -> ExitCode {
    for (what, arguments) in CHECKS {
        println!("== {what}: cargo {}", arguments.join(" "));
        let passed = Command::new(env!("CARGO")).args(arguments).status().is_ok_and(|s| s.success());
        if !passed {
            eprintln!("{what} failed");
            return ExitCode::FAILURE;
        }
    }
    println!("all checks passed");
    ExitCode::SUCCESS
}
