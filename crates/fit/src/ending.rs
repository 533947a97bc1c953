//! The final loss of a running run, forecast from finished runs of the same schedule.

use crate::elementary::{exp, ln};
use crate::interpolate::in_logs;
use crate::statistics::student_t;
use serde::Serialize;

/// No forecast is made from fewer finished runs.
const FEWEST: usize = 3;
/// From so many on, the end is a line in the loss so far; with fewer it falls by the same factor in every run.
const FOR_A_LINE: usize = 5;

/// Forecast of a run's final loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ending {
    /// Forecast of the final loss.
    pub loss: f64,
    /// 95% prediction interval of this run's final loss.
    pub pi95: [f64; 2],
    /// Finished runs that it is based on.
    pub runs: usize,
}

/// Forecasts the final loss of a run that has reached `step` with `loss`, from the whole curves (step, loss) of
/// finished runs with the same steps and schedule.
///
/// The finished runs had the same rest of the schedule: ln of their final loss is regressed on ln of their loss at
/// the same step, and the interval is the regression's for a new run (Student's t).
/// `None` with fewer than three such runs.
pub fn forecast_end(step: f64, loss: f64, finished: &[Vec<(f64, f64)>]) -> Option<Ending> {
    let pairs: Vec<(f64, f64)> = finished
        .iter()
        .filter_map(|curve| Some((ln(in_logs(curve, step)?), ln(curve.last()?.1))))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let m = pairs.len();
    if m < FEWEST || loss <= 0.0 {
        return None;
    }
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / m as f64;
    let (x_mean, y_mean) = (mean(&|p| p.0), mean(&|p| p.1));
    let spread: f64 = pairs.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let covary: f64 = pairs.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let as_line = m >= FOR_A_LINE && spread > 0.0;
    let slope = if as_line { covary / spread } else { 1.0 };
    let freedom = m as f64 - if as_line { 2.0 } else { 1.0 };
    let residual: f64 = pairs.iter().map(|(x, y)| (y - y_mean - slope * (x - x_mean)).powi(2)).sum();
    let away = ln(loss) - x_mean;
    let leverage = 1.0 / m as f64 + if as_line { away * away / spread } else { 0.0 };
    let half = student_t(0.975, freedom) * (residual / freedom * (1.0 + leverage)).sqrt();
    let centre = y_mean + slope * away;
    Some(Ending { loss: exp(centre), pi95: [exp(centre - half), exp(centre + half)], runs: m })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that falls as a power of the step, and by a tenth over its cooldown.
    fn curve(size: f64, noise: f64) -> Vec<(f64, f64)> {
        let loss =
            |s: f64| 2.0 + size + 6.0 * s.powf(-0.5) - if s > 800.0 { (s - 800.0) / 2000.0 } else { 0.0 };
        let mut points: Vec<(f64, f64)> =
            (1..=100).map(|k| (10.0 * f64::from(k), loss(10.0 * f64::from(k)))).collect();
        points[99].1 *= 1.0 + noise;
        points
    }

    #[test]
    fn ending_knows_the_cooldown_that_is_still_to_come() {
        let finished: Vec<_> = [0.1, 0.2, 0.3, 0.5, 0.8].iter().map(|size| curve(*size, 0.0)).collect();
        let own = curve(0.4, 0.0);
        let ending = forecast_end(400.0, own[39].1, &finished).unwrap();
        assert!((ending.loss / own[99].1 - 1.0).abs() < 0.002, "{ending:?}, came {}", own[99].1);
        assert!(ending.loss < own[78].1 - 0.05, "below the loss before the cooldown");
        assert_eq!(ending.runs, 5);
    }

    #[test]
    fn ending_needs_three_finished_runs_that_reach_the_step() {
        let finished = vec![curve(0.1, 0.0), curve(0.2, 0.0)];
        assert_eq!(forecast_end(400.0, 3.0, &finished), None);
        let short: Vec<Vec<(f64, f64)>> =
            (0..5).map(|k| curve(0.1 * f64::from(k), 0.0)[..20].to_vec()).collect();
        assert_eq!(forecast_end(400.0, 3.0, &short), None);
        assert_eq!(forecast_end(5.0, 3.0, &vec![curve(0.1, 0.0); 5]), None);
    }

    /// 95% intervals of new runs like the finished ones hold about 95% of them.
    #[test]
    fn ending_intervals_cover_new_runs() {
        let mut state = 7u64;
        let mut normal = || {
            let mut uniform = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
            };
            (-2.0 * uniform().ln()).sqrt() * (2.0 * std::f64::consts::PI * uniform()).cos()
        };
        for (runs, trials) in [(3, 1500), (8, 1500)] {
            let mut inside = 0;
            for _ in 0..trials {
                let mut draw = || curve((0.4 + 0.1 * normal()).abs(), 0.01 * normal());
                let finished: Vec<_> = (0..runs).map(|_| draw()).collect();
                let own = draw();
                let ending = forecast_end(400.0, own[39].1, &finished).unwrap();
                inside += usize::from(ending.pi95[0] <= own[99].1 && own[99].1 <= ending.pi95[1]);
            }
            let coverage = inside as f64 / f64::from(trials);
            assert!((0.93..=0.97).contains(&coverage), "{runs} runs: {coverage}");
        }
    }
}
