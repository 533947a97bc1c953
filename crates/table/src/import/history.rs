//! What one run logged, and its row and curve once the metrics have a meaning.

use super::Imported;
use super::mapping::{Mapping, Quantity};
use crate::rows::{CurveRow, RunRow};
use std::collections::{BTreeMap, BTreeSet};

/// Logged values of one run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct History {
    metrics: BTreeMap<String, Metric>,
    /// Names under which there was nothing but text, pictures and the like.
    left: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq)]
struct Metric {
    /// By step; the last value logged at a step counts.
    values: BTreeMap<u64, f64>,
    /// Values replaced by a later one of the same step.
    replaced: usize,
    /// Steps at which it was infinite, not a number, or no number at all.
    unusable: BTreeSet<u64>,
}

impl History {
    /// Adds a value; one that is not finite is remembered as such.
    pub fn push(&mut self, step: u64, metric: &str, value: f64) {
        let metric = self.metrics.entry(metric.to_string()).or_default();
        if value.is_finite() {
            if metric.values.insert(step, value).is_some_and(|before| before.to_bits() != value.to_bits()) {
                metric.replaced += 1;
            }
        } else {
            metric.unusable.insert(step);
        }
    }

    /// Adds something that is no number.
    pub fn leave(&mut self, step: u64, metric: &str) {
        match self.metrics.get_mut(metric) {
            Some(metric) => _ = metric.unusable.insert(step),
            None => _ = self.left.insert(metric.to_string()),
        }
    }

    /// Adds a later part of the same run's log.
    pub fn absorb(&mut self, later: Self) {
        for (name, metric) in later.metrics {
            for (step, value) in metric.values {
                self.push(step, &name, value);
            }
            let mine = self.metrics.entry(name).or_default();
            mine.replaced += metric.replaced;
            mine.unusable.extend(metric.unusable);
        }
        self.left.extend(later.left);
    }

    /// Adds the run and its curve to `imported`, and says what was taken as what.
    pub fn finish(self, run: &str, mapping: &Mapping, imported: &mut Imported) {
        let (assigned, unknown) = mapping.assign(&self.metrics.keys().map(String::as_str).collect());
        let all = || self.metrics.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        for entry in unknown {
            imported
                .problems
                .push(format!("{run}: {entry}: it has no such metric; its metrics are: {}", all()));
        }
        let loss =
            |q: &Quantity| matches!(q, Quantity::TrainLoss | Quantity::TestLoss | Quantity::SetLoss(_));
        if !assigned.keys().any(loss) {
            imported.problems.push(format!(
                "{run}: no metric is recognised as a loss; assign test_loss or train_loss to one of its metrics: {}",
                all()
            ));
            return;
        }
        let taken: Vec<String> =
            assigned.iter().map(|(quantity, metric)| format!("{quantity} = {metric}")).collect();
        let mut left: BTreeSet<&str> = self.metrics.keys().chain(&self.left).map(String::as_str).collect();
        let mut curve: BTreeMap<u64, CurveRow> = BTreeMap::new();
        for (quantity, name) in &assigned {
            left.remove(name.as_str());
            let Some(metric) = self.metrics.get(name) else { continue };
            if metric.replaced > 0 {
                imported.notes.push(format!(
                    "{run}: {name}: {} values were logged again at the same step; the last counts",
                    metric.replaced
                ));
            }
            let mut unusable = metric.unusable.clone();
            for (step, value) in &metric.values {
                let row = curve.entry(*step).or_insert_with(|| CurveRow {
                    run_id: run.to_string(),
                    step: *step,
                    ..CurveRow::default()
                });
                match quantity {
                    Quantity::TrainLoss => row.train_loss = Some(*value),
                    Quantity::TestLoss => row.test_loss = Some(*value),
                    Quantity::SetLoss(set) => _ = row.loss_evalsets.insert(set.clone(), *value),
                    Quantity::Lr => row.lr = Some(*value),
                    // Below 2^53, so that the cast is exact up to the fraction that an average over devices has.
                    Quantity::Tokens if (0.0..9e15).contains(value) => {
                        row.tokens = Some(value.round() as u64)
                    }
                    Quantity::Tokens => _ = unusable.insert(*step),
                }
            }
            if let Some(first) = unusable.first() {
                imported.problems.push(format!(
                    "{run}: {name}: {} of {} values are not usable numbers, the first at step {first}",
                    unusable.len(),
                    metric.values.len() + metric.unusable.len()
                ));
            }
        }
        let rows: Vec<CurveRow> = curve.into_values().collect();
        imported.notes.push(format!("{run}: {}; {} steps", taken.join(", "), rows.len()));
        if !left.is_empty() {
            let left: Vec<&str> = left.into_iter().collect();
            imported.notes.push(format!("{run}: left {}", left.join(", ")));
        }
        imported.runs.push(run_row(run, &rows));
        imported.curves.extend(rows);
    }
}

/// The run as its curve ends.
fn run_row(run: &str, rows: &[CurveRow]) -> RunRow {
    let best = rows
        .iter()
        .filter_map(|r| Some((r.test_loss?, r.step)))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let last = |of: fn(&CurveRow) -> Option<f64>| rows.iter().rev().find_map(of);
    RunRow {
        run_id: run.to_string(),
        steps: rows.last().map(|r| r.step),
        tokens: rows.iter().rev().find_map(|r| r.tokens),
        lr: rows.iter().filter_map(|r| r.lr).max_by(f64::total_cmp),
        loss: last(|r| r.test_loss),
        loss_min: best.map(|b| b.0),
        best_step: best.map(|b| b.1),
        train_loss: last(|r| r.train_loss),
        loss_evalsets: rows.iter().flat_map(|r| r.loss_evalsets.clone()).collect(),
        ..RunRow::default()
    }
}
