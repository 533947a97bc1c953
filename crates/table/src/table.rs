//! Anybody's table: typed columns, whatever is unusable named by row and column.

use crate::cell::Cell;
use crate::error::TableError;
use crate::format::{self, Format};
use crate::names::{Counts, Role, counts, normalised};
use scalelaw_core::DataConvention;
use scalelaw_core::number;
use scalelaw_expr::{Value, parse};
use std::collections::HashMap;
use std::path::Path;

/// Columns of a table, in file order.
#[derive(Clone, Debug)]
pub struct Table {
    /// File name.
    pub source: String,
    /// BLAKE3 of the (decompressed) bytes.
    pub digest: String,
    columns: Vec<Column>,
    /// Row of the file of each row kept, the first data row being 1.
    rows: Vec<u64>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name in the file.
    pub name: String,
    /// Values.
    pub values: Values,
    /// Cells that are not what the column holds, by index of the row.
    oddities: HashMap<usize, Fault>,
}

/// Values of a column.
#[derive(Clone, Debug)]
pub enum Values {
    /// Numbers; NaN where missing or unreadable.
    Numbers(Vec<f64>),
    /// Texts as indices into the distinct words; `u32::MAX` where missing.
    Texts {
        /// Index of each row's word.
        codes: Vec<u32>,
        /// Distinct words in order of appearance.
        words: Vec<String>,
    },
}

/// Why a cell is unusable.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Nothing there.
    Missing,
    /// Not a number.
    Unreadable(String),
    /// NaN.
    NotANumber,
    /// Infinite.
    Infinite,
    /// Zero or below where only positive values have a meaning.
    NotPositive(f64),
    /// The whole row is the same as an earlier one.
    Duplicate {
        /// That earlier row.
        of: u64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Unreadable(text) => write!(f, "{text:?} is not a number"),
            Self::NotANumber => f.write_str("NaN"),
            Self::Infinite => f.write_str("infinite"),
            Self::NotPositive(x) => write!(f, "{x} is not positive"),
            Self::Duplicate { of } => write!(f, "the same as row {of} in every column"),
        }
    }
}

/// A cell that was not used.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Row of the file, the first data row being 1.
    pub row: u64,
    /// Column; empty when the whole row is meant.
    pub column: String,
    /// What is wrong.
    pub fault: Fault,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.column.is_empty() {
            write!(f, "row {}: {}", self.row, self.fault)
        } else {
            write!(f, "row {}, column {}: {}", self.row, self.column, self.fault)
        }
    }
}

