//! Models as plans, the optimiser, schedules, the training loop and evaluation.
//!
//! [`run`] takes a [`RunSpec`](scalelaw_core::RunSpec) and its [`RunData`] to a finished run directory;
//! [`Trainer`] is the same without files: steps and evaluations.

mod branch;
mod checkpoint;
mod data;
mod error;
mod footprint;
mod init;
mod lstm;
pub mod model;
mod optimizer;
mod run;
mod trainer;
mod transformer;

pub use data::RunData;
pub use error::TrainError;
pub use footprint::footprint;
pub use init::initial_parameters;
pub use optimizer::rule;
pub use run::{RunEnd, RunOptions, run};
pub use trainer::{Evaluation, Trainer};
