//! The application between every front end and the libraries: a request struct in, a report struct out, an
//! [`Observer`](scalelaw_core::Observer) for progress, and no text.
//!
//! A report serialises to what `--json` prints. What a person is shown beside it (which column was taken as what, which
//! cells were not used) is in the report's other fields, as facts; the front end puts them into words.

pub mod assumed;
pub mod chain;
pub mod compare;
pub mod conventions;
mod device;
pub mod envelope;
mod error;
pub mod execute;
pub mod explain;
pub mod fit;
pub mod forecasts;
pub mod import;
pub mod isoflop;
pub mod law_source;
pub mod laws;
pub mod leave_out;
pub mod lines;
pub mod observations;
pub mod offsets;
pub mod paper;
mod places;
pub mod plan;
pub mod predict;
pub mod quickstart;
pub mod rank;
pub mod reproduce;
pub mod rows;
pub mod runs;
pub mod schedules;
pub mod score;
pub mod study;
pub mod suggest;
pub mod sweep;
pub mod train;
pub mod valley;

pub use device::device;
pub use error::LabError;
pub use observations::{Observations, Reading, TableRequest};
