//! `scalelaw compare`: two recipes at a compute budget.

use super::doubt::behind;
use super::table::{Pairs, doubt, flat, pairs, say};
use crate::output;
use scalelaw_core::number;
use scalelaw_fit::compare::{AtBudget, Interval, Without};
use scalelaw_lab::TableRequest;
use scalelaw_lab::compare::{self, CompareReport, CompareRequest, Side};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw compare`.
#[derive(clap::Args)]
#[command(
    after_help = "Where the budget lies beyond the runs, the same comparison is made at the largest budget that both have \
    runs of, and without any law at the places where both were run. With a law of C alone (c, c-floor) only the lowest loss at each budget counts, so that isoFLOP runs compare \
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
    #[arg(long, value_name = "NAME=COLUMN", value_parser = pairs)]
    map: Vec<Pairs>,
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
        map: flat(&arguments.map),
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
        output::print(&text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to stderr what was fitted, and its warnings.
fn say_side(side: &Side) {
    eprintln!("{}", side.reading.table);
    say(&side.reading);
    doubt(&side.reading);
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
/// Runs that are named with what the verdict would be without them.
const MOST_NAMED: usize = 3;

fn text(report: &CompareReport) -> String {
    let c = &report.comparison;
    let doubts = c.status.map(|status| behind(Some(status), Some(c.extrapolation_decades)));
    // A number of both laws is as doubtful as the worse of them.
    let worse = behind(c.status.iter().max().copied(), Some(c.extrapolation_decades));
    let mut out = at_text(&c.at, &doubts, &worse);
    if let Some(at) = &c.in_range {
        out += "\nat the largest budget that both have runs of: ";
        let doubts = c.status.map(|status| behind(Some(status), None));
        out += &at_text(at, &doubts, &behind(c.status.iter().max().copied(), None));
    }
    if let Some(m) = &c.matched {
        out += &format!(
            "\nwithout a law, at {} places where both were run\n  A is better at   {} of them\n  B minus A        {}\n  \
             A is better with probability {}\n",
            m.places,
            m.a_better,
            nats(&m.advantage),
            probability(m.probability_a_better)
        );
    }
    out += "\nexponents            A        B   B minus A\n";
    for e in &c.exponents {
        let [a, b] = e.values;
        let status = behind(c.status.iter().max().copied(), None);
        out += &format!("  {:<12} {a:>8.4} {b:>8.4}   {}{status}\n", e.name, nats(&e.difference));
    }
    if let Some((pairs, correlation)) = c.paired {
        out += &format!("\n{pairs} pairs, residuals correlated {correlation:.2}\n");
    }
    out + &without_text(report)
}

fn at_text(at: &AtBudget, doubts: &[String; 2], worse: &str) -> String {
    format!(
        "at {} FLOPs\n  loss of A        {}{}\n  loss of B        {}{}\n  B minus A        {}{worse}\n  \
         A is better with probability {}{worse}\n  B needs          {} times the compute for A's loss{worse}\n",
        number::short(at.flops),
        nats(&at.loss_a),
        doubts[0],
        nats(&at.loss_b),
        doubts[1],
        nats(&at.advantage),
        probability(at.probability_a_better),
        with(&at.multiplier, number::constant)
    )
}

/// What the runs that carry the verdict do to it.
fn without_text(report: &CompareReport) -> String {
    let Some(whole) = report.comparison.at.advantage.value else { return String::new() };
    let turns = |w: &&Without| (w.advantage > 0.0) != (whole > 0.0);
    let without = &report.comparison.without;
    let turning = without.iter().filter(turns).count();
    let mut out = match (without.len(), turning) {
        (0, _) => return String::new(),
        (all, 0) => format!("\nno single one of {all} runs turns the verdict; those that move it most\n"),
        (all, turning) => {
            format!("\nTHE VERDICT HANGS ON SINGLE RUNS: {turning} of {all} turn it when they are left out\n")
        }
    };
    let row = |side: &Side, name: &str, run: Option<usize>| {
        run.and_then(|i| side.rows.get(i)).map(|row| format!("row {row} of {name}"))
    };
    for w in without.iter().filter(|w| turning == 0 || turns(w)).take(MOST_NAMED) {
        let runs: Vec<String> =
            row(&report.a, "A", w.of_a).into_iter().chain(row(&report.b, "B", w.of_b)).collect();
        out += &format!("  without {:<20} B minus A {:+.4}\n", runs.join(" and "), w.advantage);
    }
    out
}

fn with(i: &Interval, number: fn(f64) -> String) -> String {
    let end = |v: Option<f64>| v.map_or("open".into(), number);
    format!("{} [{} to {}]", end(i.value), end(i.ci95[0]), end(i.ci95[1]))
}

fn nats(i: &Interval) -> String {
    with(i, |v| format!("{v:.4}"))
}

/// A share of draws; none of them is no certainty.
fn probability(p: f64) -> String {
    if p > 0.999 {
        "above 0.999".into()
    } else if p < 0.001 {
        "below 0.001".into()
    } else {
        format!("{p:.3}")
    }
}
