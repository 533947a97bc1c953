//! Which of the logged values count: a run that was interrupted and resumed has logged some steps twice.
//!
//! Steps that go back begin a new life of the run, as in `curve.jsonl`: what was logged before, from that step on, is
//! of a life that was not kept. A metric that goes back is what tells a new life. Metrics that are logged one after
//! the other, or late, have earlier steps too, but none of them goes back.

use super::history::{Entry, History, Logged};
use std::collections::{BTreeMap, BTreeSet};

/// More lives than this are no lives: the log is not in the order of time.
const MOST_LIVES: usize = 1000;

/// What counts of a history.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// Metrics that had a number, finite or not.
    pub metrics: BTreeMap<String, Metric>,
    /// Names under which there was nothing but text, pictures and the like.
    pub left: BTreeSet<String>,
    /// Where each later life began.
    pub resumed: Vec<u64>,
    /// Values of lives that were not kept.
    pub withdrawn: usize,
    /// Whether the log is in no order of time, so that lives cannot be told.
    pub unordered: bool,
}

/// The values of a metric that count.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Metric {
    /// By place; the last logged at a place counts.
    pub values: BTreeMap<u64, Logged>,
    /// Values replaced by another one logged later at the same place.
    pub replaced: usize,
}

impl Metric {
    /// The place from which on nothing finite was logged, if numbers that are not finite come at the end alone:
    /// anywhere else they stand for a value that was not measured.
    pub fn diverged(&self) -> Option<u64> {
        let first = *self.values.iter().find(|(_, logged)| **logged == Logged::NotFinite)?.0;
        let at_the_end = self.values.range(first..).all(|(_, logged)| *logged == Logged::NotFinite);
        at_the_end.then_some(first)
    }

    /// Where a value is the one of the place before, if most are: a logger that repeats the last evaluation at every
    /// step until the next one.
    pub fn repeats(&self) -> BTreeSet<u64> {
        let places = self.values.iter().zip(self.values.iter().skip(1));
        let same: BTreeSet<u64> = places
            .filter(|((_, before), (_, logged))| before == logged && matches!(logged, Logged::Number(_)))
            .map(|(_, (at, _))| *at)
            .collect();
        if self.values.len() > 2 && 2 * same.len() >= self.values.len() { same } else { BTreeSet::new() }
    }

    /// Places at which what was logged is no usable number.
    pub fn unusable(&self) -> BTreeSet<u64> {
        self.values.iter().filter(|(_, l)| !matches!(l, Logged::Number(_))).map(|(at, _)| *at).collect()
    }
}

/// A value and its place in the order of logging.
struct Value {
    logged: Logged,
    order: usize,
}

#[derive(Default)]
struct Series {
    values: BTreeMap<u64, Value>,
    replaced: usize,
    /// Order of its last value.
    latest: usize,
}

impl Series {
    /// Drops the values at `from` or later that were logged in `orders`; returns how many there were.
    fn withdraw(&mut self, from: u64, orders: std::ops::Range<usize>) -> usize {
        if self.latest < orders.start {
            return 0;
        }
        let dead: Vec<u64> =
            self.values.range(from..).filter(|(_, v)| orders.contains(&v.order)).map(|(at, _)| *at).collect();
        for at in &dead {
            self.values.remove(at);
        }
        dead.len()
    }
}

/// The life in hand.
struct Life {
    /// Order of its first value.
    begins: usize,
    /// Place of its first value.
    from: u64,
    /// Whether a metric went back in it.
    told: bool,
}

