//! `scalelaw runs`: finished runs as a list or a table, from here or from other trainers' logs.

use super::import;
use crate::output;
use clap::{Subcommand, ValueEnum};
use scalelaw_core::number::short;
use scalelaw_lab::runs::{Table, export, list as list_runs};
use scalelaw_table::Format;
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
            for row in list_runs(dir)? {
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
            let format = match format {
                TableFormat::Csv => Format::CSV,
                TableFormat::Jsonl => Format::Jsonl,
                TableFormat::Parquet => Format::Parquet,
            };
            let table = match (curves, positions, timing) {
                (true, ..) => Table::Curves,
                (_, true, _) => Table::Positions,
                (.., true) => Table::Timing,
                _ => Table::Runs { dataset: data.as_deref() },
            };
            let mut bytes = Vec::new();
            export(dir, table, format, &mut bytes)?;
            output::write(&bytes)?;
        }
        Command::Import(arguments) => return import::run(arguments),
    }
    Ok(ExitCode::SUCCESS)
}
