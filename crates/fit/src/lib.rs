//! Scaling laws: forms, objectives, minima, intervals, frontiers and planning; pure.
//!
//! A [`Dataset`] of named columns and a [`Law`] go into [`fit`]; a [`FittedLaw`] comes out: constants with
//! intervals, every rival minimum, and warnings. No I/O, no clock, no randomness but a given seed;
//! transcendental functions from the `libm` crate, so that the same data give the same bytes everywhere.

pub mod calibration;
pub mod chain;
mod choose;
pub mod compare;
mod corner;
mod curves;
mod data;
mod describe;
mod design;
mod doubts;
mod draws;
mod elementary;
mod ending;
mod error;
pub mod explain;
mod fit;
mod fitted;
mod forecaster;
mod frontier;
mod hull;
mod identify;
mod influence;
pub mod interpolate;
mod intervals;
pub mod isoflop;
mod law;
pub mod laws;
mod linalg;
mod measured;
mod minima;
mod minimise;
mod objective;
mod of_run;
pub mod plan;
pub mod presets;
mod problem;
mod random;
mod reach;
mod residuals;
mod scale;
mod starts;
mod statistics;
pub mod suggest;
mod valley;

pub use choose::{DecadeError, HeldOut, LackOfFit, Ranked, best, lack_of_fit, rank};
pub use curves::{CurveStudy, Forecast, HorizonScore, forecast_curves};
pub use data::{Data, Dataset};
pub use ending::{Ending, forecast_end};
pub use error::FitError;
pub use fit::{FitOptions, IntervalChoice, fit};
pub use fitted::{
    BootstrapSummary, Correlation, Diagnostics, Estimate, FORMAT, FitStatus, FittedLaw, IntervalMethod,
    Intervals, ObjectiveValue, ParamState, Prediction, Rival, Starts, Warning,
};
pub use forecaster::{
    BestDivision, FORECASTER_FORMAT, Forecaster, Member, Origin, Outlook, Reach, Rules, forecaster,
    forecaster_by,
};
pub use frontier::{Curve, Envelope, FrontierPoint, envelope, readings};
pub use law::{
    Domain, EXPONENTS, Law, MAX_PARAMS, Param, Pars, Response, Vars, hessian_by_differences, value,
    value_and_gradient,
};
pub use measured::Measured;
pub use minima::Effort;
pub use objective::{Objective, Penalty, Space};
pub use reach::Ahead;
pub use residuals::{ResidualBin, residuals_by};
pub use valley::{ValleyPoint, valley};
