//! Anybody's table: typed columns, whatever is unusable named by row and column.

use crate::column::{Column, Fault, Values};
use crate::error::TableError;
use crate::format::{self, Format};
use crate::names::{Counts, Role, counts, normalised};
use scalelaw_core::DataConvention;
use scalelaw_expr::{Expr, Value, parse};
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

/// What the rows that are used must have: a value of something that is read from these columns.
#[derive(Clone, Debug)]
pub struct Need<'a> {
    /// The columns, whose cells must all hold something.
    pub columns: Vec<&'a str>,
    /// The value of each row; its columns' own numbers, or computed from them.
    pub values: &'a [f64],
    /// Whether only values above 0 have a meaning.
    pub positive: bool,
}

impl Table {
    /// Reads a table; its name says the format and compression.
    ///
    /// # Errors
    /// The file cannot be read as what its name says. Single bad cells are not an error: see [`Table::usable`].
    pub fn load(path: &Path) -> Result<Self, TableError> {
        let (format, bytes) = format::bytes(path)?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let columns = match format {
            Format::Csv { delimiter } => crate::columns::from_csv(path, &bytes, delimiter)?,
            Format::Json => crate::columns::from_rows(path, &format::json::read(path, &bytes)?)?,
            Format::Jsonl => crate::columns::from_rows(path, &format::jsonl::read(path, &bytes)?)?,
            Format::Parquet => crate::columns::from_rows(path, &format::parquet::read(path, bytes)?)?,
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

    /// The columns that hold `role` by a commonly used name, the one most likely meant first: by the order of
    /// [`Role::names`], those last that are half empty beside another. In a run table of ours, `loss` comes first.
    pub fn candidates(&self, role: Role) -> Vec<&Column> {
        let ours = role == Role::Loss && self.is_run_table();
        let mut named: Vec<(bool, usize, &Column)> = self
            .columns
            .iter()
            .filter_map(|c| role.named(&c.header).map(|(place, _)| (c, place)))
            .map(|(c, place)| (false, if ours && c.name == "loss" { 0 } else { place + 1 }, c))
            .collect();
        // A column of words is no count.
        let words = matches!(role, Role::Run | Role::Trunk | Role::Status);
        let filled = |c: &Column| if words || c.numbers().is_some() { c.filled() } else { 0 };
        let fullest = named.iter().map(|(.., c)| filled(c)).max().unwrap_or(0);
        for (sparse, _, column) in &mut named {
            *sparse = 2 * filled(column) < fullest;
        }
        named.sort_by_key(|(sparse, place, _)| (*sparse, *place));
        named.into_iter().map(|(.., column)| column).collect()
    }

    /// The column that holds `role` by a commonly used name, if one holds anything: the first of
    /// [`Table::candidates`].
    pub fn recognise(&self, role: Role) -> Option<&Column> {
        self.candidates(role).into_iter().next().filter(|column| column.filled() > 0)
    }

    /// Whether this looks like a run table that scalelaw wrote.
    pub fn is_run_table(&self) -> bool {
        let has = |name: &str| self.columns.iter().any(|c| c.name == name);
        has("run_id")
            && has("loss")
            && ["n_nonembed", "flops_6n", "batch_tokens", "loss_min"].into_iter().any(has)
    }

    /// Another column under the header of the column called `name` that holds something else.
    pub fn twin(&self, name: &str) -> Option<&Column> {
        let column = self.column(name).ok()?;
        self.columns.iter().find(|c| c.header == column.header && c.name != column.name && !c.equals(column))
    }

    /// The rows for which `expression` is true.
    ///
    /// # Errors
    /// [`TableError::Filter`] when it is no expression, and [`TableError::NoColumn`] for an unknown name.
    pub fn select(&self, expression: &str) -> Result<Self, TableError> {
        let (parsed, columns) = self.expression(expression)?;
        let wrong = |error| TableError::FilterKinds { expression: expression.to_string(), error };
        let mut keep = Vec::with_capacity(self.len());
        for i in 0..self.len() {
            let value = parsed.eval(&|name| cell(&columns, name, i)).map_err(wrong)?;
            let truth = value.truth().filter(|_| value != Value::Text(""));
            match truth {
                Some(true) => keep.push(i),
                Some(false) => {}
                None if value == Value::Text("") => {}
                None => return Err(TableError::NoCondition { expression: expression.to_string() }),
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

    /// The value of an arithmetic expression over columns in every row, NaN where one of its cells has none.
    ///
    /// # Errors
    /// It is no expression, names a column that there is not, or computes with texts.
    pub fn computed(&self, expression: &str) -> Result<Vec<f64>, TableError> {
        let (parsed, columns) = self.expression(expression)?;
        let wrong = |error| TableError::FilterKinds { expression: expression.to_string(), error };
        let no_number = || TableError::NoNumber { expression: expression.to_string() };
        (0..self.len())
            .map(|i| match parsed.eval(&|name| cell(&columns, name, i)).map_err(wrong)? {
                Value::Number(x) => Ok(x),
                _ => Err(no_number()),
            })
            .collect()
    }

    /// The columns that an expression names, in order of first appearance.
    ///
    /// # Errors
    /// As [`Table::computed`].
    pub fn columns_of(&self, expression: &str) -> Result<Vec<String>, TableError> {
        let (_, columns) = self.expression(expression)?;
        Ok(columns.into_iter().map(|(_, column)| column.name.clone()).collect())
    }

    /// An expression and its columns by the names it has for them.
    fn expression(&self, text: &str) -> Result<(Expr, Named<'_>), TableError> {
        let parsed =
            parse(text).map_err(|error| self.unquoted(text).unwrap_or(TableError::Filter { error }))?;
        let columns =
            parsed.names().into_iter().map(|n| self.column(&n).map(|c| (n, c))).collect::<Result<_, _>>();
        let columns = columns.map_err(|error| self.unquoted(text).unwrap_or(error))?;
        Ok((parsed, columns))
    }

    /// The error of an expression that has a column's name without the back quotes that this name needs.
    fn unquoted(&self, expression: &str) -> Option<TableError> {
        let bare = |name: &str| parse(name).is_ok_and(|e| e == Expr::Name(name.to_string()));
        let column =
            self.columns.iter().map(|c| &c.name).find(|name| !bare(name) && expression.contains(*name))?;
        let (expression, column) = (expression.to_string(), column.clone());
        Some(TableError::Unquoted { expression, column })
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
            let unique = counts(&c.name) == Some(Counts::Data(DataConvention::Unique));
            !unique
                && [Role::D, Role::C, Role::S, Role::Loss, Role::LossError]
                    .iter()
                    .any(|role| role.named(&c.name).is_some())
        };
        let new = runs.columns.iter().filter(|c| {
            !along(c) && c.name != theirs.name && self.columns.iter().all(|mine| mine.name != c.name)
        });
        joined.columns.extend(new.map(|c| c.rows_at(&rows)));
        Ok(joined)
    }

    /// The rows at these indices.
    pub fn rows_at(&self, keep: &[usize]) -> Self {
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
        let mut needs = Vec::new();
        for name in used {
            let values = self.column(name)?.numbers().unwrap_or_default();
            needs.push(Need { columns: vec![name], values, positive: true });
        }
        let (keep, problems) = self.sift(&needs)?;
        Ok((if keep.len() == self.len() { self.clone() } else { self.rows_at(&keep) }, problems))
    }

    /// The indices of the rows that have what is needed, and what is wrong with each of the others. Rows that repeat
    /// an earlier one in every column are set aside too.
    ///
    /// # Errors
    /// A column does not exist, or no row is left.
    pub fn sift(&self, needs: &[Need<'_>]) -> Result<(Vec<usize>, Vec<Problem>), TableError> {
        let mut columns: Vec<Vec<&Column>> = Vec::new();
        for need in needs {
            columns.push(need.columns.iter().map(|n| self.column(n)).collect::<Result<_, _>>()?);
        }
        let mut problems = Vec::new();
        let mut keep = Vec::with_capacity(self.len());
        let first_alike = self.first_alike();
        for i in 0..self.len() {
            if let Some(&first) = first_alike.get(&i)
                && self.columns.iter().all(|c| c.same(first, i))
            {
                let fault = Fault::Duplicate { of: self.rows[first] };
                problems.push(Problem { row: self.rows[i], column: String::new(), fault });
                continue;
            }
            let before = problems.len();
            for (need, columns) in needs.iter().zip(&columns) {
                let mut said: Vec<Problem> = Vec::new();
                for column in columns {
                    let fault = column.fault(i);
                    said.extend(fault.map(|fault| Problem {
                        row: self.rows[i],
                        column: column.name.clone(),
                        fault,
                    }));
                }
                if let Some(x) = need.values.get(i).filter(|_| said.is_empty()) {
                    let fault = match x {
                        x if x.is_nan() => Some(Fault::NotANumber),
                        x if x.is_infinite() => Some(Fault::Infinite),
                        x if need.positive && *x <= 0.0 => Some(Fault::NotPositive(*x)),
                        _ => None,
                    };
                    let column = need.columns.join(", ");
                    said.extend(fault.map(|fault| Problem { row: self.rows[i], column, fault }));
                }
                said.retain(|problem| !problems[before..].contains(problem));
                problems.extend(said);
            }
            if problems.len() == before {
                keep.push(i);
            }
        }
        if keep.is_empty() {
            let mut used: Vec<String> =
                needs.iter().flat_map(|need| &need.columns).map(ToString::to_string).collect();
            used.dedup();
            let first = problems.into_iter().next().map(Box::new);
            return Err(TableError::NoneUsable {
                source_name: self.source.clone(),
                of: self.len(),
                used,
                first,
            });
        }
        Ok((keep, problems))
    }

    /// Of each row whose fingerprint an earlier row has, the first such row.
    fn first_alike(&self) -> HashMap<usize, usize> {
        let mut order: Vec<(u64, usize)> = (0..self.len()).map(|i| (self.fingerprint(i), i)).collect();
        order.sort_unstable();
        let alike = order.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() > 1);
        alike.flat_map(|chunk| chunk[1..].iter().map(|(_, i)| (*i, chunk[0].1))).collect()
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

/// A column's name as an expression has it: in back quotes where it is more than one word.
pub fn quoted(column: &str) -> String {
    Expr::Name(column.to_string()).to_string()
}

/// Columns by the names that an expression has for them.
type Named<'a> = Vec<(String, &'a Column)>;

/// Cell `i` of the column that an expression calls `name`.
fn cell<'a>(columns: &[(String, &'a Column)], name: &str, i: usize) -> Value<'a> {
    columns.iter().find(|(n, _)| n == name).map_or(Value::Number(f64::NAN), |(_, column)| column.value(i))
}
