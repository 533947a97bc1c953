//! Laws drawn from a fit's uncertainty: the multivariate t distribution around its minimum.

use crate::error::FitError;
use crate::fitted::{FittedLaw, ParamState};
use crate::law::{Domain, Law};
use crate::linalg::{Cholesky, Matrix};
use crate::of_run::OfRun;
use crate::plan::{Allocation, compute_optimal};
use crate::random::{chi_squared, generator, normal};

/// A fitted law, its registry entry, and which of its parameters are free.
pub(crate) struct Uncertain {
    pub law: Box<dyn Law>,
    pub values: Vec<f64>,
    /// Index and domain of each free parameter.
    pub free: Vec<(usize, Domain)>,
    /// In fitting coordinates.
    pub covariance: Matrix,
    pub freedom: f64,
    pub sigma: f64,
}

impl Uncertain {
    /// # Errors
    /// The law's file has no covariance.
    pub fn of(fitted: &FittedLaw) -> Result<Self, FitError> {
        let law = fitted.law()?;
        let free = law
            .params()
            .iter()
            .zip(&fitted.params)
            .enumerate()
            .filter(|(_, (_, (_, e)))| e.state != ParamState::Fixed)
            .map(|(j, (p, _))| (j, p.domain))
            .collect();
        let covariance = fitted
            .diagnostics
            .covariance
            .clone()
            .and_then(Matrix::square)
            .ok_or_else(|| FitError::NoCovariance { law: fitted.law.clone() })?;
        Ok(Self {
            values: fitted.values(),
            law,
            free,
            covariance,
            freedom: fitted.diagnostics.degrees_of_freedom.max(1.0),
            sigma: fitted.diagnostics.sigma,
        })
    }

    /// The parameters moved by `step` in fitting coordinates.
    pub fn moved(&self, step: &[f64]) -> Vec<f64> {
        let mut values = self.values.clone();
        for ((j, domain), s) in self.free.iter().zip(step) {
            values[*j] = domain.from_internal(domain.to_internal(values[*j]) + s).0;
        }
        values
    }
}

/// Draws steps with a joint covariance in fitting coordinates.
pub(crate) struct Steps {
    factor: Cholesky,
    width: usize,
    freedom: f64,
    seed: u64,
}

impl Steps {
    /// # Errors
    /// The covariance is not positive definite.
    pub fn new(covariance: &Matrix, freedom: f64, seed: u64) -> Result<Self, FitError> {
        let factor = covariance.cholesky().ok_or(FitError::SingularCovariance)?;
        Ok(Self { factor, width: covariance.rows(), freedom, seed })
    }

    /// Draw `index`: the same whatever thread asks.
    pub fn draw(&self, index: usize) -> Vec<f64> {
        let mut rng = generator(self.seed, index);
        let normals: Vec<f64> = (0..self.width).map(|_| normal(&mut rng)).collect();
        let stretch = (self.freedom / chi_squared(&mut rng, self.freedom)).sqrt();
        self.factor.times(&normals).into_iter().map(|step| stretch * step).collect()
    }
}

/// The best loss that a law gives for a budget: of C itself, or of a run's numbers with C = 6·N·D.
///
/// # Errors
/// The law has other variables, or no optimum.
pub(crate) fn loss_of_budget(law: &dyn Law, values: &[f64], flops: f64) -> Result<f64, FitError> {
    if *law.variables() == ["C"] {
        return Ok(crate::law::value(law, &[flops], values));
    }
    Ok(optimum(law, values, flops)?.loss)
}

/// The best division of a budget.
///
/// # Errors
/// The law does not divide budgets, or has no optimum.
pub(crate) fn optimum(law: &dyn Law, values: &[f64], flops: f64) -> Result<Allocation, FitError> {
    if let Some(law) = law.closed_form_optimum() {
        return Ok(law.optimum(values, flops));
    }
    let of_run = OfRun::of(law).filter(OfRun::divides_budgets);
    let of_run = of_run.ok_or_else(|| FitError::NotOfBudget { equation: law.equation() })?;
    compute_optimal(&|n, d| of_run.loss(law, values, n, d), &|n| 6.0 * n, flops)
        .map_err(|error| FitError::Plan(Box::new(error)))
}
