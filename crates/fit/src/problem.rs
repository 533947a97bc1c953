//! A law, its data and an objective as one smooth function of unconstrained coordinates.

use crate::data::Data;
use crate::elementary::ln;
use crate::law::{Domain, Law, MAX_PARAMS, Pars, hessian_by_differences};
use crate::linalg::Matrix;
use crate::objective::{Objective, Penalty, Rho, Space};
use crate::statistics::median;

/// Predictions that change by less than this share have not changed.
const NO_CHANGE: f64 = 1e-6;
/// Predictions that change by more than this share have.
const CHANGE: f64 = 1e-3;
/// Where a parameter that had vanished is felt again, as a share of the response or of its range.
const FELT: f64 = 1e-2;

/// Places that are evaluated before their terms are summed.
const BLOCK: usize = 16;

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

/// Which second derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curvature {
    /// The Hessian.
    Full,
    /// Convex stand-in: Σ w·ρ′(r)/r·∇r∇rᵀ. For least squares it is Gauss and Newton's; for robust penalties its
    /// steps are reweighted least squares, which never climb.
    Majorant,
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

    /// The same problem on other points.
    pub fn on<'b>(&'b self, data: &'b Data) -> Problem<'b> {
        Problem { data, base: self.base.clone(), free: self.free.clone(), ..*self }
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
            n.ln[j] = ln(n.value[j]);
        }
        n
    }

    fn rho(&self, residual: f64) -> Rho {
        match self.stand_in {
            None => self.objective.penalty.rho(residual),
            Some((penalty, factor)) => {
                let r = penalty.rho(residual);
                Rho {
                    value: r.value * factor,
                    slope: r.slope * factor,
                    curvature: r.curvature * factor,
                    weight: r.weight * factor,
                }
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
        let mut out = vec![0.0; self.data.len()];
        for place in 0..self.data.places.len() {
            let at = self.data.vars(self.data.places.first(place));
            let predicted = self.in_space(self.law.eval(at, pars, &mut g[..np]));
            for i in self.data.places.points(place) {
                out[i] = predicted - self.observed(i);
            }
        }
        out
    }

    /// Median size of the residuals, from at most about a hundred of them.
    pub fn typical_residual(&self, theta: &[f64]) -> f64 {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        let sizes = (0..self.data.len())
            .step_by(self.data.len().div_ceil(100).max(1))
            .map(|i| {
                let predicted = self.in_space(self.law.eval(self.data.vars(i), pars, &mut g[..np]));
                (predicted - self.observed(i)).abs()
            })
            .filter(|r| r.is_finite())
            .collect();
        median(sizes).unwrap_or(1.0).max(1e-12)
    }

    /// A prediction in the objective's space.
    fn in_space(&self, value: f64) -> f64 {
        match self.objective.space {
            Space::Linear => value,
            Space::Log => ln(value),
        }
    }

    /// The observation in the objective's space.
    fn observed(&self, i: usize) -> f64 {
        match self.objective.space {
            Space::Linear => self.data.y[i],
            Space::Log => self.data.ln_y[i],
        }
    }

    /// Gradient of each residual by the free coordinates, one row a point.
    pub fn jacobian(&self, theta: &[f64]) -> Matrix {
        let n = self.natural(theta);
        let np = self.base.len();
        let pars = Pars { value: &n.value[..np], ln: &n.ln[..np] };
        let mut g = [0.0; MAX_PARAMS];
        let m = self.free.len();
        let mut out = vec![0.0; self.data.len() * m];
        for place in 0..self.data.places.len() {
            let at = self.data.vars(self.data.places.first(place));
            let value = self.law.eval(at, pars, &mut g[..np]);
            let scale = match self.objective.space {
                Space::Linear => 1.0,
                Space::Log => 1.0 / value,
            };
            for i in self.data.places.points(place) {
                for (entry, &j) in out[i * m..(i + 1) * m].iter_mut().zip(&self.free) {
                    *entry = g[j] * n.slope[j] * scale;
                }
            }
        }
        Matrix::from_rows(m, out)
    }

    /// Size of a prediction in the objective's space.
    pub fn typical_prediction(&self) -> f64 {
        match self.objective.space {
            Space::Log => 1.0,
            Space::Linear => self.data.y.iter().fold(0.0, |m: f64, y| m.max(y.abs())),
        }
    }

    /// Whether moving each free coordinate by one changes no prediction: a parameter that is not any real number has
    /// come to its bound, and its term has vanished.
    pub fn vanished(&self, theta: &[f64]) -> Vec<bool> {
        let jacobian = self.jacobian(theta);
        let least = NO_CHANGE * self.typical_prediction();
        (0..theta.len())
            .map(|k| {
                self.domain(self.free[k]) != Domain::Real
                    && (0..jacobian.rows()).all(|i| jacobian[(i, k)].abs() < least)
            })
            .collect()
    }

    /// The same place with every vanished coordinate moved off its bound, to where it is felt again; `None` where none
    /// has vanished. At the bound itself the slope is 0, and no minimiser leaves it.
    pub fn off_bounds(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let vanished = self.vanished(theta);
        if !vanished.contains(&true) {
            return None;
        }
        let mut moved = theta.to_vec();
        let gone = |moved: &[f64]| (0..moved.len()).filter(|k| vanished[*k]).collect::<Vec<_>>();
        for k in gone(&moved) {
            let param = &self.law.params()[self.free[k]];
            match param.domain {
                Domain::Between(lo, hi) => {
                    let inside = lo + (hi - lo) * if theta[k] < 0.0 { FELT } else { 1.0 - FELT };
                    moved[k] = param.domain.to_internal(inside);
                }
                // A shape, such as an exponent that has grown until its term is nothing: the middle of its starts.
                _ => {
                    if let Some(middle) = param.grid.get(param.grid.len() / 2) {
                        moved[k] = param.domain.to_internal(*middle);
                    }
                }
            }
        }
        // An amplitude: the value that explains a hundredth of the response.
        let jacobian = self.jacobian(&moved);
        for k in gone(&moved) {
            let param = &self.law.params()[self.free[k]];
            if param.domain != Domain::Positive || !param.grid.is_empty() {
                continue;
            }
            let steepest = (0..jacobian.rows()).fold(0.0f64, |m, i| m.max(jacobian[(i, k)].abs()));
            let felt = moved[k] + ln(FELT * self.typical_prediction() / steepest);
            if felt.is_finite() {
                moved[k] = felt;
            }
        }
        Some(moved)
    }

    /// Whether two places differ in a coordinate that predictions depend on.
    pub fn apart(&self, a: &[f64], b: &[f64]) -> bool {
        let far = |k: usize| {
            let size =
                if self.domain(self.free[k]) == Domain::Real { a[k].abs().max(b[k].abs()) } else { 1.0 };
            (a[k] - b[k]).abs() > 0.1 * size
        };
        let far: Vec<usize> = (0..a.len()).filter(|k| far(*k)).collect();
        if far.is_empty() {
            return false;
        }
        let jacobians = [self.jacobian(a), self.jacobian(b)];
        let least = CHANGE * self.typical_prediction();
        far.into_iter().any(|k| {
            jacobians.iter().any(|j| (0..j.rows()).any(|i| (j[(i, k)] * (a[k] - b[k])).abs() > least))
        })
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
    pub fn evaluate(&self, theta: &[f64], curvature: Curvature) -> Derivatives {
        let n = self.natural(theta);
        // A loop for each number of parameters, so that its sums stay in registers.
        macro_rules! by_number {
            ($($p:literal)*) => {
                match self.base.len() {
                    $($p => self.in_coordinates(&n, curvature, self.sums::<$p>(&n, curvature)),)*
                    _ => unreachable!("no law has more than MAX_PARAMS parameters"),
                }
            };
        }
        by_number!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    }

    /// The sums over points in natural parameters; slopes and bends of the transforms are applied once, at the
    /// end. `None` where the law has no value.
    fn sums<const P: usize>(&self, n: &Natural, curvature: Curvature) -> Option<Sums<P>> {
        let pars = Pars { value: &n.value[..P], ln: &n.ln[..P] };
        let mut sums = Sums { value: 0.0, gradient: [0.0; P], hessian: [[0.0; P]; P] };
        let places = &self.data.places;
        let (mut value, mut predicted, mut g) = ([0.0; BLOCK], [0.0; BLOCK], [[0.0; P]; BLOCK]);
        let mut h = [0.0; MAX_PARAMS * MAX_PARAMS];
        for first in (0..places.len()).step_by(BLOCK) {
            let block = BLOCK.min(places.len() - first);
            // Each loop's turns do not wait for each other, so the processor overlaps them.
            for i in 0..block {
                value[i] = self.law.eval(self.data.vars(places.first(first + i)), pars, &mut g[i]);
            }
            for i in 0..block {
                predicted[i] = self.in_space(value[i]);
            }
            for i in 0..block {
                // Sums over the points here, which have one gradient.
                let (mut slope, mut curved) = (0.0, 0.0);
                for point in places.points(first + i) {
                    let weight = self.data.weight[point];
                    if weight == 0.0 {
                        continue;
                    }
                    let residual = predicted[i] - self.observed(point);
                    if !residual.is_finite() {
                        return None;
                    }
                    let rho = self.rho(residual);
                    sums.value += weight * rho.value;
                    slope += weight * rho.slope;
                    curved += weight
                        * match curvature {
                            Curvature::Full => rho.curvature,
                            Curvature::Majorant => rho.weight,
                        };
                }
                if slope == 0.0 && curved == 0.0 {
                    continue;
                }
                let (slope_by_value, bend_by_value) = match self.objective.space {
                    Space::Linear => (1.0, 0.0),
                    Space::Log => {
                        let inverse = 1.0 / value[i];
                        (inverse, -inverse * inverse)
                    }
                };
                let g = &g[i];
                let by_value = slope * slope_by_value;
                for (sum, g) in sums.gradient.iter_mut().zip(g) {
                    *sum += by_value * g;
                }
                let mut outer = curved * slope_by_value * slope_by_value;
                if curvature == Curvature::Full {
                    outer += slope * bend_by_value;
                    let x = self.data.vars(places.first(first + i));
                    if !self.law.hessian(x, pars, g, &mut h[..P * P]) {
                        hessian_by_differences(self.law, x, pars, g, &self.free, &mut h[..P * P]);
                    }
                    for j in 0..P {
                        for k in j..P {
                            sums.hessian[j][k] += by_value * h[j * P + k];
                        }
                    }
                }
                for j in 0..P {
                    let gj = outer * g[j];
                    for (sum, gk) in sums.hessian[j].iter_mut().zip(g).skip(j) {
                        *sum += gj * gk;
                    }
                }
            }
        }
        Some(sums)
    }

    /// Sums in natural parameters as derivatives by the free coordinates.
    fn in_coordinates<const P: usize>(
        &self,
        n: &Natural,
        curvature: Curvature,
        sums: Option<Sums<P>>,
    ) -> Derivatives {
        let mut out = Derivatives {
            value: f64::INFINITY,
            gradient: [0.0; MAX_PARAMS],
            hessian: [0.0; MAX_PARAMS * MAX_PARAMS],
        };
        let Some(sums) = sums else { return out };
        out.value = sums.value;
        let m = self.free.len();
        for (a, &j) in self.free.iter().enumerate() {
            out.gradient[a] = sums.gradient[j] * n.slope[j];
            for (b, &k) in self.free.iter().enumerate().skip(a) {
                let mut v = sums.hessian[j][k] * n.slope[j] * n.slope[k];
                if a == b && curvature == Curvature::Full {
                    v += sums.gradient[j] * n.bend[j];
                }
                out.hessian[a * m + b] = v;
                out.hessian[b * m + a] = v;
            }
        }
        out
    }
}

/// Objective, gradient and Hessian (upper triangle) by all parameters.
struct Sums<const P: usize> {
    value: f64,
    gradient: [f64; P],
    hessian: [[f64; P]; P],
}
