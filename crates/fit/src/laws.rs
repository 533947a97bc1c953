//! The laws, one file each, and their registry.

mod chinchilla;
mod kaplan_nd;
mod log_line;
mod power;
mod power_floor;

pub use chinchilla::Chinchilla;
pub use kaplan_nd::KaplanNd;
pub use log_line::LogLine;
pub use power::PowerLaw;
pub use power_floor::PowerFloor;

use crate::error::FitError;
use crate::law::Law;

/// Every law there is, in the order a reader should meet them.
pub fn all() -> Vec<Box<dyn Law>> {
    vec![
        Box::new(PowerLaw::N),
        Box::new(PowerLaw::D),
        Box::new(PowerLaw::C),
        Box::new(PowerLaw::C_MIN),
        Box::new(PowerFloor::N),
        Box::new(PowerFloor::D),
        Box::new(PowerFloor::C),
        Box::new(LogLine),
        Box::new(KaplanNd),
        Box::new(Chinchilla),
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

/// The law that a file names.
pub(crate) fn from_file(
    name: &str,
    _equation: &str,
    _params: &[(String, crate::fitted::Estimate)],
) -> Result<Box<dyn Law>, FitError> {
    by_name(name)
}
