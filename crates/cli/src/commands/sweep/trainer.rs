//! The process that trains a run: this program, or a command of the user's own.

use super::study::Study;
use anyhow::Context;
use scalelaw_experiment::PlannedRun;
use std::path::Path;
use std::process::Command;

/// The command that trains `run` in `dir` on `threads` threads.
///
/// # Errors
/// When this program cannot find itself, or the user's command names what is no setting.
pub fn command(study: &Study, run: &PlannedRun, dir: &Path, threads: usize) -> anyhow::Result<Command> {
    if let Some(trainer) = &study.file.trainer {
        let mut command = Command::new("sh");
        command.arg("-c").arg(trainer.shell_line(&run.spec, dir, threads)?);
        return Ok(command);
    }
    let data = study.data.as_ref().context("a run without data")?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command.arg("train").arg(dir.join("spec.toml"));
    command.arg("--data").arg(data.dataset.dir()).arg("--out").arg(&study.dir);
    for set in &data.evals {
        command.arg("--eval-data").arg(set.dir());
    }
    command.arg("--threads").arg(threads.to_string());
    Ok(command)
}
