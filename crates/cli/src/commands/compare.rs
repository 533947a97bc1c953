//! `scalelaw compare`: is recipe A better at a budget, how surely, and worth how much compute.

use super::observations::{Observations, TableArgs, say_problems};
use crate::output;
use scalelaw_core::number;
use scalelaw_fit::compare::{Comparison, Interval, Paired, compare};
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, IntervalChoice, Law, fit, laws};
use std::path::PathBuf;
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
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',')]
    map: Vec<String>,
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

/// Fits both and compares.
///
/// # Errors
/// A table or the law cannot be used.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let law = laws::by_name(&arguments.law)?;
    let (data_a, a) = side(&arguments.table, arguments.a.clone(), law.as_ref(), arguments)?;
    let (data_b, b) = side(
        arguments.other.as_ref().unwrap_or(&arguments.table),
        arguments.b.clone(),
        law.as_ref(),
        arguments,
    )?;
    let paired = arguments.paired.then_some(Paired { a: &data_a, b: &data_b });
    let comparison = compare(&a, &b, paired.as_ref(), arguments.compute, arguments.draws, arguments.seed)?;
    if arguments.json {
        output::json(&comparison)?;
    } else {
        output::print(&text(&comparison))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn side(
    table: &std::path::Path,
    filter: Option<String>,
    law: &dyn Law,
    arguments: &Arguments,
) -> anyhow::Result<(Dataset, FittedLaw)> {
    let args = TableArgs { map: arguments.map.clone(), filter, params: None };
    let observations = Observations::open(table, &args)?;
    let points = observations.points(law)?;
    say_problems(&points.problems, 10);
    let dataset = if *law.variables() == ["C"] { frontier(&points.dataset) } else { points.dataset };
    let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
    let fitted = fit(law, &dataset, &options)?;
    eprintln!("{} points: {}", dataset.len(), fitted.equation_with_values());
    for warning in &fitted.warnings {
        eprintln!("warning: {}", warning.message);
    }
    let rms = fitted.diagnostics.rms_log;
    if rms > MISFIT {
        eprintln!(
            "warning: the law misses these runs by {:.1}% (rms), which the intervals below do not know; try another \
             --law, such as c-floor on the best run at each budget",
            100.0 * rms
        );
    }
    Ok((dataset, fitted))
}

/// Residuals in ln loss above which a law is said to miss its runs: five times usual seed noise.
const MISFIT: f64 = 0.02;

/// Budgets within this factor are one.
const ONE_BUDGET: f64 = 1.1;

/// The run with the lowest loss at each budget.
fn frontier(runs: &Dataset) -> Dataset {
    let Some(cost) = runs.column("C") else { return runs.clone() };
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|a, b| cost[*a].total_cmp(&cost[*b]));
    let best: Vec<usize> = order
        .chunk_by(|a, b| cost[*b] <= ONE_BUDGET * cost[*a])
        .filter_map(|budget| {
            budget.iter().copied().min_by(|a, b| runs.response()[*a].total_cmp(&runs.response()[*b]))
        })
        .collect();
    if best.len() < runs.len() {
        eprintln!("{} budgets of {} runs: the lowest loss at each counts", best.len(), runs.len());
    }
    runs.filtered(|i| best.contains(&i))
}

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
        with(&c.multiplier, scalelaw_fit::short)
    );
    if let Some((pairs, correlation)) = c.paired {
        out.push_str(&format!("  {pairs} pairs, residuals correlated {correlation:.2}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontier_of_isoflop_runs_keeps_the_lowest_loss_at_each_budget() {
        let runs =
            Dataset::new(vec![3.2, 3.0, 3.1, 2.9, 2.8]).with("C", vec![1e18, 1.02e18, 9.9e17, 2e18, 2.1e18]);
        let best = frontier(&runs);
        assert_eq!((best.column("C").unwrap(), best.response()), (&[1.02e18, 2.1e18][..], &[3.0, 2.8][..]));
    }
}
