//! The next runs: those that narrow the forecast at a target most, whatever the form of the law.

use super::{Forecaster, MOST_FREEDOM, of_law};
use crate::error::FitError;
use crate::fitted::FitStatus;
use crate::hull;
use crate::linalg::Matrix;
use crate::statistics::student_t;
use crate::suggest::{Candidate, Chosen, LEAST_GAIN, Suggestion, THRIFT};

/// An interval that is narrower than this share of the loss needs no run.
const NOTHING: f64 = 1e-5;

/// What there is to know of the candidates and the target, given the runs chosen so far.
#[derive(Clone)]
struct Known {
    /// Covariance over the members of ln loss at the candidates and, last, at the target.
    covariance: Matrix,
    /// Corners of all runs.
    hull: Vec<[f64; 2]>,
    /// The dearest run, FLOPs.
    dearest: f64,
    freedom: f64,
}

impl Forecaster {
    /// Chooses runs by the fall of ln width of the interval of the loss at the target, one after the other, each given
    /// those chosen before. A run narrows it by deciding between the members, and by bringing the runs nearer to the
    /// target; another seed of one that is chosen tells less.
    ///
    /// # Errors
    /// No candidate fits the budget.
    pub fn suggest(
        &self,
        candidates: &[Candidate],
        budget: f64,
        target: (f64, f64),
        most_runs: usize,
    ) -> Result<Suggestion, FitError> {
        let affordable: Vec<Candidate> = candidates
            .iter()
            .copied()
            .filter(|c| c.cost > 0.0 && c.cost <= budget && c.n > 0.0 && c.d > 0.0)
            .collect();
        if affordable.is_empty() {
            let cheapest = candidates.iter().map(|c| c.cost).fold(f64::INFINITY, f64::min);
            return Err(FitError::Unaffordable { budget, cheapest });
        }
        let start = Known {
            covariance: self.covariance(&affordable, target),
            hull: self.hull.clone(),
            dearest: self.flops[1],
            freedom: self.freedom,
        };
        let (runs, after) = THRIFT
            .map(|thrift| self.greedy(start.clone(), &affordable, budget, target, most_runs, thrift))
            .into_iter()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .expect("a design was made for each exponent of thrift");
        Ok(Suggestion {
            cost: runs.iter().map(|chosen| chosen.run.cost).sum(),
            runs,
            width_now: self.width(&start, target),
            width_after: after,
            status: FitStatus::Ok,
            extrapolation_decades: self.at(target.0, target.1).decades,
        })
    }

    fn greedy(
        &self,
        mut known: Known,
        candidates: &[Candidate],
        budget: f64,
        target: (f64, f64),
        most_runs: usize,
        thrift: f64,
    ) -> (Vec<Chosen>, f64) {
        let (mut runs, mut left, mut width) = (Vec::new(), budget, self.width(&known, target));
        let nothing = NOTHING * self.loss(target.0, target.1);
        while runs.len() < most_runs && width > nothing {
            let narrower = |i: usize| {
                let gain = libm::log(width / self.width(&self.after(&known, i, &candidates[i]), target));
                if gain >= LEAST_GAIN { gain / libm::pow(candidates[i].cost, thrift) } else { 0.0 }
            };
            let best = (0..candidates.len())
                .filter(|i| candidates[*i].cost <= left)
                .map(|i| (narrower(i), i))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let Some((worth, i)) = best else { break };
            if worth <= 0.0 {
                break;
            }
            known = self.after(&known, i, &candidates[i]);
            width = self.width(&known, target);
            left -= candidates[i].cost;
            runs.push(Chosen { run: candidates[i], width_after: width });
        }
        (runs, width)
    }

    /// What is known once candidate `i` is run.
    fn after(&self, known: &Known, i: usize, run: &Candidate) -> Known {
        let mut next = known.clone();
        let variance = known.covariance[(i, i)] + self.sigma * self.sigma;
        let row: Vec<f64> = known.covariance.row(i).to_vec();
        if variance > 0.0 {
            for (a, x) in row.iter().enumerate() {
                for (b, y) in row.iter().enumerate() {
                    next.covariance[(a, b)] -= x * y / variance;
                }
            }
        }
        next.hull = hull::corners(known.hull.iter().copied().chain([[run.n, run.d]]));
        next.dearest = known.dearest.max(6.0 * run.n * run.d);
        next.freedom = (known.freedom + 1.0).min(MOST_FREEDOM);
        next
    }

    /// Width of the 95% interval of the mean loss at the target.
    fn width(&self, known: &Known, (n, d): (f64, f64)) -> f64 {
        let last = known.covariance.rows() - 1;
        let beyond = libm::log10(6.0 * n * d / known.dearest);
        let decades = beyond.max(hull::decades_outside(&known.hull, [n, d])).max(0.0);
        let drift = self.sigma * self.rules.drift * decades;
        let sd = (drift * drift + known.covariance[(last, last)].max(0.0)).sqrt();
        let t = student_t(0.975, known.freedom);
        self.loss(n, d) * (libm::exp(t * sd) - libm::exp(-t * sd))
    }

    fn covariance(&self, candidates: &[Candidate], (n, d): (f64, f64)) -> Matrix {
        let places: Vec<(f64, f64)> = candidates.iter().map(|c| (c.n, c.d)).chain([(n, d)]).collect();
        let constants = self.constants();
        let mut sum = Matrix::from_fn(places.len(), places.len(), |_, _| 0.0);
        let centers: Vec<f64> = places.iter().map(|(n, d)| self.combined(&constants, *n, *d).0).collect();
        for (member, constants) in self.members.iter().zip(&constants) {
            let apart: Vec<f64> = places
                .iter()
                .zip(&centers)
                .map(|((n, d), center)| libm::log(of_law(&member.law, constants, *n, *d)) - center)
                .map(|apart| if apart.is_finite() { apart } else { 0.0 })
                .collect();
            for (i, a) in apart.iter().enumerate() {
                for (j, b) in apart.iter().enumerate() {
                    sum[(i, j)] += member.weight * a * b;
                }
            }
        }
        sum
    }
}
