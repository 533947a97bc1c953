use crate::error::LabError;
use crate::sweep::SweepError;
use scalelaw_core::number::short;
use scalelaw_fit::FitError;
use scalelaw_fit::plan::PlanError;
use std::path::PathBuf;

/// Why a quickstart ends without a report. A run that fails is not an error: it is in the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuickstartError {
    /// What the quickstart does as a sweep does: data, runs, tables.
    #[error(transparent)]
    Sweep(SweepError),
    /// The record of forecasts cannot be read or written.
    #[error(transparent)]
    Forecasts(#[from] LabError),
    /// The output directory is another text's.
    #[error("{} holds a study of {}, not of {text}", dir.display(), held.as_deref().unwrap_or("another text"))]
    OtherStudy {
        /// The output directory.
        dir: PathBuf,
        /// Name of its text, if it has one.
        held: Option<String>,
        /// Name of the text that was asked for.
        text: String,
    },
    /// The smallest subset of the text would not fill a step.
    #[error(
        "the text gives {tokens} training tokens, too few to study: give at least {} (about 0.8 MB of text)",
        short(*needed as f64)
    )]
    TooLittleText {
        /// Training tokens there are.
        tokens: u64,
        /// Training tokens needed.
        needed: u64,
    },
    /// The runs that fit the budget are too short for a law.
    #[error(
        "a budget of {seconds:.0} s of training is too small: {models} models of {steps} steps fit, but fewer \
         than {needed} steps say nothing about a law"
    )]
    BudgetTooSmall {
        /// Wall clock for training, seconds.
        seconds: f64,
        /// Models of the smallest ladder.
        models: usize,
        /// Steps of each that fit.
        steps: u64,
        /// Steps needed.
        needed: u64,
    },
    /// Every run failed.
    #[error("no run finished{}", reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}")))]
    NoRunFinished {
        /// Why the first one failed.
        reason: Option<String>,
    },
}

/// Whatever ends a sweep ends a quickstart.
impl<E> From<E> for QuickstartError
where
    SweepError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Sweep(SweepError::from(error))
    }
}

/// Why it cannot be said what to train next.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoNextRun {
    /// The law that divides a budget could not be fitted.
    #[error("L(N, D) of tokens processed could not be fitted: {0}")]
    NotFitted(FitError),
    /// The law prefers no size between the smallest and the largest.
    #[error("no best size for the next run: {0}")]
    NoBestSize(PlanError),
    /// The law has no value there.
    #[error(transparent)]
    NoValue(#[from] FitError),
}
