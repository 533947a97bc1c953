//! What the data allow: the ends of every parameter among all places that they do not reject, wherever those lie.
//!
//! A walk from the best minimum sees its own valley only. Where two terms of a law can stand for each other (all runs
//! at one ratio of D to N, or nearly one N), another valley fits as well and holds the truth as often. So each
//! parameter is also held at the values of its law's grid, from the best starts there.

use crate::intervals::profile::{Profile, with, without};
use crate::law::Domain;
use crate::minima::{self, Minima};
use crate::minimise::{Limits, polish, polish_within};
use crate::problem::Problem;
use crate::scale::{covariance, scale};
use crate::statistics::student_t;

/// What the data allow of each free coordinate.
pub(crate) struct Allowed {
    /// Lower and upper end; `None` where open. Infinite at a bound that the parameter has come to.
    pub ends: Vec<[Option<f64>; 2]>,
    /// For each coordinate, places that the data do not reject and that lie outside of the minimum's own valley.
    pub elsewhere: Vec<Vec<f64>>,
}

/// Steps of a start on a few points: where that is not enough, the start is in a valley without end.
const LIMITS: Limits = Limits::steps(60);
/// How often the search begins again from a lower minimum that it met.
const ATTEMPTS: usize = 4;

/// Looks for everything that the data do not reject at 95%. A lower minimum met on the way replaces the best.
pub(crate) fn allowed(problem: &Problem<'_>, minima: &mut Minima) -> Allowed {
    // What one attempt has spent the next one does not have.
    let mut evaluations = 0;
    for attempt in 1.. {
        let best = minima.minima[0].optimum.clone();
        let mut search = Search::new(problem, minima);
        search.profile.evaluations = evaluations;
        let found = search.all();
        evaluations = search.profile.evaluations;
        let Some(better) = search.profile.better.filter(|_| attempt < ATTEMPTS) else { return found };
        minima::collect(&mut minima.minima, problem, polish(problem, &better), 0);
        if minima.minima[0].optimum.value >= best.value {
            return found;
        }
    }
    unreachable!("the last attempt returns")
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    minima: &'a Minima,
    theta: Vec<f64>,
    /// About one standard error of each coordinate.
    step: Vec<f64>,
    /// A few points, on which a start is walked first.
    few: crate::Data,
    profile: Profile<'a>,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>, minima: &'a Minima) -> Self {
        let best = &minima.minima[0];
        let noise = scale(problem, &best.residuals);
        let (covariance, _) = covariance(problem, &best.optimum.theta, noise);
        let m = best.optimum.theta.len();
        let step =
            (0..m).map(|k| covariance.as_ref().map_or(0.1, |c| c[(k, k)].sqrt()).clamp(1e-9, 2.0)).collect();
        let t = student_t(0.975, noise.freedom);
        let few = problem.data.thinned(minima::SCREENING.max(4 * m));
        Self {
            problem,
            minima,
            theta: best.optimum.theta.clone(),
            step,
            few,
            profile: Profile::new(problem, best.optimum.value, noise, t),
        }
    }

    fn all(&mut self) -> Allowed {
        let m = self.theta.len();
        let vanished = self.problem.vanished(&self.theta);
        let mut ends: Vec<[Option<f64>; 2]> = (0..m).map(|k| self.own_valley(k, vanished[k])).collect();
        let mut elsewhere = vec![Vec::new(); m];
        if self.profile.better.is_some() {
            return Allowed { ends, elsewhere };
        }
        let places = self.other_valleys(&ends, &vanished);
        for k in (0..m).filter(|k| !vanished[*k]) {
            for (side, sign) in [(0, -1.0), (1, 1.0)] {
                let beyond =
                    |place: &&Vec<f64>| ends[k][side].is_some_and(|end| (place[k] - end) * sign > 1e-6);
                let furthest =
                    places.iter().filter(beyond).max_by(|a, b| (a[k] * sign).total_cmp(&(b[k] * sign)));
                if let Some(place) = furthest {
                    elsewhere[k].push(place[k]);
                    ends[k][side] = self.profile.end(place, k, sign * self.step[k]);
                }
            }
        }
        Allowed { ends, elsewhere }
    }

    /// The ends reached by walking from the best minimum.
    fn own_valley(&mut self, k: usize, vanished: bool) -> [Option<f64>; 2] {
        let theta = self.theta.clone();
        if !vanished {
            return [-1.0, 1.0].map(|sign| self.profile.end(&theta, k, sign * self.step[k]));
        }
        // The bound is one end; the other is walked to from where the parameter is felt again.
        let param = &self.problem.law.params()[self.problem.free[k]];
        let at_top = matches!(param.domain, Domain::Between(..)) && theta[k] > 0.0;
        let sign = if at_top { -1.0 } else { 1.0 };
        let felt = self.problem.off_bounds(&theta).map_or(theta[k], |moved| moved[k]);
        // Start where it is hardly felt, so that the data do not reject the place.
        let from = with(&without(&theta, k), k, felt - sign * 10.0);
        let inner = self.profile.end(&from, k, sign);
        if at_top { [inner, Some(f64::INFINITY)] } else { [Some(f64::NEG_INFINITY), inner] }
    }

    /// Places outside of the minimum's own valley that the data do not reject: each parameter held at the values of
    /// its law's grid, from the best starts with that value, and the other minima themselves.
    fn other_valleys(&mut self, ends: &[[Option<f64>; 2]], vanished: &[bool]) -> Vec<Vec<f64>> {
        let mut places: Vec<Vec<f64>> = self.minima.minima[1..]
            .iter()
            .filter(|m| self.profile.root(m.optimum.value) <= self.profile.t)
            .map(|m| m.optimum.theta.clone())
            .collect();
        for k in (0..self.theta.len()).filter(|k| !vanished[*k]) {
            let mut values: Vec<f64> = self.minima.grid.iter().map(|(_, theta)| theta[k]).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            // A parameter whose start follows from the others has no values of its own.
            if values.len() > self.problem.law.params()[self.problem.free[k]].grid.len() {
                continue;
            }
            let [lo, hi] = ends[k];
            let outside = |v: f64| lo.is_some_and(|lo| v < lo) || hi.is_some_and(|hi| v > hi);
            for at in values.into_iter().filter(|v| outside(*v)) {
                if let Some(place) = self.place_with(k, at) {
                    places.push(place);
                }
            }
        }
        places
    }

    /// A place with coordinate `k` at `at` that the data do not reject, from the best start of the grid there.
    fn place_with(&mut self, k: usize, at: f64) -> Option<Vec<f64>> {
        if self.profile.exhausted() {
            return None;
        }
        let (_, start) = self.minima.grid.iter().find(|(_, theta)| theta[k] == at)?;
        let j = self.problem.free[k];
        let natural = self.problem.law.params()[j].domain.from_internal(at).0;
        let reduced = self.problem.fixing(j, natural);
        // Walked on a few points first; what is hopeless there is not walked on all of them.
        let rough = reduced.on(&self.few);
        let near = polish_within(&rough, &without(start, k), LIMITS).theta;
        let points = self.problem.data.len() as f64 / self.few.len() as f64;
        let bar = self.profile.t.powi(2) + 10.0 * self.theta.len() as f64 * points;
        if self.profile.root(reduced.objective_at(&near)).powi(2) > bar {
            return None;
        }
        let optimum = self.profile.held(k, at, &near);
        (self.profile.root(optimum.value) <= self.profile.t).then(|| with(&optimum.theta, k, at))
    }
}
