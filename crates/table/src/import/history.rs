//! What one run logged, in the order in which it was logged.

use std::collections::BTreeMap;

/// What a log's values are placed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Axis {
    /// Updates.
    #[default]
    Steps,
    /// Tokens processed.
    Tokens,
}

impl std::fmt::Display for Axis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Tokens => "tokens",
        })
    }
}

/// What was logged for a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Logged {
    /// A finite number.
    Number(f64),
    /// Infinity or NaN.
    NotFinite,
    /// Text, a picture, nothing that is a number.
    NoNumber,
}

/// One thing that was logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    /// A value of the metric of this index, at a place on the axis.
    Value(u64, usize, Logged),
    /// The run began again here, by the log's own word.
    Restart(u64),
}

/// A long table: a row a value, and a column that names the metric.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Long {
    /// Column of the values.
    pub value: String,
    /// Column that names the metric.
    pub tag: String,
}

/// Logged values of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    pub axis: Axis,
    /// When the first was logged, in seconds, where the log knows.
    pub began: Option<f64>,
    pub long: Option<Long>,
    names: Vec<String>,
    index: BTreeMap<String, usize>,
    entries: Vec<Entry>,
}

impl History {
    /// Adds a value.
    pub fn push(&mut self, at: u64, metric: &str, value: f64) {
        self.add(at, metric, if value.is_finite() { Logged::Number(value) } else { Logged::NotFinite });
    }

    /// Adds something that is no number.
    pub fn leave(&mut self, at: u64, metric: &str) {
        self.add(at, metric, Logged::NoNumber);
    }

    /// The log itself says that the run began again: what it logged before, from there on, does not count.
    pub fn restart(&mut self, at: u64) {
        self.entries.push(Entry::Restart(at));
    }

    /// Adds a later part of the same run's log.
    pub fn absorb(&mut self, later: Self) {
        let Self { axis: _, began: _, long, names, index: _, entries } = later;
        self.long = self.long.take().or(long);
        let here: Vec<usize> = names.iter().map(|name| self.metric(name)).collect();
        self.entries.extend(entries.into_iter().map(|entry| match entry {
            Entry::Value(at, metric, logged) => Entry::Value(at, here[metric], logged),
            Entry::Restart(at) => Entry::Restart(at),
        }));
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        !self.entries.iter().any(|entry| matches!(entry, Entry::Value(..)))
    }

    /// The first and the last place that something was logged at.
    pub fn span(&self) -> Option<(u64, u64)> {
        let places = || {
            self.entries.iter().filter_map(|entry| match entry {
                Entry::Value(at, ..) => Some(*at),
                Entry::Restart(_) => None,
            })
        };
        places().min().zip(places().max())
    }

    /// Names of the metrics, by index.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What was logged, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn add(&mut self, at: u64, metric: &str, logged: Logged) {
        let metric = self.metric(metric);
        self.entries.push(Entry::Value(at, metric, logged));
    }

    fn metric(&mut self, name: &str) -> usize {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        let index = self.names.len();
        self.names.push(name.to_string());
        self.index.insert(name.to_string(), index);
        index
    }
}
