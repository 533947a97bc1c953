//! `scalelaw envelope`: the compute frontier under learning curves, and the laws along it.

use super::fit::law_text;
use super::observations::{Observations, TableArgs, say_problems};
use crate::output;
use anyhow::bail;
use scalelaw_fit::isoflop::{LogLineFit, log_line};
use scalelaw_fit::laws::PowerLaw;
use scalelaw_fit::laws::{KaplanNs, PowerFloor};
use scalelaw_fit::{
    Curve, Dataset, Envelope, FitOptions, FittedLaw, FrontierPoint, IntervalChoice, envelope, fit, readings,
    short,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw envelope`.
#[derive(clap::Args)]
#[command(
    after_help = "The cost of a row is its C column, else 6·N·D, else 6·N·B·S with --batch.\n\nExample:\n  scalelaw \
    envelope curves.csv --map loss=test_loss --batch 524288 --kind hull"
)]
pub struct Arguments {
    /// Learning curves: a row an evaluation, with run, N, loss and C (or D, or step)
    curves: PathBuf,
    /// The run table of the curves, when they have no N of their own
    #[arg(long, value_name = "TABLE")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    /// Tokens per update, where the table has only steps
    #[arg(long, value_name = "TOKENS", value_parser = scalelaw_core::number::parse)]
    batch: Option<f64>,
    /// How the frontier is drawn
    #[arg(long, value_enum, default_value_t = Kind::Minimum)]
    kind: Kind,
    /// Readings of the frontier per decade of cost that the laws are fitted to
    #[arg(long, default_value_t = 8)]
    per_decade: usize,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Kind {
    /// Every point lower than all cheaper ones
    Minimum,
    /// Corners of the lower convex hull in logarithms
    Hull,
}

#[derive(Serialize)]
struct Report {
    frontier: Vec<Point>,
    /// L(C) with and without an irreducible loss.
    laws: Vec<FittedLaw>,
    /// N_opt ∝ C^exponent along the frontier (approach 1).
    n_opt: Option<LogLineFit>,
}

#[derive(Serialize)]
struct Point {
    cost: f64,
    loss: f64,
    n: f64,
    run: String,
}

/// Runs the command.
///
/// # Errors
/// The table has no curves or no cost.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let observations =
        Observations::open_curves(&arguments.curves, arguments.runs.as_deref(), &arguments.table)?;
    for line in &observations.said {
        eprintln!("{line}");
    }
    let points = observations.points(&KaplanNs)?;
    eprintln!("{}; {} points", points.said.join("; "), points.dataset.len());
    say_problems(&points.problems, 10);
    let data = &points.dataset;
    let (Some(n), Some(s)) = (data.column("N"), data.column("S")) else { bail!("N and S are needed") };
    let numbers = |symbol: &str| -> anyhow::Result<Option<Vec<f64>>> {
        let Some(column) = observations.column_for(symbol) else { return Ok(None) };
        Ok(points.table.column(&column)?.numbers().map(<[f64]>::to_vec))
    };
    let cost: Vec<f64> = if let Some(c) = numbers("C")? {
        c
    } else if let Some(d) = numbers("D")? {
        n.iter().zip(&d).map(|(n, d)| 6.0 * n * d).collect()
    } else if let Some(b) = arguments.batch {
        n.iter().zip(s).map(|(n, s)| 6.0 * n * b * s).collect()
    } else {
        bail!(
            "{}: no cost: give a C or D column (--map), or --batch TOKENS for steps",
            observations.table.source
        );
    };
    let Some(run) = observations.column_for("run") else {
        bail!(
            "{}: no column is recognised as the run; name it with --map run=COLUMN",
            observations.table.source
        );
    };
    let column = points.table.column(&run)?;
    let mut curves: BTreeMap<u32, Curve> = BTreeMap::new();
    let mut sizes: BTreeMap<u32, f64> = BTreeMap::new();
    for (i, group) in column.groups().into_iter().enumerate() {
        let curve = curves.entry(group).or_insert_with(|| Curve { run: column.text(i), points: vec![] });
        curve.points.push((cost[i], data.response()[i]));
        sizes.insert(group, n[i]);
    }
    let sizes: Vec<f64> = sizes.into_values().collect();
    let kind = match arguments.kind {
        Kind::Minimum => Envelope::RunningMinimum,
        Kind::Hull => Envelope::ConvexHull,
    };
    let frontier = envelope(&curves.into_values().collect::<Vec<_>>(), kind)?;
    let read = readings(&frontier, arguments.per_decade);
    let report = report(&read, &sizes, data)?;
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if points.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn report(read: &[FrontierPoint], sizes: &[f64], data: &Dataset) -> anyhow::Result<Report> {
    let costs: Vec<f64> = read.iter().map(|p| p.cost).collect();
    let mut along = Dataset::new(read.iter().map(|p| p.loss).collect())
        .with("C", costs.clone())
        .grouped(read.iter().map(|p| p.curve as u32).collect());
    along.conventions = data.conventions;
    along.digest.clone_from(&data.digest);
    let options = FitOptions { intervals: IntervalChoice::Profile, ..FitOptions::default() };
    let mut laws = vec![fit(&PowerLaw::C, &along, &options)?];
    laws.extend(fit(&PowerFloor::C, &along, &options).ok());
    let n: Vec<f64> = read.iter().map(|p| sizes[p.curve]).collect();
    Ok(Report {
        n_opt: log_line(&costs, &n, &vec![1.0; n.len()]).ok(),
        frontier: read
            .iter()
            .map(|p| Point { cost: p.cost, loss: p.loss, n: sizes[p.curve], run: p.run.clone() })
            .collect(),
        laws,
    })
}

fn text(report: &Report) -> String {
    use std::fmt::Write;
    let mut out = String::from("frontier\n");
    for p in &report.frontier {
        let _ = writeln!(
            out,
            "  C {:<12} loss {:<8.4} N {:<12} run {}",
            short(p.cost),
            p.loss,
            short(p.n),
            p.run
        );
    }
    for law in &report.laws {
        out.push('\n');
        out += &law_text(law, None);
    }
    if let Some(line) = report.n_opt {
        let _ = writeln!(
            out,
            "\nN_opt ∝ C^a along the frontier (approach 1): a = {:.4} (95% by scatter {:.3} … {:.3})",
            line.exponent, line.ci95[0], line.ci95[1]
        );
    }
    out
}
