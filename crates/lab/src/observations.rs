//! From anybody's table to the points that a law is fitted to.
//!
//! A [`TableRequest`] says which table and how to read it. [`Observations::open`] loads it and selects rows;
//! [`Observations::points`] finds the columns of a law's variables, drops the rows that it cannot use, and returns a
//! [`Dataset`](scalelaw_fit::Dataset) together with a [`Reading`]: the facts about how the table was read, and what is
//! doubtful about it.

mod checkpoints;
mod plausible;
mod points;
mod source;
mod status;
mod sweeps;

pub use checkpoints::Checkpoints;
pub use plausible::Doubt;
pub use points::{Points, Reading, Wanted};
pub use source::{Assigned, Rule, Source};
pub use status::LeftOut;
pub(crate) use status::unfinished;
pub(crate) use sweeps::recipes;
pub use sweeps::{BestOf, Copies, Swept};

use crate::error::LabError;
use scalelaw_core::ParamConvention;
use scalelaw_fit::laws::{self, Expression};
use scalelaw_fit::{Law, Response};
use scalelaw_table::{Column, Counts, Role, Table, Unit, counts};
pub(crate) use source::RULES;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which table, and how to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRequest {
    /// The table: finished runs, or learning curves.
    pub path: PathBuf,
    /// A run table whose columns the rows take over by run, when `path` holds curves without sizes.
    pub runs: Option<PathBuf>,
    /// Columns, or expressions over columns such as `1e6*params`, by the law's variable (`N`), or by `loss`,
    /// `response` (what the law predicts, also `y`), `run`, `trunk` or `weight`. Names that people commonly use need
    /// no entry.
    pub map: Vec<(String, String)>,
    /// An expression over columns; rows for which it is false are left out.
    pub filter: Option<String>,
    /// What N counts, when its column's name does not say it.
    pub params: Option<ParamConvention>,
    /// Swept settings, by `lr` or their columns, of whose values the one with the lowest loss counts.
    pub best_of: Vec<String>,
}

impl TableRequest {
    /// The table at `path`, read by its columns' names.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// Rows that a filter selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The filter.
    pub filter: String,
    /// Rows for which it is true.
    pub kept: usize,
    /// Rows before.
    pub of: usize,
}

/// A table with its rows selected and the user's columns assigned.
#[derive(Clone, Debug)]
pub struct Observations {
    /// Rows selected.
    pub table: Table,
    /// Rows of runs that did not come to their end.
    pub left_out: LeftOut,
    map: BTreeMap<String, Source>,
    params: Option<ParamConvention>,
    selected: Option<Selected>,
    /// Columns that the filter names: how their values differ is the user's to judge.
    judged: Vec<String>,
    best_of: Vec<String>,
}

impl Observations {
    /// Loads the table, joins the runs to curves, leaves out runs that did not come to their end, selects rows and
    /// checks the assigned columns.
    ///
    /// # Errors
    /// A file cannot be read, a curve's run is not in the run table, the filter is no expression or keeps no row, or
    /// an assigned column does not exist.
    pub fn open(request: &TableRequest) -> Result<Self, LabError> {
        let mut table = Table::load(&request.path)?;
        if let Some(runs) = &request.runs {
            let runs = Table::load(runs)?;
            let run_of = |table: &Table| {
                let column = table.recognise(Role::Run).map(|column| column.name.clone());
                column.ok_or_else(|| no_column(table, "run", None))
            };
            table = table.joined(&run_of(&table)?, &runs, &run_of(&runs)?)?;
        }
        let judged = request.filter.as_deref().map(|filter| table.columns_of(filter)).transpose()?;
        let judged = judged.unwrap_or_default();
        let (ended, left_out) = status::ended_well(&table, &judged);
        if ended.is_empty() {
            return Err(LabError::NoneEnded { table: table.source, left_out });
        }
        if ended.len() < table.len() {
            table = table.rows_at(&ended);
        }
        let mut selected = None;
        if let Some(filter) = &request.filter {
            let of = table.len();
            table = table.select(filter)?;
            selected = Some(Selected { filter: filter.clone(), kept: table.len(), of });
        }
        let (map, params) = (BTreeMap::new(), request.params);
        let mut observations = Self { table, left_out, map, params, selected, judged, best_of: vec![] };
        for (symbol, column) in &request.map {
            observations.assign(symbol, column)?;
        }
        for name in &request.best_of {
            let column = observations.column_for(name);
            let column =
                column.map_or_else(|| observations.table.column(name).map(|c| c.name.clone()), Ok)?;
            observations.best_of.push(column);
        }
        Ok(observations)
    }

    /// Makes `column`, or the value of an expression over columns, what is meant by `symbol`. A column's numbers are
    /// taken in the unit that its name states, those in an expression as they are.
    ///
    /// # Errors
    /// There is no such column, or the expression cannot be understood.
    pub fn assign(&mut self, symbol: &str, column: &str) -> Result<(), LabError> {
        let symbol = match symbol {
            "L" => "loss",
            "y" => "response",
            _ => symbol,
        };
        let source = match self.table.column(column) {
            Ok(found) => {
                let unit = Role::of(symbol).map_or(Unit::One, |role| role.unit(&found.header));
                Source::Column { name: found.name.clone(), unit }
            }
            Err(error) if !is_expression(column) => return Err(error.into()),
            Err(error) => {
                // `eval/los` is a name with a slip rather than a quotient.
                let names_one = self.table.columns().iter().any(|c| column.contains(&c.name));
                let columns = self.table.columns_of(column);
                let columns = columns.map_err(|inner| if names_one { inner } else { error })?;
                Source::Computed { expression: column.to_string(), columns }
            }
        };
        self.map.insert(symbol.to_string(), source);
        Ok(())
    }

