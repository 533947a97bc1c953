//! `scalelaw paper`: the figures, tables and claims of Kaplan et al. 2020.

use super::train::available_threads;
use crate::output;
use anyhow::Context;
use scalelaw_lab::paper::{self, Fits, PaperStudy};
use scalelaw_report::paper::{PaperReport, constants_only, from_runs};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw paper`.
#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("source").required(true).args(["constants_only", "runs"]),
    after_help = "The run sets are experiments/paper/nano/*.toml: several sweeps with one --out. What is not finished is \
    named in the captions, with the experiment that makes it and what it costs.\n\nExamples:\n  scalelaw paper \
    --constants-only\n  scalelaw paper --runs nano --out nano-paper\n  scalelaw paper --runs nano-paper/runs --out again"
)]
pub struct Arguments {
    /// Everything that follows from the paper's published constants alone: Figures 3, 12 and 15, the curves of 4,
    /// 9 and 11, Tables 1 to 6, and where the paper disagrees with itself
    #[arg(long)]
    constants_only: bool,
    /// The output directory of the sweeps, or the tables of an earlier call (its `runs` folder): all 24 figures, the
    /// tables, and the verdict on every claim
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Where the page, the figures and the tables go
    #[arg(long, default_value = "paper")]
    out: PathBuf,
    /// Print what was written, and the claims, as JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Written {
    page: PathBuf,
    figures: Vec<String>,
    tables: Vec<String>,
    claims: Vec<Line>,
}

/// A claim in `--json`.
#[derive(Serialize)]
struct Line {
    id: String,
    of: Option<String>,
    verdict: String,
    published: Option<f64>,
    estimate: Option<f64>,
    ci95: Option<[f64; 2]>,
    margin: [Option<f64>; 2],
    smallest_detectable_effect: Option<f64>,
    note: String,
}

/// Draws, judges and writes.
///
/// # Errors
/// When the runs cannot be read or the folder cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let study = arguments.runs.as_ref().map(|dir| study(dir, &arguments.out)).transpose()?;
    let report = match &study {
        Some(study) => from_runs(study),
        None => constants_only(&paper::constants_only()),
    };
    let page = report.write(&arguments.out)?;
    if let Some(study) = &study {
        write_laws(&study.fits, &arguments.out.join("laws"))?;
    }
    if arguments.json {
        output::print(&serde_json::to_string_pretty(&written(&report, page))?)?;
    } else {
        for judged in &report.claims {
            let of = judged.of.as_ref().map_or_else(String::new, |set| format!(" [{set}]"));
            eprintln!("{:<13}  {}{of}", judged.verdict.to_string(), judged.claim.id);
        }
        output::print(&page.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The runs of a sweep, or of an earlier call's tables, kept as tables in `out` and worked through.
fn study(dir: &Path, out: &Path) -> anyhow::Result<PaperStudy> {
    let runs =
        if paper::are_in(dir) { paper::read(dir)? } else { paper::read_sweeps(dir, available_threads())? };
    paper::write(&runs, &out.join("runs"))?;
    Ok(paper::study(runs))
}

/// Writes the laws as the other commands read them: the chain for `plan --law`, the others for `predict` and `plan`.
fn write_laws(fits: &Fits, dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut laws: Vec<(&str, String)> = Vec::new();
    if let Ok(chain) = &fits.chain {
        laws.push(("chain", serde_json::to_string_pretty(chain)?));
    }
    for (name, fitted) in [("l-n", &fits.n), ("l-d", &fits.d), ("l-nd", &fits.nd)] {
        if let Ok(fitted) = fitted {
            laws.push((name, serde_json::to_string_pretty(&fitted.law)?));
        }
    }
    for (name, json) in laws {
        let path = dir.join(format!("{name}.json"));
        std::fs::write(&path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn written(report: &PaperReport, page: PathBuf) -> Written {
    let claims = report.claims.iter().map(|judged| {
        let estimate = judged.estimate.as_ref().ok();
        Line {
            id: judged.claim.id.clone(),
            of: judged.of.clone(),
            verdict: judged.verdict.to_string(),
            published: judged.claim.published,
            estimate: estimate.map(|e| e.value),
            ci95: estimate.map(|e| e.ci95),
            margin: [judged.claim.lo, judged.claim.hi],
            smallest_detectable_effect: judged.detectable(),
            note: estimate.map_or_else(
                || judged.estimate.as_ref().err().map_or_else(String::new, ToString::to_string),
                |e| e.note.clone(),
            ),
        }
    });
    Written {
        page,
        figures: report.figures.iter().map(|figure| figure.name.clone()).collect(),
        tables: report.tables.iter().map(|table| table.name.to_owned()).collect(),
        claims: claims.collect(),
    }
}
