//! `scalelaw runs import`: the logs of other trainers as a run table and learning curves.

use crate::output;
use crate::progress::Display;
use anyhow::{Context, bail};
use scalelaw_lab::import::{self, ImportRequest};
use scalelaw_table::{Format, Mapping, Row, write_filled};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw runs import`.
#[derive(clap::Args)]
#[command(
    after_help = "Reads W&B history (CSV, JSON lines or Parquet of run.history(), or the CSV of a chart), TensorBoard \
    event files, Hugging Face trainer_state.json, Lightning's metrics.csv or any table with a step column (long ones \
    with a column of tags too), nanochat's results.csv, and what nanoGPT, llm.c, Megatron, torchtitan, LitGPT and OLMo \
    print, or any lines of a step and its losses (step 10/3000 | loss 4.29). Losses are taken to be in nats per token, steps as logged. Where the steps of a run go back, it was resumed: \
    what was logged before, from there on, does not count; where a finished training is followed by another, they are two runs. What was taken as what, what was left and what was not \
    usable is said on stderr. Columns without any value are not written.\n\nExamples:\n  scalelaw runs import logs/*/events.out.tfevents.* \
    --out-curves curves.csv > runs.csv\n  scalelaw runs import a/trainer_state.json b/trainer_state.json --about \
    sizes.csv --out-runs runs.csv\n  scalelaw runs import history.parquet --run d12 --map test_loss=eval/paloma/macro_loss\n\n\
    sizes.csv has what the logs do not say:\n  run_id,n_nonembed,batch_tokens\n  a,1.2e6,65536"
)]
pub struct Arguments {
    /// Log files, or folders with event files, trainer_state.json or metrics.csv in or below them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Name of the run where its log has none (default: the folder's, or the file's); all such files are one run
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Which metric is what, e.g. test_loss=eval/loss; keys are train_loss, test_loss, loss_SET, lr, tokens, step
    #[arg(long, value_name = "KEY=METRIC", value_delimiter = ',')]
    map: Vec<String>,
    /// A table with run_id and whatever the logs do not say, e.g. n_nonembed, n_total, batch_tokens, seed
    #[arg(long, value_name = "TABLE")]
    about: Option<PathBuf>,
    /// Write the run table here (.csv, .tsv, .jsonl or .parquet); without it, and without --out-curves, it goes to
    /// stdout as CSV
    #[arg(long, value_name = "FILE")]
    out_runs: Option<PathBuf>,
    /// Write the learning curves here (.csv, .tsv, .jsonl or .parquet)
    #[arg(long, value_name = "FILE")]
    out_curves: Option<PathBuf>,
}

/// Imports.
///
/// # Errors
/// Nothing could be imported, or a table cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // Names of files are refused before the reading, which may be long.
    let format = |path: &Option<PathBuf>| path.as_deref().map(Format::to_write).transpose();
    let (runs_format, curves_format) = (format(&arguments.out_runs)?, format(&arguments.out_curves)?);
    let files = import::logs(&arguments.files)?;
    refuse_to_overwrite(arguments, &files)?;
    let request = ImportRequest {
        files,
        run: arguments.run.clone(),
        mapping: Mapping::parse(&arguments.map)?,
        about: arguments.about.clone(),
    };
    let display = Display::new();
    let report = import::run(&request, &display);
    display.finish();
    let report = report?;
    let imported = &report.imported;
    for error in &report.failed {
        eprintln!("not imported: {error}{}", causes(error));
    }
    for note in &imported.notes {
        eprintln!("{note}");
    }
    for problem in &imported.problems {
        eprintln!("not used: {problem}");
    }
    if imported.runs.is_empty() {
        bail!("no run could be imported from {} files", arguments.files.len());
    }
    if let (Some(path), Some(format)) = (&arguments.out_curves, curves_format) {
        if imported.curves.is_empty() {
            eprintln!("{}: no curves: such a log has one row a run", path.display());
        }
        write(&imported.curves, format, path)?;
    }
    match (&arguments.out_runs, runs_format) {
        (Some(path), Some(format)) => write(&imported.runs, format, path)?,
        _ if arguments.out_curves.is_none() => {
            let mut table = Vec::new();
            write_filled(&imported.runs, Format::CSV, &mut table)?;
            output::write(&table)?;
        }
        _ => {}
    }
    let all = report.failed.is_empty() && imported.problems.is_empty();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Refuses an output that is one of the inputs, or the other output.
fn refuse_to_overwrite(arguments: &Arguments, files: &[PathBuf]) -> anyhow::Result<()> {
    // The same file may have several names.
    let file = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
    let outputs: Vec<&PathBuf> = arguments.out_runs.iter().chain(&arguments.out_curves).collect();
    for output in &outputs {
        let is_it = |other: &&PathBuf| file(output).is_some_and(|output| file(other) == Some(output));
        if files.iter().chain(&arguments.about).any(|input| is_it(&input)) {
            bail!("{}: it is read, and would be overwritten; name another file", output.display());
        }
    }
    if let [runs, curves] = outputs[..]
        && file(runs) == file(curves)
    {
        bail!("{}: runs and curves are two tables; name two files", runs.display());
    }
    Ok(())
}

/// The causes of an error on the same line.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.map(|cause| format!(": {cause}")).collect()
}

fn write<R: Row>(rows: &[R], format: Format, path: &Path) -> anyhow::Result<()> {
    let mut table = Vec::new();
    write_filled(rows, format, &mut table)?;
    std::fs::write(path, table).with_context(|| format!("{}: cannot write the file", path.display()))
}
