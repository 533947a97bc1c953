//! `scalelaw isoflop`: the loss-optimal size at each budget, beside the parametric answer.

use super::table::{TableArgs, exit, say};
use crate::output;
use scalelaw_core::number::constant;
use scalelaw_lab::isoflop::{self, IsoflopReport, IsoflopRequest};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw isoflop`.
#[derive(clap::Args)]
#[command(
    after_help = "A budget without an interior minimum is refused, never extrapolated. The parabola is biased where \
    the valley is lopsided (Czech et al. 2026): compare the cubic's and Akima's answers.\n\nExample:\n  scalelaw isoflop \
    isoflop_points.csv --where \"dataset == 'rw' and decay == 'const' and param_count == 'standard'\" --noise 0.002"
)]
pub struct Arguments {
    /// Finished runs with loss and two of C, N, D
    table_file: PathBuf,
    #[command(flatten)]
    table: TableArgs,
    /// Budgets within this factor are one budget
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
    let report = isoflop::run(&IsoflopRequest {
        table: arguments.table.request(&arguments.table_file, None),
        within: arguments.within,
        noise: arguments.noise,
        replicates: arguments.replicates,
        seed: arguments.seed,
    })?;
    say(&report.reading);
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(exit(&report.reading))
}

fn text(report: &IsoflopReport) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for v in &report.valleys {
        let _ = writeln!(out, "{:?}:", v.valley);
        for o in &v.optima {
            let _ = writeln!(
                out,
                "  C {:<12} N_opt {:<12} loss {:.4}",
                constant(o.budget),
                constant(o.n),
                o.loss
            );
        }
        for r in &v.refused {
            let _ = writeln!(out, "  C {:<12} refused: {}", constant(r.budget), r.reason);
        }
    }
    let _ =
        writeln!(out, "\n{:<34}{:>8}  {:<20}{:<20}", "N_opt ∝ C^a", "a", "95% (scatter)", "95% (seed noise)");
    for v in &report.valleys {
        let Some(line) = v.n_opt else { continue };
        let noise = v.noise_ci95.map_or_else(String::new, |[lo, hi]| format!("{lo:.3} … {hi:.3}"));
        let _ = writeln!(
            out,
            "{:<34}{:>8.4}  {:<20}{noise}",
            format!("isoFLOP, {:?} ({} budgets)", v.valley, line.n),
            line.exponent,
            format!("{:.3} … {:.3}", line.ci95[0], line.ci95[1])
        );
    }
    if let Some(p) = &report.parametric {
        let interval = p.ci95.map_or_else(String::new, |[lo, hi]| format!("{lo:.3} … {hi:.3}"));
        let _ =
            writeln!(out, "{:<34}{:>8.4}  {interval}", "parametric, beta/(alpha + beta)", p.n_opt_exponent);
    }
    let _ = writeln!(
        out,
        "\nA parabola is biased where the valley is lopsided (Czech et al. 2026): prefer the answer on which the cubic \
         and Akima agree. The envelope of learning curves is a third approach: scalelaw envelope CURVES."
    );
    out
}
