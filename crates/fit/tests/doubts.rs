//! What a fit says against itself.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, fit, laws::PowerLaw};

#[test]
fn fit_through_as_many_points_as_constants_has_no_interval_and_says_so() {
    let data = Dataset::new(vec![4.0, 3.5]).with("N", vec![1e6, 1e7]);
    for intervals in [IntervalChoice::Auto, IntervalChoice::Covariance, IntervalChoice::Bootstrap(50)] {
        let law = fit(&PowerLaw::N, &data, &FitOptions { intervals, ..FitOptions::default() }).unwrap();
        assert!(law.params.iter().all(|(_, e)| e.se.is_none() && e.ci95.is_none()), "{:?}", law.params);
        assert!(law.warnings.iter().any(|w| w.code == "no_freedom"));
        let at = law.predict(&[("N", 1e8)]).unwrap();
        assert!(at.ci95.is_none(), "{at:?}");
    }
}

#[test]
fn fit_with_one_point_more_than_constants_has_intervals() {
    let data = Dataset::new(vec![4.0, 3.51, 3.05]).with("N", vec![1e6, 1e7, 1e8]);
    let law = fit(&PowerLaw::N, &data, &FitOptions::default()).unwrap();
    assert!(law.params.iter().all(|(_, e)| e.ci95.is_some()));
    assert!(law.warnings.iter().all(|w| w.code != "no_freedom"));
}

#[test]
fn fit_to_points_of_one_run_has_no_interval_unless_asked_and_says_why() {
    let n: Vec<f64> = (0..8).map(|k| 1e5 * 4f64.powi(k)).collect();
    let loss: Vec<f64> =
        n.iter().enumerate().map(|(i, n)| (8.8e13 / n).powf(0.076) * [1.0, 1.01][i % 2]).collect();
    let data = Dataset::new(loss).with("N", n).grouped(vec![0; 8]);
    let law = fit(&PowerLaw::N, &data, &FitOptions::default()).unwrap();
    assert!(law.params.iter().all(|(_, e)| e.ci95.is_none()), "{:?}", law.params);
    assert!(law.warnings.iter().any(|w| w.code == "few_runs"), "{:?}", law.warnings);
}
