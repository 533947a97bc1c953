//! `scalelaw predict`: the rest of learning curves from their beginnings, or a fitted law at a place.

use super::law_source::LawSource;
use super::observations::{Observations, TableArgs, say_problems};
use crate::forecasts::register;
use crate::output;
use anyhow::{Context, bail};
use scalelaw_core::number;
use scalelaw_fit::laws::KaplanNs;
use scalelaw_fit::{CurveStudy, FitOptions, foretell, short};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw predict`.
#[derive(clap::Args)]
#[command(
    after_help = "Of curves it fits L(N, S) to the first part of each and foretells the rest with 95% intervals \
    calibrated on the other runs. Of a law file (scalelaw fit --out) it gives the value at a place, which --register \
    writes down for scalelaw score.\n\nExamples:\n  scalelaw predict curves.csv --from 0.2 --map loss=test_loss \
    --where \"step > 0 and router == 'Dense'\"\n  scalelaw predict law.json --at N=1e9,D=20e9 --register next-run.json"
)]
pub struct Arguments {
    /// Learning curves (a row an evaluation, with run, N, step and loss), or a law file (.json)
    what: PathBuf,
    /// Of a law: where, by the law's variables, e.g. N=1e9,D=20e9
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    at: Vec<String>,
    /// Of a law: write the forecast, its data's digest and the date here; a file that exists is refused
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// The share of each run's updates that is seen
    #[arg(long, default_value_t = 0.2)]
    from: f64,
    /// The run table of the curves, when they have no N of their own
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    /// Write every foretold loss here as CSV
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the study as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The table has no curves, or too little is seen of them.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.what.extension().is_some_and(|e| e == "json") {
        of_law(arguments)
    } else if arguments.at.is_empty() && arguments.register.is_none() {
        of_curves(arguments)
    } else {
        bail!(
            "{}: --at and --register go with a law file (.json), which scalelaw fit --out writes",
            arguments.what.display()
        )
    }
}

/// The law's value at a place.
fn of_law(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let name = arguments.what.display().to_string();
    let source = LawSource::open(&name)?;
    let data_digest = source.data_digest();
    let law = source.fitted()?;
    let mut at = Vec::new();
    for entry in &arguments.at {
        let (variable, value) = entry
            .split_once('=')
            .with_context(|| format!("--at {entry:?}: expected NAME=VALUE, such as N=1e9"))?;
        at.push((variable.trim(), number::parse(value)?));
    }
    let prediction = law.predict(&at)?;
    if let Some(path) = &arguments.register {
        register(path, &name, data_digest, &at, prediction.mean, prediction.pi95)?;
    }
    if arguments.json {
        output::json(&prediction)?;
    } else {
        let interval = |i: Option<[f64; 2]>| {
            i.map_or_else(|| "not known".into(), |[lo, hi]| format!("{lo:.4} to {hi:.4}"))
        };
        output::print(&format!(
            "{:.4}\n  95% interval of the law   {}\n  95% interval of one run   {}",
            prediction.mean,
            interval(prediction.ci95),
            interval(prediction.pi95)
        ))?;
        if prediction.extrapolation_decades > 0.0 {
            eprintln!("extrapolation: {:.1} decades beyond the runs", prediction.extrapolation_decades);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn of_curves(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let observations =
        Observations::open_curves(&arguments.what, arguments.runs.as_deref(), &arguments.table)?;
    for line in &observations.said {
        eprintln!("{line}");
    }
    let points = observations.points(&KaplanNs)?;
    eprintln!("{}; {} points", points.said.join("; "), points.dataset.len());
    say_problems(&points.problems, 10);
    let Some(run) = observations.column_for("run") else {
        bail!(
            "{}: no column is recognised as the run; name it with --map run=COLUMN. Columns: {}",
            observations.table.source,
            observations.table.names().join(", ")
        );
    };
    let column = points.table.column(&run)?;
    let study = foretell(&points.dataset, &column.groups(), arguments.from, &FitOptions::default())?;
    if let Some(path) = &arguments.out {
        let mut csv = String::from("run,row,horizon,predicted,lo95,hi95,observed\n");
        for f in &study.forecasts {
            let [lo, hi] = f.pi95.map_or([String::new(), String::new()], |ends| ends.map(|v| v.to_string()));
            csv += &format!(
                "{},{},{},{},{lo},{hi},{}\n",
                column.text(f.point),
                points.table.row(f.point),
                f.horizon,
                f.predicted,
                f.observed
            );
        }
        std::fs::write(path, csv).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    if arguments.json {
        output::json(&study)?;
    } else {
        output::print(&text(&study, arguments.from))?;
    }
    Ok(if points.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Up to this many runs, the 95% quantile of the other runs' errors does not exist.
const SMALLEST_CONFORMAL: usize = 19;

fn text(study: &CurveStudy, from: f64) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} runs; L(N, S) fitted to the first {}% of each: {} points, rms {:.4} in ln loss",
        study.n_runs,
        100.0 * from,
        study.n_seen,
        study.law.diagnostics.rms_log
    );
    for (name, e) in &study.law.params {
        let _ = writeln!(out, "  {name:<8} {}", short(e.value));
    }
    let share = |c: Option<f64>| c.map_or_else(|| "—".into(), |c| format!("{:.1}%", 100.0 * c));
    let _ = writeln!(
        out,
        "\nforetold: {} points, rms error {:.4} in ln loss; inside their 95% intervals: {}",
        study.n_scored,
        study.rms_log,
        share(study.coverage)
    );
    if study.n_runs <= SMALLEST_CONFORMAL {
        let _ = writeln!(
            out,
            "{} runs are too few for distribution-free intervals ({} are needed): errors taken as normal",
            study.n_runs,
            SMALLEST_CONFORMAL + 1
        );
    }
    let _ = writeln!(
        out,
        "{:>22}{:>8}{:>12}{:>12}{:>14}",
        "times the steps seen", "points", "rms error", "coverage", "half-width"
    );
    for h in &study.by_horizon {
        let _ = writeln!(
            out,
            "{:>22}{:>8}{:>12.4}{:>12}{:>14}",
            format!("{:.2} … {:.2}", h.from, h.to),
            h.n,
            h.rms_log,
            share(h.coverage),
            h.half_width.map_or_else(|| "—".into(), |w| format!("{w:.4}"))
        );
    }
    out
}
