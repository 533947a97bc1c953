//! Learning curves without a column of runs: rows of one size whose data rises from row to row.

use scalelaw_fit::Dataset;

/// Fewest rows of one size that are taken for checkpoints of one run.
const FEWEST: usize = 8;

/// Along evenly spaced checkpoints no step between two rows is longer than this many of the shortest; sizes of a grid
/// of runs grow by factors.
const EVEN: f64 = 3.0;

/// Rows that look like checkpoints of few runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// Rows.
    pub rows: usize,
    /// Runs that they look like.
    pub runs: usize,
}

impl std::fmt::Display for Checkpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, runs } = self;
        write!(
            f,
            "{rows} rows look like checkpoints of {runs} runs, which no column names: a law of finished runs is not one of \
             curves. Their errors are taken to go together by run; name the column of runs, or keep the last row of each"
        )
    }
}

/// The run that each row looks like a checkpoint of; `None` when most rows do not look like checkpoints.
pub(super) fn runs(dataset: &Dataset) -> Option<(Vec<u32>, Checkpoints)> {
    let along = ["D", "S", "C"].into_iter().find(|v| dataset.column(v).is_some())?;
    let rising = dataset.column(along)?;
    let fixed: Vec<&[f64]> = dataset
        .names()
        .iter()
        .filter(|n| !["D", "S", "C"].contains(&n.as_str()))
        .filter_map(|n| dataset.column(n))
        .collect();
    if fixed.is_empty() {
        return None;
    }
    let goes_on = |i: &usize, j: &usize| rising[*j] > rising[*i] && fixed.iter().all(|v| v[*i] == v[*j]);
    // By size, then along the run: the rows of a file may be in any order.
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    order.sort_by(|i, j| {
        let sizes = fixed.iter().map(|v| v[*i].total_cmp(&v[*j])).find(|o| o.is_ne());
        sizes.unwrap_or(std::cmp::Ordering::Equal).then(rising[*i].total_cmp(&rising[*j]))
    });
    let (mut run_of, mut in_curves, mut runs) = (vec![0; order.len()], 0, 0);
    for rows in order.chunk_by(goes_on) {
        let steps: Vec<f64> = rows.windows(2).map(|w| rising[w[1]] - rising[w[0]]).collect();
        let (shortest, longest) =
            steps.iter().fold((f64::INFINITY, 0.0f64), |(lo, hi), s| (lo.min(*s), hi.max(*s)));
        if rows.len() >= FEWEST && longest <= EVEN * shortest {
            in_curves += rows.len();
        }
        rows.iter().for_each(|i| run_of[*i] = runs as u32);
        runs += 1;
    }
    (2 * in_curves > dataset.len()).then_some((run_of, Checkpoints { rows: dataset.len(), runs }))
}
