//! `scalelaw score`: a registered forecast against the run it was about.

use super::plan_text;
use crate::forecasts::{self, Forecast, Score};
use crate::output;
use anyhow::Context;
use scalelaw_core::number;
use scalelaw_runs::finished_run;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw score`.
#[derive(clap::Args)]
#[command(
    after_help = "The grade is kept beside the forecast (forecast.score.json); a quickstart's report shows the \
    forecasts in its folder forecasts/ with their grades.\n\nExamples:\n  scalelaw score forecast.json --loss 2.871\n  \
    scalelaw score forecast.json --run runs/l2d160-n614400-t10000000-s0-0123456789ab"
)]
pub struct Arguments {
    /// The forecast that plan --register or predict --register wrote
    forecast: PathBuf,
    /// The loss that the run reached, nats per token
    #[arg(long, value_name = "NATS", value_parser = number::parse, required_unless_present = "run")]
    loss: Option<f64>,
    /// The directory of the finished run
    #[arg(long, value_name = "DIR", conflicts_with = "loss")]
    run: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Grades.
///
/// # Errors
/// The file is not a forecast, the run is not finished, or the forecast has another grade.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.forecast;
    let forecast: Forecast = forecasts::read(path)?;
    let score = Score::new(forecast, loss(arguments)?);
    forecasts::keep(path, &score)?;
    if arguments.json {
        output::json(&score)?;
    } else {
        output::print(&plan_text::score(&score))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn loss(arguments: &Arguments) -> anyhow::Result<f64> {
    if let Some(dir) = &arguments.run {
        let run = finished_run(dir)?
            .with_context(|| format!("{} has no result.json: the run is not finished", dir.display()))?;
        return run.result.loss.with_context(|| format!("{} ended without a loss", dir.display()));
    }
    let loss = arguments.loss.context("give --loss or --run")?;
    anyhow::ensure!(loss.is_finite() && loss > 0.0, "--loss {loss}: expected nats per token, above 0");
    Ok(loss)
}