impl History {
    /// What counts of it.
    pub fn kept(&self) -> Kept {
        let mut kept = Kept { unordered: !in_order_of_time(self.entries()), ..Kept::default() };
        let mut series: Vec<Series> = self.names().iter().map(|_| Series::default()).collect();
        let mut life = Life { begins: 0, from: 0, told: true };
        // Where the metrics that are logged together begin.
        let mut together = 0;
        let mut last = 0;
        for (order, entry) in self.entries().iter().enumerate() {
            let (at, metric, logged) = match *entry {
                Entry::Restart(at) => {
                    let withdrawn: usize = series.iter_mut().map(|s| s.withdraw(at, 0..order)).sum();
                    if withdrawn > 0 {
                        kept.withdrawn += withdrawn;
                        kept.resumed.push(at);
                    }
                    (life, last) = (Life { begins: order, from: at, told: true }, at);
                    continue;
                }
                Entry::Value(at, metric, logged) => (at, metric, logged),
            };
            if !kept.unordered {
                if at < last {
                    if !life.told {
                        together = life.begins;
                    }
                    life = Life { begins: order, from: at, told: false };
                }
                let goes_back = series[metric].values.range(at..).any(|(_, v)| v.order < life.begins);
                if goes_back {
                    let mut withdrawn = series[metric].withdraw(life.from, 0..life.begins);
                    if !life.told {
                        life.told = true;
                        kept.resumed.push(life.from);
                        let others = together..life.begins;
                        withdrawn +=
                            series.iter_mut().map(|s| s.withdraw(life.from, others.clone())).sum::<usize>();
                    }
                    kept.withdrawn += withdrawn;
                }
            }
            last = at;
            let series = &mut series[metric];
            series.latest = order;
            if let Some(before) = series.values.insert(at, Value { logged, order }) {
                series.replaced += usize::from(before.logged != logged);
            }
        }
        for (name, series) in self.names().iter().zip(series) {
            let Series { values, replaced, latest: _ } = series;
            let values: BTreeMap<u64, Logged> = values.into_iter().map(|(at, v)| (at, v.logged)).collect();
            if values.is_empty() {
                // All of it is of lives that were not kept.
            } else if values.values().all(|logged| *logged == Logged::NoNumber) {
                kept.left.insert(name.clone());
            } else {
                kept.metrics.insert(name.clone(), Metric { values, replaced });
            }
        }
        kept
    }
}

