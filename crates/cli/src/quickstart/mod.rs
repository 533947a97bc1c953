//! `scalelaw quickstart`: the whole study in miniature, from text to a report.

mod findings;
mod ladder;
mod plan;
mod speed;
mod study;
mod summary;
mod text;

use crate::commands::train::available_threads;
use crate::commands::train::trainer;
use crate::progress::{Display, clock};
use crate::signals;
use anyhow::{Context, bail};
use findings::Findings;
use scalelaw_core::RunSpec;
use scalelaw_core::number::{parse_duration, short};
use scalelaw_core::units::FlopConvention;
use scalelaw_experiment::{ExperimentFile, PlannedRun};
use scalelaw_lab::execute::{Executor, Inputs, Resources, Run, Training, execute};
use scalelaw_lab::forecasts;
use scalelaw_lab::study::Forecast;
use scalelaw_runs::{Outcome, RunStage, finished_run, stage, write_atomically};
use scalelaw_tokens::Dataset;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use summary::Summary;
use text::Origin;

/// Wall clock kept for fitting and drawing.
const REPORT_RESERVE: Duration = Duration::from_secs(6);
/// How long a run that another host has may show no sign of life before it is taken over.
const LEASE: Duration = Duration::from_secs(120);
/// Share of the remaining time that the runs are planned to take: machines are not steady.
const PLANNED_SHARE: f64 = 0.93;

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
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;

    let origin = Origin::choose(&arguments.text, arguments.synthetic, &display);
    let (data, planned) = prepare(arguments, &origin, workers, started, &display)?;
    if stop() {
        return Ok(stopped(&display));
    }
    let specs: Vec<RunSpec> = planned.iter().map(|run| run.spec.clone()).collect();
    let flops: f64 = specs.iter().map(total_flops).sum();
    display.say(&format!(
        "{} runs, {} FLOPs with head and attention, on {workers} cores",
        specs.len(),
        short(flops)
    ));

    let runs_dir = out.join("runs");
    let mut before = 0;
    for spec in &specs {
        before += usize::from(stage(&runs_dir.join(spec.key()))? == RunStage::Finished);
    }
    if before > 0 {
        display.say(&format!("{before} of {} runs are finished already", specs.len()));
    }
    let trainer = trainer()?;
    let resources = Resources { cores: workers, memory: None, lease: LEASE };
    let executor = Executor { resources, trainer: &trainer, watcher: &display, stop: &stop };
    let training = Training::Own(Inputs { dataset: data.dir().to_owned(), evals: vec![] });
    let runs = specs.iter().map(|spec| Run { spec: spec.clone(), training: &training });
    let executed = execute(&runs_dir, runs.collect(), &executor)?;
    if executed.left > 0 {
        return Ok(stopped(&display));
    }
    let failed = executed.failed.len();
    let mut finished = Vec::with_capacity(specs.len());
    for spec in &specs {
        finished.extend(finished_run(&runs_dir.join(spec.key()))?);
    }
    if let (true, Some(first)) = (finished.is_empty(), executed.failed.first()) {
        bail!("no run finished: {}", first.reason);
    }
    for run in &finished {
        if let Outcome::Diverged { step } = run.result.outcome {
            display.say(&format!(
                "{} diverged at step {step}: it is in the table and excluded from the fits",
                run.key
            ));
        }
    }
    let findings = Findings::new(&planned, &origin, &data, &finished, executed.failed)?;
    findings.write(out)?;
    let record = register_forecast(&findings, out)?;
    let facts = vec![
        ("workers".into(), workers.to_string()),
        ("time of this call".into(), clock(started.elapsed().as_secs_f64())),
    ];
    let study = study::study(&findings, &origin, &data, record, facts);
    let page = scalelaw_report::study(&study).write(&out.join("report"))?;
    display.finish();
    Summary::new(&findings, page, started.elapsed()).print(arguments.json)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// What a study that was asked to stop says and returns.
fn stopped(display: &Display) -> ExitCode {
    display.finish();
    eprintln!("stopped; the same command resumes there");
    ExitCode::from(3)
}

/// Registers the forecast of the next run, unless that was done before, and returns the record of all forecasts.
fn register_forecast(findings: &Findings, out: &Path) -> anyhow::Result<Vec<Forecast>> {
    let folder = out.join("forecasts");
    let path = folder.join("next-run.json");
    if let (Ok(next), false) = (&findings.next, path.exists()) {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let law = findings.laws.budget.as_ref().ok();
        let digest = law.and_then(|fitted| fitted.law.data_digest.clone());
        let at = [("C", next.compute), ("N", next.n_params), ("D", next.tokens)];
        let at = at.map(|(name, value)| (name.to_string(), value));
        forecasts::register(&path, "laws/nd-processed.json", digest, &at, next.loss, next.loss_pi95)?;
    }
    let entry = |(forecast, score): (forecasts::Forecast, Option<forecasts::Score>)| Forecast {
        made: forecast.made,
        law: forecast.law,
        at: forecast.at.into_iter().collect(),
        loss: forecast.loss,
        interval: forecast.loss_pi95.map(|[low, high]| (low, high)),
        came: score.map(|score| score.loss),
    };
    Ok(forecasts::record(&folder)?.into_iter().map(entry).collect())
}

/// The data and the chosen runs: read where an earlier call left them, made otherwise.
fn prepare(
    arguments: &Arguments,
    origin: &Origin,
    workers: usize,
    started: Instant,
    display: &Display,
) -> anyhow::Result<(Dataset, Vec<PlannedRun>)> {
    let path = arguments.out.join("experiment.toml");
    let data_dir = arguments.out.join("data");
    if path.exists() {
        let toml =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let experiment = ExperimentFile::parse(&path.display().to_string(), &toml)?;
        let data = Dataset::open(&data_dir)?;
        let text = text::describe(&origin.name(), &data);
        let of = &experiment.data;
        if of.digest.as_ref() != Some(&text.digest) || of.name.as_ref() != Some(&text.name) {
            bail!(
                "{} holds a study of {}, not of {}: give another --out",
                arguments.out.display(),
                of.name.as_deref().unwrap_or("another text"),
                text.name
            );
        }
        display.say(&format!("Resuming {}", path.display()));
        return Ok((data, experiment.runs(&text)?));
    }
    let budget = arguments.budget.as_secs_f64();
    let data = origin.dataset(&data_dir, budget * workers as f64, display)?;
    let text = text::describe(&origin.name(), &data);
    display.say(&format!(
        "Text: {}, {} training tokens ({:.1} s). Measuring this machine…",
        text.name,
        short(text.train_tokens as f64),
        started.elapsed().as_secs_f64()
    ));
    let speeds = speed::measure(&data, &text, workers)?;
    let left = budget - started.elapsed().as_secs_f64() - REPORT_RESERVE.as_secs_f64();
    let speed = |d_model| ladder::interpolate(&speeds, d_model);
    let experiment = ladder::choose(&text, &speed, workers, left * PLANNED_SHARE)?;
    write_atomically(&path, experiment.text().as_bytes())?;
    display.say(&format!("Chosen for {} and written to {}", clock(budget), path.display()));
    Ok((data, experiment.runs(&text)?))
}

fn total_flops(spec: &RunSpec) -> f64 {
    spec.tokens() as f64 * spec.model.train_flops_per_token(FlopConvention::Full)
}
