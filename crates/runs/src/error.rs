use scalelaw_core::spec::SpecError;
use scalelaw_files::FileError;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with the files of a run; every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// `spec.toml` cannot be read as a spec, or a spec cannot be written as one.
    #[error("{} is not a run's spec", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: SpecError,
    },
    /// A JSON file does not hold what its name says.
    #[error("{} is not {expected}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What it must hold: "a result".
        expected: &'static str,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// A line of a JSON Lines file does not hold what it must.
    #[error("{}: line {line} is not {expected}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What it must hold: "an evaluation".
        expected: &'static str,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// A checkpoint cannot be encoded, or what is there is not the state that was written.
    #[error("{}: damaged checkpoint: {damage}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        damage: CheckpointDamage,
    },
    /// `steps.bin` of a finished run has another length than its result says.
    #[error("{} has {found} steps, expected {expected} as in result.json", path.display())]
    StepCount {
        /// The file.
        path: PathBuf,
        /// Records found.
        found: u64,
        /// Steps of the result.
        expected: u64,
    },
    /// A trainer of the user's own broke its contract.
    #[error("{}: {violation}", path.display())]
    Contract {
        /// The trainer's file.
        path: PathBuf,
        /// How.
        violation: ContractViolation,
    },
    /// The directory holds another run.
    #[error("{} holds another run (key {found}, expected {expected})", path.display())]
    OtherRun {
        /// The run directory.
        path: PathBuf,
        /// Key of the spec found there.
        found: String,
        /// Key of the spec that was to be run.
        expected: String,
    },
}

/// What is wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointDamage {
    /// Not in the format of safetensors.
    #[error(transparent)]
    Format(#[from] safetensors::SafeTensorError),
    /// Its metadata do not say step, length of the log and digest.
    #[error("its metadata hold no state")]
    State,
    /// It is of another step than its name says.
    #[error("it is of step {0}, not of the step in its name")]
    Step(u64),
    /// Its tensors are not those that were written.
    #[error("its digest differs")]
    Digest,
}

/// How a trainer of the user's own can break its contract; `docs/trainers.md` has the contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractViolation {
    /// The curve has no evaluation.
    #[error("the trainer wrote no evaluation")]
    NoEvaluation,
    /// An evaluation is of a later step than the last.
    #[error("an evaluation after step {step}, but {steps} steps were done")]
    BeyondTheEnd {
        /// Step of the evaluation.
        step: u64,
        /// Steps done.
        steps: u64,
    },
    /// A test loss is no finite number: a diverged run says so by its outcome.
    #[error("line {line}: test_loss is not finite; a diverged run says \"outcome\": \"diverged\" at its end")]
    NotFinite {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A line of the curve is no evaluation.
    #[error(
        "line {line}: {source}; expected {{\"step\": N, \"test_loss\": X}}, perhaps with train_loss, test_loss_se"
    )]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// Where it fails.
        source: serde_json::Error,
    },
    /// The trainer's last file does not say how many steps were done.
    #[error("{0}; expected {{\"steps\": N}} and \"outcome\" if it diverged")]
    End(serde_json::Error),
}

impl RunsError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        FileError { path: path.to_owned(), action, source }.into()
    }

    pub(crate) fn spec(path: &Path) -> impl Fn(SpecError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Spec { path: path.clone(), source }
    }

    pub(crate) fn json(path: &Path, expected: &'static str) -> impl Fn(serde_json::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Json { path: path.clone(), expected, source }
    }

    pub(crate) fn checkpoint(path: &Path, damage: impl Into<CheckpointDamage>) -> Self {
        Self::Checkpoint { path: path.to_owned(), damage: damage.into() }
    }

    pub(crate) fn contract(path: &Path, violation: ContractViolation) -> Self {
        Self::Contract { path: path.to_owned(), violation }
    }
}
