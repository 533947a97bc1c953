//! Sweeps: the runs of an experiment file, planned, run to completion and watched.
//!
//! A sweep's output directory holds everything that its runs need, so that any worker that sees the directory can
//! do them: [`work`].

mod data;
mod error;
mod plan;
mod run;
mod status;
mod study;
mod until;

pub use error::SweepError;
pub use plan::{Line as PlanLine, Plan, plan};
pub use run::{Queued, Report, SweepEvent, SweepWatcher, queue, run};
pub use status::{Line as StatusLine, State, Status, status};
pub use study::{PlannedLine, planned, work};
pub use until::{Pursuit, Standing, Target, Unreached};

use std::path::PathBuf;

/// A sweep: its experiment, its output directory and where its texts come from.
#[derive(Clone, Debug)]
pub struct Request {
    /// The experiment file.
    pub experiment: PathBuf,
    /// Where everything goes.
    pub out: PathBuf,
    /// Files and folders of text, instead of what the experiment says; none if empty.
    pub text: Vec<PathBuf>,
    /// A dataset that exists, instead of what the experiment says.
    pub dataset: Option<PathBuf>,
    /// Further sets to evaluate on, beside those of the experiment: name, and a file or a folder.
    pub evals: Vec<(String, PathBuf)>,
}
