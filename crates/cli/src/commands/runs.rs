//! `scalelaw runs`: finished runs as a list or a table, from here or from other trainers' logs.

use super::import;
use crate::output;
use crate::tables::{curve_rows, position_rows, run_row, timing_rows};
use clap::{Subcommand, ValueEnum};
use scalelaw_core::number::short;
use scalelaw_runs::{finished_runs, timings};
use scalelaw_table::{CurveRow, Format, PositionRow, RunRow, TimingRow, write_rows};
use scalelaw_tokens::{Dataset, EvalSet};
use scalelaw_train::RunData;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw runs`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One line a finished run
    List {
        /// A folder of run directories
        dir: PathBuf,
    },
    /// Write the run table, or one of the others, to stdout: rows sorted by run, nothing from the clock unless asked
    Export {
        /// A folder of run directories
        dir: PathBuf,
        /// File format
        #[arg(long, value_enum, default_value = "csv")]
        format: TableFormat,
        /// Learning curves instead of one row a run
        #[arg(long, group = "table")]
        curves: bool,
        /// Losses of every position of the context, of runs that kept them (measure.position_losses)
        #[arg(long, group = "table")]
        positions: bool,
        /// Wall clock, threads and GFLOP/s of every session of every run
        #[arg(long, group = "table")]
        timing: bool,
        /// The dataset of the runs: adds losses in bits per byte
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// The logs of other trainers as a run table and learning curves: W&B, TensorBoard, Hugging Face, Lightning,
    /// nanochat
    Import(import::Arguments),
}

#[derive(Clone, Copy, ValueEnum)]
enum TableFormat {
    Csv,
    Jsonl,
    Parquet,
}

/// Lists or exports.
///
/// # Errors
/// When the folder cannot be listed or a finished run is damaged.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::List { dir } => {
            let mut list = String::new();
            for run in finished_runs(dir)? {
                let row = run_row(&run, None);
                list += &format!(
                    "{}  loss {}  {} tokens  {}\n",
                    row.run_id,
                    row.loss.map_or("-".into(), |l| format!("{l:.4}")),
                    short(row.tokens.unwrap_or(0) as f64),
                    row.status.unwrap_or_default()
                );
            }
            output::print(&list)?;
        }
        Command::Export { dir, format, curves, positions, timing, data } => {
            let runs = finished_runs(dir)?;
            let format = match format {
                TableFormat::Csv => Format::CSV,
                TableFormat::Jsonl => Format::Jsonl,
                TableFormat::Parquet => Format::Parquet,
            };
            let mut table = Vec::new();
            if *curves {
                let rows: Vec<CurveRow> = runs.iter().flat_map(curve_rows).collect();
                write_rows(&rows, format, &mut table)?;
            } else if *positions {
                let rows: Vec<PositionRow> = runs.iter().flat_map(position_rows).collect();
                write_rows(&rows, format, &mut table)?;
            } else if *timing {
                let mut rows: Vec<TimingRow> = Vec::new();
                for run in &runs {
                    rows.extend(timing_rows(&run.key, &timings(&dir.join(&run.key))?));
                }
                write_rows(&rows, format, &mut table)?;
            } else {
                let dataset = data.as_deref().map(Dataset::open).transpose()?;
                let mut rows: Vec<RunRow> = Vec::new();
                for run in &runs {
                    let test: Option<EvalSet> = match &dataset {
                        Some(dataset) => Some(RunData::open(dataset, &run.spec)?.test),
                        None => None,
                    };
                    rows.push(run_row(run, test.as_ref()));
                }
                write_rows(&rows, format, &mut table)?;
            }
            output::write(&table)?;
        }
        Command::Import(arguments) => return import::run(arguments),
    }
    Ok(ExitCode::SUCCESS)
}
