//! From anybody's table to the points that a law is fitted to.
//!
//! A [`TableRequest`] says which table and how to read it. [`Observations::open`] loads it and selects rows;
//! [`Observations::points`] finds the columns of a law's variables, drops the rows that it cannot use, and returns a
//! [`Dataset`] together with a [`Reading`]: the facts about how the table was read.

use crate::error::LabError;
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_fit::laws::{self, Expression};
use scalelaw_fit::{Dataset, Law, Response};
use scalelaw_table::{Counts, Problem, Role, Table, counts};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which table, and how to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRequest {
    /// The table: finished runs, or learning curves.
    pub path: PathBuf,
    /// A run table whose columns the rows take over by run, when `path` holds curves without sizes.
    pub runs: Option<PathBuf>,
    /// Columns by the law's variable (`N`), or by `loss`, `response`, `run`, `trunk` or `weight`. Names that people
    /// commonly use need no entry.
    pub map: Vec<(String, String)>,
    /// An expression over columns; rows for which it is false are left out.
    pub filter: Option<String>,
    /// What N counts, when its column's name does not say it.
    pub params: Option<ParamConvention>,
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

/// A variable that can be computed from others.
#[derive(Debug)]
pub struct Rule {
    /// The variable.
    pub variable: &'static str,
    /// How it is computed, e.g. `D = C/(6N)`.
    pub equation: &'static str,
    /// The variables it is computed from.
    pub inputs: [&'static str; 2],
    pub(crate) value: fn(f64, f64) -> f64,
}

/// Variables that have no column of their own in many tables.
pub(crate) const RULES: [Rule; 5] = [
    Rule { variable: "D", equation: "D = C/(6N)", inputs: ["C", "N"], value: |c, n| c / (6.0 * n) },
    Rule { variable: "C", equation: "C = 6ND", inputs: ["N", "D"], value: |n, d| 6.0 * n * d },
    Rule { variable: "N", equation: "N = C/(6D)", inputs: ["C", "D"], value: |c, d| c / (6.0 * d) },
    Rule { variable: "M", equation: "M = D/N", inputs: ["D", "N"], value: |d, n| d / n },
    Rule { variable: "S", equation: "S = D/B", inputs: ["D", "B"], value: |d, b| d / b },
];

/// Where the values of a variable come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A column of the table.
    Column(String),
    /// Two columns, by a rule.
    Derived {
        /// The rule.
        rule: &'static Rule,
        /// Columns of the rule's inputs, in their order.
        columns: [String; 2],
    },
}

impl Source {
    /// The columns that are read.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Column(column) => std::slice::from_ref(column),
            Self::Derived { columns, .. } => columns,
        }
    }

    /// A value for each row of `table`.
    pub(crate) fn values(&self, table: &Table) -> Result<Vec<f64>, LabError> {
        Ok(match self {
            Self::Column(column) => table.numbers(column)?.to_vec(),
            Self::Derived { rule, columns: [a, b] } => {
                let pairs = table.numbers(a)?.iter().zip(table.numbers(b)?);
                pairs.map(|(a, b)| (rule.value)(*a, *b)).collect()
            }
        })
    }
}

/// A variable and where its values come from.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The law's variable, `loss`, `response` or `weight`.
    pub variable: String,
    /// Its column, or those it is computed from.
    pub source: Source,
}

/// How a table was read for a law.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The table.
    pub table: String,
    /// What a filter kept.
    pub selected: Option<Selected>,
    /// The response, the law's variables in its order, and the weight if there is one.
    pub assigned: Vec<Assigned>,
    /// The column by which runs that share a trunk are resampled together.
    pub trunk: Option<String>,
    /// What N, C and D count. `None` when the law has an N whose column's name does not say it.
    pub conventions: Option<Conventions>,
    /// Rows used.
    pub n_points: usize,
    /// Cells that could not be used; their rows are left out.
    pub problems: Vec<Problem>,
}

/// The points for one law.
#[derive(Clone, Debug)]
pub struct Points {
    /// The points.
    pub dataset: Dataset,
    /// The rows that they come from.
    pub table: Table,
    /// How they were read.
    pub reading: Reading,
}

impl Points {
    /// The values of one of the law's variables.
    ///
    /// # Errors
    /// The law has no such variable.
    pub fn variable(&self, symbol: &str) -> Result<&[f64], LabError> {
        self.dataset.column(symbol).ok_or_else(|| no_column(&self.table, symbol, None))
    }
}

