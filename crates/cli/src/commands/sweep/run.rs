//! `scalelaw sweep run`, rendered.

use super::RunArguments;
use crate::commands::train::trainer;
use crate::commands::worker::say_what_is_left;
use crate::output;
use crate::progress::{Display, clock};
use crate::signals;
use scalelaw_core::number::short;
use scalelaw_lab::sweep::{self, Pursuit, Report, Standing};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Runs what is not finished.
///
/// # Errors
/// When the experiment, its data or the output directory are not usable. A run that fails is in the summary.
pub fn run(arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let flag = signals::stop_flag()?;
    let stop = || flag.load(Ordering::Relaxed);
    let display = Display::new();
    let trainer = trainer()?;
    let executor = arguments.resources.executor(&trainer, &display, &stop);
    let goal = arguments.until.zip(arguments.spend);
    let pursuit = goal.map(|(goal, spend)| Pursuit { target: goal.0, spend });
    let report = sweep::run(&arguments.request(), pursuit, &executor, &display)?;
    display.finish();
    say_what_is_left(&report.failed, report.left);
    output::print(&if arguments.json { serde_json::to_string_pretty(&report)? } else { text(&report) })?;
    Ok(exit(&report))
}

fn text(report: &Report) -> String {
    let mut line = format!(
        "{} of {} runs finished, {} of them now, in {}",
        report.finished,
        report.runs,
        report.finished.saturating_sub(report.finished_before),
        clock(report.seconds)
    );
    for (count, what) in [(report.diverged.len(), "diverged"), (report.failed.len(), "failed")] {
        if count > 0 {
            line += &format!("; {count} {what}");
        }
    }
    if let Some(standing) = &report.until {
        let Standing { target_flops, loss, width, wanted, reached, runs, spent, why } = standing;
        let (at, verdict) = (short(*target_flops), if *reached { "reached" } else { "NOT reached" });
        line += &format!(
            "\nloss at the optimum of {at} FLOPs: {loss:.4}, 95% interval {width:.4} wide from {runs} runs, {} \
             FLOPs beyond the experiment; wanted {wanted:.4}: {verdict}",
            short(*spent)
        );
        if let Some(why) = why {
            line += &format!(" ({why})");
        }
    }
    format!("{line}\n{}", report.table.display())
}

fn exit(report: &Report) -> ExitCode {
    if report.until.as_ref().is_some_and(|standing| !standing.reached) {
        return ExitCode::from(3);
    }
    match (report.finished, report.runs) {
        (finished, runs) if finished == runs => ExitCode::SUCCESS,
        (0, _) if report.left == 0 => ExitCode::FAILURE,
        _ => ExitCode::from(3),
    }
}