/// Whether places go forward, but for the beginnings of lives: a table sorted by something else goes back about as
/// often as forward.
fn in_order_of_time(entries: &[Entry]) -> bool {
    let (mut last, mut forward, mut back) = (None, 0usize, 0usize);
    for entry in entries {
        match *entry {
            Entry::Value(at, ..) => {
                forward += usize::from(last.is_some_and(|last| at > last));
                back += usize::from(last.is_some_and(|last| at < last));
                last = Some(at);
            }
            Entry::Restart(_) => last = None,
        }
    }
    back == 0 || (back <= MOST_LIVES && forward > 0 && (back == 1 || forward >= 2 * back))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(values: &[(&str, u64, f64)]) -> History {
        let mut history = History::default();
        for (metric, at, value) in values {
            history.push(*at, metric, *value);
        }
        history
    }

    fn of(kept: &Kept, metric: &str) -> Vec<(u64, f64)> {
        let numbers = kept.metrics[metric].values.iter().map(|(at, logged)| match logged {
            Logged::Number(x) => (*at, *x),
            _ => (*at, f64::NAN),
        });
        numbers.collect()
    }

    #[test]
    fn metric_that_goes_back_takes_back_what_follows() {
        let short = [100, 200, 300, 400, 500, 200, 300];
        let values: Vec<(&str, u64, f64)> =
            short.iter().enumerate().map(|(i, at)| ("loss", *at, i as f64)).collect();
        let kept = history(&values).kept();
        assert_eq!(of(&kept, "loss"), [(100, 0.0), (200, 5.0), (300, 6.0)]);
        assert_eq!((kept.resumed, kept.withdrawn), (vec![200], 4));
    }

    #[test]
    fn new_life_takes_back_the_metrics_it_has_not_reached() {
        let kept = history(&[
            ("loss", 100, 4.0),
            ("val", 100, 4.1),
            ("loss", 200, 3.0),
            ("val", 200, 3.1),
            ("lr", 150, 0.1),
            ("loss", 150, 7.0),
        ])
        .kept();
        assert_eq!(of(&kept, "loss"), [(100, 4.0), (150, 7.0)]);
        assert_eq!(of(&kept, "val"), [(100, 4.1)]);
        assert_eq!(of(&kept, "lr"), [(150, 0.1)]);
    }

    #[test]
    fn metrics_logged_one_after_the_other_or_late_are_one_life() {
        let block = |metric, from: u64| (from..from + 5).map(move |at| (metric, at, at as f64));
        let blocks: Vec<_> = block("loss", 0).chain(block("val", 0)).chain(block("lr", 2)).collect();
        let kept = history(&blocks).kept();
        assert_eq!((kept.resumed, kept.withdrawn, kept.unordered), (vec![], 0, false));

        let late: Vec<_> = (10..60)
            .flat_map(|at| [Some(("loss", at, 1.0)), (at % 10 == 0).then_some(("val", at - 5, 1.0))])
            .flatten()
            .collect();
        let kept = history(&late).kept();
        assert_eq!((kept.resumed, kept.withdrawn, kept.unordered), (vec![], 0, false));
    }

    #[test]
    fn blocks_that_were_resumed_each_keep_their_last_life() {
        let life = |metric, at: &[u64]| at.iter().map(|at| (metric, *at, *at as f64)).collect::<Vec<_>>();
        let blocks = [life("loss", &[1, 2, 3, 4, 5, 3, 4]), life("val", &[1, 2, 3, 4, 5, 3, 4])].concat();
        let kept = history(&blocks).kept();
        let expected = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)];
        assert_eq!((of(&kept, "loss"), of(&kept, "val")), (expected.to_vec(), expected.to_vec()));
    }

    #[test]
    fn log_in_no_order_of_time_has_no_lives() {
        let falling: Vec<_> = (0..20).rev().map(|at| ("loss", at, 1.0)).collect();
        let mixed: Vec<_> = (0..20).map(|i| ("loss", i * 13 % 20, 1.0)).collect();
        for values in [falling, mixed] {
            let kept = history(&values).kept();
            assert!(kept.unordered);
            assert_eq!(of(&kept, "loss").len(), 20);
        }
    }

    #[test]
    fn restart_that_the_log_says_takes_back_everything_from_there_on() {
        let mut history = history(&[("loss", 100, 4.0), ("loss", 810, 3.0), ("val", 820, 3.0)]);
        history.restart(801);
        history.push(850, "loss", 2.9);
        let kept = history.kept();
        assert_eq!(of(&kept, "loss"), [(100, 4.0), (850, 2.9)]);
        assert_eq!((kept.resumed, kept.withdrawn), (vec![801], 2));
    }

    #[test]
    fn end_without_a_finite_number_is_a_divergence_and_gaps_are_not() {
        let diverged = |values: &[f64]| {
            let values: Vec<_> = values.iter().enumerate().map(|(i, x)| ("loss", i as u64, *x)).collect();
            history(&values).kept().metrics["loss"].diverged()
        };
        assert_eq!(diverged(&[4.0, f64::NAN, f64::INFINITY]), Some(1));
        assert_eq!(diverged(&[4.0, f64::NAN, 3.0, f64::NAN]), None);
        assert_eq!(diverged(&[4.0, 3.0]), None);
    }

    #[test]
    fn values_that_mostly_repeat_the_one_before_are_repeats() {
        let repeats = |values: &[f64]| {
            let values: Vec<_> = values.iter().enumerate().map(|(i, x)| ("val", i as u64, *x)).collect();
            history(&values).kept().metrics["val"].repeats().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(repeats(&[4.0, 4.0, 4.0, 3.0, 3.0, 3.0]), [1, 2, 4, 5]);
        assert!(repeats(&[4.0, 3.5, 3.0, 3.0]).is_empty(), "evaluations may agree");
        assert!(repeats(&[f64::NAN, f64::NAN, f64::NAN]).is_empty());
    }

    proptest! {
        /// Lives that begin at a checkpoint of the one before, whatever is logged how often.
        #[test]
        fn last_life_is_what_a_run_without_interruptions_logs(
            lives in proptest::collection::vec((1u64..40, 3u64..40), 1..6),
            every in 1u64..7,
        ) {
            let mut log = History::default();
            let mut reached = 0u64;
            let mut truth: BTreeMap<&str, BTreeMap<u64, f64>> = BTreeMap::new();
            for (life, (back, steps)) in lives.iter().enumerate() {
                let from = reached.saturating_sub(*back);
                for metric in truth.values_mut() {
                    metric.retain(|at, _| *at <= from);
                }
                reached = from + steps;
                for at in from + 1..=reached {
                    let value = life as f64 * 1000.0 + at as f64;
                    for (metric, every) in [("loss", 1), ("val", every)] {
                        if at % every == 0 {
                            log.push(at, metric, value);
                            truth.entry(metric).or_default().insert(at, value);
                        }
                    }
                }
            }
            let kept = log.kept();
            // So few steps forward for each step back may be a table in no order of time.
            prop_assume!(!kept.unordered);
            for (metric, values) in truth {
                let values: Vec<_> = values.into_iter().collect();
                let got = kept.metrics.get(metric).map(|_| of(&kept, metric)).unwrap_or_default();
                prop_assert_eq!(got, values, "{}", metric);
            }
        }
    }
}