    /// Columns that the filter names.
    pub(crate) fn judged(&self) -> &[String] {
        &self.judged
    }

    /// The column of a role: assigned, else recognised by its name. `None` where the role is computed from several.
    pub fn column_for(&self, symbol: &str) -> Option<String> {
        match self.direct(symbol)? {
            Source::Column { name, .. } => Some(name),
            Source::Computed { .. } | Source::Derived { .. } => None,
        }
    }

    /// The column of a role that the request cannot do without.
    ///
    /// # Errors
    /// None is assigned, and none is recognised.
    pub fn needed(&self, symbol: &str) -> Result<String, LabError> {
        self.column_for(symbol).ok_or_else(|| self.missing(symbol))
    }

    /// The error of a role that has no column.
    pub(crate) fn missing(&self, symbol: &str) -> LabError {
        no_column(&self.table, symbol, None)
    }

    /// The values of a role in rows of this table, if a column holds it or an expression computes it.
    ///
    /// # Errors
    /// The column holds text.
    pub fn values(&self, symbol: &str, table: &Table) -> Result<Option<Vec<f64>>, LabError> {
        self.direct(symbol).map(|source| source.values(table)).transpose()
    }

    /// Refuses assigned names that are none of `used`.
    ///
    /// # Errors
    /// [`LabError::UnusedMap`] names what `by` uses.
    pub fn check_assigned(&self, by: &str, used: &[&str]) -> Result<(), LabError> {
        let Some(symbol) = self.map.keys().find(|symbol| !used.contains(&symbol.as_str())) else {
            return Ok(());
        };
        Err(LabError::UnusedMap {
            symbol: symbol.clone(),
            by: by.to_string(),
            used: used.iter().map(ToString::to_string).collect(),
        })
    }

    /// Whether every variable of `law` and its loss can be had from this table.
    pub fn serves(&self, law: &dyn Law) -> bool {
        law.response() == Response::Loss
            && (self.direct("loss").is_some() || self.map.contains_key("response"))
            && law.variables().iter().all(|v| self.source(v).is_some())
    }

    /// A law by its name, or an expression over the table's columns whose other names are parameters.
    ///
    /// # Errors
    /// No law has the name, or the expression cannot be understood.
    pub fn law(&self, name: &str, bounds: &[(String, f64, f64)]) -> Result<Box<dyn Law>, LabError> {
        if !is_expression(name) && !name.contains(' ') {
            return Ok(laws::by_name(name)?);
        }
        let names = self.table.names();
        let roles = ["N", "D", "C", "S", "B", "U", "T"].into_iter().filter(|v| self.direct(v).is_some());
        let assigned = self.map.keys().map(String::as_str);
        let columns: Vec<&str> = names.iter().map(String::as_str).chain(roles).chain(assigned).collect();
        Ok(Box::new(Expression::new(name, &columns, bounds)?))
    }

    /// The values of a variable in rows that were chosen for a law without it, if every one of them is usable.
    pub(crate) fn also(&self, variable: &str, table: &Table) -> Option<Vec<f64>> {
        let values = self.source(variable)?.values(table).ok()?;
        values.iter().all(|v| v.is_finite() && *v > 0.0).then_some(values)
    }

    /// What a role is read from: assigned, else the column recognised as it.
    fn direct(&self, symbol: &str) -> Option<Source> {
        let recognised = || {
            let role = Role::of(symbol)?;
            let column = self.counted(role).or_else(|| self.table.recognise(role))?;
            Some(Source::Column { name: column.name.clone(), unit: role.unit(&column.header) })
        };
        self.map.get(symbol).cloned().or_else(recognised)
    }

    /// Of several columns of a role, the one whose name says that it counts what the request asks for.
    fn counted(&self, role: Role) -> Option<&Column> {
        let asked = Counts::Params(self.params.filter(|_| role == Role::N)?);
        let mut columns = self.table.candidates(role).into_iter();
        columns.find(|column| column.filled() > 0 && counts(&column.name) == Some(asked))
    }

    pub(crate) fn source(&self, variable: &str) -> Option<Source> {
        // The loss as a variable (B_crit of loss) is the column that other laws predict.
        let variable = if variable == "L" { "loss" } else { variable };
        let named = || {
            let column = self.table.columns().iter().find(|column| column.name == variable)?;
            (column.filled() > 0).then(|| Source::column(variable))
        };
        if let Some(source) = self.direct(variable).or_else(named) {
            return Some(source);
        }
        let rule = RULES.iter().find(|rule| rule.variable == variable)?;
        let [a, b] = rule.inputs.map(|input| self.direct(input));
        Some(Source::Derived { rule, inputs: Box::new([a?, b?]) })
    }

    /// A column that has the variable's name and holds nothing: it says best why there are no points.
    fn empty_source(&self, variable: &str) -> Option<Source> {
        let variable = if variable == "L" { "loss" } else { variable };
        let role = Role::of(variable)?;
        self.table.candidates(role).first().map(|column| Source::column(&column.name))
    }
}

/// The role that a law's response has.
fn response_symbol(law: &dyn Law) -> &'static str {
    match law.response() {
        Response::Column if law.variables().iter().any(|v| v == "L") => "response",
        Response::Loss | Response::Column => "loss",
        Response::CriticalBatch => "B",
        Response::Steps => "S",
        Response::HyperParameter => "lr",
    }
}

/// Whether a text is more than a name.
fn is_expression(text: &str) -> bool {
    text.contains(['+', '*', '/', '^', '(']) || text.contains(" - ")
}

pub(crate) fn no_column(table: &Table, symbol: &str, law: Option<&str>) -> LabError {
    LabError::NoColumn {
        table: table.source.clone(),
        symbol: symbol.to_string(),
        law: law.map(String::from),
        columns: table.names(),
    }
}
