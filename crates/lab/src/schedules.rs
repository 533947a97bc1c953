//! Whether the learning rates of several curves went the same way: only then does a step mean the same in each.

use crate::error::LabError;
use crate::observations::{Observations, Points};
use scalelaw_fit::FitError;
use std::collections::BTreeMap;

/// How the schedules of several runs compare.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedules {
    /// The same at every step that runs share.
    Same,
    /// A column names several.
    Named {
        /// The column.
        column: String,
        /// What it holds, sorted.
        names: Vec<String>,
    },
    /// At one step, the rates over their peaks are apart.
    Apart {
        /// The column of the learning rate.
        column: String,
        /// The step.
        step: f64,
        /// Lowest and highest rate over its run's peak.
        shares: [f64; 2],
    },
    /// The table has neither a schedule nor a learning rate, and the runs end at different steps: had their rates come
    /// down, it was at different steps.
    Unknown {
        /// First and last end, in steps.
        ends: [f64; 2],
    },
}

/// Names of columns that say which schedule a run had.
const COLUMNS: [&str; 5] = ["schedule", "lr_schedule", "lr_scheduler_type", "decay", "scheduler"];
/// Rates over their peaks that differ by more than this are apart.
const APART: f64 = 0.05;
/// Ends that differ by more than this factor are different lengths.
const SAME_END: f64 = 1.1;

/// Compares the schedules of the runs of `points`, whose numbers are `groups`.
///
/// # Errors
/// A column cannot be read.
pub fn schedules(
    observations: &Observations,
    points: &Points,
    groups: &[u32],
) -> Result<Schedules, LabError> {
    let table = &points.table;
    let step = points.dataset.column("S").ok_or_else(|| FitError::MissingVariable {
        law: "ns".into(),
        variable: "S".into(),
        have: points.dataset.names(),
    })?;
    let said = COLUMNS.iter().find_map(|name| table.column(name).ok());
    if let Some(column) = said {
        let mut names: Vec<String> = (0..table.len()).map(|i| column.text(i)).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() > 1 {
            return Ok(Schedules::Named { column: column.name.clone(), names });
        }
    }
    if let Some(column) = observations.column_for("lr")
        && let Ok(rates) = table.numbers(&column)
    {
        return Ok(by_rates(column.clone(), rates, step, groups));
    }
    if said.is_some() {
        return Ok(Schedules::Same);
    }
    let mut last: BTreeMap<u32, f64> = BTreeMap::new();
    for (group, step) in groups.iter().zip(step) {
        let end = last.entry(*group).or_insert(*step);
        *end = end.max(*step);
    }
    let ends = last.values().fold([f64::INFINITY, 0.0f64], |[lo, hi], end| [lo.min(*end), hi.max(*end)]);
    Ok(if ends[1] > SAME_END * ends[0] { Schedules::Unknown { ends } } else { Schedules::Same })
}

/// Rates at the same step, each over the peak of its run.
fn by_rates(column: String, rates: &[f64], step: &[f64], groups: &[u32]) -> Schedules {
    let usable = |i: &usize| rates[*i].is_finite() && rates[*i] >= 0.0;
    let mut peaks: BTreeMap<u32, f64> = BTreeMap::new();
    for i in (0..rates.len()).filter(usable) {
        let peak = peaks.entry(groups[i]).or_insert(rates[i]);
        *peak = peak.max(rates[i]);
    }
    let mut order: Vec<usize> =
        (0..rates.len()).filter(usable).filter(|i| peaks[&groups[*i]] > 0.0).collect();
    order.sort_by(|a, b| step[*a].total_cmp(&step[*b]));
    let share = |i: usize| rates[i] / peaks[&groups[i]];
    let widest = order
        .chunk_by(|a, b| step[*a] == step[*b])
        .map(|at| {
            let shares =
                at.iter().fold([f64::INFINITY, 0.0f64], |[lo, hi], i| [lo.min(share(*i)), hi.max(share(*i))]);
            (step[at[0]], shares)
        })
        .max_by(|a, b| (a.1[1] - a.1[0]).total_cmp(&(b.1[1] - b.1[0])));
    match widest {
        Some((step, shares)) if shares[1] - shares[0] > APART => Schedules::Apart { column, step, shares },
        _ => Schedules::Same,
    }
}
