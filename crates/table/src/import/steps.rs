//! Tables with a row a logged step: W&B history, the CSV of a W&B chart, Lightning's `metrics.csv`, long tables of
//! tags and values, any other.

use super::axes::{Axes, Count, STEPS, count};
use super::grid::Grid;
use super::history::{Axis, Long};
use super::long::{Naming, names_a_loss, naming};
use super::mapping::Mapping;
use super::{Log, LogKind};
use crate::cell::{Cell, Field};
use crate::error::TableError;
use crate::names::{Role, normalised};
use crate::number::is_missing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the CSV of a W&B chart puts between run and metric.
const OF_RUN: &str = " - ";
/// Columns in whose order rows were logged, where the step is another.
const LOGGED: [&str; 4] = ["_step", "_timestamp", "wall_time", "Wall time"];
/// What TensorBoard's page puts before the tag in the name of a CSV that it saves.
const TAG: &str = "-tag-";

/// A column of values, and where they lie on the run's way.
struct Column<'a> {
    /// Run that the column's name says.
    run: Option<&'a str>,
    metric: &'a str,
    at: At,
}

/// Columns that place a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Step { step: usize, tokens: Option<usize> },
    Tokens(usize),
}

impl At {
    /// The axis, and the column of the place on it.
    fn axis(self) -> (Axis, usize) {
        match self {
            Self::Step { step, tokens: _ } => (Axis::Steps, step),
            Self::Tokens(tokens) => (Axis::Tokens, tokens),
        }
    }
}

