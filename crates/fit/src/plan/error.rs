//! What can keep a plan from existing.

/// A question that the law cannot answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A number that must be positive and finite is not.
    #[error("{name} = {value}: expected a positive number")]
    NotPositive {
        /// What was given.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The loss still falls at the end of the sizes that the budget allows.
    #[error(
        "the law has no compute-optimal size at {budget:.3e} FLOPs: its loss is lowest at the {side} of the \
         sizes that could be trained at all (N = {n:.3e}); such a law cannot divide a budget"
    )]
    NoInteriorOptimum {
        /// Budget in FLOPs.
        budget: f64,
        /// Which end.
        side: &'static str,
        /// N at that end.
        n: f64,
    },
    /// No budget in the range searched gives the loss.
    #[error("no budget up to {most:.0e} FLOPs gives a loss of {loss} nats: the law's lowest is {lowest:.4}")]
    Unreachable {
        /// Loss asked for.
        loss: f64,
        /// Lowest loss found.
        lowest: f64,
        /// Largest budget tried.
        most: f64,
    },
    /// No preset of that name.
    #[error("no preset is called {name:?}; there are: {}", known.join(", "))]
    UnknownPreset {
        /// Name asked for.
        name: String,
        /// Names there are.
        known: Vec<&'static str>,
    },
    /// A law or preset that answers another question.
    #[error("{name} cannot plan: {why}")]
    CannotPlan {
        /// Law or preset.
        name: String,
        /// What is missing.
        why: String,
    },
    /// The law's own arithmetic failed.
    #[error(transparent)]
    Fit(#[from] crate::FitError),
    /// A quantity has no solution for these values.
    #[error("{0}")]
    NoSolution(String),
}

/// `value` when it is positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, PlanError> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(PlanError::NotPositive { name, value }) }
}
