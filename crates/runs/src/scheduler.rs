//! The scheduler of one machine: longest first, bounded by cores and memory; a failure costs only its own run.

use crate::{Owner, RunsError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Delay before a run that another worker holds is looked at again; it doubles every time, [`HELD_DOUBLINGS`] times
/// at most.
const HELD_FOR: Duration = Duration::from_millis(200);
const HELD_DOUBLINGS: u32 = 4;
/// How often an idle worker looks whether it was asked to stop.
const LOOK: Duration = Duration::from_millis(50);
/// A run with less time left than this keeps its cores.
pub const WORTH_CALLING_BACK: Duration = Duration::from_secs(60);

/// A run to schedule.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Expected cost in any unit; only the order matters.
    pub cost: f64,
    /// Bytes of memory it needs on one thread.
    pub memory: u64,
    /// The task that must be finished before this one starts: a branch's trunk.
    pub after: Option<usize>,
    /// Whether it goes on from where it was when it is stopped: then it may be called back to get more cores.
    pub resumes: bool,
}

/// How one attempt is to be made.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The task.
    pub index: usize,
    /// Whether this is the last attempt.
    pub last: bool,
    /// Cores it may use: more than one when there are more cores than tasks to start.
    pub threads: usize,
    /// Whether it is to stop where it is: everything stops, or it is called back and starts again on more cores.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What the scheduler may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Cores.
    pub cores: usize,
    /// Bytes of memory for all runs together; a run that alone needs more runs alone.
    pub memory: u64,
    /// Times a run is tried before it counts as failed.
    pub attempts: u32,
}

