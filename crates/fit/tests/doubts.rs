//! What a fit says against itself.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::{
    Dataset, FitOptions, IntervalChoice, fit,
    laws::{Chinchilla, PowerLaw},
};

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

#[test]
fn fit_beside_a_crashed_run_names_it_with_what_it_does() {
    let mut n: Vec<f64> = (0..12).map(|k| 1e6 * 3f64.powi(k)).collect();
    let scatter = |i: usize| 1.0 + 0.002 * ((i * 7 % 5) as f64 - 2.0);
    let mut loss: Vec<f64> =
        n.iter().enumerate().map(|(i, n)| (8.8e13 / n).powf(0.076) * scatter(i)).collect();
    n.push(2e9);
    loss.push(7.2);
    let law =
        fit(&PowerLaw::N, &Dataset::new(loss.clone()).with("N", n.clone()), &FitOptions::default()).unwrap();
    let said = law.warnings.iter().find(|w| w.code == "unexplained_point").expect("it is named");
    assert!(said.message.contains("2.0000e9") && said.message.contains("7.2000"), "{}", said.message);
    assert!(said.message.contains("alpha_N 0.07"), "{}", said.message);
    n.pop();
    loss.pop();
    let law = fit(&PowerLaw::N, &Dataset::new(loss).with("N", n), &FitOptions::default()).unwrap();
    assert!(law.warnings.is_empty(), "{:?}", law.warnings);
}

/// Least squares give such a run so much weight that no residual stands out: what stands out does so for a robust fit.
#[test]
fn fit_that_a_crashed_run_has_bent_names_it_too() {
    let (mut n, mut d, mut loss) = (vec![], vec![], vec![]);
    for i in 0..30u32 {
        let (size, tokens) =
            (1e8 * 1.2f64.powf(f64::from(i * 7 % 30)), 2e9 * 1.2f64.powf(f64::from(i * 11 % 30)));
        n.push(size);
        d.push(tokens);
        let noise = 1.0 + 0.003 * (f64::from(i * 5 % 7) - 3.0);
        loss.push((1.69 + 406.4 / size.powf(0.34) + 410.7 / tokens.powf(0.28)) * noise);
    }
    n.push(1e9);
    d.push(2e10);
    loss.push(11.2);
    let data = Dataset::new(loss).with("N", n).with("D", d);
    let law = fit(&Chinchilla, &data, &FitOptions::default()).unwrap();
    let named: Vec<_> = law.warnings.iter().filter(|w| w.code == "unexplained_point").collect();
    assert!(named.len() == 1 && named[0].message.contains("11.2"), "{:?}", law.warnings);
}
