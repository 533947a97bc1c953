//! A law, its data and an objective as one smooth function of unconstrained coordinates.

use crate::data::Data;
use crate::law::{Domain, Law, MAX_PARAMS, Pars};
use crate::objective::{Objective, Penalty, Rho, Space};

/// The function a minimiser sees. Fixed parameters keep their value and have no coordinate.
pub(crate) struct Problem<'a> {
    pub law: &'a dyn Law,
    pub data: &'a Data,
    pub objective: Objective,
    /// Natural values of all parameters; the free ones are replaced at each evaluation.
    base: Vec<f64>,
    /// Index of each free parameter.
    pub free: Vec<usize>,
    /// Stand-in for the penalty while it is being sharpened, and the factor that restores its scale.
    stand_in: Option<(Penalty, f64)>,
}

/// Value, gradient and Hessian at one place, by the free coordinates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derivatives {
    pub value: f64,
    /// The first `m` entries, `m` being the number of free coordinates.
    pub gradient: [f64; MAX_PARAMS],
    /// Row-major, `m` × `m` in the first entries.
    pub hessian: [f64; MAX_PARAMS * MAX_PARAMS],
}

/// All parameters in natural units, their logarithms and the two derivatives by the coordinate.
struct Natural {
    value: [f64; MAX_PARAMS],
    ln: [f64; MAX_PARAMS],
    slope: [f64; MAX_PARAMS],
    bend: [f64; MAX_PARAMS],
}

impl<'a> Problem<'a> {
    /// `fixed` holds a value for every parameter that is not fitted.
    pub fn new(law: &'a dyn Law, data: &'a Data, objective: Objective, fixed: &[Option<f64>]) -> Self {
        let base: Vec<f64> = fixed.iter().map(|f| f.unwrap_or(f64::NAN)).collect();
        let free = (0..base.len()).filter(|j| fixed[*j].is_none()).collect();
        Self { law, data, objective, base, free, stand_in: None }
    }

