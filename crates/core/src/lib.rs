//! The vocabulary of scalelaw: units and counting conventions, model shapes with their parameter and
//! FLOP counts, run specifications, schedules, run events, and the observer of progress.
//!
//! This crate reads no files, trains no models and fits no laws; every other crate uses its types.

mod architecture;
pub mod block;
mod columns;
pub mod date;
mod device;
mod error;
mod identity;
pub mod kaplan;
pub mod measure;
pub mod noise;
pub mod number;
pub mod observer;
pub mod optimizer;
pub mod schedule;
pub mod shape;
mod shape_rule;
pub mod spec;
pub mod spelling;
pub mod training;
pub mod units;

pub use block::Block;
pub use observer::Observer;
pub use shape::{Architecture, Head, ModelShape, Transformer};
pub use shape_rule::{ShapeRule, Surroundings, heads};
pub use spec::RunSpec;
pub use units::{Conventions, DataConvention, FlopConvention, PF_DAY, ParamConvention};
