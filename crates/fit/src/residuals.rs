//! Residuals of a law along one variable: where it does not fit.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fitted::FittedLaw;
use crate::law::value;
use crate::statistics::quantile;
use serde::Serialize;

/// Residuals of the points in one stretch of a variable.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ResidualBin {
    /// Smallest value of the variable.
    pub from: f64,
    /// Largest.
    pub to: f64,
    /// Points.
    pub n: usize,
    /// Mean of ln prediction − ln observation: above 0 the law is too high here.
    pub mean_log: f64,
    /// Root mean square of the same.
    pub rms_log: f64,
}

/// Residuals of `fitted` by `variable`: one bin a distinct value where there are at most `bins`, else bins of
/// about equally many points.
///
/// # Errors
/// The law or the variable is not in the data.
pub fn residuals_by(
    fitted: &FittedLaw,
    dataset: &Dataset,
    variable: &str,
    bins: usize,
) -> Result<Vec<ResidualBin>, FitError> {
    let law = fitted.law()?;
    let data = dataset.for_law(law.as_ref())?;
    let p = fitted.values();
    let column = dataset.column(variable).ok_or_else(|| FitError::MissingVariable {
        law: fitted.law.clone(),
        variable: variable.into(),
        have: dataset.names(),
    })?;
    let mut points: Vec<(f64, f64)> = (0..data.len())
        .map(|i| (column[i], libm::log(value(law.as_ref(), data.vars(i).value, &p)) - libm::log(data.y()[i])))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let sorted: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    let mut tops = sorted.clone();
    tops.dedup();
    if tops.len() > bins {
        tops = (1..=bins).map(|k| quantile(&sorted, k as f64 / bins as f64)).collect();
        tops.dedup();
    }
    let mut rest = points.as_slice();
    let mut out = Vec::new();
    for top in tops {
        let (inside, above) = rest.split_at(rest.partition_point(|(x, _)| *x <= top));
        rest = above;
        let n = inside.len();
        if n == 0 {
            continue;
        }
        let mean = |f: &dyn Fn(f64) -> f64| inside.iter().map(|(_, r)| f(*r)).sum::<f64>() / n as f64;
        out.push(ResidualBin {
            from: inside[0].0,
            to: inside[n - 1].0,
            n,
            mean_log: mean(&|r| r),
            rms_log: mean(&|r| r * r).sqrt(),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FitOptions, fit, laws::PowerLaw};

    #[test]
    fn residuals_by_a_variable_find_the_value_where_the_law_misses() {
        let n: Vec<f64> = (0..12).map(|k| 1e4 * 10f64.powi(k / 3)).collect();
        let loss: Vec<f64> =
            n.iter().map(|n| (8.8e13 / n).powf(0.076) * if *n > 5e6 { 1.02 } else { 1.0 }).collect();
        let data = Dataset::new(loss).with("N", n);
        let law = fit(&PowerLaw::N, &data, &FitOptions::default()).unwrap();
        let bins = residuals_by(&law, &data, "N", 10).unwrap();
        assert_eq!(bins.iter().map(|b| b.n).collect::<Vec<_>>(), [3, 3, 3, 3]);
        let worst = bins.iter().max_by(|a, b| a.rms_log.total_cmp(&b.rms_log)).unwrap();
        assert!(worst.from > 5e5 && bins[3].mean_log < 0.0);
        assert_eq!(residuals_by(&law, &data, "N", 2).unwrap().iter().map(|b| b.n).sum::<usize>(), 12);
        assert!(residuals_by(&law, &data, "D", 2).is_err());
    }
}
