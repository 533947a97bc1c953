//! From anybody's table to the points a law is fitted to: which column is what, said aloud.

use anyhow::{Context, bail};
use scalelaw_core::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_fit::{Dataset, Law, Response};
use scalelaw_table::{Counts, Problem, Role, Table, counts};
use std::collections::BTreeMap;
use std::path::Path;

/// Which table, and how to read it.
#[derive(clap::Args, Clone, Debug)]
pub struct TableArgs {
    /// Which column is what, e.g. N=parameter_count,loss=val_loss; keys are the law's variables, loss (or y),
    /// run, trunk and weight
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',')]
    pub map: Vec<String>,
    /// Keep only rows for which this is true, e.g. 'tokens > 3e7 and arch == "transformer"'
    #[arg(long = "where", value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// What N counts, when the column's name does not say it
    #[arg(long, value_enum, value_name = "CONVENTION")]
    pub params: Option<ParamArg>,
}

/// [`ParamConvention`] on the command line.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub enum ParamArg {
    /// No embeddings, positions, biases or norms (Kaplan)
    NonEmbedding,
    /// Every trained number (Chinchilla)
    Total,
    /// Non-embedding and the head (Porian)
    Matmul,
}

impl From<ParamArg> for ParamConvention {
    fn from(arg: ParamArg) -> Self {
        match arg {
            ParamArg::NonEmbedding => Self::NonEmbedding,
            ParamArg::Total => Self::Total,
            ParamArg::Matmul => Self::Matmul,
        }
    }
}

/// A table with its columns assigned.
pub struct Observations {
    /// Rows selected.
    pub table: Table,
    map: BTreeMap<String, String>,
    params: Option<ParamConvention>,
    /// What was recognised, derived or left out, for stderr.
    pub said: Vec<String>,
}

/// Points for one law.
pub struct Points {
    /// The data.
    pub dataset: Dataset,
    /// The rows they come from.
    pub table: Table,
    /// Cells that were not used.
    pub problems: Vec<Problem>,
    /// Which column each variable is.
    pub said: Vec<String>,
}

/// Where a variable comes from.
enum Source {
    Column(String),
    /// From others: name of the rule, columns it reads, the rule.
    Derived(&'static str, Vec<String>, fn(&[f64]) -> f64),
}

impl Observations {
    /// Loads and selects.
    ///
    /// # Errors
    /// The file, `--map` or `--where` cannot be used.
    pub fn open(path: &Path, args: &TableArgs) -> anyhow::Result<Self> {
        Self::select(Table::load(path)?, args)
    }

    /// Loads curves whose sizes, batches and the like are in a table of runs.
    ///
    /// # Errors
    /// As [`Self::open`], or a curve's run is not in the table.
    pub fn open_curves(path: &Path, runs: Option<&Path>, args: &TableArgs) -> anyhow::Result<Self> {
        let Some(runs) = runs else { return Self::open(path, args) };
        let (curves, runs) = (Table::load(path)?, Table::load(runs)?);
        let run_of = |table: &Table| {
            table.recognise(Role::of("run").expect("a run is a role")).map(|c| c.name.clone()).with_context(
                || format!("{}: no column is recognised as the run (run_id, run, …)", table.source),
            )
        };
        Self::select(curves.joined(&run_of(&curves)?, &runs, &run_of(&runs)?)?, args)
    }

    fn select(mut table: Table, args: &TableArgs) -> anyhow::Result<Self> {
        let mut said = Vec::new();
        if let Some(filter) = &args.filter {
            let before = table.len();
            table = table.select(filter)?;
            said.push(format!("{} of {before} rows satisfy {filter}", table.len()));
        }
        let mut map = BTreeMap::new();
        for entry in &args.map {
            let (key, column) = entry.split_once('=').with_context(|| {
                format!("--map {entry:?}: expected NAME=COLUMN, such as N=parameter_count")
            })?;
            let found = table.column(column.trim())?.name.clone();
            let key = if matches!(key.trim(), "y" | "L") { "loss" } else { key.trim() };
            map.insert(key.to_string(), found);
        }
        Ok(Self { table, map, params: args.params.map(Into::into), said })
    }

    /// The column for a role: mapped, else recognised.
    pub fn column_for(&self, symbol: &str) -> Option<String> {
        if let Some(column) = self.map.get(symbol) {
            return Some(column.clone());
        }
        Role::of(symbol).and_then(|role| self.table.recognise(role)).map(|c| c.name.clone())
    }

    fn source(&self, variable: &str) -> Option<Source> {
        // The loss as a variable (B_crit of loss) is the column that other laws predict.
        let variable = if variable == "L" { "loss" } else { variable };
        if let Some(column) = self.column_for(variable) {
            return Some(Source::Column(column));
        }
        if self.table.names().iter().any(|n| n == variable) {
            return Some(Source::Column(variable.to_string()));
        }
        let of = |names: &[&str]| names.iter().map(|n| self.column_for(n)).collect::<Option<Vec<_>>>();
        match variable {
            "D" => of(&["C", "N"]).map(|c| Source::Derived("D = C/(6N)", c, |v| v[0] / (6.0 * v[1]))),
            "C" => of(&["N", "D"]).map(|c| Source::Derived("C = 6ND", c, |v| 6.0 * v[0] * v[1])),
            "N" => of(&["C", "D"]).map(|c| Source::Derived("N = C/(6D)", c, |v| v[0] / (6.0 * v[1]))),
            "M" => of(&["D", "N"]).map(|c| Source::Derived("M = D/N", c, |v| v[0] / v[1])),
            "S" => of(&["D", "B"]).map(|c| Source::Derived("S = D/B", c, |v| v[0] / v[1])),
            _ => None,
        }
    }

