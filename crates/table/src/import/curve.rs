//! A run's row and curve: what its history is once the metrics have a meaning.

use super::Imported;
use super::history::{Axis, History, Logged};
use super::lives::{Kept, Metric};
use super::mapping::{Mapping, Quantity};
use crate::names::{Role, normalised};
use crate::rows::{CurveRow, RunRow};
use std::collections::{BTreeMap, BTreeSet};

/// Adds the run and its curve to `imported`, and says what was taken as what.
pub(super) fn finish(history: &History, run: &str, mapping: &Mapping, imported: &mut Imported) {
    let kept = history.kept();
    say_lives(&kept, history.axis, run, imported);
    let metrics: BTreeSet<&str> = kept.metrics.keys().map(String::as_str).collect();
    let long = history.long.as_ref();
    let (assigned, unknown) = mapping.assign(&metrics, long.map(|long| long.value.as_str()));
    let names = names(&kept);
    for entry in unknown {
        imported.problems.push(match long.filter(|long| entry.ends_with(&format!("={}", long.value))) {
            Some(long) => format!(
                "{run}: {entry}: the column holds a metric for each {}; name one of them: {names}",
                long.tag
            ),
            None => format!("{run}: {entry}: it has no such metric; its metrics are: {names}"),
        });
    }
    if !assigned.keys().any(is_loss) {
        imported.problems.push(format!(
            "{run}: no metric is recognised as a loss; assign test_loss or train_loss to one of its metrics: {names}"
        ));
        return;
    }
    let taken: Vec<String> =
        assigned.iter().map(|(quantity, metric)| format!("{quantity} = {metric}")).collect();
    let mut left: BTreeSet<&str> = metrics.into_iter().chain(kept.left.iter().map(String::as_str)).collect();
    let mut curve: BTreeMap<u64, CurveRow> = BTreeMap::new();
    let mut diverged = BTreeMap::new();
    let mut end = None;
    for (quantity, name) in &assigned {
        left.remove(name.as_str());
        let Some(metric) = kept.metrics.get(name) else { continue };
        let repeats = match quantity {
            Quantity::TestLoss | Quantity::SetLoss(_) => metric.repeats(),
            Quantity::TrainLoss | Quantity::Lr | Quantity::Tokens => BTreeSet::new(),
        };
        if !repeats.is_empty() {
            imported.notes.push(format!(
                "{run}: {name}: {} of {} values repeat the one before; evaluations counted: {}",
                repeats.len(),
                metric.values.len(),
                metric.values.len() - repeats.len()
            ));
        }
        end = end.max(metric.values.last_key_value().map(|(at, _)| *at));
        let unusable = fill(&mut curve, quantity, metric, &repeats, history.axis, run);
        if metric.replaced > 0 {
            imported.notes.push(format!(
                "{run}: {name}: {} values were logged again at the same {}; the last counts",
                metric.replaced,
                one(history.axis)
            ));
        }
        if let Some(first) = unusable.first() {
            imported.problems.push(format!(
                "{run}: {name}: {} of {} values are not usable numbers, the first at {} {first}",
                unusable.len(),
                metric.values.len(),
                one(history.axis)
            ));
        }
        if let Some(from) = metric.diverged().filter(|_| is_loss(quantity)) {
            diverged.insert(quantity, (name.as_str(), from));
        }
    }
    if let Some((name, from, last)) = left_diverged(&kept, &assigned) {
        diverged.entry(&Quantity::TrainLoss).or_insert((name, from));
        end = end.max(Some(last));
    }
    let rows: Vec<CurveRow> = curve.into_values().collect();
    let places = if history.axis == Axis::Steps { "steps" } else { "places" };
    imported.notes.push(format!("{run}: {}; {} {places}", taken.join(", "), rows.len()));
    if !left.is_empty() {
        let left: Vec<&str> = left.into_iter().collect();
        imported.notes.push(format!("{run}: left {}", left.join(", ")));
    }
    let mut row = run_row(run, &rows);
    if history.axis == Axis::Steps {
        row.steps = end;
    }
    for (quantity, (name, from)) in diverged {
        match quantity {
            Quantity::TestLoss => row.loss = None,
            Quantity::TrainLoss => row.train_loss = None,
            Quantity::SetLoss(set) => _ = row.loss_evalsets.remove(set),
            Quantity::Lr | Quantity::Tokens => {}
        }
        row.status = Some("diverged".into());
        imported.problems.push(format!(
            "{run}: {name} is not a finite number from {} {from} to the end: the run diverged and has no final {quantity}",
            one(history.axis)
        ));
    }
    say_early_end(&rows, &row, run, imported);
    imported.runs.push(row);
    imported.curves.extend(rows);
}

