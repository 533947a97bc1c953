//! The program described to shells and readers: completions, manual pages, and the reference in `docs/commands.md`.

use crate::output;
use anyhow::Context;
use clap_complete::Shell;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Columns of the reference, whatever the terminal.
const WIDTH: usize = 100;

/// Arguments of `scalelaw completions`.
#[derive(clap::Args)]
pub struct CompletionsArguments {
    /// The shell whose completions are printed
    shell: Shell,
}

/// Prints a shell's completions.
///
/// # Errors
/// When stdout cannot be written.
pub fn completions(mut program: clap::Command, arguments: &CompletionsArguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "scalelaw", &mut script);
    output::write(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Arguments of `scalelaw manual`.
#[derive(clap::Args)]
pub struct ManualArguments {
    /// Write manual pages (`man ./scalelaw.1`) into this directory instead
    #[arg(long, value_name = "DIR")]
    man: Option<PathBuf>,
}

/// Prints the help of every command as Markdown, or writes it as manual pages.
///
/// # Errors
/// When the directory or stdout cannot be written.
pub fn manual(program: clap::Command, arguments: &ManualArguments) -> anyhow::Result<ExitCode> {
    match &arguments.man {
        Some(dir) => std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(program, dir))
            .with_context(|| format!("cannot write manual pages into {}", dir.display()))?,
        None => output::print(&markdown(program))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn markdown(program: clap::Command) -> String {
    let mut text =
        "# Commands\n\nWhat `scalelaw COMMAND --help` prints. `scalelaw manual` prints this page.\n"
            .to_owned();
    let mut program = program.term_width(WIDTH);
    program.build();
    let mut left = vec![program];
    while let Some(mut command) = left.pop() {
        let help = command.render_long_help().to_string();
        let title = command.get_bin_name().unwrap_or(command.get_name());
        let _ = write!(text, "\n## {title}\n\n```text\n");
        for line in help.trim_end().lines() {
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text += "```\n";
        // `help` only repeats the tree.
        let below = command.get_subcommands().filter(|c| c.get_name() != "help").cloned();
        left.extend(below.collect::<Vec<_>>().into_iter().rev());
    }
    text
}
