//! Launchers start the process that trains a run, say how it stands, and stop it.
//!
//! The child process of this machine ([`Processes`]) is the one that `sweep` and `worker` use; a batch system is
//! another implementor of the same three verbs.

use crate::{Claim, RunsError};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longest time between two looks at a job.
const LOOK: Duration = Duration::from_millis(10);
/// How often a claim shows that its owner is alive.
const BEAT: Duration = Duration::from_secs(5);
/// How long a process that was asked to stop may take before it is killed.
const GRACE: Duration = Duration::from_secs(30);
/// Bytes of the end of a log that say why a job failed.
const REASON_BYTES: u64 = 600;

/// What is to be started: the training of one run.
#[derive(Debug)]
pub struct Job<'a> {
    /// The command that trains it.
    pub command: Command,
    /// The claim on the run. It must be held as long as the job lives, whatever happens to the submitter.
    pub claim: &'a Claim,
    /// File that the job's output is appended to.
    pub log: &'a Path,
}

/// How a job ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With status 0.
    Success,
    /// Otherwise.
    Failure {
        /// The status in words: "exit status: 7", "signal: 9 (SIGKILL)".
        status: String,
        /// The end of what it wrote.
        output: String,
    },
}

/// Starts jobs, watches them and stops them.
pub trait Launcher: Sync {
    /// A job that was submitted.
    type Handle;

    /// Starts a job and returns at once.
    ///
    /// # Errors
    /// When the log cannot be written or the job cannot be started.
    fn submit(&self, job: Job<'_>) -> Result<Self::Handle, RunsError>;

    /// How the job ended, or `None` while it is waiting or running.
    ///
    /// # Errors
    /// When the system cannot say.
    fn poll(&self, handle: &mut Self::Handle) -> Result<Option<Exit>, RunsError>;

    /// Asks the job and everything it started to stop, and returns when it has ended.
    ///
    /// # Errors
    /// When the system cannot say whether it has ended.
    fn cancel(&self, handle: Self::Handle) -> Result<(), RunsError>;
}

/// Runs a job to its end, keeping its claim fresh; `None` when `stop` asked for its end before that.
///
/// # Errors
/// Those of the launcher, and of the claim.
pub fn run_to_end<L: Launcher>(
    launcher: &L,
    job: Job<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Exit>, RunsError> {
    let claim = job.claim;
    let mut handle = launcher.submit(job)?;
    let mut look = Duration::from_millis(1);
    let mut beat = Instant::now();
    loop {
        if let Some(exit) = launcher.poll(&mut handle)? {
            return Ok(Some(exit));
        }
        if stop() {
            launcher.cancel(handle)?;
            return Ok(None);
        }
        if beat.elapsed() >= BEAT {
            claim.beat()?;
            beat = Instant::now();
        }
        std::thread::sleep(look);
        look = (look * 2).min(LOOK);
    }
}

/// Jobs as child processes on this machine, each in a process group of its own.
///
/// A process holds its claim as its standard input, as long as it or a child of it lives: a run whose
/// submitter was killed is not started a second time beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processes;

/// A child process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    /// Length of the log before it was started.
    from: u64,
}

impl Launcher for Processes {
    type Handle = Process;

    fn submit(&self, job: Job<'_>) -> Result<Process, RunsError> {
        let Job { mut command, claim, log } = job;
        let io = |action| move |e| RunsError::io(action, log, e);
        let file = OpenOptions::new().create(true).append(true).open(log).map_err(io("open"))?;
        let from = file.metadata().map_err(io("examine"))?.len();
        let also = file.try_clone().map_err(io("open"))?;
        command.stdin(claim.as_stdin()?).stdout(file).stderr(also);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child =
            command.spawn().map_err(|e| RunsError::io("start", Path::new(command.get_program()), e))?;
        Ok(Process { child, log: log.to_owned(), from })
    }

    fn poll(&self, process: &mut Process) -> Result<Option<Exit>, RunsError> {
        let Some(status) = process.wait()? else { return Ok(None) };
        if status.success() {
            return Ok(Some(Exit::Success));
        }
        let output = tail(&process.log, process.from).unwrap_or_default();
        Ok(Some(Exit::Failure { status: status.to_string(), output: output.trim().to_owned() }))
    }

    fn cancel(&self, mut process: Process) -> Result<(), RunsError> {
        ask_to_stop(&process.child);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if process.wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        // It may have ended by itself just now: then there is nothing to kill.
        let _ = process.child.kill();
        process
            .child
            .wait()
            .map(|_| ())
            .map_err(|e| RunsError::io("wait for the process of", &process.log, e))
    }
}

impl Process {
    fn wait(&mut self) -> Result<Option<std::process::ExitStatus>, RunsError> {
        self.child.try_wait().map_err(|e| RunsError::io("wait for the process of", &self.log, e))
    }
}

/// Asks the process group to stop (SIGTERM); [`Processes::cancel`] kills what does not.
#[cfg(unix)]
fn ask_to_stop(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // The group may have ended by itself just now.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

/// Without process groups and signals there is only the kill: a killed run resumes from its last checkpoint.
#[cfg(not(unix))]
fn ask_to_stop(_: &Child) {}

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
        let claim = claim(dir.path());
        let job = Job { command: shell("echo no data >&2; exit 7"), claim: &claim, log: &log };
        let Some(Exit::Failure { status, output }) = run_to_end(&Processes, job, &|| false).unwrap() else {
            panic!("it failed")
        };
        assert!(status.contains('7') && output == "no data", "{status}: {output}");
    }

    #[test]
    fn process_asked_to_stop_ends_at_once_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("trainer.log");
        let began = Instant::now();
        let asked = || began.elapsed() > Duration::from_millis(50);
        let claim = claim(dir.path());
        let job = Job { command: shell("sleep 60 & wait"), claim: &claim, log: &log };
        assert_eq!(run_to_end(&Processes, job, &asked).unwrap(), None);
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn orphan_keeps_the_claim_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let ours = claim(dir.path());
        let mut orphan = shell("exec sleep 60").stdin(ours.as_stdin().unwrap()).spawn().unwrap();
        drop(ours); // the submitter is gone, its job is not
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
