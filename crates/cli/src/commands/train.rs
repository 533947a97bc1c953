//! `scalelaw train`: one model from a spec.

use crate::output;
use crate::progress::Display;
use crate::signals;
use anyhow::Context;
use scalelaw_core::RunSpec;
use scalelaw_lab::execute::TrainOrder;
use scalelaw_lab::train::{Request, train};
use scalelaw_runs::Outcome;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
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

/// Makes the process that trains a run: this program's own `train`.
pub type Trainer = Box<dyn Fn(&TrainOrder<'_>) -> Command + Sync>;

/// This program as the trainer of runs.
///
/// # Errors
/// When it cannot find its own file.
pub fn trainer() -> anyhow::Result<Trainer> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    Ok(Box::new(move |order: &TrainOrder<'_>| {
        let TrainOrder { spec, inputs, runs, threads } = *order;
        let mut command = Command::new(&program);
        command.arg("train").arg(spec).arg("--data").arg(&inputs.dataset).arg("--out").arg(runs);
        for set in &inputs.evals {
            command.arg("--eval-data").arg(set);
        }
        command.arg("--threads").arg(threads.to_string());
        command
    }))
}

/// Trains, or resumes where an earlier call was stopped.
///
/// # Errors
/// When the spec, the data or the output directory are not usable.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.spec)
        .with_context(|| format!("cannot read the spec {}", arguments.spec.display()))?;
    let spec = RunSpec::from_toml(&text).with_context(|| arguments.spec.display().to_string())?;
    let flag = signals::stop_flag()?;
    let display = Display::new();
    display.begin_runs([(spec.key(), 1.0)].into(), 1);
    let request = Request {
        spec: &spec,
        dataset: &arguments.data,
        evals: &arguments.eval_data,
        runs: &arguments.out,
        threads: arguments.threads,
    };
    let report = train(&request, &display, &|| flag.load(Ordering::Relaxed))?;
    display.finish();
    let Some(result) = report.result else {
        eprintln!("stopped; the same command resumes there");
        return Ok(ExitCode::from(3));
    };
    output::print(&if arguments.json {
        serde_json::to_string_pretty(&result)?
    } else {
        let loss = |l: Option<f64>| l.map_or("-".to_owned(), |l| format!("{l:.4}"));
        format!(
            "{}\ntest loss {} nats/token (lowest {} at step {}), {} steps, {} tokens",
            report.dir.display(),
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
