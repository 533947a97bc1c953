//! Runs of both recipes at the same place: a comparison without any law.

use super::{Interval, Side};
use crate::error::FitError;
use crate::isoflop::clusters;
use crate::law::Law;
use crate::statistics::{mean, probability_below, standard_deviation, student_t};
use serde::Serialize;
use std::collections::BTreeMap;

/// Places at which both recipes were run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matched {
    /// Places.
    pub places: usize,
    /// Places where A's mean loss is the lower.
    pub a_better: usize,
    /// Mean over A's runs of B's loss minus A's at their places, nats per token; interval by Student's t.
    pub advantage: Interval,
    /// Probability that the mean is above 0.
    pub probability_a_better: f64,
}

/// Values of a variable within this factor are the same place.
const SAME_PLACE: f64 = 1.01;
/// Fewer places than this have no spread to speak of.
const FEWEST_PLACES: usize = 3;

/// # Errors
/// The runs lack a variable of the law.
pub(super) fn matched(a: &Side<'_>, b: &Side<'_>, law: &dyn Law) -> Result<Option<Matched>, FitError> {
    let (of_a, of_b) = (a.runs.for_law(law)?, b.runs.for_law(law)?);
    let n = of_a.len();
    let mut keys = vec![Vec::new(); n + of_b.len()];
    for variable in 0..law.variables().len() {
        let of =
            |i: usize| if i < n { of_a.vars(i).value[variable] } else { of_b.vars(i - n).value[variable] };
        let values: Vec<f64> = (0..keys.len()).map(of).collect();
        for (number, cluster) in clusters(&values, SAME_PLACE).into_iter().enumerate() {
            cluster.into_iter().for_each(|i| keys[i].push(number));
        }
    }
    let mut places: BTreeMap<Vec<usize>, [Vec<f64>; 2]> = BTreeMap::new();
    let mut run_at: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
    for (i, key) in keys.into_iter().enumerate() {
        let (side, loss) = if i < n { (0, of_a.y()[i]) } else { (1, of_b.y()[i - n]) };
        if side == 0 {
            run_at.entry(key.clone()).or_insert(of_a.group[i]);
        }
        places.entry(key).or_default()[side].push(loss);
    }
    let both = places.iter().filter(|(_, [a, b])| !a.is_empty() && !b.is_empty());
    let at_places: Vec<(u32, f64)> = both.map(|(key, [a, b])| (run_at[key], mean(b) - mean(a))).collect();
    // Checkpoints of one run share its luck: they are one difference.
    let mut of_runs: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    at_places.iter().for_each(|(run, difference)| of_runs.entry(*run).or_default().push(*difference));
    let differences: Vec<f64> = of_runs.values().map(|of_run| mean(of_run)).collect();
    if differences.len() < FEWEST_PLACES {
        return Ok(None);
    }
    let (runs, freedom) = (differences.len() as f64, differences.len() as f64 - 1.0);
    let (advantage, se) = (mean(&differences), standard_deviation(&differences) / runs.sqrt());
    let half = student_t(0.975, freedom) * se;
    Ok(Some(Matched {
        places: at_places.len(),
        a_better: at_places.iter().filter(|(_, d)| *d > 0.0).count(),
        advantage: Interval {
            value: Some(advantage),
            ci95: [Some(advantage - half), Some(advantage + half)],
        },
        probability_a_better: if advantage == 0.0 { 0.5 } else { probability_below(advantage / se, freedom) },
    }))
}
