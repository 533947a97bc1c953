//! What Transformers of A would have at any N between theirs.

use super::runs::{PaperRun, PaperRuns};
use scalelaw_fit::interpolate::in_logs;

/// A's longest branches, smallest first.
pub(super) struct Transformers<'a>(Vec<&'a PaperRun>);

impl<'a> Transformers<'a> {
    pub fn of(runs: &'a PaperRuns) -> Self {
        Self(runs.longest())
    }

    /// Test loss at N: ln L straight in ln N. `None` beyond the sizes that were run.
    pub fn loss(&self, n: f64) -> Option<f64> {
        self.read(n, |run| run.row.loss)
    }

    /// The same of the mean loss at positions.
    pub fn at_positions(&self, n: f64, from: u64, to: u64) -> Option<f64> {
        self.read(n, |run| run.at_positions(from, to))
    }

    fn read(&self, n: f64, loss: impl Fn(&PaperRun) -> Option<f64>) -> Option<f64> {
        let points: Vec<(f64, f64)> = self.0.iter().filter_map(|run| Some((run.n(), loss(run)?))).collect();
        in_logs(&points, n)
    }
}
