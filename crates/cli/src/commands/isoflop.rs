//! `scalelaw isoflop`: the loss-optimal size at each budget, beside the parametric answer.

use super::doubt::behind;
use super::table::{TableArgs, doubt, exit, say};
use crate::output;
use scalelaw_core::number::constant;
use scalelaw_fit::isoflop::ONE_SIZE;
use scalelaw_lab::TableRequest;
use scalelaw_lab::isoflop::{self, Cost, FEWEST_SIZES, IsoflopReport, IsoflopRequest, Optimal};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw isoflop`.
#[derive(clap::Args)]
#[command(
    after_help = "A budget without an interior minimum is refused, never extrapolated, and so is one whose losses scatter as \
    much as its valley is deep. Where 6ND puts the runs into no budgets and another count of their FLOPs does, such as \
    flops_full, that count is C; --map C=COLUMN decides it. The parabola is biased where \
    the valley is lopsided (Czech et al. 2026): compare the cubic's and Akima's answers.\n\nExample:\n  scalelaw isoflop \
    isoflop_points.csv --where \"dataset == 'rw' and decay == 'const' and param_count == 'standard'\" --noise 0.002"
)]
pub struct Arguments {
    /// Finished runs with loss and two of C, N, D
    table_file: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// Of a swept setting, such as lr, take the value with the lowest loss in each place
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    best_of: Vec<String>,
    /// The runs of one budget are within this factor
    #[arg(long, default_value_t = 1.1)]
    within: f64,
    /// Relative seed noise of a loss: intervals by moving every loss that much
    #[arg(long, value_name = "SHARE")]
    noise: Option<f64>,
    /// Noise replicates
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The table has no budgets with several sizes.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let table = arguments.table.request(&arguments.table_file, None);
    let report = isoflop::run(&IsoflopRequest {
        table: TableRequest { best_of: arguments.best_of.clone(), ..table },
        within: arguments.within,
        noise: arguments.noise,
        replicates: arguments.replicates,
        seed: arguments.seed,
    })?;
    say(&report.reading);
    doubt(&report.reading);
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(exit(&report.reading))
}

/// Budgets that are named one by one.
const MOST_NAMED: usize = 12;

fn text(report: &IsoflopReport) -> String {
    let mut out = cost_text(&report.cost);
    for v in &report.valleys {
        let _ = writeln!(out, "{:?}:", v.valley);
        for Optimal { optimum: o, d } in &v.optima {
            let _ = writeln!(
                out,
                "  C {:<12} N_opt {:<12} D_opt {:<12} loss {:.4}",
                constant(o.budget),
                constant(o.n),
                constant(*d),
                o.loss
            );
        }
        for r in &v.refused {
            let _ = writeln!(out, "  C {:<12} refused: {}", constant(r.budget), r.reason);
        }
    }
    out += &left_out_text(report);
    let _ = writeln!(
        out,
        "\n{:<34}{:>8}  {:<17}{:<19}{:<21}{:>8}",
        "N_opt ∝ C^a, D_opt ∝ C^b", "a", "95% (scatter)", "95% (seed noise)", "without one budget", "b"
    );
    for v in &report.valleys {
        let Some(line) = v.n_opt else { continue };
        let noise = v.noise_ci95.map_or_else(String::new, |ends| output::interval(Some(ends), 3));
        let _ = writeln!(
            out,
            "{:<34}{:>8.4}  {:<17}{noise:<19}{:<21}{:>8}",
            format!("isoFLOP, {:?} ({} budgets)", v.valley, line.n),
            line.exponent,
            output::interval(line.ci95, 3),
            extremes(&v.exponents_without),
            v.d_opt.map_or_else(String::new, |line| format!("{:.4}", line.exponent))
        );
    }
    if let Some(p) = &report.parametric {
        let _ = writeln!(
            out,
            "{:<34}{:>8.4}  {:<57}{:>8.4}{}",
            "parametric, beta/(alpha + beta)",
            p.n_opt_exponent,
            output::interval(p.ci95, 3),
            1.0 - p.n_opt_exponent,
            behind(Some(p.status), None)
        );
    }
    let _ = writeln!(
        out,
        "\nA parabola is biased where the valley is lopsided (Czech et al. 2026): prefer the answer on which the cubic \
         and Akima agree. The envelope of learning curves is a third approach: scalelaw envelope CURVES."
    );
    out
}

/// Which FLOPs make the budgets.
fn cost_text(cost: &Cost) -> String {
    let of = cost.column.as_ref().map_or_else(|| "C = 6ND".into(), |column| format!("C = column {column}"));
    match cost.convention.filter(|_| cost.column.is_some()) {
        Some(convention) => format!("{of} ({convention})\n"),
        None => format!("{of}\n"),
    }
}

/// Runs that are in no valley, and why.
fn left_out_text(report: &IsoflopReport) -> String {
    let mut out = String::new();
    let beside: usize = report.budgets.iter().map(|budget| budget.runs - budget.sizes).sum();
    if beside > 0 {
        let share = 100.0 * (ONE_SIZE - 1.0);
        let _ = writeln!(
            out,
            "left out: {beside} runs beside a lower loss of the same budget and size (within {share:.0}%)"
        );
    }
    if !report.without_flops.is_empty() {
        let rows: Vec<String> =
            report.without_flops.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        let runs = report.without_flops.len();
        let _ = writeln!(out, "left out: {runs} runs without FLOPs, the first in rows {}", rows.join(", "));
    }
    let runs: usize = report.left_out.iter().map(|budget| budget.runs).sum();
    if runs > 0 {
        let named: Vec<String> = report
            .left_out
            .iter()
            .take(MOST_NAMED)
            .map(|budget| format!("{} ({})", constant(budget.flops), budget.runs))
            .collect();
        let more = report.left_out.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more budgets") } else { String::new() };
        let _ = writeln!(
            out,
            "left out: {runs} runs of budgets with fewer than {FEWEST_SIZES} sizes; their FLOPs (and runs): {}{more}",
            named.join(", ")
        );
    }
    out
}

/// The smallest and the largest.
fn extremes(values: &[f64]) -> String {
    let (lo, hi) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
    if lo <= hi { output::interval(Some([lo, hi]), 3) } else { String::new() }
}
