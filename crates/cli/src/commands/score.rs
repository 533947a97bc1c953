//! `scalelaw score`: a registered forecast against the run it was about.

use super::doubt::behind;
use crate::output;
use scalelaw_core::number::{self, short};
use scalelaw_lab::forecasts::{History, Reliability, Score};
use scalelaw_lab::score::{self, Reached, ScoreRequest};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw score`.
#[derive(clap::Args)]
#[command(
    after_help = "The grade is kept beside the forecast (forecast.score.json); a quickstart's report shows the \
    forecasts in its folder forecasts/ with their grades.\n\nExamples:\n  scalelaw score forecast.json --loss 2.871\n  \
    scalelaw score forecast.json --run runs/l2d160-n614400-t10000000-s0-0123456789ab\n  \
    scalelaw score --history forecasts --figures reliability"
)]
pub struct Arguments {
    /// The forecast that plan --register or predict --register wrote
    #[arg(required_unless_present = "history")]
    forecast: Option<PathBuf>,
    /// The loss that the run reached, in the forecast's unit
    #[arg(long, value_name = "LOSS", value_parser = number::parse, required_unless_present_any = ["run", "history"])]
    loss: Option<f64>,
    /// The directory of the finished run
    #[arg(long, value_name = "DIR", conflicts_with = "loss")]
    run: Option<PathBuf>,
    /// Instead: every forecast in these folders, and how often intervals of each probability held what came
    #[arg(long, value_name = "FOLDER", num_args = 1.., conflicts_with_all = ["forecast", "loss", "run"])]
    history: Vec<PathBuf>,
    /// With --history: draw the reliability of the intervals here (reliability.svg, .png, .csv)
    #[arg(long, value_name = "DIR", requires = "history")]
    figures: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Grades.
///
/// # Errors
/// The file is not a forecast, the run is not finished, or the forecast has another grade.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(forecast) = &arguments.forecast else { return history(arguments) };
    let reached = match (&arguments.run, arguments.loss) {
        (Some(dir), _) => Reached::Run(dir.clone()),
        (None, loss) => Reached::Loss(loss.unwrap_or(f64::NAN)),
    };
    let score = score::run(&ScoreRequest { forecast: forecast.clone(), reached })?;
    if arguments.json {
        output::json(&score)?;
    } else {
        output::print(&text(&score))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn history(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let history = History::of(&arguments.history)?;
    if let Some(dir) = &arguments.figures {
        scalelaw_report::write_figures(&[scalelaw_report::reliability::figure(&history)], dir)?;
        for extension in ["svg", "png", "csv"] {
            eprintln!("wrote {}", dir.join(format!("reliability.{extension}")).display());
        }
    }
    if arguments.json {
        output::json(&history)?;
    } else {
        output::print(&history_text(&history))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every forecast, and how they fared together.
fn history_text(history: &History) -> String {
    let mut out = format!(
        "{:<22}{:>9}  {:<18}{:>9}{:>9}   at, by\n",
        "made", "forecast", "95% of one run", "reached", "error"
    );
    for (forecast, score) in &history.forecasts {
        let reached = score.as_ref().map_or_else(
            || format!("{:>9}{:>9}", "not yet", ""),
            |score| {
                let error = 100.0 * (forecast.loss / score.loss - 1.0);
                let miss = if score.inside_pi95 == Some(false) { "  OUTSIDE" } else { "" };
                format!("{:>9.4}{:>9}{miss}", score.loss, format!("{error:+.2}%"))
            },
        );
        let at: Vec<String> =
            forecast.at.iter().map(|(name, value)| format!("{name} {}", short(*value))).collect();
        let _ = writeln!(
            out,
            "{:<22}{:>9.4}  {:<18}{reached}   {}, {}{}",
            forecast.made,
            forecast.loss,
            output::interval(forecast.loss_pi95, 4),
            at.join(" "),
            forecast.law,
            behind(forecast.status, forecast.extrapolation_decades)
        );
    }
    let errors: Vec<f64> = history.scores().map(|s| s.forecast.loss / s.loss - 1.0).collect();
    let mean =
        |f: &dyn Fn(f64) -> f64| 100.0 * errors.iter().map(|e| f(*e)).sum::<f64>() / errors.len() as f64;
    let _ = writeln!(out, "\n{} of {} forecasts are scored", errors.len(), history.forecasts.len());
    if !errors.is_empty() {
        let _ =
            writeln!(out, "mean size of the error {:.2}%, mean error {:+.2}%", mean(&f64::abs), mean(&|e| e));
    }
    if !history.reliability.is_empty() {
        let _ = writeln!(out, "\ninterval   held what came   would be usual");
        for Reliability { nominal, held, of, usual: [least, most] } in &history.reliability {
            let _ = writeln!(
                out,
                "{:>7}%   {:<15}  {least} to {most}",
                number::significant(100.0 * nominal, 2),
                format!("{held} of {of}")
            );
        }
    }
    out
}

/// How a forecast fared.
fn text(s: &Score) -> String {
    let f = &s.forecast;
    let at: Vec<String> = f.at.iter().map(|(name, value)| format!("{name} {}", short(*value))).collect();
    let mut out = format!(
        "forecast of {} by {}: {:.4} {} at {}{}\nreached {:.4}: off by {:+.4}\n",
        f.made,
        f.law,
        f.loss,
        f.unit.as_deref().unwrap_or("nats per token"),
        at.join(", "),
        behind(f.status, f.extrapolation_decades),
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
