//! What can keep a fit from having a result at all.

/// Bad input, or no usable result. Doubtful but usable results are a [`crate::FitStatus`] instead.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// No law of that name.
    #[error("no law is called {name:?}; there are: {}", known.join(", "))]
    UnknownLaw {
        /// Name asked for.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
    /// The data lack a column that the law needs.
    #[error("the law {law} needs {variable}, which the data do not have; they have {}", have.join(", "))]
    MissingVariable {
        /// Law.
        law: String,
        /// Column it needs.
        variable: String,
        /// Columns there are.
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
        /// What it holds.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// Fewer points than free parameters.
    #[error(
        "{n_points} points cannot determine the {n_free} free parameters of {law}; give more runs, a simpler law, or fix parameters"
    )]
    TooFewPoints {
        /// Law.
        law: String,
        /// Points.
        n_points: usize,
        /// Free parameters.
        n_free: usize,
    },
    /// A parameter was named that the law does not have.
    #[error("the law {law} has no parameter {name:?}; it has {}", known.join(", "))]
    UnknownParameter {
        /// Law.
        law: String,
        /// Name.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
    /// A fixed or starting value outside the parameter's domain.
    #[error("{name} = {value} is outside its domain {domain}")]
    OutOfDomain {
        /// Parameter.
        name: String,
        /// Value.
        value: f64,
        /// Domain in words.
        domain: String,
    },
    /// No start led to a finite objective.
    #[error("{law}: none of {tried} starts gave a finite objective{hint}")]
    NoStart {
        /// Law.
        law: String,
        /// Starts tried.
        tried: usize,
        /// What may be wrong.
        hint: String,
    },
    /// A computation that needs something the input does not contain.
    #[error("{0}")]
    Unusable(String),
}
