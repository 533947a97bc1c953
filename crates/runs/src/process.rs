//! A run as a process of its own: what kills it kills nothing else.

use crate::{Claim, RunError};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Longest time between two looks at a process.
const LOOK: Duration = Duration::from_millis(10);
/// How often a claim shows that its owner lives.
const BEAT: Duration = Duration::from_secs(5);
/// How long a process that is asked to stop may take.
const GRACE: Duration = Duration::from_secs(30);
/// Bytes of the end of a log that say why a process failed.
const REASON_BYTES: u64 = 600;

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With status 0.
    Success,
    /// Otherwise: its status and the end of what it wrote.
    Failure(String),
    /// Because it was asked to.
    Stopped,
}

/// Runs `command` to its end, its output going to the file `log`.
///
/// The process holds the claim, through its standard input, as long as it or a child of it lives: a run whose
/// scheduler was killed is not started a second time beside it. It has a process group of its own; when
/// `stop` says so the group is asked to terminate.
///
/// # Errors
/// When the log cannot be written or the command cannot be started.
pub fn run_to_end(
    mut command: Command,
    claim: &Claim,
    log: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<Exit, RunError> {
    let io = |action| move |e| RunError::io(action, log, e);
    let file = OpenOptions::new().create(true).append(true).open(log).map_err(io("open"))?;
    let from = file.metadata().map_err(io("examine"))?.len();
    let also = file.try_clone().map_err(io("open"))?;
    command.stdin(claim.as_stdin()?).stdout(file).stderr(also);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child =
        command.spawn().map_err(|e| RunError::io("start", Path::new(command.get_program()), e))?;
    let mut look = Duration::from_millis(1);
    let mut beat = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(io("wait for the process of"))? {
            break status;
        }
        if stop() {
            terminate(&mut child, log)?;
            return Ok(Exit::Stopped);
        }
        if beat.elapsed() >= BEAT {
            claim.beat()?;
            beat = Instant::now();
        }
        std::thread::sleep(look);
        look = (look * 2).min(LOOK);
    };
    if status.success() {
        return Ok(Exit::Success);
    }
    Ok(Exit::Failure(reason(status, log, from)))
}

/// Asks the process group to stop; one that does not is killed.
fn terminate(child: &mut Child, log: &Path) -> Result<(), RunError> {
    // A library without `unsafe` cannot send a signal itself; every shell can. Where there is none, the
    // process is killed below, and a killed run is resumed from its last checkpoint like any other.
    let _ = Command::new("sh").arg("-c").arg(format!("kill -s TERM -- -{}", child.id())).status();
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if child.try_wait().map_err(|e| RunError::io("wait for the process of", log, e))?.is_some() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    // It may have ended by itself just now: then there is nothing to kill.
    let _ = child.kill();
    child.wait().map(|_| ()).map_err(|e| RunError::io("wait for the process of", log, e))
}

fn reason(status: ExitStatus, log: &Path, from: u64) -> String {
    let end = tail(log, from).unwrap_or_default();
    let end = end.trim();
    if end.is_empty() { status.to_string() } else { format!("{status}: {end}") }
}

/// The end of what was written after byte `from`.
fn tail(log: &Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(REASON_BYTES))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::Claimed;

    fn claim(dir: &Path) -> Claim {
        match Claim::acquire(dir, "here").unwrap() {
            Claimed::Ours(claim) => claim,
            Claimed::Held(owner) => panic!("held by {owner:?}"),
        }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn failing_process_gives_its_status_and_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("trainer.log");
        std::fs::write(&log, "older words\n").unwrap();
        let exit = run_to_end(shell("echo no data >&2; exit 7"), &claim(dir.path()), &log, &|| false);
        let Exit::Failure(reason) = exit.unwrap() else { panic!("it failed") };
        assert!(reason.contains('7') && reason.ends_with("no data"), "{reason}");
        assert!(!reason.contains("older"), "{reason}");
    }

    #[test]
    fn process_asked_to_stop_ends_at_once_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("trainer.log");
        let began = Instant::now();
        let asked = || began.elapsed() > Duration::from_millis(50);
        let exit = run_to_end(shell("sleep 60 & wait"), &claim(dir.path()), &log, &asked).unwrap();
        assert_eq!(exit, Exit::Stopped);
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn orphan_keeps_the_claim_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let ours = claim(dir.path());
        let mut orphan = shell("exec sleep 60").stdin(ours.as_stdin().unwrap()).spawn().unwrap();
        drop(ours); // the scheduler is gone, its trainer is not
        assert!(matches!(Claim::acquire(dir.path(), "here").unwrap(), Claimed::Held(_)));
        orphan.kill().unwrap();
        orphan.wait().unwrap();
        // A process that another test starts holds a copy for a moment, between its fork and its exec.
        let patience = Instant::now();
        while matches!(Claim::acquire(dir.path(), "here").unwrap(), Claimed::Held(_)) {
            assert!(patience.elapsed() < Duration::from_secs(10), "the claim outlives its process");
            std::thread::sleep(LOOK);
        }
    }
}
