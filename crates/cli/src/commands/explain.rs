//! `scalelaw explain`: Kaplan's exponent against Chinchilla's on the user's own runs, step by step.

use crate::output;
use scalelaw_fit::explain::Explanation;
use scalelaw_lab::explain::{self, ExplainRequest};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw explain`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  scalelaw runs export RUNS --format csv > runs.csv && scalelaw explain runs.csv"
)]
pub struct Arguments {
    /// A run table with every count: n_nonembed, n_matmul, n_total, tokens, flops_6n, flops_matmul, flops_full, loss
    runs: PathBuf,
    /// Resamples of runs
    #[arg(long, value_name = "N", default_value_t = 200)]
    bootstrap: usize,
    /// Seed of the resampling
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Explains.
///
/// # Errors
/// The table lacks counts, or has too few runs.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = explain::run(&ExplainRequest {
        runs: arguments.runs.clone(),
        bootstrap: arguments.bootstrap,
        seed: arguments.seed,
    })?;
    if report.n_counted < report.n_rows {
        eprintln!("{} of {} runs have every count and a loss", report.n_counted, report.n_rows);
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report.explanation))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(e: &Explanation) -> String {
    let mut out = String::from("N_opt grows as C^a\n     a   95% interval     moved  runs\n");
    for s in &e.steps {
        let interval = s.ci95.map_or("             ".into(), |[lo, hi]| format!("{lo:.3} to {hi:.3}"));
        let moved = s.moved.map_or("      ".into(), |m| format!("{m:+.3}"));
        let _ = writeln!(
            out,
            "{:>6.3}   {interval}   {moved}  {:>4}  {} ({})",
            s.n_opt_exponent, s.n_runs, s.title, s.source
        );
    }
    let [small, large] = e.head_share;
    let _ = writeln!(
        out,
        "the head costs {small:.2}x the rest in the smallest model, {large:.2}x in the largest"
    );
    let [small, large] = e.attention_share;
    let _ = writeln!(
        out,
        "attention adds {:.0}% in the smallest, {:.0}% in the largest",
        100.0 * small,
        100.0 * large
    );
    for missing in &e.missing {
        let _ = writeln!(out, "not shown: {missing}");
    }
    out
}