    /// The same problem with |r| replaced by its smooth stand-in.
    pub fn smoothed(&self, delta: f64) -> Problem<'a> {
        let stand_in = Some((self.objective.penalty.smoothed(delta), 1.0 / delta));
        Problem { base: self.base.clone(), free: self.free.clone(), stand_in, ..*self }
    }

    /// The same problem with one more parameter fixed.
    pub fn fixing(&self, j: usize, value: f64) -> Problem<'a> {
        let mut base = self.base.clone();
        base[j] = value;
        let free = self.free.iter().copied().filter(|k| *k != j).collect();
        Problem { base, free, stand_in: self.stand_in, ..*self }
    }

    fn domain(&self, j: usize) -> Domain {
        self.law.params()[j].domain
    }

    /// Coordinates of natural parameters.
    pub fn to_internal(&self, natural: &[f64]) -> Vec<f64> {
        self.free.iter().map(|&j| self.domain(j).to_internal(natural[j])).collect()
    }

    /// Natural parameters at coordinates.
    pub fn to_natural(&self, theta: &[f64]) -> Vec<f64> {
        let mut p = self.base.clone();
        for (&j, t) in self.free.iter().zip(theta) {
            p[j] = self.domain(j).from_internal(*t).0;
        }
        p
    }

    fn natural(&self, theta: &[f64]) -> Natural {
        let mut n = Natural {
            value: [0.0; MAX_PARAMS],
            ln: [0.0; MAX_PARAMS],
            slope: [0.0; MAX_PARAMS],
            bend: [0.0; MAX_PARAMS],
        };
        n.value[..self.base.len()].copy_from_slice(&self.base);
        for (&j, t) in self.free.iter().zip(theta) {
            (n.value[j], n.slope[j], n.bend[j]) = self.domain(j).from_internal(*t);
        }
        for j in 0..self.base.len() {
            n.ln[j] = libm::log(n.value[j]);
        }
        n
    }

    fn rho(&self, residual: f64) -> Rho {
        match self.stand_in {
            None => self.objective.penalty.rho(residual),
            Some((penalty, factor)) => {
                let r = penalty.rho(residual);
                Rho { value: r.value * factor, slope: r.slope * factor, curvature: r.curvature * factor }
            }
        }
    }

    /// The objective itself (never the stand-in), infinite where the law has no value.
    pub fn objective_at(&self, theta: &[f64]) -> f64 {
        self.residuals(theta)
            .iter()
            .zip(&self.data.weight)
            .map(
                |(r, w)| if r.is_finite() { w * self.objective.penalty.rho(*r).value } else { f64::INFINITY },
            )
            .sum()
    }

    /// Residuals (prediction − observation) in the objective's space.
    pub fn residuals(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        (0..self.data.len())
            .map(|i| self.residual(i, self.law.eval(self.data.vars(i), pars, &mut g[..np])))
            .collect()
    }

    /// Median size of the residuals, from at most about a hundred of them.
    pub fn typical_residual(&self, theta: &[f64]) -> f64 {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        let mut sizes: Vec<f64> = (0..self.data.len())
            .step_by(self.data.len().div_ceil(100).max(1))
            .map(|i| self.residual(i, self.law.eval(self.data.vars(i), pars, &mut g[..np])).abs())
            .filter(|r| r.is_finite())
            .collect();
        sizes.sort_by(f64::total_cmp);
        sizes.get(sizes.len() / 2).copied().unwrap_or(1.0).max(1e-12)
    }

    fn residual(&self, i: usize, value: f64) -> f64 {
        match self.objective.space {
            Space::Linear => value - self.data.y[i],
            Space::Log => libm::log(value) - self.data.ln_y[i],
        }
    }

    /// Gradient of each residual by the free coordinates, one row a point.
    pub fn jacobian(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        let mut out = Vec::with_capacity(self.data.len() * self.free.len());
        for i in 0..self.data.len() {
            let value = self.law.eval(self.data.vars(i), pars, &mut g[..np]);
            let scale = match self.objective.space {
                Space::Linear => 1.0,
                Space::Log => 1.0 / value,
            };
            out.extend(self.free.iter().map(|&j| g[j] * n.slope[j] * scale));
        }
        out
    }

    /// Furthest each free coordinate may move in one step: two e-foldings of a positive parameter, twice a
    /// real one's size.
    pub fn longest_step(&self, theta: &[f64]) -> [f64; MAX_PARAMS] {
        let mut longest = [2.0; MAX_PARAMS];
        for ((longest, &j), t) in longest.iter_mut().zip(&self.free).zip(theta) {
            if self.domain(j) == Domain::Real {
                *longest = 2.0 * t.abs().max(1.0);
            }
        }
        longest
    }

    /// Value, gradient and Hessian; the value is infinite where the law has none.
    pub fn evaluate(&self, theta: &[f64]) -> Derivatives {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        let mut h = [0.0; MAX_PARAMS * MAX_PARAMS];
        let mut total = 0.0;
        let mut gradient = [0.0; MAX_PARAMS];
        // Natural coordinates: slopes and bends of the transforms are applied once, at the end.
        let mut hessian = [0.0; MAX_PARAMS * MAX_PARAMS];
        for i in 0..self.data.len() {
            let weight = self.data.weight[i];
            if weight == 0.0 {
                continue;
            }
            let x = self.data.vars(i);
            let value = self.law.eval(x, pars, &mut g[..np]);
            let (residual, first, second) = match self.objective.space {
                Space::Linear => (value - self.data.y[i], 1.0, 0.0),
                Space::Log => {
                    let inverse = 1.0 / value;
                    (libm::log(value) - self.data.ln_y[i], inverse, -inverse * inverse)
                }
            };
            if !residual.is_finite() {
                return Derivatives {
                    value: f64::INFINITY,
                    gradient: [0.0; MAX_PARAMS],
                    hessian: [0.0; MAX_PARAMS * MAX_PARAMS],
                };
            }
            let rho = self.rho(residual);
            total += weight * rho.value;
            let slope = weight * rho.slope * first;
            let outer = weight * (rho.curvature * first * first + rho.slope * second);
            self.law.hessian(x, pars, &g[..np], &mut h[..np * np]);
            for j in 0..np {
                gradient[j] += slope * g[j];
                let gj = outer * g[j];
                let row = j * np..(j + 1) * np;
                for ((sum, gk), hk) in hessian[row.clone()].iter_mut().zip(&g).zip(&h[row]).skip(j) {
                    *sum += gj * gk + slope * hk;
                }
            }
        }
        let m = self.free.len();
        let mut out = Derivatives {
            value: total,
            gradient: [0.0; MAX_PARAMS],
            hessian: [0.0; MAX_PARAMS * MAX_PARAMS],
        };
        for (a, &j) in self.free.iter().enumerate() {
            out.gradient[a] = gradient[j] * n.slope[j];
            for (b, &k) in self.free.iter().enumerate().skip(a) {
                let mut v = hessian[j * np + k] * n.slope[j] * n.slope[k];
                if a == b {
                    v += gradient[j] * n.bend[j];
                }
                out.hessian[a * m + b] = v;
                out.hessian[b * m + a] = v;
            }
        }
        out
    }
}
