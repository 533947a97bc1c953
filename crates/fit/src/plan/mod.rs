//! From laws to decisions: what a budget buys, what a loss costs, and what each departure from the optimum
//! costs. Pure functions of laws; nothing is fitted here.

mod allocation;
mod basis;
pub mod batch;
pub mod contradiction;
mod error;
mod hardware;
mod inference;
mod kaplan;
mod overfit;
pub mod repetition;
mod report;
pub(crate) mod search;
pub mod shapes;

pub use allocation::{Allocation, ClosedFormOptimum, cheapest_for_loss, compute_optimal};
pub use basis::Basis;
pub use error::{Missing, PlanError};
pub use hardware::{Cost, Hardware};
pub use inference::{Served, serve};
pub use kaplan::{KaplanOptimum, StoppingTrade, WrongSize};
pub use overfit::{overfit, tokens_needed};
pub use report::{Advice, Goal, OtherSize, Plan, Request, plan};

#[cfg(test)]
mod appendix_b_tests;
