//! `scalelaw chain`: Kaplan et al.'s whole chain from one table of learning curves.

use super::table::TableArgs;
use crate::output;
use scalelaw_core::number;
use scalelaw_fit::chain::ChainReport;
use scalelaw_lab::chain::{self, ChainRequest};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw chain`.
#[derive(clap::Args)]
#[command(
    after_help = "CURVES has a row an evaluation: run, step, loss, N and the batch in tokens; N and the batch may come \
    from --runs instead.\n\nExamples:\n  scalelaw chain curves.csv --runs runs.csv --out chain.json\n  scalelaw chain \
    curves.csv.gz --map run=hyper_id,loss=loss_validation,N=dense_parameter_count --batch 524288 --where 'step > 0'"
)]
pub struct Arguments {
    /// Learning curves
    curves: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// The run table, when the curves have no N or batch
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    /// Tokens per update, when no column says it
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    batch: Option<f64>,
    /// Early-stopped runs of an (N, D) grid with columns N, D and loss, for Table 2
    #[arg(long, value_name = "TABLE")]
    grid: Option<PathBuf>,
    /// Steps at the start of every curve that are left out
    #[arg(long, value_name = "STEPS", default_value_t = 0.0)]
    skip: f64,
    /// Half width, in ln step, of the window that curves are averaged over
    #[arg(long, default_value_t = 0.15)]
    smoothing: f64,
    /// Resamples of trunks
    #[arg(long, value_name = "N", default_value_t = 200)]
    bootstrap: usize,
    /// Seed of the resampling
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the chain here, for scalelaw plan --law
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Estimates the chain.
///
/// # Errors
/// The tables cannot be used, or no curve has enough points.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = chain::run(&ChainRequest {
        curves: arguments.table.request(&arguments.curves, arguments.runs.as_deref()),
        batch_tokens: arguments.batch,
        grid: arguments.grid.clone(),
        skip_steps: arguments.skip,
        smoothing: arguments.smoothing,
        bootstrap: arguments.bootstrap,
        seed: arguments.seed,
    })?;
    if let Some(path) = &arguments.out {
        output::json_file(path, &report)?;
        eprintln!("chain: {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(report: &ChainReport) -> String {
    let mut out = String::new();
    let w = &mut out;
    let _ =
        writeln!(w, "{} curves; intervals from {} resamples of trunks", report.n_curves, report.bootstrap);
    for left in &report.left_out {
        let _ = writeln!(w, "left out: {left}");
    }
    for doubt in &report.doubts {
        let _ = writeln!(w, "warning: {doubt}");
    }
    for part in &report.parts {
        let name = serde_json::to_string(&part.section).unwrap_or_default();
        let _ = writeln!(w, "\n{}", name.trim_matches('"'));
        if let Some(reason) = &part.refused {
            let _ = writeln!(w, "  refused: {reason}");
        }
        for c in &part.constants {
            let interval = c.ci95.map_or("open".into(), |[lo, hi]| format!("{lo:.4e} to {hi:.4e}"));
            let _ = writeln!(w, "  {:<12} {:.4e}  [{interval}]", c.name, c.value);
        }
    }
    if !report.levels.is_empty() {
        let _ = writeln!(w, "\n         N   loss  batches      S_min      E_min     B_crit  noise scale");
    }
    for l in &report.levels {
        let show = |v: Option<f64>| v.map_or("-".into(), number::short);
        let _ = writeln!(
            w,
            "{:>10} {:>6.3} {:>8} {:>10} {:>10} {:>10} {:>12}  {}",
            number::short(l.n),
            l.loss,
            l.batches.len(),
            show(l.steps_min),
            show(l.tokens_min),
            show(l.b_crit),
            show(l.noise_scale),
            l.refused.as_deref().unwrap_or("")
        );
    }
    out
}
