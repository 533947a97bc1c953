//! `scalelaw quickstart`: the whole study in miniature, from text to a report.

mod summary;

use crate::commands::train::{available_threads, trainer};
use crate::progress::{Display, clock};
use crate::signals;
use scalelaw_core::number::parse_duration;
use scalelaw_corpus::cargo_sources;
use scalelaw_lab::execute::{Executor, Resources};
use scalelaw_lab::quickstart::{self, Origin, QuickstartReport, QuickstartRequest};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use summary::Summary;

/// The lock file that this program was built from: it pins the default text.
const LOCK: &str = include_str!("../../Cargo.lock");
/// How long a run that another host has may show no sign of life before it is taken over.
const LEASE: Duration = Duration::from_secs(120);

/// Arguments of `scalelaw quickstart`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Your text: files and folders (.txt .md .rs .py, .html pages, .warc and .arc archives, .jsonl with a "text"
    /// field, each also .gz or .zst; .parquet). Without it, the sources of the crates that this program was built with
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "synthetic")]
    text: Vec<PathBuf>,
    /// Train on a synthetic language whose entropy is known, and compare
    #[arg(long)]
    synthetic: bool,
    /// Wall clock that the study may take, such as 90s, 5m or 1h
    #[arg(long, default_value = "5m", value_parser = parse_duration)]
    budget: Duration,
    /// Where everything goes; resumable: after an interruption, run the same command again
    #[arg(long, default_value = "scalelaw-quickstart")]
    out: PathBuf,
    /// Runs at the same time
    #[arg(long, default_value_t = available_threads(), hide_default_value = true)]
    workers: usize,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the study, or resumes the one in the output directory.
///
/// # Errors
/// When the text, the budget or the output directory are not usable, or no law can be fitted.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let display = Display::new();
    let workers = arguments.workers.max(1);
    let out = &arguments.out;
    let trainer = trainer()?;
    let resources = Resources { cores: workers, memory: None, lease: LEASE };
    let executor = Executor { resources, trainer: &trainer, watcher: &display, stop: &stop };
    let request = QuickstartRequest {
        origin: origin(arguments, &display),
        budget: arguments.budget,
        started,
        out: out.clone(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
    };
    let report = quickstart::run(&request, &executor, &display)?;
    let Some(QuickstartReport { findings, mut study }) = report else {
        display.finish();
        eprintln!("stopped; the same command resumes there");
        return Ok(ExitCode::from(3));
    };
    let facts = [
        ("workers".into(), workers.to_string()),
        ("time of this call".into(), clock(started.elapsed().as_secs_f64())),
    ];
    study.provenance.facts.splice(0..0, facts);
    let page = scalelaw_report::study(&study).write(&out.join("report"))?;
    display.finish();
    Summary::new(&findings, page, started.elapsed()).print(arguments.json)?;
    Ok(if findings.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The text that the arguments ask for; without any, the sources of crates in cargo's home and, where they are not
/// found, the synthetic language.
fn origin(arguments: &Arguments, display: &Display) -> Origin {
    if arguments.synthetic {
        return Origin::synthetic();
    }
    if !arguments.text.is_empty() {
        return Origin::Paths(arguments.text.clone());
    }
    let sources = match cargo_home() {
        Some(home) => {
            cargo_sources(LOCK, &home).map_err(|reason| format!("{:#}", anyhow::Error::from(reason)))
        }
        None => Err("no home directory".into()),
    };
    match sources {
        Ok(sources) => Origin::Crates(sources),
        Err(reason) => {
            display.say(&format!(
                "The sources of the crates this program was built with are not here ({reason}): using \
                 a synthetic language. Give your own with --text PATH."
            ));
            Origin::synthetic()
        }
    }
}

fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}
