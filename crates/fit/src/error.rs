//! What can keep a fit from having a result at all.

use crate::plan::PlanError;
use std::sync::Arc;

/// Bad input, or no usable result. Doubtful but usable results are a [`crate::FitStatus`] instead.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// No law has this name.
    #[error("no law is called {name:?}; the laws are: {}", known.join(", "))]
    UnknownLaw {
        /// Name asked for.
        name: String,
        /// Names of the registry.
        known: Vec<String>,
    },
    /// A law's expression cannot be parsed.
    #[error("the law {text:?} is not an expression")]
    Expression {
        /// The expression.
        text: String,
        /// Where parsing failed.
        source: scalelaw_expr::ParseError,
    },
    /// A law's expression has no parameter, or too many.
    #[error(
        "the law {text:?} has {got} parameters, expected 1 to {most}; every name that is not a column is a parameter, \
         and the columns are: {}",
        columns.join(", ")
    )]
    ParameterCount {
        /// The expression.
        text: String,
        /// Names that are not columns.
        got: usize,
        /// Most parameters that a law may have.
        most: usize,
        /// Columns.
        columns: Vec<String>,
    },
    /// The data lack a column that the law needs.
    #[error("the law {law} needs {variable}, which the data do not have; they have: {}", have.join(", "))]
    MissingVariable {
        /// Law.
        law: String,
        /// Column it needs.
        variable: String,
        /// Columns of the data.
        have: Vec<String>,
    },
    /// Columns of different lengths.
    #[error("column {column} has {got} values, expected {expected}")]
    Length {
        /// Column.
        column: String,
        /// Its length.
        got: usize,
        /// Length of the response.
        expected: usize,
    },
    /// A value that no law can use.
    #[error("row {row}: {column} is {value}, expected {expected}")]
    Value {
        /// Row, the first being 1.
        row: usize,
        /// Column.
        column: String,
        /// Value of the row.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// A response that is not positive, to be fitted in log space.
    #[error("row {row}: the response is {value}, and its logarithm is fitted: expected a number above 0")]
    LogOfResponse {
        /// Row, the first being 1.
        row: usize,
        /// Value of the row.
        value: f64,
    },
    /// A law file whose covariance does not belong to its parameters.
    #[error(
        "the law file of {law} has {n_free} free parameters, so a covariance of {} numbers, but has {got}; write the \
         file anew",
        n_free * n_free
    )]
    CovarianceSize {
        /// Law.
        law: String,
        /// Parameters that are not fixed.
        n_free: usize,
        /// Numbers in the file's covariance.
        got: usize,
    },
    /// Fewer points than free parameters.
    #[error(
        "{law} has {n_free} free parameters but only {n_points} usable point{}",
        if *n_points == 1 { "" } else { "s" }
    )]
    TooFewPoints {
        /// Law.
        law: String,
        /// Points.
        n_points: usize,
        /// Free parameters.
        n_free: usize,
    },
    /// The law has no parameter of this name.
    #[error("the law {law} has no parameter {name:?}; its parameters are: {}", known.join(", "))]
    UnknownParameter {
        /// Law.
        law: String,
        /// Name asked for.
        name: String,
        /// Names of the law's parameters.
        known: Vec<String>,
    },
    /// A fixed or starting value outside the parameter's domain.
    #[error("{name} = {value} is outside its domain ({domain})")]
    OutOfDomain {
        /// Parameter or option.
        name: String,
        /// Value.
        value: f64,
        /// Where it may be.
        domain: crate::Domain,
    },
    /// No start led to a finite objective.
    #[error("{law}: none of {tried} starts gave a finite objective")]
    NoStart {
        /// Law.
        law: String,
        /// Starts tried.
        tried: usize,
        /// Whether the response is above 0 at every point.
        positive_response: bool,
    },
    /// A file is not a fitted law of this format.
    #[error("this is not a law file ({})", crate::FORMAT)]
    LawFile(#[source] Arc<serde_json::Error>),
    /// A law file lacks a constant of its law.
    #[error("the law file has no constant {name} of the law {law}")]
    MissingConstant {
        /// Law.
        law: String,
        /// Constant.
        name: String,
    },
    /// The law has no finite value at a point.
    #[error("{law} has no value at {}", at(point))]
    NoValue {
        /// Law.
        law: String,
        /// The point, by variable.
        point: Vec<(String, f64)>,
    },
    /// The law is not one of N and D.
    #[error("a law of N and D is needed, and this is {equation}")]
    NotOfSizeAndData {
        /// Equation of the law.
        equation: String,
    },
    /// The law predicts no loss from a budget: it is neither of C nor of N and D.
    #[error("{equation} gives no loss for a budget; a law of C, or of N and D, is needed")]
    NotOfBudget {
        /// Equation of the law.
        equation: String,
    },
    /// The fit has no covariance: its runs do not determine its parameters.
    #[error("the fit of {law} has no covariance: its runs do not determine its parameters")]
    NoCovariance {
        /// Law.
        law: String,
    },
    /// The covariance of the constants is not positive definite.
    #[error("the covariance of the constants is singular")]
    SingularCovariance,
    /// The laws have no loss at a budget.
    #[error("the laws give no loss at {flops:.3e} FLOPs")]
    NoLoss {
        /// Budget in FLOPs.
        flops: f64,
    },
    /// So many draws of the laws have no loss at a budget that the rest would be a selection.
    #[error(
        "{failed} of {draws} draws of the laws give no loss at {flops:.3e} FLOPs: they are too uncertain to compare"
    )]
    TooUncertain {
        /// Draws without a loss.
        failed: usize,
        /// Draws.
        draws: usize,
        /// Budget in FLOPs.
        flops: f64,
    },
    /// Too few runs, or runs of too few sizes, to separate counting conventions.
    #[error(
        "{runs} runs of {sizes} sizes cannot separate the counting conventions; 6 runs of 3 sizes are needed"
    )]
    TooFewRuns {
        /// Runs.
        runs: usize,
        /// Different sizes.
        sizes: usize,
    },
    /// The law has no optimum at the budgets of the runs.
    #[error("the law has no optimum at the budgets of these runs")]
    NoOptimum,
    /// No run has points both before and after the share that is fitted.
    #[error("no run has points on both sides of {from} of its updates")]
    NothingToScore {
        /// Share of the updates that is fitted.
        from: f64,
    },
    /// No curve has a usable point.
    #[error("no curve has a point with positive cost and loss")]
    NoFrontier,
    /// No curve has three usable points.
    #[error("none of {curves} curves has 3 points after step {skip_steps}")]
    ShortCurves {
        /// Curves.
        curves: usize,
        /// Steps left out at the start of each.
        skip_steps: f64,
    },
    /// Points that no line in logarithms goes through.
    #[error("a power law needs positive points at two different x; {positive} of {n} points are positive")]
    NoLine {
        /// Points.
        n: usize,
        /// Points with positive x and y.
        positive: usize,
    },
    /// No candidate run fits the budget.
    #[error("no candidate run fits the budget of {budget:.3e}; the cheapest costs {cheapest:.3e}")]
    Unaffordable {
        /// What may be spent.
        budget: f64,
        /// Cost of the cheapest candidate.
        cheapest: f64,
    },
    /// Simulated constants or points do not have the law's parameters and variables.
    #[error(
        "{law} has {n_params} parameters and {n_variables} variables; the simulated constants or points have others"
    )]
    Design {
        /// Law.
        law: String,
        /// Parameters of the law.
        n_params: usize,
        /// Variables of the law.
        n_variables: usize,
    },
    /// The law's optimum cannot be found.
    #[error(transparent)]
    Plan(Box<PlanError>),
}

fn at(point: &[(String, f64)]) -> String {
    point.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}
