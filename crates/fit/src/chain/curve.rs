//! A learning curve: smoothed, interpolated, and the first step that reaches a loss.

use super::ChainOptions;
use crate::interpolate::{inside, line_at};
use crate::statistics::median;

/// One evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Updates done.
    pub step: f64,
    /// Loss, nats per token.
    pub loss: f64,
    /// Gradient noise scale in tokens, where it was measured.
    pub noise_scale: Option<f64>,
}

/// One run at one batch size.
#[derive(Clone, Debug, PartialEq)]
pub struct Trunk {
    /// Name.
    pub run: String,
    /// Parameters.
    pub n: f64,
    /// Tokens per update.
    pub batch: f64,
    /// Evaluations in any order.
    pub points: Vec<Point>,
}

/// A trunk's curve in logarithms, smoothed.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub n: f64,
    pub batch: f64,
    /// (ln step, ln loss), steps increasing.
    pub smooth: Vec<(f64, f64)>,
    /// d ln loss / d ln step at each of them.
    slopes: Vec<f64>,
    noise: Vec<(f64, f64)>,
}

impl Curve {
    /// `None` when fewer than three points remain after the steps left out.
    pub fn new(trunk: &Trunk, options: &ChainOptions) -> Option<Self> {
        let usable = |p: &&Point| {
            p.step > options.skip_steps
                && p.step > 0.0
                && p.step.is_finite()
                && p.loss > 0.0
                && p.loss.is_finite()
        };
        let mut raw: Vec<(f64, f64)> =
            trunk.points.iter().filter(usable).map(|p| (libm::log(p.step), libm::log(p.loss))).collect();
        raw.sort_by(|a, b| a.0.total_cmp(&b.0));
        raw.dedup_by(|a, b| a.0 == b.0);
        if raw.len() < 3 {
            return None;
        }
        let (smooth, slopes) = raw
            .iter()
            .map(|(x, _)| {
                let (y, slope) = local_line(&raw, *x, options.smoothing);
                ((*x, y), slope)
            })
            .unzip();
        let mut noise: Vec<(f64, f64)> = trunk
            .points
            .iter()
            .filter(usable)
            .filter_map(|p| Some((libm::log(p.loss), p.noise_scale?)))
            .collect();
        noise.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(Self { n: trunk.n, batch: trunk.batch, smooth, slopes, noise })
    }

    /// Where the smoothed loss first is at or below `ln_loss`; `None` when the curve starts below it or never
    /// gets there.
    pub fn first(&self, ln_loss: f64) -> Option<Reached> {
        if self.smooth[0].1 <= ln_loss {
            return None;
        }
        let i = self.smooth.iter().position(|(_, l)| *l <= ln_loss)?;
        let turned = |(ln_step, ln_loss): (f64, f64)| (ln_loss, ln_step);
        let ln_step = line_at(ln_loss, turned(self.smooth[i - 1]), turned(self.smooth[i]));
        Some(Reached { ln_step, slope: 0.5 * (self.slopes[i - 1] + self.slopes[i]) })
    }

    /// Lowest smoothed ln loss.
    pub fn lowest(&self) -> f64 {
        self.smooth.iter().map(|(_, l)| *l).fold(f64::INFINITY, f64::min)
    }

    /// `count` points of the curve, evenly in ln step.
    pub fn sampled(&self, count: usize) -> Vec<(f64, f64)> {
        let (first, last) = (self.smooth[0].0, self.smooth[self.smooth.len() - 1].0);
        let count = count.max(2).min(self.smooth.len());
        (0..count)
            .filter_map(|k| {
                let x = first + (last - first) * k as f64 / (count - 1) as f64;
                Some((x, inside(&self.smooth, x)?))
            })
            .collect()
    }

    /// Noise scale where the loss is within 2% of `ln_loss`, the median of what was logged there.
    pub fn noise_scale(&self, ln_loss: f64) -> Option<f64> {
        median(self.noise.iter().filter(|(l, _)| (l - ln_loss).abs() < 0.02).map(|(_, b)| *b).collect())
    }
}

/// (update, loss) of a trunk's smoothed curve; empty when fewer than three points remain after the steps left out.
pub fn smoothed(trunk: &Trunk, options: &ChainOptions) -> Vec<(f64, f64)> {
    let curve = Curve::new(trunk, options);
    curve.map_or_else(Vec::new, |c| c.smooth.iter().map(|(s, l)| (libm::exp(*s), libm::exp(*l))).collect())
}

/// Updates after which a trunk's smoothed loss first is at or below `loss`; `None` when it starts below it or never
/// gets there.
pub fn steps_to(trunk: &Trunk, loss: f64, options: &ChainOptions) -> Option<f64> {
    Curve::new(trunk, options)?.first(libm::log(loss)).map(|reached| libm::exp(reached.ln_step))
}

/// A loss level reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub ln_step: f64,
    /// d ln loss / d ln step there: a curve that is nearly flat says little about the step.
    pub slope: f64,
}

/// The straight line through the points within `half` of `x`, at `x`, and its slope: unbiased where a
/// curve is straight, which a plain mean is not at the ends.
fn local_line(points: &[(f64, f64)], x: f64, half: f64) -> (f64, f64) {
    let near = points.iter().filter(|p| (p.0 - x).abs() <= half);
    let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (px, py) in near {
        let dx = px - x;
        n += 1.0;
        sx += dx;
        sy += py;
        sxx += dx * dx;
        sxy += dx * py;
    }
    let determinant = n * sxx - sx * sx;
    if n < 3.0 || determinant < 1e-12 * n * n {
        (sy / n, 0.0)
    } else {
        ((sxx * sy - sx * sxy) / determinant, (n * sxy - sx * sy) / determinant)
    }
}
