//! Rows of runs that did not come to their end: they are no observations of a law.

use scalelaw_table::{Column, Role, Table};
use std::collections::BTreeMap;

/// Rows that were left out because of how their run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Column, its word (`crashed`) and how many rows it left out.
    pub by: Vec<(String, String, usize)>,
    /// Rows before.
    pub of: usize,
}

impl LeftOut {
    /// How many rows were left out.
    pub fn rows(&self) -> usize {
        self.by.iter().map(|(.., rows)| rows).sum()
    }
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} rows are of runs that did not come to their end (", self.rows(), self.of)?;
        for (i, (column, word, rows)) in self.by.iter().enumerate() {
            write!(f, "{}{rows} by {column} = {word}", if i > 0 { ", " } else { "" })?;
        }
        f.write_str(")")
    }
}

/// Words by which loggers and schedulers (W&B, Slurm, scalelaw) say that a run has not ended as it should.
const UNFINISHED: [&str; 26] = [
    "diverged",
    "crashed",
    "failed",
    "killed",
    "running",
    "preempted",
    "preempting",
    "pending",
    "queued",
    "cancelled",
    "canceled",
    "aborted",
    "interrupted",
    "terminated",
    "timeout",
    "timed",
    "oom",
    "memory",
    "error",
    "errored",
    "incomplete",
    "unfinished",
    "nan",
    "fail",
    "crash",
    "scheduled",
];

/// Columns of truths that say it, and the truth that says it.
const SAID: [(&str, bool); 9] = [
    ("diverged", true),
    ("crashed", true),
    ("failed", true),
    ("killed", true),
    ("aborted", true),
    ("finished", false),
    ("completed", false),
    ("isfinished", false),
    ("iscompleted", false),
];

/// The word by which a run's status says that the run did not come to its end: `diverged` of `diverged at step 17`.
pub(crate) fn unfinished(status: &str) -> Option<&'static str> {
    let words: Vec<String> =
        status.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    if words.iter().any(|w| ["not", "no", "never", "without"].contains(&w.as_str())) {
        return None;
    }
    UNFINISHED.into_iter().find(|word| words.iter().any(|w| w == word))
}

/// The rows of runs that ended well, unless a filter names the column that tells; and how many others there are.
pub(super) fn ended_well(table: &Table, filtered_by: &[String]) -> (Vec<usize>, LeftOut) {
    let tells = |column: &&Column| !filtered_by.contains(&column.name);
    let statuses: Vec<&Column> = table.candidates(Role::Status).into_iter().filter(tells).collect();
    let truths: Vec<(&Column, bool)> =
        table.columns().iter().filter(tells).filter_map(|c| Some((c, said(&c.name)?))).collect();
    let mut by: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut keep = Vec::with_capacity(table.len());
    for i in 0..table.len() {
        let status = statuses.iter().find_map(|c| Some((*c, unfinished(&c.text(i))?.to_string())));
        let truth = || {
            truths
                .iter()
                .find(|(c, bad)| truth(&c.text(i)) == Some(*bad))
                .map(|(c, bad)| (*c, bad.to_string()))
        };
        match status.or_else(truth) {
            Some((column, word)) => *by.entry((column.name.clone(), word)).or_default() += 1,
            None => keep.push(i),
        }
    }
    let by = by.into_iter().map(|((column, word), rows)| (column, word, rows)).collect();
    (keep, LeftOut { by, of: table.len() })
}

fn said(column: &str) -> Option<bool> {
    let name: String = column.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SAID.into_iter()
        .find(|(known, _)| *known == name || (name == format!("is{known}")) || name == format!("has{known}"))
        .map(|(_, bad)| bad)
}

fn truth(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_statuses_of_loggers_and_schedulers_are_known_and_others_are_kept() {
        for (status, word) in [
            ("diverged at step 17", Some("diverged")),
            ("crashed", Some("crashed")),
            ("CANCELLED by 1000", Some("cancelled")),
            ("OUT_OF_MEMORY", Some("memory")),
            ("Running", Some("running")),
            ("completed", None),
            ("stopped: patience", None),
            ("finished", None),
            ("not diverged", None),
            ("", None),
        ] {
            assert_eq!(unfinished(status), word, "{status}");
        }
    }
}
