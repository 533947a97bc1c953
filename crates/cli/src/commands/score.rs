//! `scalelaw score`: a registered forecast against the run it was about.

use super::plan_text;
use super::register::Forecast;
use crate::output;
use anyhow::Context;
use scalelaw_core::number;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw score`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  scalelaw score forecast.json --loss 2.871")]
pub struct Arguments {
    /// The forecast that plan --register or predict --register wrote
    forecast: PathBuf,
    /// The loss that the run reached, nats per token
    #[arg(long, value_name = "NATS", value_parser = number::parse)]
    loss: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a forecast fared.
#[derive(Serialize)]
pub struct Score {
    /// The forecast.
    pub forecast: Forecast,
    /// What came.
    pub loss: f64,
    /// Forecast minus loss, nats per token.
    pub error: f64,
    /// Whether the 95% interval of one run holds it; absent when the forecast had none.
    pub inside_pi95: Option<bool>,
    /// Interval score (Gneiting & Raftery 2007, equation 43): width, plus 40 times any miss. Lower is better.
    pub interval_score: Option<f64>,
}

/// Grades.
///
/// # Errors
/// The file is not a forecast.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.forecast;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let forecast: Forecast =
        serde_json::from_str(&text).with_context(|| format!("{}: not a forecast", path.display()))?;
    let score = grade(forecast, arguments.loss);
    if arguments.json {
        output::json(&score)?;
    } else {
        output::print(&plan_text::score(&score))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn grade(forecast: Forecast, loss: f64) -> Score {
    let interval = forecast.loss_pi95;
    Score {
        error: forecast.loss - loss,
        inside_pi95: interval.map(|[lo, hi]| lo <= loss && loss <= hi),
        interval_score: interval
            .map(|[lo, hi]| hi - lo + 40.0 * ((lo - loss).max(0.0) + (loss - hi).max(0.0))),
        forecast,
        loss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grade_of_a_hit_is_the_width_and_of_a_miss_pays_forty_times() {
        let forecast = Forecast {
            format: "scalelaw-forecast/1".into(),
            made: "2026-01-01T00:00:00Z".into(),
            law: "law.json".into(),
            data_digest: None,
            at: [("N".to_string(), 1e9), ("D".to_string(), 2e10)].into(),
            loss: 3.0,
            loss_pi95: Some([2.9, 3.1]),
        };
        let hit = grade(forecast.clone(), 3.05);
        assert!(hit.inside_pi95 == Some(true) && (hit.interval_score.unwrap() - 0.2).abs() < 1e-12);
        let miss = grade(forecast, 3.2);
        assert!(miss.inside_pi95 == Some(false) && (miss.interval_score.unwrap() - 4.2).abs() < 1e-9);
    }
}
