//! How sure: profile of the objective, bootstrap over runs, covariance.

pub(crate) mod bootstrap;
pub(crate) mod profile;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Quantile of Student's t; the normal quantile's limit for many degrees of freedom.
pub(crate) fn student_t(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.max(1.0)).map_or(1.96, |t| t.inverse_cdf(probability))
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