    fn response(&self, law: &dyn Law) -> anyhow::Result<String> {
        if let Some(column) = self.map.get("loss").filter(|_| law.variables().iter().all(|v| v != "L")) {
            return Ok(column.clone());
        }
        // A law whose variable is the loss (another test set's loss by this one's) has its response named.
        let of_loss = law.variables().iter().any(|v| v == "L");
        let (role, word) = match law.response() {
            Response::Column if of_loss => ("response", "the response"),
            Response::Loss | Response::Column => ("loss", "the loss"),
            Response::CriticalBatch => ("B", "the critical batch size"),
            Response::Steps => ("S", "the steps"),
            Response::HyperParameter => ("lr", "the hyper-parameter"),
        };
        self.map.get("response").cloned().or_else(|| self.column_for(role)).with_context(|| {
            format!(
                "{}: no column is recognised as {word}; name it with --map {role}=COLUMN. Columns: {}",
                self.table.source,
                self.table.names().join(", ")
            )
        })
    }

    /// The points for `law`: rows whose every used cell is a positive number.
    ///
    /// # Errors
    /// A variable has no column, or no row is usable.
    pub fn points(&self, law: &dyn Law) -> anyhow::Result<Points> {
        let response = self.response(law)?;
        let mut sources = Vec::new();
        for variable in law.variables() {
            let Some(source) = self.source(variable) else {
                bail!(
                    "{}: the law {} needs {variable}, and no column is recognised as it; name it with \
                     --map {variable}=COLUMN. Columns: {}",
                    self.table.source,
                    law.name(),
                    self.table.names().join(", ")
                );
            };
            sources.push((variable.to_string(), source));
        }
        let run = self.column_for("run");
        let trunk = self.map.get("trunk").cloned().or_else(|| self.column_for("trunk"));
        let weight = self.map.get("weight").cloned();
        let mut used = vec![response.clone()];
        for (_, source) in &sources {
            match source {
                Source::Column(c) => used.push(c.clone()),
                Source::Derived(_, c, _) => used.extend(c.iter().cloned()),
            }
        }
        used.extend(weight.clone());
        used.dedup();
        let (table, problems) = self.table.usable(&used.iter().map(String::as_str).collect::<Vec<_>>())?;
        let numbers = |name: &str| -> anyhow::Result<&[f64]> {
            let column = table.column(name)?;
            column
                .numbers()
                .with_context(|| format!("{}: column {name} holds text, expected numbers", table.source))
        };
        let mut said = vec![format!(
            "{} = column {response}",
            if law.response() == Response::Loss { "loss" } else { "response" }
        )];
        let mut dataset = Dataset::new(numbers(&response)?.to_vec());
        for (variable, source) in &sources {
            let values = match source {
                Source::Column(column) => {
                    said.push(format!("{variable} = column {column}"));
                    numbers(column)?.to_vec()
                }
                Source::Derived(rule, columns, f) => {
                    said.push(format!("{rule} (columns {})", columns.join(", ")));
                    let inputs = columns.iter().map(|c| numbers(c)).collect::<anyhow::Result<Vec<_>>>()?;
                    (0..table.len()).map(|i| f(&inputs.iter().map(|c| c[i]).collect::<Vec<_>>())).collect()
                }
            };
            dataset = dataset.with(variable, values);
        }
        if let Some(weight) = weight {
            said.push(format!("weight = column {weight}"));
            dataset = dataset.weighted(numbers(&weight)?.to_vec());
        }
        if let Some(run) = run {
            let mut groups = table.column(&run)?.groups();
            if let Some(trunk) = trunk {
                // A branch belongs to its trunk; a run without one is its own.
                let (runs, trunks) = (table.column(&run)?, table.column(&trunk)?);
                let mut index = BTreeMap::new();
                for (i, group) in groups.iter_mut().enumerate() {
                    let name = if trunks.text(i).is_empty() { runs.text(i) } else { trunks.text(i) };
                    let next = index.len() as u32;
                    *group = *index.entry(name).or_insert(next);
                }
                said.push(format!("runs that share a trunk (column {trunk}) are resampled together"));
            }
            dataset = dataset.grouped(groups);
        }
        dataset.digest = Some(table.digest.clone());
        if let Some(conventions) = self.conventions(&sources, &mut said) {
            dataset = dataset.counted(conventions);
        }
        Ok(Points { dataset, table, problems, said })
    }

    fn conventions(&self, sources: &[(String, Source)], said: &mut Vec<String>) -> Option<Conventions> {
        let columns: Vec<&str> = sources
            .iter()
            .flat_map(|(_, s)| match s {
                Source::Column(c) => vec![c.as_str()],
                Source::Derived(_, c, _) => c.iter().map(String::as_str).collect(),
            })
            .collect();
        let (mut params, mut flops, mut data) = (self.params, None, None);
        for count in columns.iter().filter_map(|c| counts(c)) {
            match count {
                Counts::Params(p) => params = params.or(Some(p)),
                Counts::Flops(f) => flops = Some(f),
                Counts::Data(d) => data = Some(d),
            }
        }
        if params.is_none() && sources.iter().any(|(v, _)| v == "N") {
            said.push("what N counts is not known; say it with --params non-embedding|total|matmul".into());
            return None;
        }
        Some(Conventions {
            params: params.unwrap_or(ParamConvention::NonEmbedding),
            flops: flops.unwrap_or(FlopConvention::SixN),
            data: data.unwrap_or(DataConvention::Processed),
        })
    }
}

/// Says on stderr which rows were not used; at most `most` of them one by one.
pub fn say_problems(problems: &[Problem], most: usize) {
    for problem in problems.iter().take(most) {
        eprintln!("not used: {problem}");
    }
    if problems.len() > most {
        eprintln!("not used: {} more cells", problems.len() - most);
    }
}
