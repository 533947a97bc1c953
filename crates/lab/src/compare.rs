//! Two recipes at a compute budget: the probability that A is better, and the equivalent compute.

use crate::error::LabError;
use crate::observations::{Observations, Reading, TableRequest, Wanted};
use scalelaw_fit::compare::{self, Comparison, compare};
use scalelaw_fit::isoflop::clusters;
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, IntervalChoice, Law, fit, laws};
use serde::Serialize;

/// Which runs, which law, and where to compare.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// Runs of A.
    pub a: TableRequest,
    /// Runs of B.
    pub b: TableRequest,
    /// A law of C, or of N and D.
    pub law: String,
    /// The budget in FLOPs, as the tables count them.
    pub flops: f64,
    /// Whether row i of A and row i of B share size, data and seed.
    pub paired: bool,
    /// Draws from the fits' uncertainty.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// The comparison. Serialises without the two fits.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct CompareReport {
    /// The comparison.
    pub comparison: Comparison,
    /// A's fit.
    #[serde(skip)]
    pub a: Side,
    /// B's fit.
    #[serde(skip)]
    pub b: Side,
}

/// The runs of one recipe and their law.
#[derive(Clone, Debug)]
pub struct Side {
    /// The points that the law was fitted to: for a law of C alone, the lowest loss at each budget.
    pub dataset: Dataset,
    /// The rows of the table that they are.
    pub rows: Vec<u64>,
    /// The law.
    pub law: FittedLaw,
    /// How the table was read.
    pub reading: Reading,
}

impl Side {
    fn compared(&self) -> compare::Side<'_> {
        compare::Side { law: &self.law, runs: &self.dataset }
    }
}

/// Fits both and compares.
///
/// # Errors
/// A table or the law cannot be used, or the tables' losses are in different units.
pub fn run(request: &CompareRequest) -> Result<CompareReport, LabError> {
    let law = laws::by_name(&request.law)?;
    let (a, b) = (side(&request.a, law.as_ref())?, side(&request.b, law.as_ref())?);
    if a.law.unit != b.law.unit {
        let units = [a.law.unit.clone(), b.law.unit.clone()];
        return Err(LabError::OtherUnits { tables: [a.reading.table, b.reading.table], units });
    }
    let CompareRequest { flops, paired, draws, seed, .. } = *request;
    let how = compare::Request { flops, paired, draws, seed };
    let comparison = compare(a.compared(), b.compared(), &how)?;
    Ok(CompareReport { comparison, a, b })
}

fn side(table: &TableRequest, law: &dyn Law) -> Result<Side, LabError> {
    let points = Observations::open(table)?.points(&Wanted::law(law))?;
    let kept = if *law.variables() == ["C"] {
        frontier(&points.dataset)
    } else {
        (0..points.dataset.len()).collect()
    };
    let dataset = points.dataset.filtered(|i| kept.contains(&i));
    let rows = kept.iter().map(|i| points.table.row(*i)).collect();
    let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
    Ok(Side { law: fit(law, &dataset, &options)?, dataset, rows, reading: points.reading })
}

/// Budgets within this factor are one.
const ONE_BUDGET: f64 = 1.1;

/// The run with the lowest loss at each budget, in the order of the table.
fn frontier(runs: &Dataset) -> Vec<usize> {
    let Some(cost) = runs.column("C") else { return (0..runs.len()).collect() };
    let lowest = |budget: Vec<usize>| {
        budget.into_iter().min_by(|a, b| runs.response()[*a].total_cmp(&runs.response()[*b]))
    };
    let mut best: Vec<usize> = clusters(cost, ONE_BUDGET).into_iter().filter_map(lowest).collect();
    best.sort_unstable();
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontier_of_isoflop_runs_keeps_the_lowest_loss_at_each_budget() {
        let runs =
            Dataset::new(vec![3.2, 3.0, 3.1, 2.9, 2.8]).with("C", vec![1e18, 1.02e18, 9.9e17, 2e18, 2.1e18]);
        assert_eq!(frontier(&runs), [1, 4]);
    }
}
