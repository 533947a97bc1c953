//! `scalelaw sweep`: the runs of an experiment file, run to completion, retrying failures.

mod goal;
mod plan;
mod run;
mod status;

use super::worker::ResourceArguments;
use crate::output;
use crate::progress::Display;
use clap::Subcommand;
use scalelaw_core::measure::EvaluationSet;
use scalelaw_core::number;
use scalelaw_lab::sweep::{self, Queued, Request};
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// Run every unfinished run, resuming where an earlier call was stopped (`sweep FILE` is the same)
    Run(RunArguments),
    /// Runs, FLOPs counted three ways, hours on this machine, memory and disk, before a single step
    Plan(RunArguments),
    /// Build the data and list the runs for `scalelaw worker`, training nothing
    Queue(RunArguments),
    /// Where every run stands
    Status(status::Arguments),
}

// The group says whether these arguments are there: with a flattened struct in it, clap would leave it empty.
#[derive(clap::Args)]
#[group(args = ["file"])]
struct RunArguments {
    /// The experiment file
    #[arg(value_name = "EXPERIMENT")]
    file: PathBuf,
    /// Where everything goes; resumable: after an interruption, run the same command again
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
    #[command(flatten)]
    resources: ResourceArguments,
    /// After the experiment's own runs, add the runs most informative about a target until its interval is
    /// narrower than GOAL, such as 'ci95(loss@1e20) < 0.02', in nats per token
    #[arg(long, value_name = "GOAL", requires = "spend")]
    until: Option<goal::Goal>,
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

impl RunArguments {
    fn request(&self) -> Request {
        Request {
            experiment: self.file.clone(),
            out: self.out.clone(),
            text: self.text.clone(),
            dataset: self.data.clone(),
            evals: self.evals.clone(),
        }
    }
}

/// Prepares the output directory for workers.
fn queue(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let display = Display::new();
    let queued = sweep::queue(&arguments.request(), &display)?;
    display.finish();
    output::print(&if arguments.json {
        serde_json::to_string_pretty(&queued)?
    } else {
        let Queued { runs, finished, list } = &queued;
        format!("{runs} runs, {finished} of them finished, in {}", list.display())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs, plans or reports.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match (&arguments.command, &arguments.run) {
        (Some(Command::Run(arguments)), _) | (None, Some(arguments)) => run::run(arguments),
        (Some(Command::Plan(arguments)), _) => plan::run(arguments),
        (Some(Command::Queue(arguments)), _) => queue(arguments),
        (Some(Command::Status(arguments)), _) => status::run(arguments),
        (None, None) => anyhow::bail!("give an experiment file: scalelaw sweep EXPERIMENT.toml"),
    }
}