/// A table with its rows selected and the user's columns assigned.
#[derive(Clone, Debug)]
pub struct Observations {
    /// Rows selected.
    pub table: Table,
    map: BTreeMap<String, String>,
    params: Option<ParamConvention>,
    selected: Option<Selected>,
}

impl Observations {
    /// Loads the table, joins the runs to curves, selects rows and checks the assigned columns.
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
        let mut selected = None;
        if let Some(filter) = &request.filter {
            let of = table.len();
            table = table.select(filter)?;
            selected = Some(Selected { filter: filter.clone(), kept: table.len(), of });
        }
        let mut observations = Self { table, map: BTreeMap::new(), params: request.params, selected };
        for (symbol, column) in &request.map {
            observations.assign(symbol, column)?;
        }
        Ok(observations)
    }

    /// Makes `column` the one of `symbol`.
    ///
    /// # Errors
    /// There is no such column.
    pub fn assign(&mut self, symbol: &str, column: &str) -> Result<(), LabError> {
        let column = self.table.column(column)?.name.clone();
        let symbol = if matches!(symbol, "y" | "L") { "loss" } else { symbol };
        self.map.insert(symbol.to_string(), column);
        Ok(())
    }

    /// The column of a role: assigned, else recognised by its name.
    pub fn column_for(&self, symbol: &str) -> Option<String> {
        let recognised = || Role::of(symbol).and_then(|role| self.table.recognise(role));
        self.map.get(symbol).cloned().or_else(|| recognised().map(|column| column.name.clone()))
    }

    /// The column of a role that the request cannot do without.
    ///
    /// # Errors
    /// None is assigned, and none is recognised.
    pub fn needed(&self, symbol: &str) -> Result<String, LabError> {
        self.column_for(symbol).ok_or_else(|| no_column(&self.table, symbol, None))
    }

    /// Whether every variable of `law` and its loss can be had from this table.
    pub fn serves(&self, law: &dyn Law) -> bool {
        law.response() == Response::Loss
            && self.column_for("loss").is_some()
            && law.variables().iter().all(|v| self.source(v).is_some())
    }

    /// A law by its name, or an expression over the table's columns whose other names are parameters.
    ///
    /// # Errors
    /// No law has the name, or the expression cannot be understood.
    pub fn law(&self, name: &str, bounds: &[(String, f64, f64)]) -> Result<Box<dyn Law>, LabError> {
        if !name.contains(['+', '*', '/', '^', '(', ' ']) {
            return Ok(laws::by_name(name)?);
        }
        let names = self.table.names();
        let roles = ["N", "D", "C", "S", "B", "U", "T"].into_iter().filter(|v| self.column_for(v).is_some());
        let columns: Vec<&str> = names.iter().map(String::as_str).chain(roles).collect();
        Ok(Box::new(Expression::new(name, &columns, bounds)?))
    }

    /// The points for `law`: rows whose every used cell is a positive number.
    ///
    /// # Errors
    /// A variable has no column, or no row is usable.
    pub fn points(&self, law: &dyn Law) -> Result<Points, LabError> {
        let response = self.response(law)?;
        let variable = |variable: &Cow<'static, str>| {
            let source = self.source(variable);
            let source = source.ok_or_else(|| no_column(&self.table, variable, Some(law.name())))?;
            Ok(Assigned { variable: variable.to_string(), source })
        };
        let variables = law.variables().iter().map(variable).collect::<Result<Vec<_>, LabError>>()?;
        let weight = self
            .map
            .get("weight")
            .map(|column| Assigned { variable: "weight".into(), source: Source::Column(column.clone()) });
        let assigned: Vec<Assigned> =
            std::iter::once(&response).chain(&variables).chain(&weight).cloned().collect();
        let mut used: Vec<&str> =
            assigned.iter().flat_map(|a| a.source.columns()).map(String::as_str).collect();
        used.dedup();
        let (table, problems) = self.table.usable(&used)?;

        let mut dataset = Dataset::new(response.source.values(&table)?);
        for assigned in &variables {
            dataset = dataset.with(&assigned.variable, assigned.source.values(&table)?);
        }
        if let Some(weight) = &weight {
            dataset = dataset.weighted(weight.source.values(&table)?);
        }
        let trunk = self.column_for("trunk").filter(|_| self.column_for("run").is_some());
        if let Some(groups) = self.groups(&table, trunk.as_deref())? {
            dataset = dataset.grouped(groups);
        }
        dataset.digest = Some(table.digest.clone());
        dataset.conventions = self.conventions(&variables);
        let reading = Reading {
            table: table.source.clone(),
            selected: self.selected.clone(),
            trunk,
            conventions: dataset.conventions,
            n_points: dataset.len(),
            assigned,
            problems,
        };
        Ok(Points { dataset, table, reading })
    }

    /// The values of a variable in rows that were chosen for a law without it, if every one of them is usable.
    pub(crate) fn also(&self, variable: &str, table: &Table) -> Option<Vec<f64>> {
        let values = self.source(variable)?.values(table).ok()?;
        values.iter().all(|v| v.is_finite() && *v > 0.0).then_some(values)
    }

    pub(crate) fn source(&self, variable: &str) -> Option<Source> {
        // The loss as a variable (B_crit of loss) is the column that other laws predict.
        let variable = if variable == "L" { "loss" } else { variable };
        if let Some(column) = self.column_for(variable) {
            return Some(Source::Column(column));
        }
        if self.table.columns().iter().any(|column| column.name == variable) {
            return Some(Source::Column(variable.to_string()));
        }
        let rule = RULES.iter().find(|rule| rule.variable == variable)?;
        let [a, b] = rule.inputs.map(|input| self.column_for(input));
        Some(Source::Derived { rule, columns: [a?, b?] })
    }

    fn response(&self, law: &dyn Law) -> Result<Assigned, LabError> {
        // A law whose variable is the loss (another test set's loss by this one's) has its response assigned.
        let of_loss = law.variables().iter().any(|v| v == "L");
        let symbol = match law.response() {
            Response::Column if of_loss => "response",
            Response::Loss | Response::Column => "loss",
            Response::CriticalBatch => "B",
            Response::Steps => "S",
            Response::HyperParameter => "lr",
        };
        let column = self.map.get("loss").filter(|_| !of_loss).or_else(|| self.map.get("response")).cloned();
        let column = column.or_else(|| self.column_for(symbol));
        let column = column.ok_or_else(|| no_column(&self.table, symbol, Some(law.name())))?;
        let variable = if law.response() == Response::Loss { "loss" } else { "response" };
        Ok(Assigned { variable: variable.into(), source: Source::Column(column) })
    }

    /// Rows of one run have one number, and so have the runs that branched from one trunk.
    fn groups(&self, table: &Table, trunk: Option<&str>) -> Result<Option<Vec<u32>>, LabError> {
        let Some(run) = self.column_for("run") else { return Ok(None) };
        let runs = table.column(&run)?;
        let Some(trunk) = trunk else { return Ok(Some(runs.groups())) };
        let trunks = table.column(trunk)?;
        let mut index = BTreeMap::new();
        let group = |i: usize| {
            // A run without a trunk is its own.
            let name = Some(trunks.text(i)).filter(|trunk| !trunk.is_empty()).unwrap_or_else(|| runs.text(i));
            let next = index.len() as u32;
            *index.entry(name).or_insert(next)
        };
        Ok(Some((0..table.len()).map(group).collect()))
    }

    /// What the law's variables count, by the names of their columns.
    fn conventions(&self, variables: &[Assigned]) -> Option<Conventions> {
        let (mut params, mut flops, mut data) = (self.params, None, None);
        for count in variables.iter().flat_map(|v| v.source.columns()).filter_map(|c| counts(c)) {
            match count {
                Counts::Params(p) => params = params.or(Some(p)),
                Counts::Flops(f) => flops = Some(f),
                Counts::Data(d) => data = Some(d),
            }
        }
        if params.is_none() && variables.iter().any(|v| v.variable == "N") {
            return None;
        }
        Some(Conventions {
            params: params.unwrap_or(ParamConvention::NonEmbedding),
            flops: flops.unwrap_or(FlopConvention::SixN),
            data: data.unwrap_or(DataConvention::Processed),
        })
    }
}

pub(crate) fn no_column(table: &Table, symbol: &str, law: Option<&str>) -> LabError {
    LabError::NoColumn {
        table: table.source.clone(),
        symbol: symbol.to_string(),
        law: law.map(String::from),
        columns: table.names(),
    }
}
