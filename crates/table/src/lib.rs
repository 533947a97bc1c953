//! The run table: CSV, JSONL and Parquet, in and out; other people's logs as runs and curves.
//!
//! [`RunRow`], [`CurveRow`], [`PositionRow`] and [`TimingRow`] are the tables scalelaw writes, with stable column names
//! ([`write_rows`], [`read_rows`]). [`Table`] is anybody's: typed columns, common names recognised, rows
//! selected by an expression, and every unusable cell named. [`Importer`] makes runs and curves of training logs.

mod cell;
mod column;
mod columns;
mod error;
mod format;
mod import;
mod names;
mod number;
mod rows;
mod table;
mod units;

pub use cell::{Cell, Kind};
pub use column::{Column, Fault, Values};
pub use error::TableError;
pub use format::{Format, read_rows, write_filled, write_rows};
pub use import::{About, Contents, Imported, Importer, LogKind, Mapping, logs_in};
pub use names::{Counts, Role, counts, is_outcome, is_seed};
pub use rows::{CurveRow, PositionRow, Row, RunRow, TimingRow};
pub use table::{Need, Problem, Table, quoted};
pub use units::{LossUnit, Unit, loss_unit};
