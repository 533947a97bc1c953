//! `scalelaw train`: one model from a spec.

use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::Context;
use scalelaw_core::RunSpec;
use scalelaw_runs::Outcome;
use scalelaw_tokens::Dataset;
use scalelaw_train::{RunData, RunEnd, RunOptions};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Arguments of `scalelaw train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The resolved spec, such as a run directory's spec.toml
    spec: PathBuf,
    /// The dataset directory that the spec's data.digest names
    #[arg(long)]
    data: PathBuf,
    /// The dataset directories of the spec's further evaluation sets, in its order
    #[arg(long = "eval-data", value_name = "DIR")]
    eval_data: Vec<PathBuf>,
    /// Where the run directory (named by the run's key) goes
    #[arg(long, default_value = "runs")]
    out: PathBuf,
    /// Threads; any number gives the same bytes
    #[arg(long, default_value_t = available_threads(), hide_default_value = true)]
    threads: usize,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Processors this program may use.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Trains, or goes on where an earlier call was stopped.
///
/// # Errors
/// When the spec, the data or the output directory are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.spec)
        .with_context(|| format!("cannot read the spec {}", arguments.spec.display()))?;
    let spec = RunSpec::from_toml(&text).with_context(|| arguments.spec.display().to_string())?;
    let mut data = RunData::open(&Dataset::open(&arguments.data)?, &spec)?;
    for set in &arguments.eval_data {
        data.add_set(&Dataset::open(set)?, &spec)?;
    }
    let path = arguments.out.join(spec.key());
    let display = Display::new();
    display.begin_runs(HashMap::from([(spec.key(), 1.0)]), 1);
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let device = scalelaw_lab::device(spec.device);
    let options =
        RunOptions { device: &*device, threads: arguments.threads, observer: &display, stop: &stop };
    let end = scalelaw_train::run(&spec, &data, &path, options)?;
    display.finish();
    let RunEnd::Finished(result) = end else {
        eprintln!("stopped; the same command goes on from here");
        return Ok(ExitCode::from(3));
    };
    output::print(&if arguments.json {
        serde_json::to_string_pretty(&result)?
    } else {
        let loss = |l: Option<f64>| l.map_or("-".to_owned(), |l| format!("{l:.4}"));
        format!(
            "{}\ntest loss {} nats/token (lowest {} at step {}), {} steps, {} tokens",
            path.display(),
            loss(result.loss),
            loss(result.loss_min),
            result.best_step.unwrap_or(0),
            result.steps,
            result.tokens
        )
    })?;
    Ok(match result.outcome {
        Outcome::Diverged { step } => {
            eprintln!("the run diverged at step {step}: lower schedule.lr");
            ExitCode::FAILURE
        }
        Outcome::Completed | Outcome::Stopped { .. } => ExitCode::SUCCESS,
    })
}
