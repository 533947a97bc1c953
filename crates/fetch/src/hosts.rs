//! Which request is next: one at a time per host, and a delay after each.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often waiting threads check whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// The jobs of every host, and when it may be asked again.
#[derive(Debug)]
pub(crate) struct Hosts<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<J> {
    places: HashMap<String, u32>,
    hosts: Vec<Host<J>>,
    /// Idle hosts with jobs, by the time from which they may be asked.
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

/// A job; no other request goes to its host until [`Hosts::end_turn`].
#[derive(Debug)]
pub(crate) struct Turn<J> {
    pub(crate) host: u32,
    pub(crate) job: J,
}

impl<J> Hosts<J> {
    pub(crate) fn new() -> Self {
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

    /// Queues a job after the others of its host.
    pub(crate) fn add(&self, host: &str, job: J) {
        let mut state = self.state();
        state.open += 1;
        state.put(host, |jobs| jobs.push_back(job));
        self.changed.notify_one();
    }

    /// Queues a job before the others of its host: a retry, or something that an added job waits for.
    pub(crate) fn put_first(&self, host: &str, job: J) {
        self.state().put(host, |jobs| jobs.push_front(job));
        self.changed.notify_one();
    }

    /// Counts one of the added jobs as ended.
    pub(crate) fn end_one(&self) {
        let mut state = self.state();
        state.open -= 1;
        if state.open == 0 {
            self.changed.notify_all();
        }
    }

    /// Waits for the next job whose host may be asked. `None` once all have ended or [`Hosts::close`] was called.
    pub(crate) fn next_turn(&self) -> Option<Turn<J>> {
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

    /// Releases the host; its next request waits this long, or as long as before if none was made.
    pub(crate) fn end_turn(&self, host: u32, rest: Option<Duration>) {
        let mut state = self.state();
        let place = &mut state.hosts[host as usize];
        place.busy = false;
        if let Some(rest) = rest {
            place.free_from = Instant::now() + rest;
        }
        state.wait(host);
        self.changed.notify_one();
    }

    /// Resets the failure count of a host that is being served.
    pub(crate) fn succeeded(&self, host: u32) {
        self.state().hosts[host as usize].failures = 0;
    }

    /// Counts a failure of a host that is being served; returns how many there were in a row.
    pub(crate) fn failed(&self, host: u32) -> u32 {
        let mut state = self.state();
        let failures = &mut state.hosts[host as usize].failures;
        *failures += 1;
        *failures
    }

    /// Removes and returns the queued jobs of a host that is being served; they stay counted as in flight.
    pub(crate) fn take_all(&self, host: u32) -> VecDeque<J> {
        std::mem::take(&mut self.state().hosts[host as usize].jobs)
    }

    /// Ends the queue: [`Hosts::next_turn`] returns `None` from now on.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// The host with the most jobs, and how many.
    pub(crate) fn longest(&self) -> Option<(String, usize)> {
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
    fn turns_of_one_host_are_spaced_by_its_delay() {
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
