//! Means, spreads and quantiles of plain samples, and Student's t.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Arithmetic mean; NaN of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation, n − 1 in the denominator.
pub(crate) fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

/// The middle value, the upper one of an even number; `None` of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Linear-interpolated quantile of sorted values (Hyndman & Fan type 7, numpy's default).
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = probability * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// Monte-Carlo standard error of [`quantile`] for draws: half the distance between the quantiles one binomial
/// standard deviation of the rank to either side, so no form of the distribution is assumed.
pub(crate) fn quantile_error(sorted: &[f64], probability: f64) -> f64 {
    let share = (probability * (1.0 - probability) / sorted.len() as f64).sqrt();
    let at = |p: f64| quantile(sorted, p.clamp(0.0, 1.0));
    0.5 * (at(probability + share) - at(probability - share))
}

/// Degrees of freedom that are as good as any more: the quantile is the normal one to six digits.
const MOST_FREEDOM: f64 = 1e6;

/// Quantile of Student's t; the normal quantile's limit for many degrees of freedom.
pub(crate) fn student_t(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.clamp(1.0, MOST_FREEDOM)).map_or(1.96, |t| t.inverse_cdf(probability))
}

/// Probability that Student's t lies below `t`.
pub(crate) fn probability_below(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.max(1.0)).map_or(f64::NAN, |distribution| distribution.cdf(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_error_of_even_draws_is_the_binomial_one() {
        let draws: Vec<f64> = (0..=4000).map(|i| f64::from(i) / 4000.0).collect();
        let expected = (0.025f64 * 0.975 / 4001.0).sqrt();
        assert!((quantile_error(&draws, 0.025) / expected - 1.0).abs() < 1e-9);
    }
}
