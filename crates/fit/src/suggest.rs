//! The next runs: those that shrink the interval of the loss at a target most, within a budget.

use crate::draws::{Steps, Uncertain};
use crate::error::FitError;
use crate::fitted::{FitStatus, FittedLaw};
use crate::law::value_and_gradient;
use crate::linalg::Matrix;
use crate::of_run::OfRun;
use crate::statistics::student_t;
use serde::Serialize;

/// A run that could be made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Parameters, as the law counts them.
    pub n: f64,
    /// Training tokens.
    pub d: f64,
    /// What it costs, in the unit of the budget (FLOPs or seconds).
    pub cost: f64,
}

/// A run to make, and what it buys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// The run.
    #[serde(flatten)]
    pub run: Candidate,
    /// Width of the target's 95% interval once this run and those before it are done, nats per token.
    pub width_after: f64,
}

/// What to run next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// Runs, in the order of what they buy.
    pub runs: Vec<Chosen>,
    /// Their cost.
    pub cost: f64,
    /// Width of the target's 95% interval now, nats per token.
    pub width_now: f64,
    /// Width expected with the runs made.
    pub width_after: f64,
    /// The worst doubt about the law.
    pub status: FitStatus,
    /// How far the target lies outside the runs, in decades.
    pub extrapolation_decades: f64,
}

/// A question for [`suggest`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// A law of N and D, fitted to the runs there are.
    pub law: &'a FittedLaw,
    /// Runs that could be made.
    pub candidates: &'a [Candidate],
    /// What may be spent, in the unit of the costs.
    pub budget: f64,
    /// N and D at which the loss is wanted.
    pub target: (f64, f64),
    /// Most runs.
    pub most_runs: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Draws of the law over which a design must be good: one set of constants would be trusted too much.
const DRAWS: usize = 24;
/// Exponents of cost by which a greedy choice values information; the best design of them is taken.
pub(crate) const THRIFT: [f64; 3] = [0.0, 0.5, 1.0];
/// The law's form is wrong by half as much as its runs scatter, alike within a third of a decade: what another seed of a
/// run, or a run beside it, cannot tell.
const MISFIT: f64 = 0.5;
const ALIKE_DECADES: f64 = 0.3;
/// A run that narrows the interval by less than this share is not worth its place.
pub(crate) const LEAST_GAIN: f64 = 0.002;

/// Chooses runs by the mean, over draws of the law, of ln of the target's variance (c-optimality), one after the other,
/// each given those chosen before.
///
/// # Errors
/// The law has no covariance, is not of N and D, or no candidate fits the budget.
pub fn suggest(request: &Request<'_>) -> Result<Suggestion, FitError> {
    let law = Uncertain::of(request.law)?;
    let of_run = OfRun::of(law.law.as_ref()).filter(OfRun::divides_budgets);
    let of_run = of_run.ok_or_else(|| FitError::NotOfSizeAndData { equation: law.law.equation() })?;
    let affordable: Vec<Candidate> = request
        .candidates
        .iter()
        .copied()
        .filter(|c| c.cost > 0.0 && c.cost <= request.budget && c.n > 0.0 && c.d > 0.0)
        .collect();
    if affordable.is_empty() {
        let cheapest = request.candidates.iter().map(|c| c.cost).fold(f64::INFINITY, f64::min);
        return Err(FitError::Unaffordable { budget: request.budget, cheapest });
    }
    let scenes = scenes(&law, &of_run, request, &affordable)?;
    let (chosen, widths) = THRIFT
        .map(|thrift| greedy(&law, &scenes, &affordable, request, thrift))
        .into_iter()
        .min_by(|a, b| last(&a.1).total_cmp(&last(&b.1)))
        .expect("a design was made for each exponent of thrift");
    let names = law.law.variables().iter().map(AsRef::as_ref);
    let (n, d) = request.target;
    let at: Vec<(&str, f64)> = names.zip(of_run.variables(n, d, d)).collect();
    let width_now = width(&scenes[0], &scenes[0].covariance, law.freedom);
    Ok(Suggestion {
        cost: chosen.iter().map(|i| affordable[*i].cost).sum(),
        width_after: widths.last().copied().unwrap_or(width_now),
        runs: chosen
            .iter()
            .zip(&widths)
            .map(|(i, w)| Chosen { run: affordable[*i], width_after: *w })
            .collect(),
        width_now,
        status: request.law.status,
        extrapolation_decades: request.law.decades_outside(&at),
    })
}

fn last(widths: &[f64]) -> f64 {
    widths.last().copied().unwrap_or(f64::INFINITY)
}

/// Gradients under one set of constants, in fitting coordinates.
struct Scene {
    covariance: Matrix,
    /// Of the loss at the target.
    target: Vec<f64>,
    /// Of each candidate's residual.
    candidates: Vec<Vec<f64>>,
}

/// The best fit first, then draws around it.
fn scenes(
    law: &Uncertain,
    of_run: &OfRun,
    request: &Request<'_>,
    candidates: &[Candidate],
) -> Result<Vec<Scene>, FitError> {
    let m = law.free.len();
    let steps = Steps::new(&law.covariance, law.freedom, request.seed)?;
    let log = request.law.objective.objective.space == crate::Space::Log;
    let drawn = std::iter::once(vec![0.0; m]).chain((0..DRAWS).map(|i| steps.draw(i)));
    Ok(drawn
        .map(|step| {
            let values = law.moved(&step);
            let gradient = |n: f64, d: f64, relative: bool| {
                let (value, g) = value_and_gradient(law.law.as_ref(), &of_run.variables(n, d, d), &values);
                law.free
                    .iter()
                    .map(|(j, domain)| {
                        let slope = domain.from_internal(domain.to_internal(values[*j])).1;
                        if relative { g[*j] * slope / value } else { g[*j] * slope }
                    })
                    .collect::<Vec<f64>>()
            };
            Scene {
                covariance: law.covariance.clone(),
                target: gradient(request.target.0, request.target.1, false),
                candidates: candidates.iter().map(|c| gradient(c.n, c.d, log)).collect(),
            }
        })
        .filter(|s| s.target.iter().chain(s.candidates.iter().flatten()).all(|v| v.is_finite()))
        .collect())
}

