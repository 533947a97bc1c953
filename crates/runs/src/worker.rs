//! The one worker loop: claim a run that is not finished, train it, record how it ended, until nothing is left.
//!
//! The loop is idempotent. Any number of workers, on one machine or on several that share a file system, may work
//! on the same directory; each run is done by one of them, and the run of a worker that died is taken over.

use crate::launcher::{Exit, Job, Launcher, run_to_end};
use crate::scheduler::{Attempt, Failure, Fate, Limits, Order, Task, run_to_completion};
use crate::{
    Claim, Claimed, Owner, Prepared, RunStage, RunsError, failure, foreign, last_eval, life_sign, prepare,
    record_failure, stage,
};
use scalelaw_core::observer::{Observer, Progress};
use scalelaw_core::spec::TRAINER;
use scalelaw_core::{FlopConvention, RunSpec};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often the running runs are looked at for the observer.
const LOOK: Duration = Duration::from_millis(500);

/// A run to be done.
#[derive(Clone, Debug)]
pub struct Work {
    /// Key of its spec, the name of its directory.
    pub key: String,
    /// What to run.
    pub spec: RunSpec,
    /// Expected cost in any unit: the most expensive run starts first.
    pub cost: f64,
    /// Bytes of memory it needs on one thread.
    pub memory: u64,
}

/// What happens to runs while they are worked on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// Work on these runs begins, on so many cores.
    Begun {
        /// The runs that are not finished.
        todo: &'a [Work],
        /// Cores.
        cores: usize,
    },
    /// The spec of a run was damaged and has been written again.
    SpecRepaired {
        /// Its key.
        run: &'a str,
    },
    /// Incomplete lines were dropped from the curve of a trainer of the user's own.
    CurveRepaired {
        /// Its key.
        run: &'a str,
        /// How many.
        lines: usize,
    },
    /// Another worker has a run; said once.
    Held {
        /// Its key.
        run: &'a str,
        /// Who.
        owner: &'a Owner,
    },
    /// A run is taken over from a host that showed no sign of life.
    TakenOver {
        /// Its key.
        run: &'a str,
        /// From whom.
        owner: &'a Owner,
        /// For how long there was none.
        silent: Duration,
    },
    /// An attempt failed.
    Failed {
        /// Its key.
        run: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// That a run was given up could not be recorded.
    NotRecorded {
        /// Its key.
        run: &'a str,
        /// Why.
        error: &'a RunsError,
    },
}

