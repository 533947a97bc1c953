//! `scalelaw envelope`: the compute frontier under learning curves, and the laws along it.

use super::fit::law_text;
use super::table::{TableArgs, doubt, exit, say};
use crate::output;
use scalelaw_core::number::constant;
use scalelaw_fit::Envelope;
use scalelaw_lab::envelope::{self, EnvelopeReport, EnvelopeRequest};
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

/// Runs the command.
///
/// # Errors
/// The table has no curves or no cost.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report = envelope::run(&EnvelopeRequest {
        table: arguments.table.request(&arguments.curves, arguments.runs.as_deref()),
        batch_tokens: arguments.batch,
        kind: match arguments.kind {
            Kind::Minimum => Envelope::RunningMinimum,
            Kind::Hull => Envelope::ConvexHull,
        },
        per_decade: arguments.per_decade,
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

fn text(report: &EnvelopeReport) -> String {
    use std::fmt::Write;
    let mut out = String::from("frontier\n");
    for p in &report.frontier {
        let _ = writeln!(
            out,
            "  C {:<12} loss {:<8.4} N {:<12} run {}",
            constant(p.cost),
            p.loss,
            constant(p.n),
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
            "\nN_opt ∝ C^a along the frontier (approach 1): a = {:.4} (95% by scatter {})",
            line.exponent,
            output::interval(line.ci95, 3)
        );
    }
    out
}
