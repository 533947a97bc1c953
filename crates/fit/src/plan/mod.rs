//! From laws to decisions: what a budget buys, what a loss costs, and what each departure from the optimum
//! costs. Pure functions of laws; nothing is fitted here.

mod allocation;
mod error;
mod search;

pub use allocation::{Allocation, cheapest_for_loss, compute_optimal};
pub use error::PlanError;
