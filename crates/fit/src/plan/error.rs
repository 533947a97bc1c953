//! What can keep a plan from existing.

/// A question that the law cannot answer.
#[derive(Debug, Clone, thiserror::Error)]
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
    /// A share above 1.
    #[error("{name} = {value}: expected a share up to 1")]
    NotAShare {
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
    /// The law has no value for any size that the budget could train.
    #[error("the law has no value for any model that {budget:.3e} FLOPs could train")]
    NoValue {
        /// Budget in FLOPs.
        budget: f64,
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
    /// No model of any size reaches the loss.
    #[error("no model reaches {loss} nats per token under this law")]
    NoModelReaches {
        /// Loss asked for.
        loss: f64,
    },
    /// A model of this size converges above the loss.
    #[error("a model of {n:.3e} parameters never reaches {loss}: it converges to {converged:.4}")]
    NeverReaches {
        /// Parameters.
        n: f64,
        /// Loss asked for, nats per token.
        loss: f64,
        /// Its loss after endless training.
        converged: f64,
    },
    /// Equation B.3 of Kaplan et al. 2020 has no solution.
    #[error("equation B.3 has no loss at N = {n:.3e}, C = {c_min:.3e}")]
    NoLossAt {
        /// Parameters.
        n: f64,
        /// C_min in FLOPs.
        c_min: f64,
    },
    /// No size between 1 and 1e30 parameters is optimal.
    #[error("{name} has no optimal size for {flops:.3e} FLOPs")]
    NoSize {
        /// Law or preset.
        name: String,
        /// Budget in FLOPs.
        flops: f64,
    },
    /// No budget makes a size optimal.
    #[error("no budget makes {} parameters optimal", scalelaw_core::number::short(*n))]
    NoBudget {
        /// Parameters.
        n: f64,
    },
    /// No amount of data brings a model within a share of its loss on endless data.
    #[error(
        "no number of tokens brings a model of {n:.3e} parameters within {delta} of its loss on endless data"
    )]
    NoAmountOfData {
        /// Parameters.
        n: f64,
        /// Excess tolerated, relative.
        delta: f64,
    },
    /// No preset has this name.
    #[error("no preset is called {name:?}; the presets are: {}", known.join(", "))]
    UnknownPreset {
        /// Name asked for.
        name: String,
        /// Names of the presets.
        known: Vec<&'static str>,
    },
    /// No shape rule has this name.
    #[error("no shape rule is called {name:?}; the rules are: {}", known.join(", "))]
    UnknownShapeRule {
        /// Name asked for.
        name: String,
        /// Names of the rules.
        known: Vec<&'static str>,
    },
    /// A shape rule has no model near a size.
    #[error(
        "the shape rule {rule} has no model within 30% of {n:.3e} parameters at vocabulary {n_vocab} and context {n_ctx}"
    )]
    NoShape {
        /// The rule.
        rule: &'static str,
        /// Parameters.
        n: f64,
        /// Vocabulary.
        n_vocab: u32,
        /// Context in tokens.
        n_ctx: u32,
    },
    /// A law or preset that answers another question.
    #[error("{name} cannot plan: {missing}")]
    CannotPlan {
        /// Law or preset.
        name: String,
        /// What it lacks.
        missing: Missing,
    },
    /// The runs leave open what decides the optimum.
    #[error(
        "{name} cannot divide a budget: {}",
        undecided(parameters, *constant, *together)
    )]
    Undecided {
        /// The law's file.
        name: String,
        /// Unidentified parameters on which the optimum depends.
        parameters: Vec<String>,
        /// A variable that has one value at every run.
        constant: Option<&'static str>,
        /// Whether N and D of the runs rise together, so that either stands for the other.
        together: bool,
    },
    /// The runs of a forecaster lie along one direction.
    #[error("{name} cannot divide a budget: {doubt}")]
    OneDirection {
        /// The forecaster's file.
        name: String,
        /// What its runs leave open.
        doubt: String,
    },
    /// The law cannot be found or evaluated.
    #[error(transparent)]
    Fit(#[from] crate::FitError),
}

/// What a law or preset lacks for a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The registry has no law of its name.
    Law,
    /// It is not the loss as a function of N and D.
    SizeAndData {
        /// Equation of the law.
        equation: String,
    },
    /// It has exponents and no coefficient.
    Coefficient,
    /// It gives a batch size for a loss, and no sizes.
    OnlyBatch,
    /// It gives a learning rate or a batch size, and no sizes.
    OnlyHyperParameters,
    /// It has neither N nor D.
    Sizes,
    /// It predicts no loss.
    Loss,
    /// The curves gave no L(N, S_min) with B_crit(L).
    TrainingLaw,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Law => f.write_str("its law is not in the registry"),
            Self::SizeAndData { equation } => {
                write!(f, "a plan needs the loss as a function of N and D, and this is {equation}")
            }
            Self::Coefficient => f.write_str("exponents without a coefficient give no size"),
            Self::OnlyBatch => f.write_str("it gives a batch size for a loss, and no sizes"),
            Self::OnlyHyperParameters => f.write_str("it gives a learning rate or batch size, and no sizes"),
            Self::Sizes => f.write_str("it has neither N nor D"),
            Self::Loss => f.write_str("it predicts no loss"),
            Self::TrainingLaw => f.write_str("its curves gave no L(N, S_min) with B_crit(L)"),
        }
    }
}

fn undecided(parameters: &[String], constant: Option<&str>, together: bool) -> String {
    let mut reasons = Vec::new();
    if let Some(variable) = constant {
        reasons.push(format!("its runs have one {variable}"));
    } else if together {
        reasons.push("N and D of its runs rise together".into());
    }
    if let Some((last, before)) = parameters.split_last() {
        let named =
            if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) };
        reasons.push(format!("the best N depends on {named}, which its runs leave open"));
    }
    reasons.join(", and ")
}

/// `value` when it is positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, PlanError> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(PlanError::NotPositive { name, value }) }
}
