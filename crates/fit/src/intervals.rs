//! How sure: profile of the objective, bootstrap over runs, covariance.

pub(crate) mod bootstrap;
pub(crate) mod profile;