/// Why an attempt at a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Its process ended with an error.
    #[error("{status}{}{output}", if output.is_empty() { "" } else { ": " })]
    Exit {
        /// The status in words.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// Its process reported success, but there is no result.
    #[error("its trainer reported success but left no result")]
    NoResult,
    /// Its files cannot be read or written, or its process cannot be started.
    #[error(transparent)]
    Files(#[from] RunsError),
    /// There is no command that trains it.
    #[error("no command for it")]
    Command(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The run that it branches off failed.
    #[error("the run that it branches off failed")]
    Trunk,
    /// Another worker gave it up while this one was working.
    #[error("given up by another worker: {reason}")]
    Elsewhere {
        /// What that worker recorded.
        reason: String,
    },
}

impl Failure {
    /// The failure and its causes in one line.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        reason
    }
}

/// How one attempt at a run ended.
#[derive(Debug)]
pub enum Attempt {
    /// The run is finished.
    Finished,
    /// It failed, and why; it is tried again until the attempts are used up.
    Failed(Failure),
    /// It is not to be tried again.
    GivenUp(Failure),
    /// Another worker has it: it is looked at again later.
    Held(Owner),
    /// It was asked to stop and is resumable.
    Stopped,
}

/// What became of a run.
#[derive(Debug)]
pub enum Fate {
    /// Finished.
    Finished,
    /// Failed at every attempt; this is the last one's failure.
    Failed(Failure),
    /// Left for another time, because the scheduler was asked to stop.
    Left,
}

struct State {
    /// Tasks to be started, the most expensive last, each with the time before which it is left alone.
    waiting: Vec<(usize, Option<Instant>)>,
    failures: Vec<u32>,
    /// Times each task was found in the hands of another worker.
    held: Vec<u32>,
    fates: Vec<Fate>,
    running: Vec<usize>,
    free_cores: usize,
    memory_used: u64,
}

/// Tries every task until it is finished, has failed [`Limits::attempts`] times, or `stop` says so; returns the
/// fates in the order of `tasks`.
///
/// When nothing is left to start and a core is idle, the running task with most of its time to go by `left` (at
/// least [`WORTH_CALLING_BACK`]) is called back and starts again on the idle cores too.
pub fn run_to_completion(
    tasks: &[Task],
    limits: Limits,
    stop: &(dyn Fn() -> bool + Sync),
    left: &(dyn Fn(usize) -> Option<Duration> + Sync),
    attempt: &(dyn Fn(Order<'_>) -> Attempt + Sync),
) -> Vec<Fate> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by(|a, b| tasks[*a].cost.total_cmp(&tasks[*b].cost).then(b.cmp(a)));
    let cores = limits.cores.max(1);
    let state = Mutex::new(State {
        waiting: order.into_iter().map(|index| (index, None)).collect(),
        failures: vec![0; tasks.len()],
        held: vec![0; tasks.len()],
        fates: tasks.iter().map(|_| Fate::Left).collect(),
        running: vec![],
        free_cores: cores,
        memory_used: 0,
    });
    let changed = Condvar::new();
    let called_back: Vec<AtomicBool> = tasks.iter().map(|_| AtomicBool::new(false)).collect();
    std::thread::scope(|scope| {
        for _ in 0..cores.min(tasks.len()) {
            scope.spawn(|| {
                let mut held = lock(&state);
                while !stop() && (!held.waiting.is_empty() || !held.running.is_empty()) {
                    let Some((index, threads)) = held.next(tasks, limits.memory) else {
                        if let Some(index) = held.to_call_back(tasks, left) {
                            called_back[index].store(true, Ordering::Relaxed);
                        }
                        held = changed
                            .wait_timeout(held, LOOK)
                            .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
                        continue;
                    };
                    let last = held.failures[index] + 1 >= limits.attempts;
                    drop(held);
                    let stops = || stop() || called_back[index].load(Ordering::Relaxed);
                    let outcome = attempt(Order { index, last, threads, stop: &stops });
                    held = lock(&state);
                    held.settle(index, threads, tasks, outcome, limits.attempts);
                    if called_back[index].swap(false, Ordering::Relaxed) && !stop() {
                        held.start_again(index);
                    }
                    changed.notify_all();
                }
            });
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).fates
}

/// Wall-clock time of tasks on `workers`, longest first, in the unit of their cost.
pub fn makespan(costs: &[f64], workers: usize) -> f64 {
    let mut sorted = costs.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut busy_until = vec![0.0_f64; workers.max(1)];
    for cost in sorted {
        if let Some(first_free) = busy_until.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *first_free += cost;
        }
    }
    busy_until.into_iter().fold(0.0, f64::max)
}

/// A panic in an attempt goes on as one when the scope ends; the state is whole between attempts.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// The most expensive task that may start now, and its cores.
    fn next(&mut self, tasks: &[Task], memory: u64) -> Option<(usize, usize)> {
        if self.free_cores == 0 {
            return None;
        }
        let now = Instant::now();
        let fits = |index: usize, used: u64, running: &[usize]| {
            running.is_empty() || used.saturating_add(tasks[index].memory) <= memory
        };
        let position = self.waiting.iter().rposition(|(index, not_before)| {
            tasks[*index].after.is_none_or(|trunk| matches!(self.fates[trunk], Fate::Finished))
                && not_before.is_none_or(|t| t <= now)
                && fits(*index, self.memory_used, &self.running)
        })?;
        let threads = (self.free_cores / self.waiting.len()).max(1);
        let (index, _) = self.waiting.remove(position);
        self.running.push(index);
        self.free_cores -= threads;
        self.memory_used = self.memory_used.saturating_add(tasks[index].memory);
        Some((index, threads))
    }

    /// The running task that idle cores would help most.
    fn to_call_back(&self, tasks: &[Task], left: &dyn Fn(usize) -> Option<Duration>) -> Option<usize> {
        if self.free_cores == 0 || !self.waiting.is_empty() {
            return None;
        }
        let of_running = self.running.iter().filter(|index| tasks[**index].resumes);
        let (most, index) = of_running.filter_map(|index| Some((left(*index)?, *index))).max()?;
        (most >= WORTH_CALLING_BACK).then_some(index)
    }

    /// Puts a task that was called back where it is started next.
    fn start_again(&mut self, index: usize) {
        if matches!(self.fates[index], Fate::Left)
            && !self.waiting.iter().any(|(waiting, _)| *waiting == index)
        {
            self.waiting.push((index, None));
        }
    }

    /// Gives up what waits for a task that failed.
    fn give_up_after(&mut self, failed: usize, tasks: &[Task]) {
        let hopeless = |(index, _): &mut (usize, Option<Instant>)| tasks[*index].after == Some(failed);
        let dependents: Vec<usize> = self.waiting.extract_if(.., hopeless).map(|(index, _)| index).collect();
        for index in dependents {
            self.fates[index] = Fate::Failed(Failure::Trunk);
            self.give_up_after(index, tasks);
        }
    }

    fn settle(&mut self, index: usize, threads: usize, tasks: &[Task], outcome: Attempt, attempts: u32) {
        self.running.retain(|running| *running != index);
        self.free_cores += threads;
        self.memory_used = self.memory_used.saturating_sub(tasks[index].memory);
        match outcome {
            Attempt::Finished => self.fates[index] = Fate::Finished,
            Attempt::Stopped => {}
            Attempt::Held(_) => {
                let delay = HELD_FOR * 2u32.pow(self.held[index].min(HELD_DOUBLINGS));
                self.held[index] += 1;
                self.waiting.insert(0, (index, Some(Instant::now() + delay)));
            }
            Attempt::Failed(failure) => {
                self.failures[index] += 1;
                if self.failures[index] < attempts {
                    // Behind all others: the cause may pass.
                    self.waiting.insert(0, (index, None));
                } else {
                    self.fail(index, tasks, failure);
                }
            }
            Attempt::GivenUp(failure) => self.fail(index, tasks, failure),
        }
    }

    fn fail(&mut self, index: usize, tasks: &[Task], failure: Failure) {
        self.fates[index] = Fate::Failed(failure);
        self.give_up_after(index, tasks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    const LIMITS: Limits = Limits { cores: 2, memory: 100, attempts: 3 };

    fn tasks(costs: &[f64]) -> Vec<Task> {
        costs.iter().map(|cost| Task { cost: *cost, memory: 10, after: None, resumes: true }).collect()
    }

    fn failed(status: &str) -> Attempt {
        Attempt::Failed(Failure::Exit { status: status.to_owned(), output: String::new() })
    }

    fn all_finished(fates: &[Fate], count: usize) -> bool {
        fates.len() == count && fates.iter().all(|fate| matches!(fate, Fate::Finished))
    }

    #[test]
    fn longest_start_first_and_all_finish() {
        let started = Mutex::new(Vec::new());
        let limits = Limits { cores: 1, ..LIMITS };
        let fates = run_to_completion(
            &tasks(&[1.0, 3.0, 2.0]),
            limits,
            &|| false,
            &|_| None,
            &|Order { index, .. }| {
                started.lock().unwrap().push(index);
                Attempt::Finished
            },
        );
        assert_eq!(*started.lock().unwrap(), [1, 2, 0]);
        assert!(all_finished(&fates, 3));
    }

    #[test]
    fn run_that_fails_three_times_is_given_up_and_the_rest_go_on() {
        let tries = AtomicUsize::new(0);
        let fates = run_to_completion(
            &tasks(&[3.0, 2.0, 1.0]),
            LIMITS,
            &|| false,
            &|_| None,
            &|Order { index, .. }| {
                if index == 0 {
                    return failed(&format!("no {}", tries.fetch_add(1, Ordering::SeqCst)));
                }
                Attempt::Finished
            },
        );
        assert_eq!(tries.into_inner(), 3);
        assert!(matches!(&fates[0], Fate::Failed(failure) if failure.reason() == "no 2"));
        assert!(all_finished(&fates[1..], 2));
    }

    #[test]
    fn run_that_fails_once_is_finished_by_the_second_attempt() {
        let tries = AtomicUsize::new(0);
        let fates = run_to_completion(&tasks(&[1.0]), LIMITS, &|| false, &|_| None, &|_| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 { failed("oh") } else { Attempt::Finished }
        });
        assert!(all_finished(&fates, 1));
    }

    #[test]
    fn memory_bounds_what_runs_together_but_a_giant_runs_alone() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let tasks: Vec<Task> = [60, 60, 60, 500]
            .into_iter()
            .map(|memory| Task { cost: 1.0, memory, after: None, resumes: true })
            .collect();
        let fates = run_to_completion(&tasks, Limits { cores: 4, ..LIMITS }, &|| false, &|_| None, &|_| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            running.fetch_sub(1, Ordering::SeqCst);
            Attempt::Finished
        });
        assert_eq!(most.into_inner(), 1);
        assert!(all_finished(&fates, 4));
    }

    #[test]
    fn branch_waits_for_its_trunk_and_is_given_up_with_it() {
        let started = Mutex::new(Vec::new());
        let task = |cost, after| Task { cost, memory: 1, after, resumes: true };
        let tasks = [task(9.0, Some(1)), task(1.0, None), task(8.0, Some(3)), task(2.0, None)];
        let fates = run_to_completion(&tasks, LIMITS, &|| false, &|_| None, &|Order { index, .. }| {
            started.lock().unwrap().push(index);
            if index == 3 { failed("no") } else { Attempt::Finished }
        });
        assert!(all_finished(&fates[..2], 2));
        assert!(matches!(&fates[2], Fate::Failed(Failure::Trunk)));
        let started = started.into_inner().unwrap();
        let position = |task| started.iter().position(|index| *index == task);
        assert!(position(1) < position(0) && position(2).is_none(), "{started:?}");
    }

    #[test]
    fn idle_cores_go_to_the_runs_that_are_left() {
        let given = Mutex::new(Vec::new());
        run_to_completion(
            &tasks(&[2.0]),
            Limits { cores: 6, ..LIMITS },
            &|| false,
            &|_| None,
            &|Order { threads, .. }| {
                given.lock().unwrap().push(threads);
                Attempt::Finished
            },
        );
        assert_eq!(*given.lock().unwrap(), [6]);
    }

    #[test]
    fn held_run_is_looked_at_again_and_a_stop_leaves_the_rest() {
        let tries = AtomicUsize::new(0);
        let owner = Owner { host: "far".into(), pid: 1 };
        let fates = run_to_completion(&tasks(&[1.0]), LIMITS, &|| false, &|_| None, &|_| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                Attempt::Held(owner.clone())
            } else {
                Attempt::Finished
            }
        });
        assert!(all_finished(&fates, 1));
        let fates =
            run_to_completion(&tasks(&[1.0, 2.0]), LIMITS, &|| true, &|_| None, &|_| Attempt::Finished);
        assert!(matches!(fates[..], [Fate::Left, Fate::Left]));
    }

    #[test]
    fn long_tail_run_is_called_back_and_gets_the_idle_cores() {
        for (resumes, minutes, expected) in [(true, 5, vec![1, 2]), (true, 0, vec![1]), (false, 5, vec![1])] {
            let given = Mutex::new(Vec::new());
            let mut tasks = tasks(&[9.0, 1.0]);
            tasks[0].resumes = resumes;
            let left = |index: usize| (index == 0).then(|| Duration::from_secs(60 * minutes));
            let fates = run_to_completion(
                &tasks,
                LIMITS,
                &|| false,
                &left,
                &|Order { index, threads, stop, .. }| {
                    if index == 1 {
                        return Attempt::Finished;
                    }
                    given.lock().unwrap().push(threads);
                    let patience = Instant::now();
                    while threads == 1 && patience.elapsed() < Duration::from_millis(400) {
                        if stop() {
                            return Attempt::Stopped;
                        }
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    Attempt::Finished
                },
            );
            assert!(all_finished(&fates, 2));
            assert_eq!(given.into_inner().unwrap(), expected, "{resumes}, {minutes} minutes left");
        }
    }

    #[test]
    fn makespan_of_longest_first_matches_a_hand_count() {
        assert_eq!(makespan(&[4.0, 3.0, 2.0, 2.0], 2), 6.0);
        assert_eq!(makespan(&[5.0], 8), 5.0);
        assert_eq!(makespan(&[], 2), 0.0);
    }
}
