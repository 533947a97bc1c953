//! A small calibration study on every run of the tests; the large one is `examples/calibration.rs`.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::calibration::{coverage, holm};
use scalelaw_fit::laws::{KaplanNd, PowerLaw};
use scalelaw_fit::{FitOptions, IntervalChoice, Law};

#[test]
fn profile_intervals_of_small_designs_are_not_shown_to_miss_their_level() {
    let options = FitOptions { intervals: IntervalChoice::Profile, seed: 7, ..FitOptions::default() };
    let sizes = |n: i32| -> Vec<Vec<f64>> { (0..n).map(|k| vec![1e4 * 3f64.powi(k)]).collect() };
    let grid: Vec<Vec<f64>> =
        (0..4).flat_map(|i| (0..4).map(move |j| vec![4e5 * 12f64.powi(i), 4e7 * 8f64.powi(j)])).collect();
    let nd = [6.4e13, 1.8e13, 0.076, 0.103];
    type Design<'a> = (&'a dyn Law, &'a [f64], Vec<Vec<f64>>);
    let designs: [Design<'_>; 3] = [
        (&PowerLaw::N, &[8.8e13, 0.076], sizes(6)),
        (&PowerLaw::N, &[8.8e13, 0.076], sizes(9)),
        (&KaplanNd, &nd, grid),
    ];
    let mut p_values = Vec::new();
    for (law, truth, design) in designs {
        let c = coverage(law, truth, &design, 0.01, 300, &options).unwrap();
        assert_eq!(c.failed, 0, "{}", c.law);
        p_values.extend(c.parameters.iter().filter(|p| p.name != "prediction").map(|p| p.p_value));
    }
    assert!(holm(&p_values, 0.05).iter().all(|rejected| !rejected), "{p_values:?}");
}
