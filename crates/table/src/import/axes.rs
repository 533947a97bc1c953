//! Which column of a table of steps says where on its way the run was.

use super::grid::Grid;
use super::mapping::Mapping;
use crate::cell::Field;
use crate::names::{Role, normalised};

/// Names of the trainer's own count, best first.
pub(super) const STEPS: [&str; 6] =
    ["step", "global_step", "trainer/global_step", "train/global_step", "iter", "iteration"];
/// Names of the logger's count, of the calls of `log`: it counts only where the trainer's own is not in the table.
const LOGGER: [&str; 2] = ["_step", "Step"];

/// What a column that is no metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Updates, by the trainer.
    Step,
    /// Calls of `log`, by the logger.
    Call,
    /// Tokens processed.
    Tokens,
    /// Time, passes through the data, rows.
    Clock,
}

/// What the column called `name` counts, if it is no metric.
pub(super) fn count(name: &str) -> Option<Count> {
    let last = normalised(name.rsplit(['/', '.']).next().unwrap_or(name));
    let whole = normalised(name);
    if LOGGER.contains(&name) {
        Some(Count::Call)
    } else if matches!(
        &*last,
        "step"
            | "steps"
            | "nstep"
            | "nsteps"
            | "numsteps"
            | "globalstep"
            | "globalsteps"
            | "trainstep"
            | "trainingstep"
            | "trainerstep"
            | "evalstep"
            | "valstep"
            | "optimizerstep"
            | "optstep"
            | "gradstep"
            | "gradientstep"
            | "currentstep"
            | "iter"
            | "iters"
            | "niter"
            | "iternum"
            | "iteration"
            | "iterations"
            | "update"
            | "updates"
            | "numupdates"
    ) {
        Some(Count::Step)
    } else if Role::TokensSoFar.names().contains(&&*whole) || Role::TokensSoFar.names().contains(&&*last) {
        Some(Count::Tokens)
    } else if matches!(&*last, "runtime" | "timestamp" | "walltime" | "epoch" | "")
        || whole.starts_with("relativetime")
    {
        Some(Count::Clock)
    } else {
        None
    }
}

/// The folder of a metric's name: `eval` of `eval/loss`.
fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Columns that may be the step, and in how many rows each is filled.
pub(super) struct Axes<'a> {
    candidates: Vec<(&'a str, usize)>,
    named: Option<&'a str>,
}

impl<'a> Axes<'a> {
    /// The candidates among the columns whose names begin with `prefix`.
    pub fn of(grid: &Grid<'a>, prefix: &str, mapping: &Mapping) -> Self {
        let bare = |name: &'a str| name.strip_prefix(prefix);
        let named =
            mapping.step().and_then(|step| grid.names().iter().find(|n| bare(n) == Some(step)).copied());
        let is_step = |name: &str| matches!(count(name), Some(Count::Step | Count::Call));
        let mut candidates: Vec<(&str, usize)> = match mapping.step() {
            Some(_) => vec![],
            None => (grid.names().iter().enumerate())
                .filter(|(_, name)| bare(name).is_some_and(is_step))
                .map(|(column, name)| (*name, filled(grid, column)))
                .filter(|(_, filled)| *filled > 0)
                .collect(),
        };
        candidates.sort_by_key(|(name, _)| {
            let bare = name.strip_prefix(prefix).unwrap_or(name);
            let own = STEPS.iter().position(|step| *step == bare).unwrap_or(STEPS.len());
            (count(bare) == Some(Count::Call), own)
        });
        Self { candidates, named }
    }

    /// The step of `metric`: the column that the user named, else one in the metric's own folder, else the best of
    /// all that are filled in about as many rows as any.
    pub fn of_metric(&self, metric: &str) -> Option<&'a str> {
        let most = self.candidates.iter().map(|(_, filled)| *filled).max().unwrap_or(0);
        let own = |name: &str| {
            count(name) == Some(Count::Step) && !folder(name).is_empty() && folder(name) == folder(metric)
        };
        let candidates = self.candidates.iter();
        let best = || candidates.clone().find(|(_, filled)| 10 * filled >= 9 * most);
        let of_its_own = candidates.clone().find(|(name, _)| own(name));
        self.named.or_else(|| of_its_own.or_else(best).map(|(name, _)| *name))
    }
}

/// In how many rows a column holds a whole number.
fn filled(grid: &Grid<'_>, column: usize) -> usize {
    (0..grid.len()).filter(|row| u64::from_cell(grid.cell(*row, column).clone()).is_some()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_from_metrics_by_their_names() {
        for name in ["step", "trainer/global_step", "train_step", "eval/step", "num_updates"] {
            assert_eq!(count(name), Some(Count::Step), "{name}");
        }
        for name in ["train_loss_step", "loss/per_step", "time_per_iteration", "steps_per_sec", "loss"] {
            assert_eq!(count(name), None, "{name}");
        }
        assert_eq!(count("_step"), Some(Count::Call));
        assert_eq!(count("throughput/total_tokens"), Some(Count::Tokens));
        assert_eq!(count("tokens_per_second"), None);
        assert_eq!(count("Relative Time (Process)"), Some(Count::Clock));
    }
}
