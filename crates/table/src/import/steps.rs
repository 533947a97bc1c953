//! Tables with a row a logged step: W&B history, the CSV of a W&B chart, Lightning's `metrics.csv`, any other.

use super::mapping::Mapping;
use super::{Log, LogKind};
use crate::cell::{Cell, Field};
use crate::error::TableError;
use std::collections::BTreeSet;
use std::path::Path;

/// Columns that hold the step, the trainer's own count before the logger's (`_step` counts calls of `log`).
const STEPS: [&str; 8] =
    ["step", "global_step", "trainer/global_step", "train/global_step", "iter", "iteration", "_step", "Step"];
/// Columns that name the run.
const RUNS: [&str; 4] = ["run_id", "run", "run_name", "Name"];
/// What the CSV of a W&B chart puts between run and metric.
const OF_RUN: &str = " - ";

/// A column, and how its cells are read.
struct Column<'a> {
    name: &'a str,
    /// Run that the column's name says.
    run: Option<&'a str>,
    metric: &'a str,
    step: &'a str,
}

pub(super) fn read(path: &Path, rows: &[Vec<(String, Cell)>], mapping: &Mapping) -> Result<Log, TableError> {
    let mut names: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, _) in rows.iter().flatten() {
        if seen.insert(name.as_str()) {
            names.push(name);
        }
    }
    let chart = names.iter().any(|n| n.contains(OF_RUN));
    let kind = if chart || seen.contains("_step") { LogKind::Wandb } else { LogKind::Steps };
    let step_of = |prefix: &str| {
        let named = |step: &str| names.iter().copied().find(|n| n.strip_prefix(prefix) == Some(step));
        match mapping.step() {
            Some(step) => named(step),
            None => STEPS.iter().find_map(|step| named(step)),
        }
    };
    let run_column = RUNS.iter().find_map(|run| names.iter().copied().find(|n| n == run));
    let mut log = Log::new(kind);
    let (mut columns, mut steps, mut aside) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for name in names.iter().copied().filter(|n| Some(*n) != run_column) {
        let (run, metric) = match name.rsplit_once(OF_RUN).filter(|_| chart) {
            Some((run, metric)) => (Some(run), metric),
            None => (None, name),
        };
        let own = run.and_then(|run| step_of(&format!("{run}{OF_RUN}")));
        let Some(step) = own.or_else(|| step_of("")) else { continue };
        steps.insert(step);
        // The page's bounds of smoothing; other counts of steps and clocks, which are no metric.
        let bound = run.is_some() && (metric.ends_with("__MIN") || metric.ends_with("__MAX"));
        if bound || STEPS.contains(&metric) || ["_runtime", "_timestamp", "epoch", ""].contains(&metric) {
            aside.insert(name);
        } else if name != step {
            columns.push(Column { name, run, metric, step });
        }
    }
    if steps.is_empty() {
        return Err(TableError::NoStep {
            path: path.to_path_buf(),
            expected: kind,
            wanted: mapping.step().map_or_else(|| STEPS.map(String::from).to_vec(), |step| vec![step.into()]),
            columns: names.into_iter().map(String::from).collect(),
        });
    }
    let mut empty: BTreeSet<&str> = columns.iter().map(|column| column.name).collect();
    for (i, row) in rows.iter().enumerate() {
        let number = i + 1;
        let get = |name: &str| row.iter().find(|(n, _)| n == name).map_or(&Cell::Missing, |(_, cell)| cell);
        let row_run =
            run_column.and_then(|c| String::from_cell(get(c).clone())).filter(|run| !run.is_empty());
        for column in &columns {
            let cell = get(column.name);
            if missing(cell) {
                continue;
            }
            empty.remove(column.name);
            let step = get(column.step);
            let Some(step) = u64::from_cell(step.clone()) else {
                let what = if missing(step) { "missing" } else { "not a whole number" };
                log.problems.push(format!(
                    "row {number}, column {}: the step is {what}, the row is not used",
                    column.step
                ));
                break;
            };
            let run = column.run.map(String::from).or_else(|| row_run.clone());
            let history = log.histories.entry(run).or_default();
            match f64::from_cell(cell.clone()) {
                Some(value) => history.push(step, column.metric, value),
                None => history.leave(step, column.metric),
            }
        }
    }
    let listed: Vec<&str> = steps.into_iter().collect();
    log.notes.push(format!("{kind}; step = {}", listed.join(", ")));
    let aside: Vec<&str> = aside.into_iter().filter(|name| !listed.contains(name)).collect();
    if !aside.is_empty() {
        log.notes.push(format!(
            "left columns {}",
            aside.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
        ));
    }
    if !empty.is_empty() {
        log.notes.push(format!("no value in column {}", empty.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if log.histories.is_empty() {
        let message = log
            .problems
            .first()
            .map_or_else(|| "no value in it".to_string(), |p| format!("no row is usable; the first: {p}"));
        return Err(kind.wrong(path, message));
    }
    Ok(log)
}

/// Whether a cell holds nothing.
pub(super) fn missing(cell: &Cell) -> bool {
    match cell {
        Cell::Missing => true,
        Cell::Text(text) => text.trim().is_empty(),
        Cell::Integer(_) | Cell::Number(_) => false,
    }
}
