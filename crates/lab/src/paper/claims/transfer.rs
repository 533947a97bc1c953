//! Loss on other text against loss on the training text.

use super::training::mean;
use super::{Estimate, Outcome, View};
use crate::paper::Refusal;
use crate::paper::runs::PaperRun;
use scalelaw_fit::laws::Expression;
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, IntervalChoice, Objective, Penalty, Space, fit};

/// Resamples of sizes.
const DRAWS: usize = 400;

/// One outcome for every evaluation set.
fn each(view: &View<'_>, estimate: impl Fn(&str) -> Outcome) -> Vec<(Option<String>, Outcome)> {
    let sets = view.runs.evalsets();
    if sets.is_empty() {
        return vec![(None, Err(Refusal::Nothing("run of A was evaluated on other text".into())))];
    }
    sets.into_iter().map(|set| (Some(set.clone()), estimate(&set))).collect()
}

/// (L, L_other, N) of A's branches.
pub(in crate::paper) fn pairs(runs: &[&PaperRun], set: &str) -> Vec<(f64, f64, f64)> {
    runs.iter().filter_map(|run| Some((run.row.loss?, *run.row.loss_evalsets.get(set)?, run.n()))).collect()
}

/// L_other = a + b·L by least squares.
pub(in crate::paper) fn line(points: &[(f64, f64, f64)]) -> Result<FittedLaw, Refusal> {
    if points.len() < 4 {
        return Err(Refusal::too_few(points.len(), "branches of A with this set", 4));
    }
    let real = |name: &str| (name.to_owned(), f64::NEG_INFINITY, f64::INFINITY);
    let law = Expression::new("a + b * L", &["L"], &[real("a"), real("b")])?;
    let mut sizes: Vec<f64> = points.iter().map(|p| p.2).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let group = |n: f64| sizes.iter().position(|size| *size == n).unwrap_or(0) as u32;
    let data = Dataset::new(points.iter().map(|p| p.1).collect())
        .with("L", points.iter().map(|p| p.0).collect())
        .grouped(points.iter().map(|p| group(p.2)).collect());
    let options = FitOptions {
        objective: Objective { penalty: Penalty::LeastSquares, space: Space::Linear },
        starts: Some(vec![vec![0.0, 1.0]]),
        intervals: IntervalChoice::Bootstrap(DRAWS),
        ..FitOptions::default()
    };
    Ok(fit(&law, &data, &options)?)
}

pub(super) fn slope(view: &View<'_>) -> Vec<(Option<String>, Outcome)> {
    let branches = view.runs.branches();
    each(view, |set| Estimate::constant(&line(&pairs(&branches, set))?, "b", "branches"))
}

pub(super) fn in_training(view: &View<'_>) -> Vec<(Option<String>, Outcome)> {
    let branches = view.runs.branches();
    let skip = view.estimators.chain.skip_steps;
    each(view, |set| {
        let points = pairs(&branches, set);
        let fitted = line(&points)?;
        let [a, b] = ["a", "b"].map(|name| fitted.param(name).unwrap_or(f64::NAN));
        let [lo, hi] = points.iter().fold([f64::INFINITY, 0.0f64], |[lo, hi], p| [lo.min(p.0), hi.max(p.0)]);
        let differences: Vec<f64> = view
            .runs
            .trunks()
            .iter()
            .filter_map(|run| {
                let off: Vec<f64> = in_course(run, set)
                    .into_iter()
                    .filter(|(step, own, _)| *step >= skip && (lo..=hi).contains(own))
                    .map(|(_, own, other)| other - (a + b * own))
                    .collect();
                (!off.is_empty()).then(|| mean(&off))
            })
            .collect();
        Estimate::mean(&differences, "trunks")
    })
}

/// (update, L, L_other) of a run's evaluations.
pub(in crate::paper) fn in_course(run: &PaperRun, set: &str) -> Vec<(f64, f64, f64)> {
    run.curve
        .iter()
        .filter_map(|row| Some((row.step? as f64, row.test_loss?, *row.loss_evalsets.get(set)?)))
        .collect()
}

pub(super) fn depth(view: &View<'_>) -> Vec<(Option<String>, Outcome)> {
    each(view, |set| {
        let points: Vec<(f64, f64)> = view
            .runs
            .part("D-aspect")
            .filter_map(|run| {
                Some((f64::from(run.layers()), run.row.loss_evalsets.get(set)? - run.row.loss?))
            })
            .collect();
        if points.len() < 3 {
            return Err(Refusal::too_few(points.len(), "shapes of D with this set", 3));
        }
        let real = |name: &str| (name.to_owned(), f64::NEG_INFINITY, f64::INFINITY);
        let law = Expression::new("a + b * ln(x)", &["x"], &[real("a"), real("b")])?;
        let data = Dataset::new(points.iter().map(|p| p.1).collect())
            .with("x", points.iter().map(|p| p.0).collect());
        let options = FitOptions {
            objective: Objective { penalty: Penalty::LeastSquares, space: Space::Linear },
            starts: Some(vec![vec![0.0, 0.0]]),
            intervals: IntervalChoice::Covariance,
            ..FitOptions::default()
        };
        let fitted = fit(&law, &data, &options)?;
        Estimate::constant(&fitted, "b", "shapes")
    })
}
