//! `scalelaw paper`: the figures and tables of Kaplan et al. 2020.

use crate::output;
use scalelaw_report::paper::{PaperReport, constants_only};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `scalelaw paper`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Everything that follows from the paper's published constants alone: Figures 3, 12 and 15, the curves of 4,
    /// 9 and 11, Tables 1 to 6, and where the paper disagrees with itself
    #[arg(long, required = true)]
    constants_only: bool,
    /// Where the page, the figures and the tables go
    #[arg(long, default_value = "paper")]
    out: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Written {
    page: PathBuf,
    figures: Vec<String>,
    tables: Vec<String>,
}

/// Draws and writes.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let report: PaperReport = constants_only();
    let page = report.write(&arguments.out)?;
    if arguments.json {
        let written = Written {
            page,
            figures: report.figures.iter().map(|figure| figure.name.clone()).collect(),
            tables: report.tables.iter().map(|table| table.name.to_owned()).collect(),
        };
        output::print(&serde_json::to_string_pretty(&written)?)?;
    } else {
        output::print(&page.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