pub(super) fn read(path: &Path, rows: &[Vec<(String, Cell)>], mapping: &Mapping) -> Result<Log, TableError> {
    let mut grid = Grid::of(rows);
    let chart = grid.names().iter().any(|n| n.contains(OF_RUN));
    let kind = if chart || grid.column("_step").is_some() { LogKind::Wandb } else { LogKind::Steps };
    let run_column = run_column(&grid);
    let mut log = Log::new(kind);
    let (columns, mut aside) = columns(&grid, chart, run_column, mapping);
    let Some(first) = columns.values().next() else {
        return Err(TableError::NoStep {
            path: path.to_path_buf(),
            expected: kind,
            wanted: mapping.step().map_or_else(|| STEPS.map(String::from).to_vec(), |step| vec![step.into()]),
            columns: grid.names().iter().map(ToString::to_string).collect(),
        });
    };
    let step = Some(first.at.axis().1);
    let naming = naming(&grid, run_column, step).filter(|_| !chart);
    let placed: BTreeSet<usize> = columns.values().map(|column| column.at.axis().1).collect();
    let logged = LOGGED.iter().filter_map(|name| grid.column(name)).filter(|c| !placed.contains(c));
    let order = logged.collect::<Vec<_>>().into_iter().find(|column| grid.sort_by(*column));
    if let Some(Naming::Tag { tag, value }) = naming {
        let other = columns.keys().filter(|c| **c != value && **c != tag);
        aside.extend(other.map(|c| grid.names()[*c]));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let tag_of_file = stem.split_once(TAG).map(|(_, tag)| tag);
    let unplaced = BTreeMap::new();
    let mut reader = Reader { grid: &grid, columns: &columns, run_column, naming, tag_of_file, unplaced };
    let empty = reader.read(&mut log);
    for (column, (row, what, more)) in reader.unplaced {
        let more = if more > 0 { format!(", and {more} more rows") } else { String::new() };
        log.problems.push(format!(
            "row {row}, column {}: the step is {what}, the row is not used{more}",
            grid.names()[column]
        ));
    }
    say(&mut log, &grid, &columns, naming, order);
    if let Some(size) = run_column.filter(|c| !is_name(grid.names()[*c])) {
        log.notes.push(format!("no column names the run: rows of one {} are a run", grid.names()[size]));
    }
    if !aside.is_empty() {
        let aside: Vec<String> = aside.iter().map(|n| format!("{n:?}")).collect();
        log.notes.push(format!("left columns {}", aside.join(", ")));
    }
    if !empty.is_empty() {
        log.notes.push(format!("no value in column {}", empty.join(", ")));
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

/// The column that names the run; without one, that of the size, if runs of several sizes are in the table.
fn run_column(grid: &Grid<'_>) -> Option<usize> {
    let find = |role: Role| {
        role.names().iter().find_map(|name| grid.names().iter().position(|n| normalised(n) == *name))
    };
    // `name` may be that of a metric, in a long table.
    find(Role::Run)
        .filter(|name| !names_a_loss(grid, *name))
        .or_else(|| find(Role::N).filter(|size| several(grid, *size)))
}

/// Whether a column of this name holds the names of runs.
fn is_name(column: &str) -> bool {
    Role::Run.names().contains(&&*normalised(column))
}

/// Whether a column holds more than one number.
fn several(grid: &Grid<'_>, column: usize) -> bool {
    let mut numbers = (0..grid.len()).filter_map(|row| f64::from_cell(grid.cell(row, column).clone()));
    numbers.next().is_some_and(|first| numbers.any(|number| number.to_bits() != first.to_bits()))
}

/// The columns of values by number, and the names of those that are none.
fn columns<'a>(
    grid: &Grid<'a>,
    chart: bool,
    run_column: Option<usize>,
    mapping: &Mapping,
) -> (BTreeMap<usize, Column<'a>>, BTreeSet<&'a str>) {
    let (mut columns, mut aside) = (BTreeMap::new(), BTreeSet::new());
    let of_table = Axes::of(grid, "", mapping);
    let tokens =
        grid.names().iter().position(|n| mapping.step().is_none() && count(n) == Some(Count::Tokens));
    let mut of_runs: BTreeMap<&str, Axes<'a>> = BTreeMap::new();
    // The first column of a chart is its axis, whatever the user has called it.
    let x = grid.names().iter().position(|n| chart && !n.contains(OF_RUN));
    for (index, name) in
        grid.names().iter().copied().enumerate().filter(|(index, _)| Some(*index) != run_column)
    {
        let named = |axis: Option<&str>| axis.and_then(|name| grid.column(name));
        let (run, metric, at) = match name.rsplit_once(OF_RUN).filter(|_| chart) {
            Some((run, metric)) => {
                let own =
                    of_runs.entry(run).or_insert_with(|| Axes::of(grid, &format!("{run}{OF_RUN}"), mapping));
                (Some(run), metric, chart_axis(grid, x, named(own.of_metric(metric)), mapping))
            }
            None => {
                let step = named(of_table.of_metric(name)).map(|step| At::Step { step, tokens: None });
                (None, name, step.or(tokens.map(At::Tokens)))
            }
        };
        let Some(at) = at else { continue };
        // The page's bounds of smoothing; other counts, of steps and time, which are no metric.
        let bound = run.is_some() && (metric.ends_with("__MIN") || metric.ends_with("__MAX"));
        let (_, place) = at.axis();
        if index == place || Some(index) == x {
            continue;
        }
        if bound || matches!(count(metric), Some(Count::Step | Count::Call | Count::Clock)) {
            aside.insert(name);
        } else {
            columns.insert(index, Column { run, metric, at });
        }
    }
    let placed: BTreeSet<&str> = columns.values().map(|c| grid.names()[c.at.axis().1]).collect();
    aside.retain(|name| !placed.contains(name));
    (columns, aside)
}

/// Where a chart's values lie: its axis `x` is the user's choice, the run's `own` count is the logger's.
fn chart_axis(grid: &Grid<'_>, x: Option<usize>, own: Option<usize>, mapping: &Mapping) -> Option<At> {
    let by_step = |step| At::Step { step, tokens: None };
    if let Some(step) = mapping.step() {
        return own.or_else(|| x.filter(|x| grid.names()[*x] == step)).map(by_step);
    }
    let Some(x) = x else { return own.map(by_step) };
    let name = grid.names()[x];
    match count(name) {
        Some(Count::Clock) => own.map(by_step),
        Some(Count::Call) => own.or(Some(x)).map(by_step),
        Some(Count::Step) => Some(by_step(x)),
        Some(Count::Tokens) => Some(own.map_or(At::Tokens(x), |step| At::Step { step, tokens: Some(x) })),
        None if normalised(name).contains("token") => {
            Some(own.map_or(At::Tokens(x), |step| At::Step { step, tokens: Some(x) }))
        }
        None => Some(by_step(x)),
    }
}

/// Reads the values into the histories of their runs.
struct Reader<'g, 'a> {
    grid: &'g Grid<'a>,
    columns: &'g BTreeMap<usize, Column<'a>>,
    run_column: Option<usize>,
    naming: Option<Naming>,
    tag_of_file: Option<&'g str>,
    /// By column of the step: the first row that has none, what is there, and how many more such rows there are.
    unplaced: BTreeMap<usize, (usize, &'static str, usize)>,
}

impl<'a> Reader<'_, 'a> {
    /// Returns the names of the columns without a value.
    fn read(&mut self, log: &mut Log) -> Vec<&'a str> {
        let mut empty: BTreeSet<usize> = self.columns.keys().copied().collect();
        for row in 0..self.grid.len() {
            self.read_row(row, log, &mut empty);
        }
        empty.into_iter().map(|column| self.grid.names()[column]).collect()
    }

    fn read_row(&mut self, row: usize, log: &mut Log, empty: &mut BTreeSet<usize>) {
        let row_run = self.run_column.and_then(|column| {
            let (name, text) = (self.grid.names()[column], self.grid.text(row, column)?);
            // A size alone is no name.
            Some(if text.parse::<f64>().is_ok() && !is_name(name) { format!("{name}={text}") } else { text })
        });
        for (index, cell) in self.grid.row(row) {
            let Some(column) = self.columns.get(index).filter(|_| !missing(cell)) else { continue };
            empty.remove(index);
            let metric = match self.naming {
                Some(Naming::Tag { tag, value }) => match self.grid.text(row, tag) {
                    Some(tag) if *index == value => tag,
                    _ => continue,
                },
                Some(Naming::Set { set }) if *index == set => continue,
                Some(Naming::Set { set }) => self
                    .grid
                    .text(row, set)
                    .map_or(column.metric.into(), |set| format!("{set}/{}", column.metric)),
                None => match self.tag_of_file.filter(|_| normalised(column.metric) == "value") {
                    Some(tag) => tag.to_string(),
                    None => column.metric.to_string(),
                },
            };
            let (axis, place) = column.at.axis();
            let Some(at) = u64::from_cell(self.grid.cell(row, place).clone()) else {
                let what = if missing(self.grid.cell(row, place)) { "missing" } else { "not a whole number" };
                let unplaced = self.unplaced.entry(place).or_insert((0, what, 0));
                if unplaced.0 == 0 {
                    unplaced.0 = self.grid.number(row);
                } else {
                    unplaced.2 += 1;
                }
                break;
            };
            let run = column.run.map(String::from).or_else(|| row_run.clone());
            let history = log.histories.entry(run).or_default();
            history.axis = axis;
            if metric != column.metric && history.long.is_none() {
                let tag = match self.naming {
                    Some(Naming::Tag { tag: column, .. } | Naming::Set { set: column }) => {
                        self.grid.names()[column]
                    }
                    None => "name of a file",
                };
                history.long = Some(Long { value: column.metric.to_string(), tag: tag.to_string() });
            }
            if let At::Step { tokens: Some(tokens), .. } = column.at
                && let Some(seen) = f64::from_cell(self.grid.cell(row, tokens).clone())
            {
                // The axis is of tokens, whatever its name.
                history.push(at, Role::TokensSoFar.symbol(), seen);
            }
            match f64::from_cell((*cell).clone()) {
                Some(value) => history.push(at, &metric, value),
                None => history.leave(at, &metric),
            }
        }
    }
}

/// Says what the table is, and by what its values are placed, named and ordered.
fn say(
    log: &mut Log,
    grid: &Grid<'_>,
    columns: &BTreeMap<usize, Column<'_>>,
    naming: Option<Naming>,
    order: Option<usize>,
) {
    let (mut steps, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for column in columns.values() {
        match column.at {
            At::Step { step, tokens: axis } => {
                steps.insert(grid.names()[step]);
                tokens.extend(axis.map(|axis| grid.names()[axis]));
            }
            At::Tokens(axis) => _ = tokens.insert(grid.names()[axis]),
        }
    }
    let mut note = log.kind.to_string();
    for (what, names) in [("step", steps), ("tokens", tokens)] {
        if !names.is_empty() {
            note += &format!("; {what} = {}", names.into_iter().collect::<Vec<_>>().join(", "));
        }
    }
    match naming {
        Some(Naming::Tag { tag, value }) => {
            note += &format!("; {} names the metric of {}", grid.names()[tag], grid.names()[value]);
        }
        Some(Naming::Set { set }) => {
            note += &format!("; {} is the folder of every metric", grid.names()[set])
        }
        None => {}
    }
    if let Some(order) = order {
        note += &format!("; rows in the order of {}", grid.names()[order]);
    }
    log.notes.push(note);
}

/// Whether a cell holds nothing.
pub(super) fn missing(cell: &Cell) -> bool {
    match cell {
        Cell::Missing => true,
        Cell::Text(text) => is_missing(text.trim()),
        Cell::Integer(_) | Cell::Number(_) => false,
    }
}
