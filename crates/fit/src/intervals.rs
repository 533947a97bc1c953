//! How sure: profile of the objective, bootstrap over runs, covariance.

pub(crate) mod bootstrap;
pub(crate) mod profile;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Quantile of Student's t; the normal quantile's limit for many degrees of freedom.
pub(crate) fn student_t(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.max(1.0)).map_or(1.96, |t| t.inverse_cdf(probability))
}

/// Linear-interpolated quantile of sorted values (Hyndman & Fan type 7, numpy's default).
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = probability * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}
