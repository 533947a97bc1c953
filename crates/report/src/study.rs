//! A finished study as the report needs it: plain values that whoever ran the study fills in.
//!
//! The report computes nothing that is a result. Laws arrive as constants with intervals and as sampled lines, so
//! that what is drawn is what was fitted.

pub mod figures;
mod fitted;
mod forecast;
mod law;
mod plan;

pub use fitted::{Observed, published_constants};
pub use forecast::Forecast;
pub use law::{FittedCurve, Fraction, JointFit, JointLine, LawPoint, Parameter, Published, Sample};
pub use plan::Plan;

use scalelaw_core::units::Conventions;
use scalelaw_table::{CurveRow, RunRow};

/// Everything a report says.
#[derive(Clone, Debug)]
pub struct Study {
    /// Heading of the page.
    pub title: String,
    /// The text that was trained on.
    pub corpus: Corpus,
    /// What N, C and D count on every axis.
    pub conventions: Conventions,
    /// All runs, the failed ones too.
    pub runs: Vec<RunRow>,
    /// Their learning curves.
    pub curves: Vec<CurveRow>,
    /// What was fitted.
    pub laws: Laws,
    /// What to train next.
    pub plan: Option<Plan>,
    /// What was foretold, and what came.
    pub forecasts: Vec<Forecast>,
    /// The loss that no model can beat, where it is known.
    pub floor: Option<Floor>,
    /// What a reader must know before believing the numbers, one sentence each.
    pub notes: Vec<String>,
    /// How to make this page again.
    pub provenance: Provenance,
}

/// The text that was trained on.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Its name.
    pub name: String,
    /// Counts and choices, each with its name: documents, bytes, tokens, vocabulary, what was skipped.
    pub facts: Vec<(String, String)>,
}

/// The laws of a study; one that could not be fitted is `None`, and a note says why.
#[derive(Clone, Debug, Default)]
pub struct Laws {
    /// L(N) from runs on all data.
    pub params: Option<FittedCurve>,
    /// L(D) from one model on subsets, lowest logged test loss.
    pub data: Option<FittedCurve>,
    /// L(C): the lower envelope of the learning curves; its points are the envelope.
    pub compute: Option<FittedCurve>,
    /// L(N, D).
    pub joint: Option<JointFit>,
}

/// The loss of the true source on the test text.
#[derive(Clone, Debug)]
pub struct Floor {
    /// Nats per token.
    pub loss: f64,
    /// Standard error over the test text, nats per token.
    pub loss_se: f64,
    /// What was scored, in words.
    pub source: String,
}

/// How to make the page again.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Program and version.
    pub program: String,
    /// The command that was run.
    pub command: String,
    /// Digest of the data.
    pub data_digest: String,
    /// The experiment file, relative to the report.
    pub experiment: String,
    /// Anything else: processor, threads, time taken.
    pub facts: Vec<(String, String)>,
}
