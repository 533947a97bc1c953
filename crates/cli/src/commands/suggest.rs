//! `scalelaw suggest`: the next runs within a budget that narrow the interval at a target most.

use super::doubt::behind;
use crate::output;
use scalelaw_core::number::{self, short};
use scalelaw_lab::suggest::{self, SuggestReport, SuggestRequest};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw suggest`.
#[derive(clap::Args)]
#[command(
    after_help = "Runs are chosen one after the other, each given those before it, none below the runs there are. Of a forecaster, and of \
    a law file with one beside, they narrow the forecast over several forms; of a law alone its interval, its form being \
    taken to be wrong by half as much as its runs scatter, alike within a third of a decade: another seed, or a run beside one that is \
    chosen, tells less than a run elsewhere.\n\nExample:\n  scalelaw suggest --law law.json --budget 1e18 --target 1e20 --base experiment.toml --out next.toml"
)]
pub struct Arguments {
    /// A law of N and D fitted to the runs there are, or a forecaster (fit --forecast)
    #[arg(long, value_name = "FILE")]
    law: String,
    /// FLOPs that may be spent on new runs
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    budget: f64,
    /// The budget at whose optimum the loss is wanted
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    target: f64,
    /// The most one run may cost
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    largest: Option<f64>,
    /// Measured FLOP/s: says how long the runs take
    #[arg(long, value_name = "FLOP/S", value_parser = number::parse)]
    speed: Option<f64>,
    /// Most runs
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// The experiment whose recipe, data and shapes the new runs share; without it N and D are free
    #[arg(long, value_name = "EXPERIMENT")]
    base: Option<PathBuf>,
    /// Write the runs here as an experiment (needs --base)
    #[arg(long, value_name = "FILE", requires = "base")]
    out: Option<PathBuf>,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Suggests.
///
/// # Errors
/// The law has no covariance, or no run fits the budget.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = suggest::run(&SuggestRequest {
        law: arguments.law.clone(),
        budget: arguments.budget,
        target: arguments.target,
        largest: arguments.largest,
        most_runs: arguments.runs,
        base: arguments.base.clone(),
        name: arguments.out.as_ref().map_or_else(String::new, |path| path.display().to_string()),
        seed: arguments.seed,
    })?;
    if let (Some(path), Some(experiment)) = (&arguments.out, &report.experiment) {
        output::file(path, experiment)?;
        eprintln!("experiment: {}", path.display());
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report, arguments))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(report: &SuggestReport, arguments: &Arguments) -> String {
    let s = &report.suggestion;
    let unit = report.unit.as_deref().unwrap_or("nats");
    let of =
        if report.of_any_form { "over several forms of the law" } else { "if the form of the law is true" };
    let mut out = format!(
        "95% interval of the loss at the optimum of {} FLOPs, {of}: {:.4} {unit} wide now, {:.4} expected after {} runs{}\n{:>4} {:>10} {:>10} {:>10}  width after\n",
        short(arguments.target),
        s.width_now,
        s.width_after,
        s.runs.len(),
        behind(Some(s.status), Some(s.extrapolation_decades)),
        "",
        "N",
        "D",
        "FLOPs"
    );
    for (i, c) in s.runs.iter().enumerate() {
        // The same run again is another seed of it.
        let seed = s.runs[..=i].iter().filter(|other| other.run == c.run).count();
        let seed = if seed > 1 { format!("  (seed {seed})") } else { String::new() };
        out.push_str(&format!(
            "{:>4} {:>10} {:>10} {:>10}  {:.4}{seed}\n",
            i + 1,
            short(c.run.n),
            short(c.run.d),
            short(c.run.cost),
            c.width_after
        ));
    }
    out.push_str(&format!("in all {} FLOPs", short(s.cost)));
    if let Some(speed) = arguments.speed {
        out.push_str(&format!(", {:.2} hours at {} FLOP/s", s.cost / speed / 3600.0, short(speed)));
    }
    out.push('\n');
    out
}
