//! From laws to decisions: what a budget buys, what a loss costs, and what each departure from the optimum
//! costs. Pure functions of laws; nothing is fitted here.

mod allocation;
pub mod batch;
mod chinchilla;
pub mod contradiction;
mod error;
mod hardware;
mod inference;
mod kaplan;
mod overfit;
mod search;

pub use allocation::{Allocation, cheapest_for_loss, compute_optimal};
pub use chinchilla::chinchilla_optimum;
pub use error::PlanError;
pub use hardware::{Cost, Hardware};
pub use inference::{Served, serve};
pub use kaplan::{KaplanOptimum, StoppingTrade, WrongSize};
pub use overfit::{overfit, tokens_needed};

#[cfg(test)]
mod appendix_b_tests;
