//! The local scheduler: longest first, bounded by cores and memory, nothing lost by a failure.

use crate::Owner;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long to leave alone a run that somebody else has.
const HELD_FOR: Duration = Duration::from_millis(200);
/// How often an idle worker looks whether it was asked to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A run to be brought home.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Expected cost in any unit; only the order matters.
    pub cost: f64,
    /// Bytes of memory it needs on one thread.
    pub memory: u64,
    /// The task that must be finished before this one starts: a branch's trunk.
    pub after: Option<usize>,
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

/// How one attempt at a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The run is finished.
    Finished,
    /// It failed, and why; it is tried again until the attempts are used up.
    Failed(String),
    /// Somebody else has it: it is looked at again later.
    Held(Owner),
    /// It was asked to stop and can go on another time.
    Stopped,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Finished.
    Finished,
    /// Failed at every attempt; the reason is the last one's.
    Failed {
        /// Why.
        reason: String,
    },
    /// Left for another time, because the scheduler was asked to stop.
    Left,
}

struct State {
    /// Tasks to be started, the most expensive last, each with the time before which it is left alone.
    waiting: Vec<(usize, Option<Instant>)>,
    failures: Vec<u32>,
    fates: Vec<Fate>,
    running: usize,
    free_cores: usize,
    memory_used: u64,
}

