//! `scalelaw compare`: two recipes at a compute budget.

use super::table::{pair, say_problems};
use crate::output;
use scalelaw_core::number;
use scalelaw_fit::compare::{Comparison, Interval};
use scalelaw_lab::TableRequest;
use scalelaw_lab::compare::{self, CompareRequest, Side};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw compare`.
#[derive(clap::Args)]
#[command(
    after_help = "With a law of C alone (c, c-floor) only the lowest loss at each budget counts, so that isoFLOP runs compare \
    by their frontiers.\n\nExample:\n  scalelaw compare runs.csv --a 'recipe == \"a\"' --b 'recipe == \"b\"' --compute 1e23"
)]
pub struct Arguments {
    /// Runs of A and B
    table: PathBuf,
    /// Runs of B, when they are in a table of their own
    other: Option<PathBuf>,
    /// Which rows are A's
    #[arg(long, value_name = "EXPRESSION")]
    a: Option<String>,
    /// Which rows are B's
    #[arg(long, value_name = "EXPRESSION")]
    b: Option<String>,
    /// The budget in FLOPs, as the tables count them
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    compute: f64,
    /// Law of C, or of N and D
    #[arg(long, default_value = "chinchilla")]
    law: String,
    /// Row i of A and row i of B share size, data and seed: their luck cancels
    #[arg(long)]
    paired: bool,
    /// Which column is what
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',', value_parser = pair)]
    map: Vec<(String, String)>,
    /// Draws from the fits' uncertainty
    #[arg(long, default_value_t = 2000)]
    draws: usize,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A table or the law cannot be used.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let side = |path: &Path, filter: &Option<String>| TableRequest {
        map: arguments.map.clone(),
        filter: filter.clone(),
        ..TableRequest::new(path)
    };
    let report = compare::run(&CompareRequest {
        a: side(&arguments.table, &arguments.a),
        b: side(arguments.other.as_ref().unwrap_or(&arguments.table), &arguments.b),
        law: arguments.law.clone(),
        flops: arguments.compute,
        paired: arguments.paired,
        draws: arguments.draws,
        seed: arguments.seed,
    })?;
    say_side(&report.a);
    say_side(&report.b);
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report.comparison))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to stderr what was fitted, and its warnings.
fn say_side(side: &Side) {
    say_problems(&side.reading.problems);
    let (n_fitted, n_points) = (side.dataset.len(), side.reading.n_points);
    if n_fitted < n_points {
        eprintln!("{n_fitted} budgets of {n_points} runs: the lowest loss at each counts");
    }
    eprintln!("{n_fitted} points: {}", side.law.equation_with_values());
    for warning in &side.law.warnings {
        eprintln!("warning: {}", warning.message);
    }
    let rms = side.law.diagnostics.rms_log;
    if rms > MISFIT {
        eprintln!(
            "warning: the law misses these runs by {:.1}% (rms), which the intervals below do not include; try another \
             --law, such as c-floor on the best run at each budget",
            100.0 * rms
        );
    }
}

/// Residuals in ln loss above which a law is said to miss its runs: five times usual seed noise.
const MISFIT: f64 = 0.02;

fn text(c: &Comparison) -> String {
    let with = |i: &Interval, number: fn(f64) -> String| {
        let end = |v: Option<f64>| v.map_or("open".into(), number);
        format!("{} [{} to {}]", end(i.value), end(i.ci95[0]), end(i.ci95[1]))
    };
    let nats = |i: &Interval| with(i, |v| format!("{v:.4}"));
    let mut out = format!(
        "at {} FLOPs{}\n  loss of A        {}\n  loss of B        {}\n  B minus A        {}\n  \
         A is better with probability {:.3}\n  B needs          {} times the compute for A's loss\n",
        number::short(c.flops),
        if c.extrapolation_decades > 0.0 {
            format!(", {:.1} decades beyond the runs", c.extrapolation_decades)
        } else {
            String::new()
        },
        nats(&c.loss_a),
        nats(&c.loss_b),
        nats(&c.advantage),
        c.probability_a_better,
        with(&c.multiplier, number::constant)
    );
    if let Some((pairs, correlation)) = c.paired {
        out.push_str(&format!("  {pairs} pairs, residuals correlated {correlation:.2}\n"));
    }
    out
}
