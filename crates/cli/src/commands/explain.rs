//! `scalelaw explain`: Kaplan's exponent against Chinchilla's on the user's own runs, step by step.

use crate::output;
use anyhow::bail;
use scalelaw_fit::explain::{CountedRun, Explanation, explain};
use scalelaw_table::{RunRow, read_rows};
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
    let rows: Vec<RunRow> = read_rows(&arguments.runs)?;
    let total = rows.len();
    let runs: Vec<CountedRun> = rows.iter().filter_map(counted).collect();
    if runs.is_empty() {
        bail!(
            "{}: no row has all of n_nonembed, n_matmul, n_total, tokens, flops_6n, flops_matmul, flops_full and loss",
            arguments.runs.display()
        );
    }
    if runs.len() < total {
        eprintln!("{} of {total} runs have every count and a loss", runs.len());
    }
    let explanation = explain(&runs, arguments.bootstrap, arguments.seed)?;
    if arguments.json {
        output::json(&explanation)?;
    } else {
        output::print(&text(&explanation))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn counted(row: &RunRow) -> Option<CountedRun> {
    let tokens = row.tokens? as f64;
    if row.status.as_deref().is_some_and(|s| s.starts_with("diverged")) {
        return None;
    }
    Some(CountedRun {
        n_nonembed: row.n_nonembed? as f64,
        n_matmul: row.n_matmul? as f64,
        n_total: row.n_total? as f64,
        tokens,
        flops_per_token: [row.flops_6n? / tokens, row.flops_matmul? / tokens, row.flops_full? / tokens],
        loss: row.loss?,
        warmup_tokens: row.warmup_tokens.map(|w| w as f64),
        annealed: row.schedule.as_deref().map(|s| s != "constant"),
    })
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