/// A training loss that was not taken and shows that the run diverged: its name, from where on, and its last place. The
/// losses that were taken end before, as estimates at the evaluations do beside the losses of the steps.
fn left_diverged<'a>(kept: &'a Kept, assigned: &BTreeMap<Quantity, String>) -> Option<(&'a str, u64, u64)> {
    let taken: BTreeSet<&String> = assigned.values().collect();
    let losses = assigned.iter().filter(|(quantity, _)| is_loss(quantity));
    let finite = |metric: &Metric| {
        metric.values.iter().rev().find(|(_, l)| matches!(l, Logged::Number(_))).map(|(at, _)| *at)
    };
    let latest = losses.filter_map(|(_, name)| finite(kept.metrics.get(name)?)).max();
    let left = kept.metrics.iter().filter(|(name, _)| !taken.contains(name));
    left.filter(|(name, _)| Role::TrainLoss.names().contains(&&*normalised(name))).find_map(
        |(name, metric)| {
            // A metric without any number was not measured.
            let from = metric.diverged().filter(|_| finite(metric).is_some())?;
            let last = *metric.values.last_key_value()?.0;
            latest.is_none_or(|latest| latest < from).then_some((name.as_str(), from, last))
        },
    )
}

/// Whether a quantity is a loss.
fn is_loss(quantity: &Quantity) -> bool {
    matches!(quantity, Quantity::TrainLoss | Quantity::TestLoss | Quantity::SetLoss(_))
}

/// One place of an axis.
fn one(axis: Axis) -> &'static str {
    match axis {
        Axis::Steps => "step",
        Axis::Tokens => "number of tokens",
    }
}

/// The metrics there are, and what is none because it holds no number.
fn names(kept: &Kept) -> String {
    let metrics: Vec<&str> = kept.metrics.keys().map(String::as_str).collect();
    let left: Vec<&str> = kept.left.iter().map(String::as_str).collect();
    match (metrics.is_empty(), left.is_empty()) {
        (false, _) => metrics.join(", "),
        (true, false) => format!("none holds numbers ({} hold something else)", left.join(", ")),
        (true, true) => "there are none".into(),
    }
}

fn say_lives(kept: &Kept, axis: Axis, run: &str, imported: &mut Imported) {
    if kept.unordered {
        imported.notes.push(format!(
            "{run}: its {axis} go back all along: the log is not in the order of time, and if the run was resumed \
             that cannot be seen"
        ));
    }
    if !kept.resumed.is_empty() {
        let places: Vec<String> = kept.resumed.iter().map(u64::to_string).collect();
        imported.notes.push(format!(
            "{run}: began again at {} {}: {} values that were logged before, from there on, do not count",
            one(axis),
            places.join(", "),
            kept.withdrawn
        ));
    }
}

/// Says that the last test loss is of an earlier step than the end of the run, to which a table of runs puts it.
fn say_early_end(rows: &[CurveRow], row: &RunRow, run: &str, imported: &mut Imported) {
    let last = rows.iter().rev().find(|r| r.test_loss.is_some());
    if let (Some(at), Some(end), Some(_)) = (last.and_then(|r| r.step), row.steps, row.loss)
        && at < end
    {
        imported.notes.push(format!("{run}: its loss is of step {at}, the last test loss of {end} steps"));
    }
}

/// Puts a metric's values but its `repeats` into the curve; returns the places of those that are not usable.
fn fill(
    curve: &mut BTreeMap<u64, CurveRow>,
    quantity: &Quantity,
    metric: &Metric,
    repeats: &BTreeSet<u64>,
    axis: Axis,
    run: &str,
) -> BTreeSet<u64> {
    let mut unusable = metric.unusable();
    for (at, logged) in metric.values.iter().filter(|(at, _)| !repeats.contains(at)) {
        let Logged::Number(value) = logged else { continue };
        // Trainers write a loss of exactly zero in the place of one that is not finite.
        if is_loss(quantity) && *value == 0.0 {
            unusable.insert(*at);
            continue;
        }
        let row = curve.entry(*at).or_insert_with(|| CurveRow {
            run_id: run.to_string(),
            step: (axis == Axis::Steps).then_some(*at),
            tokens: (axis == Axis::Tokens).then_some(*at),
            ..CurveRow::default()
        });
        match quantity {
            Quantity::TrainLoss => row.train_loss = Some(*value),
            Quantity::TestLoss => row.test_loss = Some(*value),
            Quantity::SetLoss(set) => _ = row.loss_evalsets.insert(set.clone(), *value),
            Quantity::Lr => row.lr = Some(*value),
            // Below 2^53, so that the cast is exact up to the fraction that an average over devices has.
            Quantity::Tokens if (0.0..9e15).contains(value) => row.tokens = Some(value.round() as u64),
            Quantity::Tokens => _ = unusable.insert(*at),
        }
    }
    unusable
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
        tokens: rows.iter().rev().find_map(|r| r.tokens),
        lr: rows.iter().filter_map(|r| r.lr).max_by(f64::total_cmp),
        loss: last(|r| r.test_loss),
        loss_min: best.map(|b| b.0),
        best_step: best.and_then(|b| b.1),
        train_loss: last(|r| r.train_loss),
        loss_evalsets: rows.iter().flat_map(|r| r.loss_evalsets.clone()).collect(),
        ..RunRow::default()
    }
}
