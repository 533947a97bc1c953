//! `scalelaw reproduce`: a published fit from its published data: the number, ours, pass or fail.

mod epoch;
mod kaplan;
mod muennighoff;
mod porian;

use crate::output;
use anyhow::bail;
use scalelaw_fit::short;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw reproduce`.
#[derive(clap::Args)]
#[command(
    after_help = "Without --data it prints where the data are published, at which commit, and their digest."
)]
pub struct Arguments {
    /// Which published fit
    #[arg(value_enum)]
    study: Study,
    /// The folder (or file) with the published data
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Where figures and their numbers go (only studies that draw)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Bootstrap or noise replicates
    #[arg(long, value_name = "N")]
    replicates: Option<usize>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// The published fits that can be reproduced.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Study {
    /// Besiroglu et al. 2024: Chinchilla's parametric law from 240 digitised runs
    Epoch,
    /// Kaplan et al. 2020, Table 2: L(N, D) from the digitised Figure 1
    Kaplan,
    /// Porian et al. 2024: why Kaplan's and Chinchilla's exponents differ, 15 exponents
    Porian,
    /// Muennighoff et al. 2023: repeated data, R_D* and R_N*
    Muennighoff,
}

/// Where a study's data are.
struct Origin {
    title: &'static str,
    repository: &'static str,
    commit: &'static str,
    /// File, and the BLAKE3 digest of the bytes this reproduction was checked on.
    files: &'static [(&'static str, &'static str)],
    notes: &'static str,
}

impl Study {
    fn origin(self) -> &'static Origin {
        match self {
            Self::Epoch => &epoch::ORIGIN,
            Self::Kaplan => &kaplan::ORIGIN,
            Self::Porian => &porian::ORIGIN,
            Self::Muennighoff => &muennighoff::ORIGIN,
        }
    }
}

/// What a reproduction found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Study.
    title: String,
    /// Number by number.
    checks: Vec<Check>,
    /// Findings, in words.
    notes: Vec<String>,
    /// Whether every check passed.
    pass: bool,
    /// Files written.
    files: Vec<PathBuf>,
}

/// One published number and ours.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What it is.
    quantity: String,
    /// As published.
    published: f64,
    /// As found here.
    ours: f64,
    /// Largest absolute difference that passes.
    tolerance: f64,
    /// Our 95% interval.
    ci95: Option<[f64; 2]>,
    /// The published interval.
    published_ci95: Option<[f64; 2]>,
    /// Verdict.
    pass: bool,
}

impl Report {
    fn check(
        &mut self,
        quantity: impl Into<String>,
        published: f64,
        ours: f64,
        tolerance: f64,
    ) -> &mut Check {
        let pass = (ours - published).abs() <= tolerance;
        self.checks.push(Check {
            quantity: quantity.into(),
            published,
            ours,
            tolerance,
            ci95: None,
            published_ci95: None,
            pass,
        });
        let last = self.checks.len() - 1;
        &mut self.checks[last]
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Runs the command.
///
/// # Errors
/// The data cannot be read, or are not the study's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let origin = arguments.study.origin();
    let Some(data) = &arguments.data else {
        let files: String =
            origin.files.iter().map(|(file, digest)| format!("{file}  blake3 {digest}\n")).collect();
        output::print(&format!(
            "{}\n{}\ncommit {}\n{files}{}\nthen: scalelaw reproduce {} --data FOLDER",
            origin.title,
            origin.repository,
            origin.commit,
            origin.notes,
            format!("{:?}", arguments.study).to_lowercase(),
        ))?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut report = match arguments.study {
        Study::Epoch => epoch::reproduce(data, arguments.replicates.unwrap_or(epoch::REPLICATES))?,
        Study::Kaplan => kaplan::reproduce(data)?,
        Study::Porian => porian::reproduce(data, arguments.replicates.unwrap_or(1000))?,
        Study::Muennighoff => muennighoff::reproduce(data, arguments.out.as_deref())?,
    };
    report.title = origin.title.into();
    report.pass = report.checks.iter().all(|c| c.pass);
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if report.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(report: &Report) -> String {
    use std::fmt::Write;
    let mut out = format!("{}\n\n", report.title);
    let width = report.checks.iter().map(|c| c.quantity.chars().count()).max().unwrap_or(0) + 2;
    let _ = writeln!(
        out,
        "{:<width$}{:>15}{:>15}  {:<23}{:<23}",
        "", "published", "ours", "95% (ours)", "95% (published)"
    );
    for c in &report.checks {
        let interval =
            |i: Option<[f64; 2]>| i.map_or_else(String::new, |[a, b]| format!("{} … {}", short(a), short(b)));
        let _ = writeln!(
            out,
            "{:<width$}{:>15}{:>15}  {:<23}{:<23}{}",
            c.quantity,
            figures(c.published, c.tolerance),
            figures(c.ours, c.tolerance),
            interval(c.ci95),
            interval(c.published_ci95),
            if c.pass { "pass" } else { "FAIL" }
        );
    }
    for note in &report.notes {
        let _ = writeln!(out, "\n{note}");
    }
    for file in &report.files {
        let _ = writeln!(out, "wrote {}", file.display());
    }
    let failed = report.checks.iter().filter(|c| !c.pass).count();
    let _ = writeln!(out, "\n{} of {} checks pass", report.checks.len() - failed, report.checks.len());
    out
}

/// A number with the digits its tolerance leaves meaning.
fn figures(value: f64, tolerance: f64) -> String {
    if tolerance == 0.0 {
        return value.to_string();
    }
    let magnitude = value.abs().max(f64::MIN_POSITIVE).log10().floor();
    let digits = (magnitude - tolerance.log10().floor()).clamp(2.0, 14.0) as usize;
    if (-4.0..8.0).contains(&magnitude) {
        format!("{value:.*}", (digits as i32 - magnitude as i32).max(0) as usize)
    } else {
        format!("{value:.*e}", digits)
    }
}

/// The file `name` in `data`, which may be the file itself; its digest is compared with the one checked here.
fn find(data: &Path, origin: &Origin, name: &str) -> anyhow::Result<scalelaw_table::Table> {
    let path = if data.is_dir() { data.join(name) } else { data.with_file_name(name) };
    if !path.exists() {
        bail!(
            "{}: not there; it is published at {} (commit {}). {}",
            path.display(),
            origin.repository,
            origin.commit,
            origin.notes
        );
    }
    let table = scalelaw_table::Table::load(&path)?;
    let expected = origin.files.iter().find(|(file, _)| *file == name).map_or("", |(_, digest)| *digest);
    if table.digest != expected {
        eprintln!(
            "note: {} has BLAKE3 {}, not the {expected} this was checked on",
            path.display(),
            table.digest
        );
    }
    Ok(table)
}

/// A column of numbers.
fn numbers<'a>(table: &'a scalelaw_table::Table, name: &str) -> anyhow::Result<&'a [f64]> {
    match table.column(name)?.numbers() {
        Some(values) => Ok(values),
        None => bail!("{}: column {name} holds text, expected numbers", table.source),
    }
}