/// Tries every task until it is finished, has failed [`Limits::attempts`] times, or `stop` says so; returns the
/// fates in the order of `tasks`.
///
/// `attempt` is given a task's index and the number of cores it may use: more than one when there are more
/// cores than tasks to start.
pub fn bring_home(
    tasks: &[Task],
    limits: Limits,
    stop: &(dyn Fn() -> bool + Sync),
    attempt: &(dyn Fn(usize, usize) -> Attempt + Sync),
) -> Vec<Fate> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by(|a, b| tasks[*a].cost.total_cmp(&tasks[*b].cost).then(b.cmp(a)));
    let cores = limits.cores.max(1);
    let state = Mutex::new(State {
        waiting: order.into_iter().map(|index| (index, None)).collect(),
        failures: vec![0; tasks.len()],
        fates: vec![Fate::Left; tasks.len()],
        running: 0,
        free_cores: cores,
        memory_used: 0,
    });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..cores.min(tasks.len()) {
            scope.spawn(|| {
                let mut held = lock(&state);
                while !stop() && (!held.waiting.is_empty() || held.running > 0) {
                    let Some((index, threads)) = held.next(tasks, limits.memory) else {
                        held = changed
                            .wait_timeout(held, LOOK)
                            .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
                        continue;
                    };
                    drop(held);
                    let outcome = attempt(index, threads);
                    held = lock(&state);
                    held.settle(index, threads, tasks, outcome, limits.attempts);
                    changed.notify_all();
                }
            });
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).fates
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
        let fits = |index: usize, used: u64, running: usize| {
            running == 0 || used.saturating_add(tasks[index].memory) <= memory
        };
        let position = self.waiting.iter().rposition(|(index, not_before)| {
            tasks[*index].after.is_none_or(|trunk| self.fates[trunk] == Fate::Finished)
                && not_before.is_none_or(|t| t <= now)
                && fits(*index, self.memory_used, self.running)
        })?;
        let threads = (self.free_cores / self.waiting.len()).max(1);
        let (index, _) = self.waiting.remove(position);
        self.running += 1;
        self.free_cores -= threads;
        self.memory_used = self.memory_used.saturating_add(tasks[index].memory);
        Some((index, threads))
    }

    /// Gives up what waits for a task that failed.
    fn give_up_after(&mut self, failed: usize, tasks: &[Task]) {
        let hopeless = |(index, _): &mut (usize, Option<Instant>)| tasks[*index].after == Some(failed);
        let dependents: Vec<usize> = self.waiting.extract_if(.., hopeless).map(|(index, _)| index).collect();
        for index in dependents {
            self.fates[index] = Fate::Failed { reason: "the run that it branches off failed".into() };
            self.give_up_after(index, tasks);
        }
    }

    fn settle(&mut self, index: usize, threads: usize, tasks: &[Task], outcome: Attempt, attempts: u32) {
        self.running -= 1;
        self.free_cores += threads;
        self.memory_used = self.memory_used.saturating_sub(tasks[index].memory);
        match outcome {
            Attempt::Finished => self.fates[index] = Fate::Finished,
            Attempt::Stopped => {}
            Attempt::Held(_) => self.waiting.insert(0, (index, Some(Instant::now() + HELD_FOR))),
            Attempt::Failed(reason) => {
                self.failures[index] += 1;
                if self.failures[index] < attempts {
                    // Behind all others: what was wrong may pass.
                    self.waiting.insert(0, (index, None));
                } else {
                    self.fates[index] = Fate::Failed { reason };
                    self.give_up_after(index, tasks);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LIMITS: Limits = Limits { cores: 2, memory: 100, attempts: 3 };

    fn tasks(costs: &[f64]) -> Vec<Task> {
        costs.iter().map(|cost| Task { cost: *cost, memory: 10, after: None }).collect()
    }

    #[test]
    fn longest_start_first_and_all_finish() {
        let started = Mutex::new(Vec::new());
        let limits = Limits { cores: 1, ..LIMITS };
        let fates = bring_home(&tasks(&[1.0, 3.0, 2.0]), limits, &|| false, &|index, _| {
            started.lock().unwrap().push(index);
            Attempt::Finished
        });
        assert_eq!(*started.lock().unwrap(), [1, 2, 0]);
        assert_eq!(fates, vec![Fate::Finished; 3]);
    }

    #[test]
    fn run_that_fails_three_times_is_given_up_and_the_rest_go_on() {
        let tries = AtomicUsize::new(0);
        let fates = bring_home(&tasks(&[3.0, 2.0, 1.0]), LIMITS, &|| false, &|index, _| {
            if index == 0 {
                return Attempt::Failed(format!("no {}", tries.fetch_add(1, Ordering::SeqCst)));
            }
            Attempt::Finished
        });
        assert_eq!(tries.into_inner(), 3);
        assert_eq!(fates, [Fate::Failed { reason: "no 2".into() }, Fate::Finished, Fate::Finished]);
    }

    #[test]
    fn run_that_fails_once_is_finished_by_the_second_attempt() {
        let tries = AtomicUsize::new(0);
        let fates = bring_home(&tasks(&[1.0]), LIMITS, &|| false, &|_, _| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                Attempt::Failed("oh".into())
            } else {
                Attempt::Finished
            }
        });
        assert_eq!(fates, [Fate::Finished]);
    }

    #[test]
    fn memory_bounds_what_runs_together_but_a_giant_runs_alone() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let tasks: Vec<Task> =
            [60, 60, 60, 500].into_iter().map(|memory| Task { cost: 1.0, memory, after: None }).collect();
        let fates = bring_home(&tasks, Limits { cores: 4, ..LIMITS }, &|| false, &|_, _| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            running.fetch_sub(1, Ordering::SeqCst);
            Attempt::Finished
        });
        assert_eq!(most.into_inner(), 1);
        assert_eq!(fates, vec![Fate::Finished; 4]);
    }

    #[test]
    fn branch_waits_for_its_trunk_and_is_given_up_with_it() {
        let started = Mutex::new(Vec::new());
        let task = |cost, after| Task { cost, memory: 1, after };
        let tasks = [task(9.0, Some(1)), task(1.0, None), task(8.0, Some(3)), task(2.0, None)];
        let fates = bring_home(&tasks, LIMITS, &|| false, &|index, _| {
            started.lock().unwrap().push(index);
            if index == 3 { Attempt::Failed("no".into()) } else { Attempt::Finished }
        });
        assert_eq!(fates[..2], [Fate::Finished, Fate::Finished]);
        assert!(matches!(&fates[2], Fate::Failed { reason } if reason.contains("branches off")));
        let started = started.into_inner().unwrap();
        let position = |task| started.iter().position(|index| *index == task);
        assert!(position(1) < position(0) && position(2).is_none(), "{started:?}");
    }

    #[test]
    fn idle_cores_go_to_the_runs_that_are_left() {
        let given = Mutex::new(Vec::new());
        bring_home(&tasks(&[2.0]), Limits { cores: 6, ..LIMITS }, &|| false, &|_, threads| {
            given.lock().unwrap().push(threads);
            Attempt::Finished
        });
        assert_eq!(*given.lock().unwrap(), [6]);
    }

    #[test]
    fn held_run_is_looked_at_again_and_a_stop_leaves_the_rest() {
        let tries = AtomicUsize::new(0);
        let owner = Owner { host: "far".into(), pid: 1 };
        let fates = bring_home(&tasks(&[1.0]), LIMITS, &|| false, &|_, _| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                Attempt::Held(owner.clone())
            } else {
                Attempt::Finished
            }
        });
        assert_eq!(fates, [Fate::Finished]);
        let fates = bring_home(&tasks(&[1.0, 2.0]), LIMITS, &|| true, &|_, _| Attempt::Finished);
        assert_eq!(fates, [Fate::Left, Fate::Left]);
    }
}
