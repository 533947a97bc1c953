//! Developer commands: `cargo xtask check` is what CI runs, `cargo xtask snapshots` writes the committed outputs anew.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod includes;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A check: what it is about, and the command.
struct Check {
    what: &'static str,
    program: Program,
    arguments: &'static [&'static str],
}

enum Program {
    /// The cargo that runs this.
    Cargo,
    /// A tool that is not part of the toolchain: skipped where it is not installed.
    Tool(&'static str),
}

const CHECKS: &[Check] = &[
    Check { what: "formatting", program: Program::Cargo, arguments: &["fmt", "--all", "--check"] },
    Check { what: "spelling", program: Program::Tool("typos"), arguments: &[] },
    Check {
        what: "licences and sources of dependencies",
        program: Program::Tool("cargo-deny"),
        arguments: &["--offline", "check", "bans", "licenses", "sources"],
    },
    Check { what: "unused dependencies", program: Program::Tool("cargo-shear"), arguments: &[] },
    Check {
        what: "packages",
        program: Program::Cargo,
        arguments: &["package", "--workspace", "--no-verify", "--offline", "--allow-dirty", "--quiet"],
    },
    Check {
        what: "lints",
        program: Program::Cargo,
        arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    },
    Check {
        what: "documentation",
        program: Program::Cargo,
        arguments: &["doc", "--workspace", "--no-deps", "--locked"],
    },
    Check {
        what: "tests",
        program: Program::Cargo,
        arguments: &["test", "--workspace", "--all-targets", "--locked"],
    },
    Check {
        what: "documentation tests",
        program: Program::Cargo,
        arguments: &["test", "--workspace", "--doc", "--locked"],
    },
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(root),
        Some("snapshots") => snapshots(root),
        _ => {
            eprintln!("usage: cargo xtask check        everything that must pass before a change lands");
            eprintln!("       cargo xtask snapshots    write the committed outputs of the program anew");
            ExitCode::from(2)
        }
    }
}

fn check(root: &Path) -> ExitCode {
    let outside = includes::outside_of_crates(root);
    if !outside.is_empty() {
        eprintln!("included from outside of the crate, so not in its package:\n  {}", outside.join("\n  "));
        return ExitCode::FAILURE;
    }
    let mut skipped = Vec::new();
    for check in CHECKS {
        let program = match check.program {
            Program::Cargo => env!("CARGO").into(),
            Program::Tool(name) => match installed(root, name) {
                Some(path) => path,
                None => {
                    skipped.push(format!("{} ({name} is not installed)", check.what));
                    continue;
                }
            },
        };
        println!("== {}: {} {}", check.what, program.display(), check.arguments.join(" "));
        let mut command = Command::new(program);
        command.args(check.arguments).current_dir(root).env("RUSTDOCFLAGS", "-D warnings");
        if !command.status().is_ok_and(|status| status.success()) {
            eprintln!("{} failed", check.what);
            return ExitCode::FAILURE;
        }
    }
    if skipped.is_empty() {
        println!("all checks passed");
    } else {
        println!("all other checks passed; SKIPPED: {}", skipped.join(", "));
    }
    ExitCode::SUCCESS
}

/// A tool where `.ci/run` puts it, or on the path.
fn installed(root: &Path, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![root.join("target/tools/bin")];
    folders.extend(std::env::split_paths(&path));
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    folders.into_iter().map(|folder| folder.join(&file)).find(|path| path.is_file())
}

fn snapshots(root: &Path) -> ExitCode {
    let tests: [&[&str]; 2] = [&["scalelaw", "--test", "committed"], &["scalelaw-report"]];
    for of in tests {
        let written = Command::new(env!("CARGO"))
            .args(["test", "--locked", "-p"])
            .args(of)
            .current_dir(root)
            .env("SNAPSHOTS", "write")
            .env("INSTA_UPDATE", "always")
            .status();
        if !written.is_ok_and(|status| status.success()) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
