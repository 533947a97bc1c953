//! `scalelaw reproduce`: a published fit reproduced from its data and checked against the published values.

use super::fit::valley_text;
use crate::output;
use scalelaw_core::number::{self, constant};
use scalelaw_fit::presets::muennighoff2023::{OBJECTIVE, R_D_STAR};
use scalelaw_lab::reproduce::{self, Minimum, ReproduceReport, ReproduceRequest, Study};
use scalelaw_lab::valley::Valley;
use scalelaw_report::figure::{Ink, Marker, Point, Series};
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
    study: StudyArg,
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

/// [`Study`] on the command line.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum StudyArg {
    /// Besiroglu et al. 2024: Chinchilla's parametric law from 240 digitised runs
    Epoch,
    /// Kaplan et al. 2020, Table 2: L(N, D) from the digitised Figure 1
    Kaplan,
    /// Porian et al. 2024: why Kaplan's and Chinchilla's exponents differ, 15 exponents
    Porian,
    /// Muennighoff et al. 2023: repeated data, R_D* and R_N*
    Muennighoff,
}

/// Runs the command.
///
/// # Errors
/// The data cannot be read, or are not the study's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let study = match arguments.study {
        StudyArg::Epoch => Study::Epoch,
        StudyArg::Kaplan => Study::Kaplan,
        StudyArg::Porian => Study::Porian,
        StudyArg::Muennighoff => Study::Muennighoff,
    };
    let Some(data) = &arguments.data else {
        output::print(&origin_text(study))?;
        return Ok(ExitCode::SUCCESS);
    };
    let replicates = arguments.replicates;
    let mut report = reproduce::run(&ReproduceRequest { study, data: data.clone(), replicates })?;
    for other in &report.other_data {
        eprintln!(
            "note: {} has BLAKE3 {}, not the {} this was checked on",
            other.path.display(),
            other.digest,
            other.expected
        );
    }
    if let (Some(dir), Some((minima, valley))) = (&arguments.out, &report.valley) {
        report.files = draw(dir, minima, valley)?;
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if report.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the data are published.
fn origin_text(study: Study) -> String {
    let origin = study.origin();
    let files: String =
        origin.files.iter().map(|(file, digest)| format!("{file}  blake3 {digest}\n")).collect();
    format!(
        "{}\n{}\ncommit {}\n{files}{}\nthen: scalelaw reproduce {} --data FOLDER",
        origin.title,
        origin.repository,
        origin.commit,
        origin.notes,
        format!("{study:?}").to_lowercase(),
    )
}

/// Draws the valley and its minima; returns the files.
fn draw(dir: &Path, minima: &[Minimum], valley: &Valley) -> anyhow::Result<Vec<PathBuf>> {
    const NAME: &str = "muennighoff-valley";
    let point = |m: &Minimum| Point::at(m.r_d, m.objective).named(format!("R_N* {}", constant(m.r_n)));
    let found = minima.iter().map(point).collect();
    let published = vec![Point::at(R_D_STAR, OBJECTIVE)];
    let figure = scalelaw_report::valley::figure(
        NAME,
        [
            "Repeated data do not determine R_D*".into(),
            "Lowest Huber(1e-3) objective on log loss at each R_D*, R_N* free; 182 runs on C4, base law fixed. \
             Star: the published pair. Discs: minima found from 480 starts."
                .into(),
        ],
        "R_D*, repetitions that a token is worth",
        valley,
        vec![
            Series::points("minima", Marker::Disc, Ink::Data, found),
            Series::points("published", Marker::Star, Ink::Hue(1), published),
        ],
    );
    scalelaw_report::write_figures(&[figure], dir)?;
    Ok(["svg", "png", "csv"].iter().map(|extension| dir.join(format!("{NAME}.{extension}"))).collect())
}

fn text(report: &ReproduceReport) -> String {
    use std::fmt::Write;
    let mut out = format!("{}\n\n", report.title);
    let width = report.checks.iter().map(|c| c.quantity.chars().count()).max().unwrap_or(0) + 2;
    let _ = writeln!(
        out,
        "{:<width$}{:>15}{:>15}  {:<23}{:<23}",
        "", "published", "ours", "95% (ours)", "95% (published)"
    );
    for c in &report.checks {
        let interval = |i: Option<[f64; 2]>| {
            i.map_or_else(String::new, |[a, b]| format!("{} … {}", constant(a), constant(b)))
        };
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
    if let Some((_, valley)) = &report.valley {
        let _ = writeln!(out, "\n{}", valley_text(valley, 4));
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
    number::significant_plain_in(value, digits + 1, -4..8)
}
