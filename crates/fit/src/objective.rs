//! What a fit minimises: always a sum over points, never a mean (a mean stops quasi-Newton methods early:
//! Besiroglu et al. 2024 trace a published misfit to it).

use crate::error::FitError;
use crate::law::Domain;
use serde::{Deserialize, Serialize};

/// The penalty on one residual r = prediction − observation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Penalty {
    /// r²/2 up to `delta`, then linear (Huber 1964; Hoffmann et al. 2022 use 1e-3 on log loss).
    Huber {
        /// Where it turns linear, in units of the residual.
        delta: f64,
    },
    /// r².
    LeastSquares,
    /// |r|.
    LeastAbsolute,
    /// Huber, times `over` where the prediction is above the observation.
    Asymmetric {
        /// Where it turns linear.
        delta: f64,
        /// Factor on over-estimates.
        over: f64,
    },
}

/// Where residuals are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// ln prediction − ln observation.
    Log,
    /// prediction − observation.
    Linear,
}

/// Penalty and space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Penalty on each residual.
    #[serde(flatten)]
    pub penalty: Penalty,
    /// Where residuals are taken.
    pub space: Space,
}

impl Objective {
    /// Least squares on log loss.
    pub const LOG_LEAST_SQUARES: Self = Self { penalty: Penalty::LeastSquares, space: Space::Log };
    /// Huber with δ = 1e-3 on log loss (Hoffmann et al. 2022).
    pub const CHINCHILLA: Self = Self { penalty: Penalty::Huber { delta: 1e-3 }, space: Space::Log };

    /// Refuses settings that mean nothing.
    ///
    /// # Errors
    /// δ or the factor is not above 0.
    pub fn validate(&self) -> Result<(), FitError> {
        let positive = |name: &str, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(FitError::OutOfDomain { name: name.into(), value, domain: Domain::Positive })
            }
        };
        match self.penalty {
            Penalty::Huber { delta } => positive("delta", delta),
            Penalty::Asymmetric { delta, over } => positive("delta", delta).and(positive("over", over)),
            Penalty::LeastSquares | Penalty::LeastAbsolute => Ok(()),
        }
    }
}

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.penalty {
            Penalty::Huber { delta } => write!(f, "Huber (δ = {delta})")?,
            Penalty::LeastSquares => f.write_str("least squares")?,
            Penalty::LeastAbsolute => f.write_str("least absolute deviations")?,
            Penalty::Asymmetric { delta, over } => write!(f, "Huber (δ = {delta}), over-estimates ×{over}")?,
        }
        f.write_str(match self.space {
            Space::Log => " on log loss",
            Space::Linear => " on loss",
        })
    }
}

/// ρ(r), ρ′(r), ρ″(r) and ρ′(r)/r.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rho {
    pub value: f64,
    pub slope: f64,
    pub curvature: f64,
    pub weight: f64,
}

impl Penalty {
    pub(crate) fn rho(self, r: f64) -> Rho {
        match self {
            Self::LeastSquares => Rho { value: r * r, slope: 2.0 * r, curvature: 2.0, weight: 2.0 },
            Self::Huber { delta } => huber(r, delta),
            Self::LeastAbsolute => {
                Rho { value: r.abs(), slope: r.signum(), curvature: 0.0, weight: 1.0 / r.abs() }
            }
            Self::Asymmetric { delta, over } => {
                let factor = if r > 0.0 { over } else { 1.0 };
                let h = huber(r, delta);
                Rho {
                    value: factor * h.value,
                    slope: factor * h.slope,
                    curvature: factor * h.curvature,
                    weight: factor * h.weight,
                }
            }
        }
    }

    /// The same penalty rounded off below a wider `delta`; divided by `delta` it keeps the slope of |r|.
    pub(crate) fn smoothed(self, delta: f64) -> Self {
        match self {
            Self::LeastAbsolute | Self::Huber { .. } => Self::Huber { delta },
            Self::Asymmetric { over, .. } => Self::Asymmetric { delta, over },
            Self::LeastSquares => Self::LeastSquares,
        }
    }
}

fn huber(r: f64, delta: f64) -> Rho {
    if r.abs() <= delta {
        Rho { value: 0.5 * r * r, slope: r, curvature: 1.0, weight: 1.0 }
    } else {
        Rho {
            value: delta * (r.abs() - 0.5 * delta),
            slope: delta * r.signum(),
            curvature: 0.0,
            weight: delta / r.abs(),
        }
    }
}
