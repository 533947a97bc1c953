//! The local worker loop: jobs on threads, longest first, none lost.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A piece of work and how long it is expected to take, in any unit.
#[derive(Clone, Debug)]
pub struct Job<T> {
    /// What to do.
    pub work: T,
    /// Expected cost; only the order matters.
    pub cost: f64,
}

/// Runs every job on `workers` threads, the most expensive first, and returns the results in the order
/// of `jobs`. A job that fails does not stop the others.
pub fn run_all<T: Sync, R: Send>(jobs: &[Job<T>], workers: usize, run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by(|a, b| jobs[*b].cost.total_cmp(&jobs[*a].cost).then(a.cmp(b)));
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run(&jobs[index].work);
                    if let Ok(mut slot) = results[index].lock() {
                        *slot = Some(result);
                    }
                }
            });
        }
    });
    // A worker only leaves the loop when no job is left, and a panic in one is passed on by the scope.
    results.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()).collect()
}

/// Wall-clock time of the jobs on `workers`, longest first, in the unit of their cost.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_all_starts_the_longest_first_and_returns_in_order() {
        let jobs: Vec<Job<usize>> =
            [1.0, 3.0, 2.0].into_iter().enumerate().map(|(work, cost)| Job { work, cost }).collect();
        let started = Mutex::new(Vec::new());
        let results = run_all(&jobs, 1, |work| {
            started.lock().unwrap().push(*work);
            work * 10
        });
        assert_eq!(*started.lock().unwrap(), [1, 2, 0]);
        assert_eq!(results, [0, 10, 20]);
    }

    #[test]
    fn run_all_with_more_workers_than_jobs_does_each_once() {
        let jobs: Vec<Job<usize>> = (0..50).map(|work| Job { work, cost: 1.0 }).collect();
        let count = AtomicUsize::new(0);
        let results = run_all(&jobs, 64, |work| {
            count.fetch_add(1, Ordering::SeqCst);
            *work
        });
        assert_eq!(count.into_inner(), 50);
        assert_eq!(results, (0..50).collect::<Vec<_>>());
        assert!(run_all(&[] as &[Job<()>], 2, |()| ()).is_empty());
    }

    #[test]
    fn makespan_of_longest_first_matches_a_hand_count() {
        assert_eq!(makespan(&[4.0, 3.0, 2.0, 2.0], 2), 6.0);
        assert_eq!(makespan(&[5.0], 8), 5.0);
        assert_eq!(makespan(&[], 2), 0.0);
    }
}
