use scalelaw_core::spec::SpecError;
use scalelaw_graph::DeviceError;
use scalelaw_runs::RunsError;
use scalelaw_tokens::TokensError;

/// Why a run could not be trained. A run that diverges is not an error: it is an outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The spec is impossible.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The data is not the data of the spec.
    #[error(
        "the data has {what} {found}, but the run's spec says {expected}: pass the data directory that the spec was made for"
    )]
    OtherData {
        /// What differs.
        what: &'static str,
        /// What the data has.
        found: String,
        /// What the spec says.
        expected: String,
    },
    /// The data cannot be read or is too small.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The run's files cannot be read or written.
    #[error(transparent)]
    Run(#[from] RunsError),
    /// The device refused a batch: the data does not fit the model.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The run cannot start from its parent.
    #[error("cannot branch off run {parent}: {problem}")]
    Branch {
        /// Key of the parent.
        parent: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A checkpoint does not hold this model.
    #[error("checkpoint of step {step}: {problem}; remove it to go on from the one before")]
    Checkpoint {
        /// Its step.
        step: u64,
        /// Which tensor is missing or of another length.
        problem: String,
    },
}
