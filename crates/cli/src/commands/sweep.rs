//! `scalelaw sweep`: the runs of an experiment file, brought home whatever dies on the way.

mod data;
mod plan;
mod run;
mod status;
mod study;
mod trainer;
mod until;

pub(crate) use study::{PlannedLine, cost, planned};

use super::train::available_threads;
use clap::Subcommand;
use scalelaw_core::measure::EvaluationSet;
use scalelaw_core::number;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `scalelaw sweep`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Option<RunArguments>,
}

#[derive(Subcommand)]
enum Command {
    /// Run every unfinished run, or go on where an earlier call was stopped (`sweep FILE` is the same)
    Run(RunArguments),
    /// Runs, FLOPs counted three ways, hours on this machine, memory and disk, before a single step
    Plan(RunArguments),
    /// Where every run stands
    Status(status::Arguments),
}

#[derive(clap::Args)]
struct RunArguments {
    /// The experiment file
    #[arg(value_name = "EXPERIMENT")]
    file: PathBuf,
    /// Where everything goes; the same command again goes on where it was stopped
    #[arg(long, default_value = "scalelaw-sweep")]
    out: PathBuf,
    /// The text, instead of what the experiment says: files and folders
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "data")]
    text: Vec<PathBuf>,
    /// A dataset that exists, instead of what the experiment says
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A further set to evaluate on, beside those of the experiment: its name, a file or a folder
    #[arg(long = "eval", value_name = "NAME=PATH", value_parser = eval_set)]
    evals: Vec<(String, PathBuf)>,
    /// Cores: runs at the same time
    #[arg(long, default_value_t = available_threads(), hide_default_value = true)]
    workers: usize,
    /// Memory for all runs together, such as 8G; by default most of what is free now
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
    /// How long a run that another host has may show no sign of life before it is taken over
    #[arg(long, default_value = "2m", value_parser = number::parse_duration)]
    lease: Duration,
    /// Then go on with the runs that tell most of a target, until its interval is as narrow as this:
    /// 'ci95(loss@1e20) < 0.02', in nats per token
    #[arg(long, value_name = "GOAL", requires = "spend")]
    until: Option<until::Goal>,
    /// FLOPs that --until may spend on runs beyond those of the experiment
    #[arg(long, value_name = "FLOPS", value_parser = flops)]
    spend: Option<f64>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

fn eval_set(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=PATH")?;
    if !EvaluationSet::is_name(name) {
        return Err(format!("{name:?}: expected {}", EvaluationSet::NAME_RULE));
    }
    Ok((name.to_owned(), PathBuf::from(path)))
}

fn flops(text: &str) -> Result<f64, String> {
    let flops = number::parse(text).map_err(|e| e.to_string())?;
    if flops > 0.0 { Ok(flops) } else { Err("expected FLOPs above 0".into()) }
}

fn bytes(text: &str) -> Result<u64, String> {
    number::parse(text.trim_end_matches('B')).map(|bytes| bytes as u64).map_err(|e| e.to_string())
}

/// Runs, plans or reports.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match (&arguments.command, &arguments.run) {
        (Some(Command::Run(arguments)), _) | (None, Some(arguments)) => run::run(arguments),
        (Some(Command::Plan(arguments)), _) => plan::run(arguments),
        (Some(Command::Status(arguments)), _) => status::run(arguments),
        (None, None) => anyhow::bail!("give an experiment file: scalelaw sweep EXPERIMENT.toml"),
    }
}