/// Takes the run with the largest fall of mean ln variance per cost^thrift until the budget is spent:
/// indices, and the interval's width after each.
fn greedy(
    law: &Uncertain,
    scenes: &[Scene],
    candidates: &[Candidate],
    request: &Request<'_>,
    thrift: f64,
) -> (Vec<usize>, Vec<f64>) {
    let noise = law.sigma * law.sigma;
    let mut covariances: Vec<Matrix> = scenes.iter().map(|s| s.covariance.clone()).collect();
    let (mut chosen, mut widths, mut left) = (Vec::new(), Vec::new(), request.budget);
    while chosen.len() < request.most_runs {
        let news = news(candidates, &chosen, noise);
        let targets: Vec<(Vec<f64>, f64)> = scenes
            .iter()
            .zip(&covariances)
            .map(|(s, c)| (times(c, &s.target), form(c, &s.target, &s.target)))
            .collect();
        let worth = |i: usize| {
            let gain: f64 = scenes
                .iter()
                .zip(&covariances)
                .zip(&targets)
                .map(|((s, c), (of_target, before))| {
                    let gradient = news[i].gradient(s, i, &chosen);
                    let shared = dot(of_target, &gradient);
                    let own = form(c, &gradient, &gradient);
                    -libm::log((1.0 - shared * shared / ((news[i].variance + own) * before)).max(1e-12))
                })
                .sum();
            // Half of the fall of ln variance is the fall of ln width.
            let enough = 0.5 * gain >= LEAST_GAIN * scenes.len() as f64;
            if enough { gain / libm::pow(candidates[i].cost, thrift) } else { 0.0 }
        };
        let best = (0..candidates.len())
            .filter(|i| candidates[*i].cost <= left)
            .map(|i| (worth(i), i))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((worth, i)) = best else { break };
        if worth <= 0.0 {
            break;
        }
        left -= candidates[i].cost;
        for (s, c) in scenes.iter().zip(&mut covariances) {
            learn(c, &news[i].gradient(s, i, &chosen), news[i].variance);
        }
        chosen.push(i);
        widths.push(width(&scenes[0], &covariances[0], law.freedom + chosen.len() as f64));
    }
    (chosen, widths)
}

/// What a run tells beyond those chosen before: its residual less what theirs foretell of it.
struct News {
    /// Weight of each chosen run in that foretelling.
    weights: Vec<f64>,
    /// Variance of what remains.
    variance: f64,
}

impl News {
    /// Gradient of what remains, for candidate `i` under one set of constants.
    fn gradient(&self, scene: &Scene, i: usize, chosen: &[usize]) -> Vec<f64> {
        let mut gradient = scene.candidates[i].clone();
        for (weight, j) in self.weights.iter().zip(chosen) {
            gradient.iter_mut().zip(&scene.candidates[*j]).for_each(|(g, other)| *g -= weight * other);
        }
        gradient
    }
}

/// The news of every candidate, given the runs chosen.
fn news(candidates: &[Candidate], chosen: &[usize], noise: f64) -> Vec<News> {
    let misfit = MISFIT * MISFIT * noise;
    let alike = |a: &Candidate, b: &Candidate| {
        let apart = libm::hypot(libm::log10(a.n / b.n), libm::log10(a.d / b.d)) / ALIKE_DECADES;
        misfit * libm::exp(-0.5 * apart * apart)
    };
    let among = Matrix::from_fn(chosen.len(), chosen.len(), |i, j| {
        alike(&candidates[chosen[i]], &candidates[chosen[j]]) + if i == j { noise } else { 0.0 }
    });
    let factor = among.cholesky();
    candidates
        .iter()
        .map(|candidate| {
            let with: Vec<f64> = chosen.iter().map(|j| alike(candidate, &candidates[*j])).collect();
            let weights =
                factor.as_ref().map_or_else(|| vec![0.0; chosen.len()], |factor| factor.solve(&with));
            News { variance: noise + misfit - dot(&weights, &with), weights }
        })
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// aᵀ·C·b.
fn form(c: &Matrix, a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(times(c, b)).map(|(a, cb)| a * cb).sum()
}

/// C·b.
fn times(c: &Matrix, b: &[f64]) -> Vec<f64> {
    (0..c.rows()).map(|i| c.row(i).iter().zip(b).map(|(c, b)| c * b).sum()).collect()
}

/// The covariance once a run with gradient `g` and this noise is made (Sherman and Morrison).
fn learn(c: &mut Matrix, g: &[f64], noise: f64) {
    let (m, cg) = (g.len(), times(c, g));
    let denominator = noise + g.iter().zip(&cg).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..m {
        for j in 0..m {
            c[(i, j)] -= cg[i] * cg[j] / denominator;
        }
    }
}

fn width(scene: &Scene, covariance: &Matrix, freedom: f64) -> f64 {
    2.0 * student_t(0.975, freedom) * form(covariance, &scene.target, &scene.target).max(0.0).sqrt()
}

#[cfg(test)]
mod tests;
