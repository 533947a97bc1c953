//! `scalelaw score`: a registered forecast against the run it was about.

use crate::output;
use scalelaw_core::number::{self, short};
use scalelaw_lab::forecasts::Score;
use scalelaw_lab::score::{self, Reached, ScoreRequest};
use std::fmt::Write as _;
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
    let reached = match (&arguments.run, arguments.loss) {
        (Some(dir), _) => Reached::Run(dir.clone()),
        (None, loss) => Reached::Loss(loss.unwrap_or(f64::NAN)),
    };
    let score = score::run(&ScoreRequest { forecast: arguments.forecast.clone(), reached })?;
    if arguments.json {
        output::json(&score)?;
    } else {
        output::print(&text(&score))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How a forecast fared.
fn text(s: &Score) -> String {
    let f = &s.forecast;
    let at: Vec<String> = f.at.iter().map(|(name, value)| format!("{name} {}", short(*value))).collect();
    let mut out = format!(
        "forecast of {} by {}: {:.4} nats per token at {}\nreached {:.4}: off by {:+.4}\n",
        f.made,
        f.law,
        f.loss,
        at.join(", "),
        s.loss,
        s.error
    );
    match (f.loss_pi95, s.inside_pi95, s.interval_score) {
        (Some([lo, hi]), Some(inside), Some(score)) => {
            let place = if inside { "inside" } else { "OUTSIDE" };
            let _ = writeln!(out, "{place} the 95% interval {lo:.4} to {hi:.4}; interval score {score:.4}");
        }
        _ => out.push_str("the forecast gave no interval\n"),
    }
    out
}
