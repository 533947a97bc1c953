//! The program `scalelaw`: arguments, progress, rendering and exit codes.
//!
//! Data go to stdout, messages and progress to stderr. The exit codes are those of [`EXIT_CODES`].

/// As the standard library's, but without a panic when nobody reads stderr any more (`2>&1 | head`): a message
/// may be lost, work may not.
macro_rules! eprint {
    ($($message:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($message)*);
    }};
}

/// [`eprint!`] and the end of the line.
macro_rules! eprintln {
    ($($message:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($message)*);
    }};
}

mod commands;
mod errors;
mod hints;
mod output;
mod progress;
mod quickstart;
mod reference;
mod signals;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::fmt::Write;
use std::process::ExitCode;

/// A scaling-law laboratory for language models
///
/// Give it text: it trains families of small models, fits scaling laws with calibrated intervals, plans the next
/// run, and writes a report. Every stage also works alone, on files of your own.
#[derive(Parser)]
#[command(name = "scalelaw", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 the input or a run failed, 2 wrong usage, 3 partly done.
Data go to stdout, messages and progress to stderr. `scalelaw COMMAND --help` describes a command.";

/// The commands as the help groups them; each is in one group.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Study", &["quickstart", "sweep", "worker", "train", "runs", "paper"]),
    ("Data", &["corpus", "tokenizer"]),
    ("Laws", &["fit", "isoflop", "envelope", "predict", "chain", "explain", "reproduce"]),
    ("Decisions", &["plan", "compare", "suggest", "score"]),
    ("Program", &["completions", "manual"]),
];

#[derive(Subcommand)]
enum Command {
    /// Run a whole study in miniature on your text: train, fit, plan, report
    Quickstart(quickstart::Arguments),
    /// Plan, run and monitor every run of an experiment file
    Sweep(commands::sweep::Arguments),
    /// Do the runs of a sweep's directory until none is left, under any launcher
    Worker(commands::worker::Arguments),
    /// Build a corpus from web pages and other texts, show its statistics, take subsets of it
    Corpus(commands::corpus::Arguments),
    /// Train a tokenizer, encode text as token ids, decode ids to text
    Tokenizer(commands::tokenizer::Arguments),
    /// Train one model from its spec
    Train(commands::train::Arguments),
    /// List or export finished runs, or import the logs of other trainers
    Runs(commands::runs::Arguments),
    /// Draw the figures and tables of Kaplan et al. 2020, from its constants or your own runs
    Paper(commands::paper::Arguments),
    /// Fit one law to a run table, or fit and rank every law the table can determine
    Fit(commands::fit::Arguments),
    /// Reproduce a published fit from its data and check it against the published values
    Reproduce(commands::reproduce::Arguments),
    /// Find the loss-optimal size at each budget from isoFLOP valleys and from a fitted law
    Isoflop(commands::isoflop::Arguments),
    /// Find the compute frontier under learning curves, and the laws along it
    Envelope(commands::envelope::Arguments),
    /// Extrapolate partial learning curves, with calibrated intervals
    Predict(commands::predict::Arguments),
    /// Plan a run: what a budget buys, what a loss costs, and the run as a spec
    Plan(commands::plan::Arguments),
    /// Estimate all constants of Kaplan et al. 2020 from one table of learning curves
    Chain(commands::chain::Arguments),
    /// Explain, step by step, why Kaplan's exponent and Chinchilla's differ on your runs
    Explain(commands::explain::Arguments),
    /// Compare two recipes at a compute budget
    ///
    /// Reports the probability that A is better, and the equivalent compute.
    Compare(commands::compare::Arguments),
    /// Suggest the next runs that most narrow the interval at a target
    Suggest(commands::suggest::Arguments),
    /// Score a registered forecast against the run it predicted
    Score(commands::score::Arguments),
    /// Print completions for a shell
    Completions(reference::CompletionsArguments),
    /// Print the help of every command as one page, or write manual pages
    Manual(reference::ManualArguments),
}

/// The command line, with its commands in groups.
fn program() -> clap::Command {
    let program = Arguments::command();
    let header = *program.get_styles().get_header();
    let literal = *program.get_styles().get_literal();
    let mut groups = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(groups, "{header}{group}:{header:#}");
        for name in names {
            let about = program.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(groups, "  {literal}{name:<11}{literal:#} {about}");
        }
        groups.push('\n');
    }
    let options = format!("{header}Options:{header:#}\n{{options}}");
    program.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{options}{{after-help}}"
    ))
}

fn main() -> ExitCode {
    let arguments =
        Arguments::from_arg_matches(&program().get_matches()).unwrap_or_else(|error| error.exit());
    let result = match arguments.command {
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Sweep(arguments) => commands::sweep::run(&arguments),
        Command::Worker(arguments) => commands::worker::run(&arguments),
        Command::Corpus(arguments) => commands::corpus::run(&arguments),
        Command::Tokenizer(arguments) => commands::tokenizer::run(&arguments),
        Command::Train(arguments) => commands::train::run(&arguments),
        Command::Runs(arguments) => commands::runs::run(&arguments),
        Command::Paper(arguments) => commands::paper::run(&arguments),
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Reproduce(arguments) => commands::reproduce::run(&arguments),
        Command::Isoflop(arguments) => commands::isoflop::run(&arguments),
        Command::Envelope(arguments) => commands::envelope::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Plan(arguments) => commands::plan::run(&arguments),
        Command::Chain(arguments) => commands::chain::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Compare(arguments) => commands::compare::run(&arguments),
        Command::Suggest(arguments) => commands::suggest::run(&arguments),
        Command::Score(arguments) => commands::score::run(&arguments),
        Command::Completions(arguments) => reference::completions(program(), &arguments),
        Command::Manual(arguments) => reference::manual(program(), &arguments),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("{}", errors::render(&error));
            errors::exit_code(&error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let program = program();
        let mut there: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        there.sort_unstable();
        assert_eq!(grouped, there);
    }

    #[test]
    fn help_fits_into_100_columns() {
        let help = program().render_long_help().to_string();
        let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }

    #[test]
    fn mistyped_command_gets_its_neighbour() {
        let error = program().try_get_matches_from(["scalelaw", "fitt"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("'fit'"), "{error}");
    }
}
