//! What can be wrong with a table.

use crate::table::Problem;
use scalelaw_expr::{EvalError, ParseError};
use scalelaw_files::FileError;
use std::path::PathBuf;

/// A table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file could not be opened, read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file's contents are not of the format its name says.
    #[error("{}: not readable as {format}: {message}", path.display())]
    Format {
        /// File.
        path: PathBuf,
        /// Format tried.
        format: &'static str,
        /// What is wrong and where.
        message: String,
    },
    /// A directory where a table is expected.
    #[error("{} is a directory; expected a table", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The name does not say a format.
    #[error("{}: unknown kind of table; expected .csv, .tsv, .json, .jsonl, .ndjson or .parquet, or the first five also .gz or .zst", path.display())]
    UnknownFormat {
        /// File.
        path: PathBuf,
    },
    /// The file's contents are of another format than its name says.
    #[error("{}: expected {format} by its name; it looks like {found}", path.display())]
    LooksLike {
        /// File.
        path: PathBuf,
        /// Format that the name says.
        format: &'static str,
        /// What it looks like.
        found: &'static str,
    },
    /// The file holds more than a table may.
    #[error("{}: more than {} MiB decompressed, the most that a table in this format may have", path.display(), most >> 20)]
    TooLarge {
        /// File.
        path: PathBuf,
        /// Most bytes.
        most: u64,
    },
    /// The table has more cells than are held.
    #[error("{}: {rows} rows of {columns} columns are more than the {most} cells that a table may have", path.display())]
    TooManyCells {
        /// File.
        path: PathBuf,
        /// Its rows.
        rows: u64,
        /// Its columns.
        columns: usize,
        /// Most cells.
        most: u64,
    },
    /// Neither its name nor its contents say that a file is a training log.
    #[error("{}: unknown kind of log: {contents}; expected a TensorBoard event file (…tfevents…), a Hugging Face \
        trainer_state.json, a table with a row a step or nanochat's results.csv (.csv, .tsv, .jsonl, .parquet), or what \
        nanoGPT, llm.c, Megatron, torchtitan, LitGPT or OLMo print, or lines such as \"step 10 | loss 4.2\" (any other \
        name); .gz and .zst of these", path.display())]
    UnknownLog {
        /// File.
        path: PathBuf,
        /// What it looks like.
        contents: crate::import::Contents,
    },
    /// A training log cannot be read as what it looks like.
    #[error("{}: expected {expected}: {message}", path.display())]
    Log {
        /// File.
        path: PathBuf,
        /// What it looks like.
        expected: crate::import::LogKind,
        /// What is wrong.
        message: String,
    },
    /// A log with a row a step has no column of the step.
    #[error(
        "{}: expected {expected}: no column is the step ({}); the columns are: {}",
        path.display(),
        wanted.join(", "),
        columns.join(", ")
    )]
    NoStep {
        /// File.
        path: PathBuf,
        /// What it looks like.
        expected: crate::import::LogKind,
        /// Names that the column may have.
        wanted: Vec<String>,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// A required cell of a typed row is absent or of another type.
    #[error("{}: row {row}, column {column}: expected {expected}, got {got}", path.display())]
    Cell {
        /// File.
        path: PathBuf,
        /// Row of the file, the first data row being 1.
        row: u64,
        /// Column name.
        column: String,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// Writing failed.
    #[error("cannot write the table")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A column was asked for that the table does not have.
    #[error("{source_name}: no column {column:?}; the columns are: {}", columns.join(", "))]
    NoColumn {
        /// File.
        source_name: String,
        /// Column asked for.
        column: String,
        /// Columns there are.
        columns: Vec<String>,
    },
    /// Numbers were asked of a column that holds texts.
    #[error("{source_name}: column {column} holds text, expected numbers")]
    Texts {
        /// File.
        source_name: String,
        /// Column.
        column: String,
    },
    /// A metric is given no meaning that an importer knows.
    #[error(
        "{entry:?}: expected KEY=METRIC, the keys being train_loss, test_loss, loss_<set>, lr, tokens and step"
    )]
    Mapping {
        /// Entry as given.
        entry: String,
    },
    /// A meaning is given to two metrics.
    #[error("{entry:?}: {key} is mapped to {before:?} already")]
    MappedTwice {
        /// Entry as given.
        entry: String,
        /// Its key.
        key: String,
        /// The metric of the entry before.
        before: String,
    },
    /// A row belongs to a run that the run table does not have.
    #[error("{source_name}: row {row} is of run {run:?}, which {runs} does not have")]
    NoRun {
        /// File of the row.
        source_name: String,
        /// Row, counted from 1 without the header.
        row: u64,
        /// Its run.
        run: String,
        /// The run table.
        runs: String,
    },
    /// A filter, or what a variable is computed from, is no expression.
    #[error("the expression {:?}: {error}", error.text)]
    Filter {
        /// What is wrong with it, and where.
        error: ParseError,
    },
    /// An expression has a column's name that must stand in back quotes without them.
    #[error("the expression {expression:?}: the name of column {column:?} is more than one word")]
    Unquoted {
        /// The expression.
        expression: String,
        /// The column.
        column: String,
    },
    /// An expression over columns has no number as its value.
    #[error("the expression {expression:?}: expected a number, such as 1e6*params")]
    NoNumber {
        /// The expression.
        expression: String,
    },
    /// An expression cannot be applied to a row.
    #[error("the expression {expression:?}: {error}")]
    FilterKinds {
        /// The expression.
        expression: String,
        /// Which operand is of the wrong kind.
        error: EvalError,
    },
    /// A filter is a value and not a condition.
    #[error("the filter {expression:?}: it is a value; expected a comparison such as tokens > 3e7")]
    NoCondition {
        /// The filter.
        expression: String,
    },
    /// The table has no rows.
    #[error("{source_name}: the table has no rows")]
    Empty {
        /// File.
        source_name: String,
    },
    /// A filter keeps no row.
    #[error("{source_name}: no row of {of} satisfies {expression}: {}", held.join("; "))]
    NoneSelected {
        /// File.
        source_name: String,
        /// The filter.
        expression: String,
        /// Rows there were.
        of: usize,
        /// What each of the filter's columns holds.
        held: Vec<String>,
    },
    /// No row has a usable cell in every column that is needed.
    #[error(
        "{source_name}: none of {of} rows is usable for {}{}",
        used.join(", "),
        first.as_ref().map_or_else(String::new, |problem| format!("; the first: {problem}"))
    )]
    NoneUsable {
        /// File.
        source_name: String,
        /// Rows there were.
        of: usize,
        /// Columns needed.
        used: Vec<String>,
        /// The first unusable cell.
        first: Option<Box<Problem>>,
    },
    /// A log without a whole row.
    #[error("{}: no whole row in it; expected a log with a row a step or a run", path.display())]
    NoWholeRow {
        /// File.
        path: PathBuf,
    },
}
