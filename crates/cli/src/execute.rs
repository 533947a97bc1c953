//! Brings a list of runs home: skips the finished, resumes the begun, longest first, one a core.

use crate::progress::Display;
use anyhow::{Context, bail};
use scalelaw_core::RunSpec;
use scalelaw_runs::local::{Job, run_all};
use scalelaw_runs::{Claim, Claimed, FinishedRun, Outcome, finished_run};
use scalelaw_tokens::Dataset;
use scalelaw_train::{RunData, RunOptions};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// What became of the runs.
pub struct Executed {
    /// Finished runs in the order of their specs, diverged ones included.
    pub runs: Vec<FinishedRun>,
    /// Keys of runs that failed, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Runs every spec that is not finished below `dir`; `cost` is the expected seconds of one worker.
///
/// # Errors
/// When the directory cannot be used at all. A run that fails is reported in the result and the rest go on.
pub fn execute(
    specs: &[RunSpec],
    data: &Dataset,
    dir: &Path,
    workers: usize,
    cost: &dyn Fn(&RunSpec) -> f64,
    display: &Display,
) -> anyhow::Result<Executed> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut jobs = Vec::new();
    for spec in specs {
        if finished_run(&dir.join(spec.key()))?.is_none() {
            jobs.push(Job { work: spec, cost: cost(spec) });
        }
    }
    let reused = specs.len() - jobs.len();
    if reused > 0 {
        display.say(&format!("{reused} of {} runs are finished already", specs.len()));
    }
    display.begin_runs(jobs.iter().map(|j| (j.work.key(), j.cost)).collect::<HashMap<_, _>>(), workers);
    // With fewer runs than workers, the idle workers' threads go to the runs.
    let threads = (workers / jobs.len().max(1)).max(1);
    let outcomes = run_all(&jobs, workers, |spec| -> anyhow::Result<()> {
        let path = dir.join(spec.key());
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let Some(_claim) = claim_or_wait(&path, display)? else { return Ok(()) };
        let device = scalelaw_lab::device(spec.device);
        let options = RunOptions { device: &*device, threads, observer: display, stop: &|| false };
        scalelaw_train::run(spec, &RunData::open(data, spec)?, &path, options)?;
        Ok(())
    });
    let mut failed = Vec::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        if let Err(error) = outcome {
            failed.push((job.work.key(), format!("{error:#}")));
        }
    }
    let mut runs = Vec::new();
    for spec in specs {
        runs.extend(finished_run(&dir.join(spec.key()))?);
    }
    if runs.is_empty() {
        let reason = failed.first().map_or("no run was asked for", |(_, reason)| reason.as_str());
        bail!("no run finished: {reason}");
    }
    for run in &runs {
        if let Outcome::Diverged { step } = run.result.outcome {
            display
                .say(&format!("{} diverged at step {step}: it stays in the table, out of the fits", run.key));
        }
    }
    Ok(Executed { runs, failed })
}

/// Claims a run; where another living process has it, waits until that one is done or gone. `None` when
/// the run is finished.
fn claim_or_wait(dir: &Path, display: &Display) -> anyhow::Result<Option<Claim>> {
    let mut told = false;
    loop {
        if finished_run(dir)?.is_some() {
            return Ok(None);
        }
        match Claim::acquire(dir, &host())? {
            // It may have been finished between the look and the claim.
            Claimed::Ours(claim) => return Ok(finished_run(dir)?.is_none().then_some(claim)),
            Claimed::Held(owner) => {
                if !told {
                    display.say(&format!(
                        "{} is being run by process {} on {}: waiting for it",
                        dir.display(),
                        owner.pid,
                        owner.host
                    ));
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(300));
            }
        }
    }
}

/// Name of this host, for claims on a shared file system.
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "localhost".to_owned(), |name| name.trim().to_owned())
}
