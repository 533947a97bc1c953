//! The program `scalelaw`: arguments, progress, rendering and exit codes.
//!
//! Data go to stdout, talk and progress to stderr. Exit codes: 0 fine, 1 the input or a run failed,
//! 2 usage, 3 partly done.
#![allow(clippy::print_stderr, reason = "the one crate that talks; stdout goes through `output`")]

mod commands;
mod execute;
mod forecasts;
mod output;
mod progress;
mod quickstart;
mod signals;
mod tables;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A scaling-law laboratory for language models: text in; families of small models trained, measured and
/// fitted; out come laws with honest intervals, a plan for the next run, and a report.
#[derive(Parser)]
#[command(name = "scalelaw", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole study in miniature: trains a ladder of models on your text, fits the laws, plans the next
    /// run and writes a report
    Quickstart(quickstart::Arguments),
    /// The runs of an experiment file: plan them, bring them all home, see where they stand
    Sweep(commands::sweep::Arguments),
    /// Fetch the pages of links, build a corpus from raw pages and texts, see its figures, take subsets
    Corpus(commands::corpus::Arguments),
    /// Train a tokenizer, or turn text into ids and back
    Tokenizer(commands::tokenizer::Arguments),
    /// Train one model from a spec
    Train(commands::train::Arguments),
    /// List or export finished runs, or import the logs of other trainers
    Runs(commands::runs::Arguments),
    /// Figures and tables of Kaplan et al. 2020
    Paper(commands::paper::Arguments),
    /// Fit a law to anybody's table, or every law that the table can tell, ranked
    Fit(commands::fit::Arguments),
    /// A published fit from its published data: the number, ours, pass or fail
    Reproduce(commands::reproduce::Arguments),
    /// The loss-optimal size at each budget (isoFLOP valleys), beside the parametric answer
    Isoflop(commands::isoflop::Arguments),
    /// The compute frontier under learning curves, and the laws along it
    Envelope(commands::envelope::Arguments),
    /// The rest of learning curves from their beginnings, with calibrated intervals
    Predict(commands::predict::Arguments),
    /// What a budget buys, what a loss costs, and the run as a spec
    Plan(commands::plan::Arguments),
    /// Kaplan et al.'s whole chain from one table of learning curves
    Chain(commands::chain::Arguments),
    /// Kaplan's exponent against Chinchilla's on your runs, step by step
    Explain(commands::explain::Arguments),
    /// Is recipe A better at a budget, how surely, and worth how much compute
    Compare(commands::compare::Arguments),
    /// The next runs that narrow the interval at a target most
    Suggest(commands::suggest::Arguments),
    /// A registered forecast against the run it was about
    Score(commands::score::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Sweep(arguments) => commands::sweep::run(&arguments),
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
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
