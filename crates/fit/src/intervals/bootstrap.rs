//! Bootstrap: runs (or trunks) drawn with replacement, the law refitted to each draw.

use crate::minimise::{Limits, refine_within};
use crate::problem::Problem;
use crate::random::{below, generator};
use rayon::prelude::*;

/// Steps of one refit: it starts beside its minimum, and what takes more has lost it.
const MOST_STEPS: usize = 100;
/// Above so many points a refit ends this close to its minimum, in standard errors: one Newton step suffices there, and
/// the last digits of a minimum are not what an interval is made of.
const LARGE: usize = 5000;
const CLOSE: f64 = 1e-4;

/// One refit: natural values of all parameters.
#[derive(Clone, Debug)]
pub(crate) struct Replicate {
    pub values: Vec<f64>,
    pub converged: bool,
}

/// Refits to `replicates` draws of the groups, each from every place in `starts`, the lowest kept. `kappa` turns a rise
/// of the objective into standard errors.
pub(crate) fn bootstrap(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    starts: &[Vec<f64>],
    replicates: usize,
    seed: u64,
    kappa: f64,
) -> Vec<Replicate> {
    let data = problem.data;
    let mut labels = data.group.clone();
    labels.sort_unstable();
    labels.dedup();
    let member: Vec<usize> = data.group.iter().map(|g| labels.binary_search(g).unwrap_or(0)).collect();
    let enough = if data.len() > LARGE { 0.5 * CLOSE * CLOSE * kappa } else { 0.0 };
    let limits = Limits { steps: MOST_STEPS, enough };
    (0..replicates)
        .into_par_iter()
        .map(|index| {
            let mut rng = generator(seed, index);
            let mut count = vec![0u32; labels.len()];
            for _ in 0..labels.len() {
                count[below(&mut rng, labels.len() as u64) as usize] += 1;
            }
            let drawn = data.select(
                (0..data.len())
                    .filter(|i| count[member[*i]] > 0)
                    .map(|i| (i, data.weight[i] * f64::from(count[member[i]]))),
            );
            let again = Problem::new(problem.law, &drawn, problem.objective, fixed);
            let best = starts
                .iter()
                .map(|start| refine_within(&again, start, limits))
                .min_by(|a, b| a.value.total_cmp(&b.value));
            match best {
                Some(best) => Replicate { values: again.to_natural(&best.theta), converged: best.converged },
                None => Replicate { values: vec![], converged: false },
            }
        })
        .collect()
}
