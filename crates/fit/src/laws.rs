//! The laws, one file each (families together), and their registry.
//!
//! A law is added by its file, a `mod` line and an entry of [`all`]; the tests of every law then cover it.

mod after_chinchilla;
mod bent;
mod chinchilla;
mod critical_batch;
mod data_constrained;
mod expression;
mod hyper;
mod kaplan_nd;
mod kaplan_ns;
mod log_line;
mod over_training;
mod position;
mod power;
mod power_floor;

pub use after_chinchilla::{ChinchillaTied, Multiplicative, Shifted, Skaling};
pub use bent::{BrokenPower, M4};
pub use chinchilla::Chinchilla;
pub use critical_batch::{CriticalBatch, StepsForExamples};
pub use data_constrained::DataConstrained;
pub use expression::Expression;
pub use hyper::HyperPower;
pub use kaplan_nd::KaplanNd;
pub use kaplan_ns::KaplanNs;
pub use log_line::LogLine;
pub use over_training::OverTraining;
pub use position::{PerPosition, TransferOffset};
pub use power::PowerLaw;
pub use power_floor::PowerFloor;

use crate::error::FitError;
use crate::law::{Domain, Law};

/// The registry: every law there is, in the order a reader should meet them.
///
/// # Example
/// ```
/// for law in scalelaw_fit::laws::all() {
///     println!("{:<18} {}: {}", law.name(), law.title(), law.equation());
/// }
/// ```
pub fn all() -> Vec<Box<dyn Law>> {
    vec![
        Box::new(PowerLaw::N),
        Box::new(PowerLaw::D),
        Box::new(PowerLaw::C),
        Box::new(PowerLaw::C_MIN),
        Box::new(LogLine),
        Box::new(KaplanNd),
        Box::new(KaplanNs),
        Box::new(CriticalBatch),
        Box::new(StepsForExamples),
        Box::new(PerPosition),
        Box::new(TransferOffset),
        Box::new(PowerFloor::N),
        Box::new(PowerFloor::D),
        Box::new(PowerFloor::C),
        Box::new(Chinchilla),
        Box::new(ChinchillaTied),
        Box::new(Multiplicative),
        Box::new(Shifted),
        Box::new(Skaling),
        Box::new(DataConstrained),
        Box::new(OverTraining),
        Box::new(BrokenPower),
        Box::new(M4),
        Box::new(HyperPower::ND),
        Box::new(HyperPower::N),
        Box::new(HyperPower::D),
        Box::new(HyperPower::C),
    ]
}

/// The law called `name`.
///
/// # Errors
/// [`FitError::UnknownLaw`] lists the names there are.
pub fn by_name(name: &str) -> Result<Box<dyn Law>, FitError> {
    let wanted = name.to_lowercase().replace('_', "-");
    all().into_iter().find(|law| law.name() == wanted).ok_or_else(|| FitError::UnknownLaw {
        name: name.to_string(),
        known: all().iter().map(|law| law.name().to_string()).collect(),
    })
}

/// The law that a file names; a user's own is its equation, with the file's constants as parameters.
pub(crate) fn from_file(
    name: &str,
    equation: &str,
    params: &[(String, crate::fitted::Estimate)],
) -> Result<Box<dyn Law>, FitError> {
    if name != "expression" {
        return by_name(name);
    }
    let names = scalelaw_expr::parse(equation)
        .map_err(|source| FitError::Expression { text: equation.into(), source })?;
    let names = names.names();
    let is_param = |n: &&String| params.iter().any(|(p, _)| p == *n);
    let columns: Vec<&str> = names.iter().filter(|n| !is_param(n)).map(String::as_str).collect();
    let bounds: Vec<(String, f64, f64)> = params
        .iter()
        .map(|(name, e)| {
            // Files that do not say it are of a version whose parameters were positive unless bounded.
            let unsaid = if e.value > 0.0 { Domain::Positive } else { Domain::Real };
            let [lo, hi] = e.domain.unwrap_or(unsaid).ends();
            (name.clone(), lo, hi)
        })
        .collect();
    Ok(Box::new(Expression::new(equation, &columns, &bounds)?))
}
