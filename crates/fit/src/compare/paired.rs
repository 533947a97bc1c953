//! The luck that pairs of runs share.

use super::Side;
use crate::draws::Uncertain;
use crate::error::FitError;
use crate::linalg::Matrix;
use crate::problem::Problem;

/// Covariance between the constants of two fits, from the correlation of their pairs' residuals.
pub(super) struct Shared {
    pub covariance: Matrix,
    pub correlation: f64,
}

/// # Errors
/// The sides have different numbers of runs.
pub(super) fn shared(a: &Side<'_>, b: &Side<'_>, ua: &Uncertain, ub: &Uncertain) -> Result<Shared, FitError> {
    if a.runs.len() != b.runs.len() {
        return Err(FitError::Length {
            column: "runs of B".into(),
            got: b.runs.len(),
            expected: a.runs.len(),
        });
    }
    let (ra, ja) = residuals(a, ua)?;
    let (rb, jb) = residuals(b, ub)?;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let correlation = product(&ra, &rb) / (product(&ra, &ra) * product(&rb, &rb)).sqrt();
    // Perfect correlation would make the joint covariance singular.
    let correlation = if correlation.is_finite() { correlation.clamp(-0.98, 0.98) } else { 0.0 };
    let (m, k) = (ua.free.len(), ub.free.len());
    // Cov = ρ·σ_a·σ_b·(JᵀJ)_a⁻¹·J_aᵀJ_b·(JᵀJ)_b⁻¹, each inverse being a covariance over its σ².
    let mut meat = Matrix::zeros(m, k);
    for run in 0..ja.rows().min(jb.rows()) {
        for i in 0..m {
            for j in 0..k {
                meat[(i, j)] += ja[(run, i)] * jb[(run, j)];
            }
        }
    }
    let scale = correlation / (ua.sigma * ub.sigma);
    let mut covariance = Matrix::zeros(m, k);
    for i in 0..m {
        for j in 0..k {
            for p in 0..m {
                for q in 0..k {
                    covariance[(i, j)] +=
                        scale * ua.covariance[(i, p)] * meat[(p, q)] * ub.covariance[(q, j)];
                }
            }
        }
    }
    Ok(Shared { covariance, correlation })
}

/// Residuals of one side's runs at the minimum, and their derivatives by its free coordinates.
fn residuals(side: &Side<'_>, u: &Uncertain) -> Result<(Vec<f64>, Matrix), FitError> {
    let data = side.runs.for_law(u.law.as_ref())?;
    let free: Vec<usize> = u.free.iter().map(|(j, _)| *j).collect();
    let fixed: Vec<Option<f64>> =
        u.values.iter().enumerate().map(|(j, v)| (!free.contains(&j)).then_some(*v)).collect();
    let problem = Problem::new(u.law.as_ref(), &data, side.law.objective.objective, &fixed);
    let theta = problem.to_internal(&u.values);
    Ok((problem.residuals(&theta), problem.jacobian(&theta)))
}
