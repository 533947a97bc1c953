//! `scalelaw predict`: the rest of learning curves from their beginnings.

use super::observations::{Observations, TableArgs, say_problems};
use crate::output;
use anyhow::{Context, bail};
use scalelaw_fit::laws::KaplanNs;
use scalelaw_fit::{CurveStudy, FitOptions, foretell, short};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw predict`.
#[derive(clap::Args)]
#[command(
    after_help = "Fits L(N, S) to the first part of every curve and foretells the rest with 95% intervals \
    calibrated on the other runs.\n\nExample:\n  scalelaw predict curves.csv --from 0.2 --map loss=test_loss \
    --where \"step > 0 and router == 'Dense'\""
)]
pub struct Arguments {
    /// Learning curves: a row an evaluation, with run, N, step and loss
    curves: PathBuf,
    /// The share of each run's updates that is seen
    #[arg(long, default_value_t = 0.2)]
    from: f64,
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
    let observations = Observations::open(&arguments.curves, &arguments.table)?;
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