impl Table {
    /// Reads a table; its name says the format and compression.
    ///
    /// # Errors
    /// The file cannot be read as what its name says. Single bad cells are not an error: see [`Table::usable`].
    pub fn load(path: &Path) -> Result<Self, TableError> {
        let (format, compression) = Format::of(path)?;
        let bytes = scalelaw_files::read(path, compression)?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let columns = match format {
            Format::Csv { delimiter } => crate::columns::from_csv(path, &bytes, delimiter)?,
            Format::Jsonl => crate::columns::from_rows(&format::jsonl::read(path, &bytes)?),
            Format::Parquet => crate::columns::from_rows(&format::parquet::read(path, bytes)?),
        };
        let source = path.display().to_string();
        let n = columns.first().map_or(0, Column::len);
        if n == 0 {
            return Err(TableError::Empty { source_name: source });
        }
        Ok(Self { source, digest, columns, rows: (1..=n as u64).collect() })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Names of the columns.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.name.clone()).collect()
    }

    /// Row of the file that row `i` is, the first data row being 1.
    pub fn row(&self, i: usize) -> u64 {
        self.rows[i]
    }

    /// The column called `name`: exactly, or without regard to case and punctuation.
    ///
    /// # Errors
    /// [`TableError::NoColumn`] lists the columns there are.
    pub fn column(&self, name: &str) -> Result<&Column, TableError> {
        self.columns
            .iter()
            .find(|c| c.name == name)
            .or_else(|| self.columns.iter().find(|c| normalised(&c.name) == normalised(name)))
            .ok_or_else(|| TableError::NoColumn {
                source_name: self.source.clone(),
                column: name.to_string(),
                columns: self.names(),
            })
    }

    /// The numbers of the column called `name`, as [`Table::column`] finds it; NaN where a cell is not usable.
    ///
    /// # Errors
    /// There is no such column, or it holds texts.
    pub fn numbers(&self, name: &str) -> Result<&[f64], TableError> {
        let column = self.column(name)?;
        column.numbers().ok_or_else(|| TableError::Texts {
            source_name: self.source.clone(),
            column: column.name.clone(),
        })
    }

    /// The column that holds `role` by a commonly used name, if any: the first such name in [`Role::names`].
    pub fn recognise(&self, role: Role) -> Option<&Column> {
        role.names().iter().find_map(|name| self.columns.iter().find(|c| normalised(&c.name) == *name))
    }

    /// The rows for which `expression` is true.
    ///
    /// # Errors
    /// [`TableError::Filter`] when it is no expression, and [`TableError::NoColumn`] for an unknown name.
    pub fn select(&self, expression: &str) -> Result<Self, TableError> {
        let parsed = parse(expression).map_err(|error| TableError::Filter { error })?;
        let wrong = |error| TableError::FilterKinds { expression: expression.to_string(), error };
        let columns: Vec<(String, &Column)> =
            parsed.names().into_iter().map(|n| self.column(&n).map(|c| (n, c))).collect::<Result<_, _>>()?;
        let mut keep = Vec::with_capacity(self.len());
        for i in 0..self.len() {
            let name = |name: &str| {
                columns.iter().find(|(n, _)| n == name).map_or(Value::Number(f64::NAN), |(_, c)| c.value(i))
            };
            match parsed.eval(&name).map_err(wrong)? {
                Value::Truth(true) => keep.push(i),
                Value::Truth(false) => {}
                _ => return Err(TableError::NoCondition { expression: expression.to_string() }),
            }
        }
        if keep.is_empty() {
            let held: Vec<String> =
                columns.iter().map(|(n, c)| format!("{n} holds {}", c.summary())).collect();
            return Err(TableError::NoneSelected {
                source_name: self.source.clone(),
                expression: expression.to_string(),
                of: self.len(),
                held,
            });
        }
        Ok(self.rows_at(&keep))
    }

    /// The same rows of curves with the columns of `runs` that they lack, each row taking those of its run: column
    /// `by` here is column `runs_by` there. What changes along a curve (tokens, FLOPs, steps, loss) is not taken:
    /// there it is the value at the run's end.
    ///
    /// # Errors
    /// A column does not exist, or a row's run is not in `runs`.
    pub fn joined(&self, by: &str, runs: &Self, runs_by: &str) -> Result<Self, TableError> {
        let (mine, theirs) = (self.column(by)?, runs.column(runs_by)?);
        let of_run: HashMap<String, usize> = (0..runs.len()).rev().map(|i| (theirs.text(i), i)).collect();
        let rows = (0..self.len())
            .map(|i| {
                let run = mine.text(i);
                of_run.get(&run).copied().ok_or_else(|| TableError::NoRun {
                    source_name: self.source.clone(),
                    row: self.rows[i],
                    run,
                    runs: runs.source.clone(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut joined = self.clone();
        let along = |c: &Column| {
            let name = normalised(&c.name);
            let unique = counts(&c.name) == Some(Counts::Data(DataConvention::Unique));
            !unique
                && [Role::D, Role::C, Role::S, Role::Loss, Role::LossError]
                    .iter()
                    .any(|role| role.names().contains(&name.as_str()))
        };
        let new = runs.columns.iter().filter(|c| {
            !along(c) && c.name != theirs.name && self.columns.iter().all(|mine| mine.name != c.name)
        });
        joined.columns.extend(new.map(|c| c.rows_at(&rows)));
        Ok(joined)
    }

    fn rows_at(&self, keep: &[usize]) -> Self {
        Self {
            source: self.source.clone(),
            digest: self.digest.clone(),
            columns: self.columns.iter().map(|c| c.rows_at(keep)).collect(),
            rows: keep.iter().map(|i| self.rows[*i]).collect(),
        }
    }

    /// The rows whose cells in all of `used` are positive numbers (texts need only be present), and what is
    /// wrong with each of the others. Rows that repeat an earlier one in every column are set aside too.
    ///
    /// # Errors
    /// A column of `used` does not exist, or no row is left.
    pub fn usable(&self, used: &[&str]) -> Result<(Self, Vec<Problem>), TableError> {
        let columns: Vec<&Column> = used.iter().map(|n| self.column(n)).collect::<Result<_, _>>()?;
        let mut problems = Vec::new();
        let mut keep = Vec::with_capacity(self.len());
        let mut seen: HashMap<u64, usize> = HashMap::with_capacity(self.len());
        for i in 0..self.len() {
            let first = *seen.entry(self.fingerprint(i)).or_insert(i);
            if first != i && self.columns.iter().all(|c| c.same(first, i)) {
                let fault = Fault::Duplicate { of: self.rows[first] };
                problems.push(Problem { row: self.rows[i], column: String::new(), fault });
                continue;
            }
            let before = problems.len();
            for column in &columns {
                if let Some(fault) = column.fault(i) {
                    problems.push(Problem { row: self.rows[i], column: column.name.clone(), fault });
                }
            }
            if problems.len() == before {
                keep.push(i);
            }
        }
        if keep.is_empty() {
            return Err(TableError::NoneUsable {
                source_name: self.source.clone(),
                of: self.len(),
                used: used.iter().map(ToString::to_string).collect(),
                first: problems.into_iter().next().map(Box::new),
            });
        }
        let table = if keep.len() == self.len() { self.clone() } else { self.rows_at(&keep) };
        Ok((table, problems))
    }

    /// A hash of the whole row (FNV-1a over the cells' bits).
    fn fingerprint(&self, i: usize) -> u64 {
        self.columns.iter().fold(0xcbf2_9ce4_8422_2325, |hash, column| {
            let bits = match &column.values {
                Values::Numbers(v) => v[i].to_bits(),
                Values::Texts { codes, .. } => u64::from(codes[i]),
            };
            (hash ^ bits).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
        })
    }
}

impl Column {
    pub(crate) fn new(name: String, values: Values, oddities: HashMap<usize, Fault>) -> Self {
        Self { name, values, oddities }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(v) => v.len(),
            Values::Texts { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, when the column holds numbers.
    pub fn numbers(&self) -> Option<&[f64]> {
        match &self.values {
            Values::Numbers(v) => Some(v),
            Values::Texts { .. } => None,
        }
    }

    /// What the column holds, in a few words: its range, or its first words.
    fn summary(&self) -> String {
        const MOST_WORDS: usize = 6;
        match &self.values {
            Values::Numbers(v) => {
                let known = || v.iter().copied().filter(|x| !x.is_nan());
                match (known().min_by(f64::total_cmp), known().max_by(f64::total_cmp)) {
                    (Some(lo), Some(hi)) => format!("{lo} to {hi}"),
                    _ => "no number".into(),
                }
            }
            Values::Texts { words, .. } => {
                let first: Vec<String> = words.iter().take(MOST_WORDS).map(|w| format!("{w:?}")).collect();
                let more = if words.len() > MOST_WORDS { ", …" } else { "" };
                format!("{}{more}", first.join(", "))
            }
        }
    }

    /// Cell `i` as text, for labels and messages; empty where it is missing.
    pub fn text(&self, i: usize) -> String {
        match &self.values {
            Values::Numbers(v) if v[i].is_nan() => String::new(),
            Values::Numbers(v) => v[i].to_string(),
            Values::Texts { codes, words } => words.get(codes[i] as usize).cloned().unwrap_or_default(),
        }
    }

    /// A number for each row that is the same exactly where the cell is the same, counted from 0.
    pub fn groups(&self) -> Vec<u32> {
        let mut index: HashMap<u64, u32> = HashMap::new();
        let mut group = |bits: u64| {
            let next = index.len() as u32;
            *index.entry(bits).or_insert(next)
        };
        match &self.values {
            Values::Numbers(v) => v.iter().map(|x| group(x.to_bits())).collect(),
            Values::Texts { codes, .. } => codes.iter().map(|c| group(u64::from(*c))).collect(),
        }
    }

    fn value(&self, i: usize) -> Value<'_> {
        match &self.values {
            Values::Numbers(v) => Value::Number(v[i]),
            Values::Texts { codes, words } => {
                Value::Text(words.get(codes[i] as usize).map_or("", String::as_str))
            }
        }
    }

    fn same(&self, i: usize, j: usize) -> bool {
        match &self.values {
            Values::Numbers(v) => {
                v[i].to_bits() == v[j].to_bits() && self.oddities.get(&i) == self.oddities.get(&j)
            }
            Values::Texts { codes, .. } => codes[i] == codes[j],
        }
    }

    /// What keeps cell `i` from being used, if anything.
    fn fault(&self, i: usize) -> Option<Fault> {
        match &self.values {
            Values::Numbers(v) if v[i] > 0.0 && v[i].is_finite() => None,
            Values::Numbers(v) => Some(match self.oddities.get(&i) {
                Some(fault) => fault.clone(),
                None if v[i].is_nan() => Fault::NotANumber,
                None if v[i].is_infinite() => Fault::Infinite,
                None => Fault::NotPositive(v[i]),
            }),
            Values::Texts { codes, words } => {
                words.get(codes[i] as usize).is_none().then_some(Fault::Missing)
            }
        }
    }

    fn rows_at(&self, keep: &[usize]) -> Self {
        let values = match &self.values {
            Values::Numbers(v) => Values::Numbers(keep.iter().map(|i| v[*i]).collect()),
            Values::Texts { codes, words } => {
                Values::Texts { codes: keep.iter().map(|i| codes[*i]).collect(), words: words.clone() }
            }
        };
        let oddities = if self.oddities.is_empty() {
            HashMap::new()
        } else {
            keep.iter()
                .enumerate()
                .filter_map(|(new, old)| Some((new, self.oddities.get(old)?.clone())))
                .collect()
        };
        Self { name: self.name.clone(), values, oddities }
    }
}

/// A number as people write it, or why it is none.
pub(crate) fn read_number(text: &str) -> Result<f64, Fault> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(x) if x.is_nan() => Err(Fault::NotANumber),
        Ok(x) => Ok(x),
        Err(_) if is_missing(text) => Err(Fault::Missing),
        Err(_) => number::parse(text).map_err(|_| Fault::Unreadable(text.to_string())),
    }
}

/// Whether a text stands for "nothing".
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "N/A" | "na" | "null" | "None" | "none" | "-" | "—")
}

/// The cell as a number, or why it is none.
pub(crate) fn cell_number(cell: &Cell) -> Result<f64, Fault> {
    match cell {
        Cell::Missing => Err(Fault::Missing),
        Cell::Integer(i) => Ok(*i as f64),
        Cell::Number(x) if x.is_nan() => Err(Fault::NotANumber),
        Cell::Number(x) => Ok(*x),
        Cell::Text(t) => read_number(t),
    }
}
