//! The valley along one parameter: the lowest objective at each of its values, the others free.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::law::Law;
use serde::Serialize;

/// One place on the valley's floor.
#[derive(Clone, Debug, Serialize)]
pub struct ValleyPoint {
    /// The parameter's value.
    pub value: f64,
    /// Lowest objective there (a sum over points).
    pub objective: f64,
    /// The other free parameters there, in the law's order.
    pub others: Vec<(String, f64)>,
}

/// Fits `law` with the parameter `name` held at each value of `grid`: flat where the data do not determine it.
///
/// # Errors
/// The law has no such parameter, a value is outside its domain, or nothing can be fitted there.
pub fn valley(
    law: &dyn Law,
    dataset: &Dataset,
    options: &FitOptions,
    name: &str,
    grid: &[f64],
) -> Result<Vec<ValleyPoint>, FitError> {
    let held: Vec<&str> = options.fixed.iter().map(|(n, _)| n.as_str()).collect();
    grid.iter()
        .map(|&value| {
            let mut options =
                FitOptions { intervals: IntervalChoice::None, bootstrap_beside: 0, ..options.clone() };
            options.fixed.retain(|(n, _)| n != name);
            options.fixed.push((name.to_string(), value));
            let fitted = fit(law, dataset, &options)?;
            let others = fitted
                .params
                .iter()
                .filter(|(n, _)| n != name && !held.contains(&n.as_str()))
                .map(|(n, e)| (n.clone(), e.value))
                .collect();
            Ok(ValleyPoint { value, objective: fitted.objective.value, others })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::PowerFloor;

    #[test]
    fn valley_is_lowest_at_the_fit_and_rises_to_both_sides() {
        let n: Vec<f64> = (0..10).map(|k| 1e5 * 4f64.powi(k)).collect();
        let loss: Vec<f64> = n
            .iter()
            .enumerate()
            .map(|(i, n)| (1.7 + 400.0 / n.powf(0.34)) * [1.0, 1.003, 0.998][i % 3])
            .collect();
        let data = Dataset::new(loss).with("N", n);
        let options = FitOptions::default();
        let best = fit(&PowerFloor::N, &data, &options).unwrap();
        let e = best.param("E").unwrap();
        let points = valley(&PowerFloor::N, &data, &options, "E", &[0.8 * e, e, 1.2 * e]).unwrap();
        assert!((points[1].objective / best.objective.value - 1.0).abs() < 1e-9);
        assert!(points[0].objective > points[1].objective && points[2].objective > points[1].objective);
        assert_eq!(points[0].others.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["k", "alpha"]);
        assert!(valley(&PowerFloor::N, &data, &options, "nu", &[1.0]).is_err());
    }
}
