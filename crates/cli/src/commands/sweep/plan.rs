//! `scalelaw sweep plan`, rendered.

use super::RunArguments;
use crate::output;
use crate::progress::{Display, clock};
use scalelaw_core::number::short;
use scalelaw_lab::sweep::{self, Plan};
use std::process::ExitCode;

/// Runs listed for a person.
const LISTED: usize = 60;

/// Plans and prints.
///
/// # Errors
/// When the experiment or its data are not usable.
pub fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let display = Display::new();
    let plan = sweep::plan(&arguments.request(), arguments.resources.workers, &display)?;
    display.finish();
    output::print(&if arguments.json { serde_json::to_string_pretty(&plan)? } else { text(&plan) })?;
    Ok(ExitCode::SUCCESS)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

fn text(plan: &Plan) -> String {
    let mut lines = vec![
        plan.question.clone(),
        format!("{} runs: {} new, {} begun, {} finished", plan.runs, plan.new, plan.begun, plan.finished),
        format!(
            "training FLOPs: {:.3e} as 6N, {:.3e} with head, {:.3e} with head and attention",
            plan.flops_6n, plan.flops_matmul, plan.flops_full
        ),
    ];
    lines.push(match plan.seconds {
        Some(_) if plan.finished == plan.runs => "time: none, every run is finished".into(),
        Some(seconds) => format!(
            "time: {} on {} cores, at {} GFLOP/s a core, small to large models (measured now)",
            clock(seconds),
            plan.cores,
            plan.gflops_per_core.iter().map(|(_, g)| format!("{g:.1}")).collect::<Vec<_>>().join(" "),
        ),
        None => "time: unknown, the trainer is not this program's".into(),
    });
    lines.push(format!(
        "memory: {} for the {} that need most, {} to spare; disk: {}",
        megabytes(plan.memory_bytes),
        plan.cores.min(plan.runs),
        megabytes(plan.memory_free_bytes),
        megabytes(plan.disk_bytes)
    ));
    lines.push(String::new());
    let width = plan.list.iter().map(|line| line.run.len()).max().unwrap_or(0);
    let sets = plan.list.iter().map(|line| line.sets.len()).max().unwrap_or(0).max(3);
    lines.push(format!(
        "{:<width$}  {:<sets$}  {:<8}  {:>7}  {:>7}  {:>7}  {:>8}  {:>8}  {:>6}",
        "run", "set", "stage", "N", "tokens", "steps", "lr", "FLOPs", "time"
    ));
    for line in plan.list.iter().take(LISTED) {
        lines.push(format!(
            "{:<width$}  {:<sets$}  {:<8}  {:>7}  {:>7}  {:>7}  {:>8.2e}  {:>8.2e}  {:>6}",
            line.run,
            line.sets,
            line.stage,
            short(line.n_nonembed as f64),
            short(line.tokens as f64),
            line.steps,
            line.lr,
            line.flops_full,
            line.seconds.map_or("-".into(), clock)
        ));
    }
    if plan.list.len() > LISTED {
        lines.push(format!("… and {} more; --json lists all", plan.list.len() - LISTED));
    }
    lines.join("\n")
}
