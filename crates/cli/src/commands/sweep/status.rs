//! `scalelaw sweep status`, rendered.

use crate::output;
use crate::progress::clock;
use scalelaw_fit::Ending;
use scalelaw_lab::sweep::{self, State, Status, StatusLine};
use scalelaw_runs::{EvalRecord, evals_so_far};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Time between two pictures of `--watch`.
const EVERY: Duration = Duration::from_secs(2);
/// Rows shown to a person without `--all`.
const SHOWN: usize = 50;
/// Losses in a sparkline.
const SPARKS: usize = 12;

/// Arguments of `scalelaw sweep status`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The output directory of a sweep or a quickstart
    dir: PathBuf,
    /// Look again every two seconds, until no run is left
    #[arg(long)]
    watch: bool,
    /// Every run, however many there are
    #[arg(long)]
    all: bool,
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the status, once or again and again.
///
/// # Errors
/// When the directory is no sweep's.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    loop {
        let status = sweep::status(&arguments.dir)?;
        let text = if arguments.json {
            serde_json::to_string_pretty(&status)?
        } else {
            text(&status, &arguments.dir.join("runs"), if arguments.all { usize::MAX } else { SHOWN })
        };
        if arguments.watch && std::io::stdout().is_terminal() {
            output::print(&format!("\x1b[2J\x1b[H{text}"))?; // clears the screen
        } else {
            output::print(&text)?;
        }
        let open = [State::Running, State::Begun, State::Waiting];
        if !arguments.watch || !status.list.iter().any(|line| open.contains(&line.state)) {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(EVERY);
    }
}

fn text(status: &Status, dir: &Path, shown: usize) -> String {
    let counts: Vec<String> = status.counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let mut rows: Vec<&StatusLine> = status.list.iter().collect();
    rows.sort_by_key(|line| line.state); // stable: in the order of the experiment within a state
    let rows = &rows[..rows.len().min(shown)];
    let width = rows.iter().map(|line| line.run.len()).max().unwrap_or(3);
    let sets = rows.iter().map(|line| line.sets.len()).max().unwrap_or(3).max(3);
    let mut lines = vec![
        format!("{} runs: {}", status.runs, counts.join(", ")),
        String::new(),
        format!(
            "{:<width$}  {:<sets$}  {:<8}  {:>6}  {:>7}  {:<SPARKS$}  {:<22}  {:>7}",
            "run", "set", "state", "done", "loss", "curve", "will end at (95%)", "left"
        ),
    ];
    for line in rows {
        let evals = evals_so_far(&dir.join(&line.run));
        let mut text = format!(
            "{:<width$}  {:<sets$}  {:<8}  {:>5.0}%  {:>7}  {:<SPARKS$}  {:<22}  {:>7}",
            line.run,
            line.sets,
            line.state.name(),
            100.0 * line.step as f64 / line.steps.max(1) as f64,
            line.loss.map_or("-".into(), |loss| format!("{loss:.4}")),
            sparkline(&evals),
            line.ending.map_or_else(String::new, |Ending { loss, pi95: [low, high], .. }| {
                format!("{loss:.3} ({low:.3} to {high:.3})")
            }),
            line.seconds_left.map_or("-".into(), clock),
        );
        if let Some(reason) = &line.reason {
            text += &format!("  {}", reason.lines().next().unwrap_or_default());
        }
        lines.push(text);
    }
    if status.runs > rows.len() {
        lines.push(format!("… and {} more; --all shows them", status.runs - rows.len()));
    }
    lines.join("\n")
}

/// The test losses so far, the highest bar being the highest loss.
fn sparkline(evals: &[EvalRecord]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let losses: Vec<f64> = evals.iter().map(|eval| eval.test_loss).filter(|loss| loss.is_finite()).collect();
    let (low, high) =
        losses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let span = (high - low).max(f64::MIN_POSITIVE);
    let shown = losses.len().min(SPARKS);
    (0..shown)
        .map(|i| {
            let loss = losses[if shown > 1 { i * (losses.len() - 1) / (shown - 1) } else { 0 }];
            BARS[(((loss - low) / span) * 7.0).round() as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparkline_falls_with_the_loss() {
        let eval = |step: u64| EvalRecord {
            step,
            tokens: step,
            train_loss: None,
            test_loss: 8.0 - step as f64,
            ..EvalRecord::default()
        };
        let evals: Vec<EvalRecord> = (1..=7).map(eval).collect();
        assert_eq!(sparkline(&evals), "█▇▆▅▃▂▁");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&evals[..1]), "▁");
    }
}
