//! Long tables: a row a value, with a column that says of which metric it is, or of which set.

use super::axes::count;
use super::grid::Grid;
use super::steps::missing;
use crate::cell::Field;
use crate::names::{Role, normalised};
use std::collections::HashSet;

/// Columns that name the metric, beside one of [`VALUES`].
const TAGS: [&str; 8] = ["tag", "metric", "metricname", "key", "variable", "series", "measure", "name"];
/// Columns of values whose metric another column names.
const VALUES: [&str; 5] = ["value", "values", "scalar", "metricvalue", "y"];
/// Columns that say on which part of the data a row's metrics are.
const SETS: [&str; 13] = [
    "split",
    "set",
    "subset",
    "phase",
    "stage",
    "mode",
    "partition",
    "evalset",
    "dataset",
    "evaldataset",
    "task",
    "source",
    "domain",
];

/// How the rows of a long table name their metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// The metric of column `value` is what column `tag` says.
    Tag { tag: usize, value: usize },
    /// Column `set` is the folder of every metric: `val` and `loss` are `val/loss`.
    Set { set: usize },
}

/// How the table names its metrics, if it is a long one. `run` is the column of the run, `step` that of the step.
pub(super) fn naming(grid: &Grid<'_>, run: Option<usize>, step: Option<usize>) -> Option<Naming> {
    let find = |names: &[&str]| {
        let named = |name: &&str| {
            let is_it = |(column, n): &(usize, &&str)| Some(*column) != run && normalised(n) == **name;
            grid.names().iter().enumerate().find(is_it).map(|(column, _)| column)
        };
        names.iter().find_map(named)
    };
    if let (Some(tag), Some(value)) = (find(&TAGS), find(&VALUES)) {
        return Some(Naming::Tag { tag, value });
    }
    let (set, step) = (find(&SETS)?, step?);
    let metric = fullest_metric(grid, &[Some(set), Some(step), run])?;
    let rows: Vec<usize> = (0..grid.len()).filter(|row| !missing(grid.cell(*row, metric))).collect();
    let repeated = |of: &[Option<usize>]| {
        let mut seen = HashSet::new();
        let key = |row: usize| of.iter().flatten().map(|c| grid.text(row, *c)).collect::<Vec<_>>();
        rows.iter().filter(|row| !seen.insert(key(**row))).count()
    };
    let (without, with) = (repeated(&[run, Some(step)]), repeated(&[run, Some(step), Some(set)]));
    (10 * without >= rows.len() && 2 * with <= without && without > 0).then_some(Naming::Set { set })
}

/// Whether a column names a loss that is known.
pub(super) fn names_a_loss(grid: &Grid<'_>, column: usize) -> bool {
    (0..grid.len()).filter_map(|row| grid.text(row, column)).any(|name| {
        [Role::TestLoss, Role::TrainLoss].iter().any(|role| role.names().contains(&&*normalised(&name)))
    })
}

/// The column of numbers that most rows have, but for those `other` and counts.
fn fullest_metric(grid: &Grid<'_>, other: &[Option<usize>]) -> Option<usize> {
    let mut filled = vec![0usize; grid.names().len()];
    for row in 0..grid.len() {
        for (column, cell) in grid.row(row) {
            filled[*column] += usize::from(f64::from_cell((*cell).clone()).is_some());
        }
    }
    let metrics =
        (0..filled.len()).filter(|c| !other.contains(&Some(*c)) && count(grid.names()[*c]).is_none());
    // The first of those that are equally full.
    metrics.rev().max_by_key(|c| filled[*c]).filter(|c| filled[*c] > 0)
}
