//! What a fit calls identified, in designs that people have.

#![allow(clippy::unwrap_used)]

use scalelaw_fit::laws::{Chinchilla, KaplanNd, PowerFloor};
use scalelaw_fit::{
    Dataset, FitOptions, FitStatus, FittedLaw, IntervalChoice, Objective, ParamState, Penalty, Space, fit,
    value,
};

/// Constants of Chinchilla's law that all designs here are simulated from.
const TRUTH: [f64; 5] = [1.69, 406.4, 410.7, 0.34, 0.28];

fn normals(seed: u64) -> impl FnMut() -> f64 {
    let mut rng = scalelaw_random::generator(seed);
    move || scalelaw_random::normal(&mut rng)
}

fn simulated(design: &[(f64, f64)], noise: f64, seed: u64) -> Dataset {
    let mut normal = normals(seed);
    let loss = design
        .iter()
        .map(|(n, d)| value(&Chinchilla, &[*n, *d], &TRUTH) * (noise * normal()).exp())
        .collect();
    Dataset::new(loss)
        .with("N", design.iter().map(|(n, _)| *n).collect())
        .with("D", design.iter().map(|(_, d)| *d).collect())
}

/// Sizes from 10M to 10B, evenly in the logarithm.
fn sizes(runs: usize) -> impl Iterator<Item = f64> {
    (0..runs).map(move |i| 1e7 * 1000f64.powf(i as f64 / (runs - 1) as f64))
}

fn state(law: &FittedLaw, name: &str) -> ParamState {
    law.params.iter().find(|(n, _)| n == name).unwrap().1.state
}

#[test]
fn fit_of_runs_at_twenty_tokens_a_parameter_identifies_neither_term() {
    let design: Vec<(f64, f64)> = sizes(60).map(|n| (n, 20.0 * n)).collect();
    for intervals in [IntervalChoice::Profile, IntervalChoice::Bootstrap(50), IntervalChoice::Covariance] {
        let options = FitOptions { intervals, ..FitOptions::default() };
        let law = fit(&Chinchilla, &simulated(&design, 0.003, 1), &options).unwrap();
        assert_eq!(law.status, FitStatus::Unidentified);
        for name in ["A", "B", "alpha", "beta"] {
            assert_eq!(state(&law, name), ParamState::Unidentified, "{name} by {intervals:?}");
        }
        let first = &law.warnings[0];
        assert!(first.code == "tied_variables" && first.message.contains("D/N is 20.0"), "{first:?}");
        // Whatever is printed must not exclude the truth.
        for ((name, e), truth) in law.params.iter().zip(TRUTH) {
            let [lo, hi] = e.ci95.unwrap();
            assert!(lo.is_none_or(|lo| lo <= truth) && hi.is_none_or(|hi| truth <= hi), "{name}: {e:?}");
        }
    }
}

#[test]
fn fit_of_sizes_within_a_tenth_does_not_identify_what_depends_on_size() {
    let design: Vec<(f64, f64)> =
        (0..60).map(|i| (1e9 * 1.1f64.powf(f64::from(i % 6) / 5.0), 2e9 * 3f64.powi(i / 12))).collect();
    let law = fit(&Chinchilla, &simulated(&design, 0.003, 3), &FitOptions::default()).unwrap();
    for name in ["E", "A", "alpha"] {
        assert_eq!(state(&law, name), ParamState::Unidentified, "{name}: {:?}", law.params);
    }
    assert!(law.warnings.iter().any(|w| w.code == "narrow_range"));
}

#[test]
fn fit_of_a_good_grid_identifies_everything() {
    let design: Vec<(f64, f64)> =
        sizes(8).flat_map(|n| (0..6).map(move |j| (n, n * 5.0 * 3f64.powi(j)))).collect();
    let law = fit(&Chinchilla, &simulated(&design, 0.003, 5), &FitOptions::default()).unwrap();
    assert_eq!(law.status, FitStatus::Ok, "{:?}", law.warnings);
    assert!(law.params.iter().all(|(_, e)| e.state == ParamState::Identified));
}

/// A floor that is fitted at 0 rises again as the exponent does: the interval of the exponent reaches as far as the
/// exact profile over E ≥ 0.
#[test]
fn exponent_beside_a_floor_at_its_bound_has_the_interval_of_the_exact_profile() {
    let truth = [0.6, 40.0, 0.2];
    let n: Vec<f64> = sizes(8).map(|n| n / 10.0).collect();
    let (mut at_bound, mut held) = (0, 0);
    for seed in 0..120 {
        let mut normal = normals(seed);
        let loss = n.iter().map(|n| value(&PowerFloor::N, &[*n], &truth) * (0.04 * normal()).exp()).collect();
        let objective = Objective { penalty: Penalty::LeastSquares, space: Space::Linear };
        let options = FitOptions { objective, intervals: IntervalChoice::Profile, ..FitOptions::default() };
        let law = fit(&PowerFloor::N, &Dataset::new(loss).with("N", n.clone()), &options).unwrap();
        let floor = &law.params[0].1;
        if floor.state != ParamState::AtBound {
            continue;
        }
        at_bound += 1;
        assert_eq!(floor.ci95.unwrap()[0], Some(0.0), "the bound is the end: {floor:?}");
        let [lo, hi] = law.params[2].1.ci95.unwrap();
        held += u32::from(lo.is_none_or(|lo| lo <= 0.2) && hi.is_none_or(|hi| 0.2 <= hi));
    }
    assert!(at_bound >= 3, "{at_bound}");
    assert!(held + 1 >= at_bound, "{held} of {at_bound}");
}

#[test]
fn kaplan_of_one_ratio_is_not_identified_by_its_form_alone() {
    let n: Vec<f64> = sizes(12).collect();
    let d: Vec<f64> = n.iter().map(|n| 20.0 * n).collect();
    let truth = [6.4e13, 1.8e13, 0.076, 0.103];
    let loss = n.iter().zip(&d).map(|(n, d)| value(&KaplanNd, &[*n, *d], &truth)).collect();
    let law = fit(&KaplanNd, &Dataset::new(loss).with("N", n).with("D", d), &FitOptions::default()).unwrap();
    assert!(law.status >= FitStatus::Unidentified, "{:?}", law.warnings);
}

#[test]
fn fit_of_three_sizes_that_are_one_ends_and_is_not_identified() {
    // Losses that do not follow the sizes lead along a valley without end: alpha grows, and A with it.
    let design: Vec<(f64, f64)> =
        (0..150).map(|i| ([2.1506e9, 2.1552e9, 2.1562e9][i % 3], [2e9, 4e9, 8e9, 2e10][i % 4])).collect();
    for seed in 0..4 {
        let mut normal = normals(seed);
        let of_size = |i: usize| [1.02, 1.0, 1.003][i % 3];
        let loss =
            |(i, (_, d)): (usize, &(f64, f64))| 75.0 / d.powf(0.196) * of_size(i) * (0.02 * normal()).exp();
        let loss: Vec<f64> = design.iter().enumerate().map(loss).collect();
        let dataset = Dataset::new(loss)
            .with("N", design.iter().map(|(n, _)| *n).collect())
            .with("D", design.iter().map(|(_, d)| *d).collect());
        let law = fit(&Chinchilla, &dataset, &FitOptions::default()).unwrap();
        assert!(law.status >= FitStatus::Unidentified, "{seed}: {:?}", law.status);
        assert_eq!(state(&law, "alpha"), ParamState::Unidentified, "{seed}");
    }
}