/// Receives what happens to runs, besides their progress; called from any thread.
pub trait Watcher: Observer {
    /// Must return quickly.
    fn run_event(&self, event: RunEvent<'_>);
}

/// Makes the command that trains a run in its directory on so many threads.
pub type CommandOf<'a> =
    dyn Fn(&Work, &Path, usize) -> Result<Command, Box<dyn Error + Send + Sync>> + Sync + 'a;

/// A worker: where the runs are, what it may use, and how runs are started.
#[derive(Clone, Copy)]
pub struct Worker<'a, L> {
    /// Folder of the run directories.
    pub dir: &'a Path,
    /// Name of this host.
    pub host: &'a str,
    /// What it may use.
    pub limits: Limits,
    /// How long a run that another host has may show no sign of life before it is taken over.
    pub lease: Duration,
    /// Starts the processes that train.
    pub launcher: &'a L,
    /// The commands of these processes.
    pub command: &'a CommandOf<'a>,
    /// Who is told.
    pub watcher: &'a dyn Watcher,
    /// Whether to stop where it is, everything resumable.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl<L: Launcher> Worker<'_, L> {
    /// Does these runs, each until it is finished (here or by another worker), has failed so many times as
    /// [`Limits::attempts`] says, or `stop` says so; returns the fates in their order.
    ///
    /// A failure that is recorded when the work begins is tried again; one that another worker records later is
    /// taken as this run's fate.
    pub fn work(&self, todo: &[Work]) -> Vec<Fate> {
        let index_of: HashMap<&str, usize> =
            todo.iter().enumerate().map(|(i, work)| (work.key.as_str(), i)).collect();
        // A trunk absent from `todo` is already finished.
        let trunk = |work: &Work| index_of.get(work.spec.training.parent_run.as_deref()?).copied();
        let tasks: Vec<Task> = todo
            .iter()
            .map(|work| Task {
                cost: work.cost,
                memory: work.memory,
                after: trunk(work),
                resumes: !is_foreign(&work.spec),
            })
            .collect();
        self.watcher.run_event(RunEvent::Begun { todo, cores: self.limits.cores.max(1) });
        let session = Session {
            worker: self,
            failed_before: todo
                .iter()
                .filter(|work| failure(&self.dir.join(&work.key)).is_some())
                .map(|work| work.key.as_str())
                .collect(),
            signs: Mutex::default(),
            begun: Mutex::default(),
            held: Mutex::default(),
        };
        let running: Mutex<BTreeSet<usize>> = Mutex::default();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| self.watch(todo, &running, &over));
            let left = |index: usize| session.time_left(&todo[index]);
            let fates = run_to_completion(&tasks, self.limits, self.stop, &left, &|order| {
                let index = order.index;
                lock(&running).insert(index);
                let attempt = session.attempt(&todo[index], order).unwrap_or_else(Attempt::Failed);
                lock(&running).remove(&index);
                session.settle(&todo[index], attempt, order.last)
            });
            over.store(true, Ordering::Relaxed);
            fates
        })
    }

    /// Tells the observer of the progress of the running runs, from their logs, until `over`.
    fn watch(&self, todo: &[Work], running: &Mutex<BTreeSet<usize>>, over: &AtomicBool) {
        let mut seen: BTreeMap<usize, u64> = BTreeMap::new();
        let mut before = BTreeSet::new();
        while !over.load(Ordering::Relaxed) {
            let now = lock(running).clone();
            // Those that ended since the last look are looked at once more.
            let looked: Vec<usize> = before.union(&now).copied().collect();
            before = now;
            for index in looked {
                let Work { key, spec, .. } = &todo[index];
                let dir = self.dir.join(key);
                let logged = last_eval(&dir).map(|last| (last.step, last.test_loss));
                let Some((step, loss)) = logged.or_else(|| foreign::last_line(&dir)) else { continue };
                let known = seen.insert(index, step).unwrap_or(0);
                if step > known {
                    let new_tokens = (step - known) * spec.batch_tokens();
                    let flops = spec.model.train_flops_per_token(FlopConvention::Full);
                    self.watcher.progress(Progress::Run {
                        run_id: key,
                        step,
                        steps: spec.steps,
                        new_tokens,
                        new_flops: new_tokens as f64 * flops,
                        train_loss: loss,
                    });
                }
            }
            let slept = Instant::now();
            while slept.elapsed() < LOOK && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// The state of one call of [`Worker::work`].
struct Session<'a, L> {
    worker: &'a Worker<'a, L>,
    /// Runs that were given up before this call.
    failed_before: HashSet<&'a str>,
    /// The last sign of life of runs that other hosts have, and when it was first seen here.
    signs: Mutex<HashMap<String, (Option<SystemTime>, Instant)>>,
    /// When the attempt at a run began here, and the step that it began from.
    begun: Mutex<HashMap<String, (Instant, u64)>>,
    /// Runs that were said to be held by another worker.
    held: Mutex<HashSet<String>>,
}

impl<L: Launcher> Session<'_, L> {
    /// One attempt at one run.
    fn attempt(&self, work: &Work, order: Order<'_>) -> Result<Attempt, Failure> {
        let (worker, run) = (self.worker, work.key.as_str());
        let dir = worker.dir.join(run);
        if stage(&dir)? == RunStage::Finished {
            return Ok(Attempt::Finished);
        }
        if let Some(record) = failure(&dir).filter(|_| !self.failed_before.contains(run)) {
            return Ok(Attempt::GivenUp(Failure::Elsewhere { reason: record.reason }));
        }
        fs::create_dir_all(&dir).map_err(|e| RunsError::io("create", &dir, e))?;
        let gone = |owner: &Owner| self.is_gone(run, &dir, owner);
        let claim = match Claim::acquire_unless(&dir, worker.host, &gone)? {
            Claimed::Held(owner) => return Ok(Attempt::Held(owner)),
            Claimed::Ours(claim) => claim,
        };
        // It may have been finished between the look and the claim.
        if stage(&dir)? == RunStage::Finished {
            return Ok(Attempt::Finished);
        }
        if prepare(&dir, &work.spec)? == Prepared::SpecRepaired {
            worker.watcher.run_event(RunEvent::SpecRepaired { run });
        }
        let is_foreign = is_foreign(&work.spec);
        if is_foreign {
            let trained = dir.join(foreign::TRAINED);
            if trained.exists() {
                // Its trainer ended after its worker was gone.
                if foreign::finish(&dir, &work.spec).is_ok() {
                    return Ok(Attempt::Finished);
                }
                fs::remove_file(&trained).map_err(|e| RunsError::io("remove", &trained, e))?;
            }
            let lines = foreign::repair(&dir)?;
            if lines > 0 {
                worker.watcher.run_event(RunEvent::CurveRepaired { run, lines });
            }
        }
        let command = (worker.command)(work, &dir, order.threads).map_err(Failure::Command)?;
        let step = last_eval(&dir).map_or(0, |eval| eval.step);
        lock(&self.begun).insert(run.to_owned(), (Instant::now(), step));
        let log = dir.join("trainer.log");
        match run_to_end(worker.launcher, Job { command, claim: &claim, log: &log }, order.stop)? {
            None => Ok(Attempt::Stopped),
            Some(Exit::Failure { status, output }) => Err(Failure::Exit { status, output }),
            Some(Exit::Success) if is_foreign => {
                foreign::finish(&dir, &work.spec)?;
                Ok(Attempt::Finished)
            }
            Some(Exit::Success) if stage(&dir)? == RunStage::Finished => {
                // A successful run's log is not needed; failing to delete it is harmless.
                let _ = fs::remove_file(&log);
                Ok(Attempt::Finished)
            }
            Some(Exit::Success) => Err(Failure::NoResult),
        }
    }

    /// Says and records how an attempt ended.
    fn settle(&self, work: &Work, attempt: Attempt, last: bool) -> Attempt {
        let (worker, run) = (self.worker, work.key.as_str());
        match &attempt {
            Attempt::Held(owner) => {
                if lock(&self.held).insert(run.to_owned()) {
                    worker.watcher.run_event(RunEvent::Held { run, owner });
                }
            }
            Attempt::Failed(failure) => {
                worker.watcher.run_event(RunEvent::Failed { run, failure });
                if last {
                    let dir = worker.dir.join(run);
                    // On a full disk this fails too; the fate says the reason all the same.
                    if let Err(error) = record_failure(&dir, worker.limits.attempts, &failure.reason()) {
                        worker.watcher.run_event(RunEvent::NotRecorded { run, error: &error });
                    }
                }
            }
            Attempt::Finished | Attempt::GivenUp(_) | Attempt::Stopped => {}
        }
        attempt
    }

    /// Time that a run has left at the pace of this attempt.
    fn time_left(&self, work: &Work) -> Option<Duration> {
        let (since, from) = *lock(&self.begun).get(&work.key)?;
        let step = last_eval(&self.worker.dir.join(&work.key))?.step;
        let pace = since.elapsed().as_secs_f64() / step.checked_sub(from).filter(|done| *done > 0)? as f64;
        Some(Duration::from_secs_f64(pace * work.spec.steps.saturating_sub(step) as f64))
    }

    /// Whether a run that another host has shows no sign of life any more. Only that a sign changes counts, by
    /// the clock of this host: those of two hosts need not agree.
    fn is_gone(&self, run: &str, dir: &Path, owner: &Owner) -> bool {
        if owner.host == self.worker.host {
            return false; // the lock of a living process of this host says so by itself
        }
        let sign = life_sign(dir);
        let silent = {
            let mut signs = lock(&self.signs);
            let (seen, since) = signs.entry(run.to_owned()).or_insert((sign, Instant::now()));
            if *seen != sign {
                (*seen, *since) = (sign, Instant::now());
            }
            since.elapsed()
        };
        let gone = silent >= self.worker.lease;
        if gone {
            self.worker.watcher.run_event(RunEvent::TakenOver { run, owner, silent });
        }
        gone
    }
}

/// Whether a trainer of the user's own does the run.
fn is_foreign(spec: &RunSpec) -> bool {
    spec.trainer != TRAINER
}

/// A panic elsewhere goes on as one when its scope ends; what these locks guard is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The run directories that are not finished among those of `work`, which lie below `dir`.
///
/// # Errors
/// When a directory cannot be examined.
pub fn unfinished(dir: &Path, work: Vec<Work>) -> Result<Vec<Work>, RunsError> {
    let mut todo = Vec::new();
    for work in work {
        let path: PathBuf = dir.join(&work.key);
        if stage(&path)? != RunStage::Finished {
            todo.push(work);
        }
    }
    Ok(todo)
}
