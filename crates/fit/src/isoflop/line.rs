//! A power law through the optima.

use crate::error::FitError;
use crate::statistics::student_t;
use serde::Serialize;

/// A power law y = coefficient·C^exponent through the optima, in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LogLineFit {
    /// Exponent.
    pub exponent: f64,
    /// Coefficient.
    pub coefficient: f64,
    /// Standard error of the exponent; none for two points, which show no scatter.
    pub se: Option<f64>,
    /// 95% interval of the exponent (t); none for two points.
    pub ci95: Option<[f64; 2]>,
    /// Share of variance explained.
    pub r2: f64,
    /// Points.
    pub n: usize,
}

/// Weighted least squares of ln y on ln x. `weights` multiply the squares; standard errors take the scatter
/// around the line as their scale.
///
/// # Errors
/// Fewer than two different x, or a value that is not positive.
pub fn log_line(x: &[f64], y: &[f64], weights: &[f64]) -> Result<LogLineFit, FitError> {
    let n = x.len();
    for (column, got) in [("y", y.len()), ("weights", weights.len())] {
        if got != n {
            return Err(FitError::Length { column: column.into(), got, expected: n });
        }
    }
    let usable = |v: f64| v > 0.0 && v.is_finite();
    let positive = x.iter().zip(y).filter(|(x, y)| usable(**x) && usable(**y)).count();
    if n < 2 || positive < n {
        return Err(FitError::NoLine { n, positive });
    }
    let (lx, ly): (Vec<f64>, Vec<f64>) = x.iter().zip(y).map(|(x, y)| (libm::log(*x), libm::log(*y))).unzip();
    let total: f64 = weights.iter().sum();
    let mean = |v: &[f64]| v.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let (mx, my) = (mean(&lx), mean(&ly));
    let sum = |f: &dyn Fn(usize) -> f64| (0..n).map(|i| weights[i] * f(i)).sum::<f64>();
    let sxx = sum(&|i| (lx[i] - mx).powi(2));
    if sxx <= 0.0 {
        return Err(FitError::NoLine { n, positive });
    }
    let exponent = sum(&|i| (lx[i] - mx) * (ly[i] - my)) / sxx;
    let offset = my - exponent * mx;
    let residual = sum(&|i| (ly[i] - offset - exponent * lx[i]).powi(2));
    let freedom = n as f64 - 2.0;
    let se = (freedom > 0.0).then(|| (residual / freedom / sxx).sqrt());
    let half = se.map(|se| student_t(0.975, freedom) * se);
    Ok(LogLineFit {
        exponent,
        coefficient: libm::exp(offset),
        se,
        ci95: half.map(|half| [exponent - half, exponent + half]),
        r2: 1.0 - residual / sum(&|i| (ly[i] - my).powi(2)),
        n,
    })
}

/// The exponent of [`log_line`] without each point in turn: how far one budget carries the answer. Empty below
/// four points, where two that are left would have no scatter.
pub fn exponents_without_each(x: &[f64], y: &[f64], weights: &[f64]) -> Vec<f64> {
    if x.len() < 4 {
        return vec![];
    }
    let without = |left_out: usize| {
        let keep = |v: &[f64]| {
            v.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, v)| *v).collect::<Vec<f64>>()
        };
        log_line(&keep(x), &keep(y), &keep(weights)).map_or(f64::NAN, |line| line.exponent)
    };
    (0..x.len()).map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_through_two_points_has_no_interval() {
        let line = log_line(&[1.0, 10.0], &[1.0, 100.0], &[1.0; 2]).unwrap();
        assert!((line.exponent - 2.0).abs() < 1e-12);
        assert_eq!((line.se, line.ci95), (None, None));
    }

    #[test]
    fn exponents_without_each_show_the_point_that_carries_the_answer() {
        let (x, y) = ([1.0, 10.0, 100.0, 1000.0], [1.0, 10.0, 100.0, 9000.0]);
        let without = exponents_without_each(&x, &y, &[1.0; 4]);
        assert!((without[3] - 1.0).abs() < 1e-12, "{without:?}");
        assert!(without[..3].iter().all(|a| *a > 1.2), "{without:?}");
        assert!(exponents_without_each(&x[..3], &y[..3], &[1.0; 3]).is_empty());
    }
}
