//! Last digits of a least-absolute-deviations minimum: a corner, where as many residuals vanish as there are
//! coordinates. Smooth stand-ins only come near it.

use crate::linalg::Matrix;
use crate::problem::Problem;

const MOST_ROUNDS: usize = 60;
/// A gain below this share of the objective is rounding.
const LEAST_GAIN: f64 = 1e-14;
/// A gradient whose part outside the span of the chosen ones is smaller than this adds no direction.
const INDEPENDENT: f64 = 1e-7;

/// Walks from near a minimum along the edges of the linearised problem to the corner that no edge leads down
/// from: the simplex method for least absolute deviations (Barrodale & Roberts 1973), linearised anew at each
/// corner. Never climbs; says whether it came to such a corner.
pub(crate) fn settle(problem: &Problem<'_>, start: &[f64]) -> (Vec<f64>, bool) {
    let mut theta = start.to_vec();
    let mut value = problem.objective_at(&theta);
    for _ in 0..MOST_ROUNDS {
        let Some(corner) = Corner::nearest(problem, &theta) else { break };
        let edge = corner.down_an_edge(problem);
        let lowest = edge.is_none();
        let lower = [corner.to_it(), edge].into_iter().flatten().find_map(|step| {
            let next: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            let there = problem.objective_at(&next);
            (there < value * (1.0 - LEAST_GAIN)).then_some((next, there))
        });
        let Some((next, there)) = lower else { return (theta, lowest) };
        (theta, value) = (next, there);
    }
    (theta, false)
}

/// The points whose residuals vanish at a corner of the problem linearised at one place.
struct Corner {
    residuals: Vec<f64>,
    /// One row a point.
    jacobian: Matrix,
    /// As many as there are coordinates.
    points: Vec<usize>,
}

impl Corner {
    /// The corner of the smallest residuals with independent gradients.
    fn nearest(problem: &Problem<'_>, theta: &[f64]) -> Option<Self> {
        let m = theta.len();
        let (residuals, jacobian) = (problem.residuals(theta), problem.jacobian(theta));
        let mut order: Vec<usize> = (0..residuals.len()).filter(|i| problem.data.weight[*i] > 0.0).collect();
        order.sort_by(|a, b| residuals[*a].abs().total_cmp(&residuals[*b].abs()));
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(m);
        let mut points = Vec::with_capacity(m);
        for i in order {
            let row = jacobian.row(i);
            let mut rest = row.to_vec();
            for b in &basis {
                let along = dot(&rest, b);
                rest.iter_mut().zip(b).for_each(|(r, b)| *r -= along * b);
            }
            let length = dot(&rest, &rest).sqrt();
            if length > INDEPENDENT * dot(row, row).sqrt() {
                basis.push(rest.iter().map(|r| r / length).collect());
                points.push(i);
            }
            if points.len() == m {
                return Some(Self { residuals, jacobian, points });
            }
        }
        None
    }

    fn row(&self, i: usize) -> &[f64] {
        self.jacobian.row(i)
    }

    /// Gradients of the corner's points, one row each.
    fn matrix(&self) -> Matrix {
        let rows = self.points.iter().flat_map(|i| self.row(*i)).copied().collect();
        Matrix::from_rows(self.points.len(), rows)
    }

    /// The step that makes its residuals vanish.
    fn to_it(&self) -> Option<Vec<f64>> {
        let wanted: Vec<f64> = self.points.iter().map(|i| -self.residuals[*i]).collect();
        self.matrix().solve(&wanted)
    }

    /// The step along the steepest edge that leads down, to where it turns up; `None` where all lead up.
    fn down_an_edge(&self, problem: &Problem<'_>) -> Option<Vec<f64>> {
        let m = self.points.len();
        let weight = &problem.data.weight;
        let mut pull = vec![0.0; m];
        for (i, r) in self.residuals.iter().enumerate().filter(|(i, _)| !self.points.contains(i)) {
            let sign = weight[i] * r.signum();
            pull.iter_mut().zip(self.row(i)).for_each(|(p, j)| *p -= sign * j);
        }
        let matrix = self.matrix();
        let multipliers = matrix.transposed().solve(&pull)?;
        // Letting the residual of point k grow to one side gains its multiplier and costs its weight.
        let excess = |k: usize| multipliers[k].abs() - weight[self.points[k]];
        let k = (0..m).max_by(|a, b| excess(*a).total_cmp(&excess(*b)))?;
        if excess(k) <= 0.0 {
            return None;
        }
        let mut leaving = vec![0.0; m];
        leaving[k] = multipliers[k].signum();
        let edge = matrix.solve(&leaving)?;
        let mut turns: Vec<(f64, f64)> = (0..self.residuals.len())
            .filter(|i| weight[*i] > 0.0 && !self.points.contains(i))
            .map(|i| (i, dot(self.row(i), &edge)))
            .filter(|(i, speed)| self.residuals[*i] * speed < 0.0)
            .map(|(i, speed)| (-self.residuals[i] / speed, 2.0 * weight[i] * speed.abs()))
            .collect();
        turns.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut slope = -excess(k);
        let (far, _) = turns.into_iter().find(|(_, rise)| {
            slope += rise;
            slope >= 0.0
        })?;
        Some(edge.iter().map(|e| e * far).collect())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
