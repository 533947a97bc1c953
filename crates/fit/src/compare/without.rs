//! What each run does to the verdict: both laws refitted without it.

use super::{Request, Side};
use crate::draws::loss_of_budget;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::fitted::ParamState;
use rayon::prelude::*;
use serde::Serialize;

/// The comparison without one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Without {
    /// Index of the run left out of A.
    pub of_a: Option<usize>,
    /// Index of the run left out of B.
    pub of_b: Option<usize>,
    /// Loss of B minus loss of A at the budget.
    pub advantage: f64,
}

/// With more runs than this none is looked at alone.
const MOST_RUNS: usize = 400;

/// Every run left out in turn (every pair, where runs are paired), those that move the verdict most first.
pub(super) fn each(a: &Side<'_>, b: &Side<'_>, request: &Request) -> Vec<Without> {
    let (n, k) = (a.runs.len(), b.runs.len());
    if n.max(k) > MOST_RUNS {
        return vec![];
    }
    let of_a = (0..n).map(|i| (Some(i), request.paired.then_some(i)));
    let of_b = (0..if request.paired { 0 } else { k }).map(|i| (None, Some(i)));
    let all: Vec<(Option<usize>, Option<usize>)> = of_a.chain(of_b).collect();
    let flops = request.flops;
    let (Some(whole_a), Some(whole_b)) = (loss_without(a, None, flops), loss_without(b, None, flops)) else {
        return vec![];
    };
    let advantage = |(of_a, of_b): (Option<usize>, Option<usize>)| {
        let la = if of_a.is_some() { loss_without(a, of_a, flops)? } else { whole_a };
        let lb = if of_b.is_some() { loss_without(b, of_b, flops)? } else { whole_b };
        Some(Without { of_a, of_b, advantage: lb - la })
    };
    let mut without: Vec<Without> = all.into_par_iter().filter_map(advantage).collect();
    let moved = |w: &Without| (w.advantage - (whole_b - whole_a)).abs();
    without.sort_by(|x, y| moved(y).total_cmp(&moved(x)));
    without
}

/// The loss of the law refitted without a run, from the minimum of all runs.
fn loss_without(side: &Side<'_>, run: Option<usize>, flops: f64) -> Option<f64> {
    let law = side.law.law().ok()?;
    if run.is_none() {
        return loss_of_budget(law.as_ref(), &side.law.values(), flops).ok();
    }
    let runs = side.runs.filtered(|i| Some(i) != run);
    let fixed = side.law.params.iter().filter(|(_, e)| e.state == ParamState::Fixed);
    let options = FitOptions {
        objective: side.law.objective.objective,
        fixed: fixed.map(|(name, e)| (name.clone(), e.value)).collect(),
        starts: Some(vec![side.law.values()]),
        intervals: IntervalChoice::None,
        ..FitOptions::default()
    };
    let again = fit(law.as_ref(), &runs, &options).ok()?;
    loss_of_budget(law.as_ref(), &again.values(), flops).ok().filter(|loss| loss.is_finite())
}
