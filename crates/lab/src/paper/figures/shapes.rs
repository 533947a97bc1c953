//! Figure 5: shapes at one N.

use super::View;
use crate::paper::claims::at_common_size;
use crate::paper::runs::{PaperRun, RunSet};

/// Losses of shapes over the lowest of them, moved to one N by L(N).
#[derive(Clone, Debug)]
pub struct Shapes {
    /// The exponent that moves them; `None` where L(N) is not fitted and they stay.
    pub alpha_n: Option<f64>,
    /// N of the first shape.
    pub n: Option<f64>,
    /// By d_ff/d_model.
    pub feed_forward: Vec<Shape>,
    /// By d_model/n_layer.
    pub aspect: Vec<Shape>,
    /// By d_model/n_head.
    pub heads: Vec<Shape>,
}

/// One shape among others.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The run.
    pub run_id: String,
    /// The ratio by which the shapes differ.
    pub ratio: f64,
    /// Loss over the lowest of them, in per cent.
    pub increase: f64,
    /// ±1.96 standard deviations between seeds; `None` without seeds.
    pub interval: Option<(f64, f64)>,
}

impl Shapes {
    pub(super) fn new(view: &View<'_>) -> Self {
        let runs = view.runs;
        let alpha_n = view.fits.n.as_ref().ok().and_then(|f| f.law.param("alpha_N"));
        let standard: Vec<&PaperRun> = runs.part("D-aspect").filter(|run| run.layers() == 2).collect();
        let with_standard = |part: &'static str| runs.part(part).chain(standard.iter().copied()).collect();
        let by = |part: Vec<&PaperRun>, ratio: fn(&PaperRun) -> f64| {
            increases(view, &part, alpha_n.unwrap_or(0.0), ratio)
        };
        Self {
            alpha_n,
            n: runs.of(RunSet::Shapes).map(PaperRun::n).next(),
            feed_forward: by(with_standard("D-ff"), |run| {
                run.row.d_ff.map_or(f64::NAN, f64::from) / run.width()
            }),
            aspect: by(runs.part("D-aspect").collect(), |run| run.width() / f64::from(run.layers())),
            heads: by(with_standard("D-heads"), |run| {
                run.width() / run.row.n_head.map_or(f64::NAN, f64::from)
            }),
        }
    }
}

fn increases(view: &View<'_>, runs: &[&PaperRun], alpha: f64, ratio: fn(&PaperRun) -> f64) -> Vec<Shape> {
    let losses = at_common_size(runs, alpha);
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let sd = view.fits.noise.as_ref().ok().map(|m| m.se);
    let mut shapes: Vec<Shape> = runs
        .iter()
        .zip(&losses)
        .map(|(run, loss)| {
            let increase = 100.0 * (loss / lowest - 1.0);
            let interval = sd.map(|sd| (increase - 196.0 * sd, increase + 196.0 * sd));
            Shape { run_id: run.row.run_id.clone(), ratio: ratio(run), increase, interval }
        })
        .collect();
    shapes.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    shapes
}
