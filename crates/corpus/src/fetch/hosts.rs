//! Whose turn it is: one request at a time to a host, and a rest after each.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often those who wait look whether they should go on waiting.
const LOOK: Duration = Duration::from_millis(100);

/// The jobs of every host, and when it may be asked again.
#[derive(Debug)]
pub(super) struct Hosts<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<J> {
    places: HashMap<String, u32>,
    hosts: Vec<Host<J>>,
    /// The hosts that are not being asked and have jobs, by the time from when they may be asked.
    waiting: BTreeSet<(Instant, u32)>,
    /// How many of the jobs that were added have not ended.
    open: u64,
    closed: bool,
}

#[derive(Debug)]
struct Host<J> {
    jobs: VecDeque<J>,
    free_from: Instant,
    busy: bool,
    /// Failures since the last success.
    failures: u32,
}

/// A job whose host is asked by nobody else until [`Hosts::end_turn`].
#[derive(Debug)]
pub(super) struct Turn<J> {
    pub(super) host: u32,
    pub(super) job: J,
}

impl<J> Hosts<J> {
    pub(super) fn new() -> Self {
        let state = State {
            places: HashMap::new(),
            hosts: Vec::new(),
            waiting: BTreeSet::new(),
            open: 0,
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job behind the others of its host.
    pub(super) fn add(&self, host: &str, job: J) {
        let mut state = self.state();
        state.open += 1;
        state.put(host, |jobs| jobs.push_back(job));
        self.changed.notify_one();
    }

    /// Puts a job before the others of its host: one that was added before, or one that such a job waits for.
    pub(super) fn put_first(&self, host: &str, job: J) {
        self.state().put(host, |jobs| jobs.push_front(job));
        self.changed.notify_one();
    }

    /// Notes that one of the jobs that were added has ended.
    pub(super) fn end_one(&self) {
        let mut state = self.state();
        state.open -= 1;
        if state.open == 0 {
            self.changed.notify_all();
        }
    }

    /// The next job whose host may be asked; waits for one. `None` when all have ended, or nobody should go on.
    pub(super) fn next_turn(&self) -> Option<Turn<J>> {
        let mut state = self.state();
        loop {
            if state.closed || state.open == 0 {
                return None;
            }
            let now = Instant::now();
            let wait = match state.waiting.first().copied() {
                Some((from, host)) if from <= now => {
                    state.waiting.pop_first();
                    let job = state.hosts[host as usize].jobs.pop_front();
                    let job = job.expect("hosts without jobs do not wait");
                    state.hosts[host as usize].busy = true;
                    return Some(Turn { host, job });
                }
                Some((from, _)) => (from - now).min(LOOK),
                None => LOOK,
            };
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives the host back; it is left alone for this long, or as long as before if it was not asked.
    pub(super) fn end_turn(&self, host: u32, rest: Option<Duration>) {
        let mut state = self.state();
        let place = &mut state.hosts[host as usize];
        place.busy = false;
        if let Some(rest) = rest {
            place.free_from = Instant::now() + rest;
        }
        state.wait(host);
        self.changed.notify_one();
    }

    /// Notes a success of a host in hand.
    pub(super) fn succeeded(&self, host: u32) {
        self.state().hosts[host as usize].failures = 0;
    }

    /// Notes a failure of a host in hand; returns how many there were in a row.
    pub(super) fn failed(&self, host: u32) -> u32 {
        let mut state = self.state();
        let failures = &mut state.hosts[host as usize].failures;
        *failures += 1;
        *failures
    }

    /// Takes all jobs of a host in hand; they are in hand then too.
    pub(super) fn take_all(&self, host: u32) -> VecDeque<J> {
        std::mem::take(&mut self.state().hosts[host as usize].jobs)
    }

    /// Gives out no more turns.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// The host with the most jobs, and how many.
    pub(super) fn longest(&self) -> Option<(String, usize)> {
        let state = self.state();
        let jobs = |place: &u32| state.hosts[*place as usize].jobs.len();
        // The first by name among equals.
        let longest = state.places.iter().max_by(|(a, m), (b, n)| jobs(m).cmp(&jobs(n)).then(b.cmp(a)))?;
        Some((longest.0.clone(), jobs(longest.1)))
    }
}

impl<J> State<J> {
    fn put(&mut self, host: &str, put: impl FnOnce(&mut VecDeque<J>)) {
        let place = match self.places.get(host) {
            Some(place) => *place,
            None => {
                let place = self.hosts.len() as u32;
                let free_from = Instant::now();
                self.hosts.push(Host { jobs: VecDeque::new(), free_from, busy: false, failures: 0 });
                self.places.insert(host.to_owned(), place);
                place
            }
        };
        put(&mut self.hosts[place as usize].jobs);
        self.wait(place);
    }

    /// Queues a host that may get a turn.
    fn wait(&mut self, place: u32) {
        let host = &self.hosts[place as usize];
        if !host.busy && !host.jobs.is_empty() {
            self.waiting.insert((host.free_from, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_one_host_follow_each_other_with_a_rest() {
        let hosts = Hosts::new();
        for job in 0..3 {
            hosts.add("a", job);
        }
        hosts.add("b", 10);
        assert_eq!(hosts.longest(), Some(("a".into(), 3)));
        let rest = Duration::from_millis(60);
        let first = hosts.next_turn().unwrap();
        let other = hosts.next_turn().unwrap();
        assert_eq!((first.job, other.job), (0, 10), "another host meanwhile");
        hosts.end_turn(other.host, Some(rest));
        hosts.end_one();
        let begun = Instant::now();
        hosts.end_turn(first.host, Some(rest));
        let second = hosts.next_turn().unwrap();
        assert!(begun.elapsed() >= rest, "{:?}", begun.elapsed());
        assert_eq!((second.host, second.job), (first.host, 1));
        // Not asked after all: the next turn is at once; a job put back comes first.
        hosts.put_first("a", second.job);
        hosts.end_turn(second.host, None);
        let again = hosts.next_turn().unwrap();
        assert_eq!(again.job, 1);
        assert_eq!(hosts.take_all(again.host), [2]);
        assert_eq!((hosts.failed(again.host), hosts.failed(again.host)), (1, 2));
        hosts.succeeded(again.host);
        assert_eq!(hosts.failed(again.host), 1);
        (0..3).for_each(|_| hosts.end_one());
        assert!(hosts.next_turn().is_none(), "all have ended");
    }

    #[test]
    fn turns_closed_are_given_to_nobody() {
        let hosts = Hosts::new();
        hosts.add("a", ());
        let turn = hosts.next_turn().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| hosts.next_turn().is_none());
            hosts.close();
            assert!(waiting.join().unwrap());
        });
        hosts.end_turn(turn.host, None);
        assert!(hosts.next_turn().is_none());
    }
}
