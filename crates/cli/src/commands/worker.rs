//! `scalelaw worker`: the loop that does the runs of a sweep's directory, under any launcher.

use super::train::{Trainer, available_threads, trainer};
use crate::output;
use crate::progress::Display;
use crate::signals;
use scalelaw_core::number;
use scalelaw_lab::execute::{ATTEMPTS, Executed, Executor, FailedRun, Resources};
use scalelaw_lab::sweep;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Arguments of `scalelaw worker`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The output directory of a sweep; `scalelaw sweep queue` prepares one without training anything
    dir: PathBuf,
    #[command(flatten)]
    resources: ResourceArguments,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// What runs may use of this machine.
#[derive(clap::Args)]
pub struct ResourceArguments {
    /// Cores: runs at the same time
    #[arg(long, default_value_t = available_threads(), hide_default_value = true)]
    pub workers: usize,
    /// Memory for all runs together, such as 8G; by default most of what is free now
    #[arg(long, value_parser = bytes)]
    memory: Option<u64>,
    /// How long a run that another host has may show no sign of life before it is taken over
    #[arg(long, default_value = "2m", value_parser = number::parse_duration)]
    lease: Duration,
}

fn bytes(text: &str) -> Result<u64, String> {
    number::parse(text.trim_end_matches('B')).map(|bytes| bytes as u64).map_err(|e| e.to_string())
}

impl ResourceArguments {
    /// An executor of these resources.
    pub fn executor<'a>(
        &self,
        trainer: &'a Trainer,
        display: &'a Display,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> Executor<'a> {
        let Self { workers, memory, lease } = *self;
        Executor { resources: Resources { cores: workers, memory, lease }, trainer, watcher: display, stop }
    }
}

/// Works until nothing is left.
///
/// # Errors
/// When the directory is not a sweep's. A run that fails is in the summary.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let display = Display::new();
    let trainer = trainer()?;
    let executor = arguments.resources.executor(&trainer, &display, &stop);
    let done = sweep::work(&arguments.dir, &executor)?;
    display.finish();
    say_what_is_left(&done.failed, done.left);
    let Executed { runs, finished_before, failed, left } = &done;
    let finished = runs - failed.len() - left;
    output::print(&if arguments.json {
        serde_json::to_string_pretty(&done)?
    } else {
        format!("{finished} of {runs} runs finished, {finished_before} of them before")
    })?;
    Ok(match (done.is_complete(), finished) {
        (true, _) => ExitCode::SUCCESS,
        (false, 0) if *left == 0 => ExitCode::FAILURE,
        _ => ExitCode::from(3),
    })
}

/// Says on stderr which runs were given up, and whether there are runs to go.
pub fn say_what_is_left(failed: &[FailedRun], left: usize) {
    for FailedRun { run, reason } in failed {
        eprintln!("{run} failed {ATTEMPTS} times: {reason}");
    }
    if left > 0 {
        eprintln!("stopped with {left} runs to go; the same command resumes there");
    }
}
