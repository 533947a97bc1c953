//! A finished study in plain values, for whoever draws it: laws are constants with intervals and sampled lines, so that
//! what is drawn is what was fitted.

mod fitted;
mod forecast;
mod law;
mod plan;

pub use forecast::Forecast;
pub use law::{FittedCurve, JointFit, JointLine, LawPoint, Parameter, Published, PublishedConstants};
pub use plan::Plan;

pub use crate::laws::Sample;

use scalelaw_core::units::Conventions;
pub use scalelaw_table::{CurveRow, RunRow};

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
    /// Forecasts, and what came.
    pub forecasts: Vec<Forecast>,
    /// The loss that no model can beat, where it is known.
    pub floor: Option<Floor>,
    /// What a reader must know before believing the numbers.
    pub notes: Vec<Note>,
    /// How to make this page again.
    pub provenance: Provenance,
}

/// What a reader must know before believing the numbers.
#[derive(Clone, Debug)]
pub enum Note {
    /// Shares of the head in the FLOPs of the smallest and of the largest model: why the convention decides the answer.
    HeadShare(f64, f64),
    /// The exponent of a law under one counting convention.
    Exponent {
        /// The parameter.
        name: String,
        /// What N or C counts.
        convention: String,
        /// Its value.
        value: f64,
        /// Its 95% interval.
        interval: Option<(f64, f64)>,
    },
    /// A full run sees its text this many times.
    Repeats(f64),
    /// A law that could not be fitted.
    NotFitted {
        /// The law: `L(N)`.
        law: &'static str,
        /// Why.
        reason: String,
    },
    /// There is no plan, for this reason.
    NoPlan(String),
    /// The loss forecast for the next run is below the true source's.
    BelowFloor {
        /// The forecast.
        loss: f64,
        /// The true source's.
        floor: f64,
    },
    /// A run that failed.
    Failed {
        /// Its key.
        run: String,
        /// Why.
        reason: String,
    },
    /// Every number is made up, to show the layout.
    MadeUp,
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
