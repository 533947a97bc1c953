//! The run table: CSV, JSONL and Parquet, in and out.
//!
//! [`RunRow`], [`CurveRow`] and [`PositionRow`] are the tables scalelaw writes, with stable column names
//! ([`write_rows`], [`read_rows`]).

mod cell;
mod error;
mod format;
mod rows;

pub use cell::{Cell, Kind};
pub use error::TableError;
pub use format::{Format, read_rows, write_rows};
pub use rows::{CurveRow, PositionRow, Row, RunRow};
