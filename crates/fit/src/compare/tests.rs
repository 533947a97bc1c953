//! Two simulated recipes with a known gap: right answer, calibrated probability.

use super::*;
use crate::fit::{FitOptions, IntervalChoice, fit};
use crate::law::value;
use crate::laws::Chinchilla;
use crate::random::{generator, normal};

/// besiroglu2024-rounded.
const LAW: [f64; 5] = [1.8172, 482.01, 2085.43, 0.3478, 0.3658];
const OWN_NOISE: f64 = 0.002;

/// Five sizes at three budgets' worth of data each, 1e17 to 1e20 FLOPs.
fn design() -> Vec<(f64, f64)> {
    let mut runs = Vec::new();
    for k in 0..5 {
        let n = 1e7 * libm::pow(4.0, f64::from(k));
        for ratio in [5.0, 20.0, 80.0] {
            runs.push((n, ratio * n));
        }
    }
    runs
}

/// Runs of a recipe whose data and size are worth `gain` times the compute, and what luck they share.
fn recipe(gain: f64, own: u64, shared: Option<u64>) -> Dataset {
    let (mut rng, mut common) = (generator(own, 0), shared.map(|s| generator(s, 1)));
    let runs = design();
    let loss = runs
        .iter()
        .map(|(n, d)| {
            // A gain in compute as equal gains of N and D along the optimum: both by its root.
            let g = gain.sqrt();
            let luck = common.as_mut().map_or(0.0, |c| 0.006 * normal(c));
            value(&Chinchilla, &[n * g, d * g], &LAW) * libm::exp(OWN_NOISE * normal(&mut rng) + luck)
        })
        .collect();
    Dataset::new(loss)
        .with("N", runs.iter().map(|r| r.0).collect())
        .with("D", runs.iter().map(|r| r.1).collect())
}

fn fitted(data: &Dataset) -> FittedLaw {
    let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
    fit(&Chinchilla, data, &options).unwrap()
}

/// Probability that A is better, and the multiplier with its interval, at `flops`.
fn compared(gain: f64, seed: u64, flops: f64, draws: usize) -> (f64, Interval) {
    let (a, b) = (recipe(gain, 2 * seed, None), recipe(1.0, 2 * seed + 1, None));
    let c = compare(&fitted(&a), &fitted(&b), None, flops, draws, seed).unwrap();
    (c.probability_a_better, c.multiplier)
}

#[test]
fn recipe_worth_1_2_times_the_compute_is_found_better_with_the_multiplier_inside_its_interval() {
    let (mut inside, mut right) = (0, 0);
    for seed in 0..30 {
        let (p, m) = compared(1.2, seed, 3e20, 100);
        right += usize::from(p > 0.5);
        let [lo, hi] = m.ci95;
        inside += usize::from(lo.is_none_or(|lo| lo <= 1.2) && hi.is_none_or(|hi| 1.2 <= hi));
    }
    assert!(right >= 26, "A found better {right} of 30 times");
    // 95% of 30 is 28.5; 25 or fewer has a probability of 2%.
    assert!(inside >= 26, "1.2 inside {inside} of 30 intervals");
}

#[test]
fn equal_recipes_leave_the_probability_open() {
    let extreme =
        (100..130).filter(|seed| !(0.025..0.975).contains(&compared(1.0, *seed, 3e20, 100).0)).count();
    assert!(extreme <= 4, "{extreme} of 30 equal pairs called different at 95%");
}

#[test]
fn pairing_cancels_shared_luck() {
    let (a, b) = (recipe(1.2, 11, Some(3)), recipe(1.0, 12, Some(3)));
    let (fa, fb) = (fitted(&a), fitted(&b));
    let alone = compare(&fa, &fb, None, 3e20, 400, 1).unwrap();
    let paired = compare(&fa, &fb, Some(&Paired { a: &a, b: &b }), 3e20, 400, 1).unwrap();
    let width = |c: &Comparison| c.advantage.ci95[1].unwrap() - c.advantage.ci95[0].unwrap();
    assert!(paired.paired.unwrap().1 > 0.7, "{:?}", paired.paired);
    assert!(width(&paired) < 0.6 * width(&alone), "{} {}", width(&paired), width(&alone));
    assert!(paired.probability_a_better > 0.9, "{}", paired.probability_a_better);
}

#[test]
fn law_without_budget_is_refused() {
    let n = crate::laws::PowerLaw::N;
    let xs: Vec<f64> = (0..6).map(|k| libm::pow(10.0, f64::from(4 + k))).collect();
    let ys = xs
        .iter()
        .enumerate()
        .map(|(i, x)| libm::pow(8.8e13 / x, 0.076) * (1.0 + 0.001 * (i % 2) as f64))
        .collect();
    let law = fit(&n, &Dataset::new(ys).with("N", xs), &FitOptions::default()).unwrap();
    assert!(compare(&law, &law, None, 1e20, 10, 0).unwrap_err().to_string().contains("budget"));
}

/// docs/studies/compare-calibration.csv:
/// cargo test --release -p scalelaw-fit compare_calibration -- --ignored --nocapture
#[test]
#[ignore = "a study: some minutes"]
fn compare_calibration_study() {
    println!("kind,bin,replicates,mean_probability,truly_better,multiplier_inside_ci95");
    // Gaps around none, so that probabilities between 0 and 1 occur.
    let mut bins = [[0.0f64; 4]; 10];
    for seed in 0..400 {
        let gain = libm::exp(0.12 * normal(&mut generator(seed, 9)));
        let (p, m) = compared(gain, 1000 + seed, 3e20, 200);
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        let [lo, hi] = m.ci95;
        bin[0] += 1.0;
        bin[1] += p;
        bin[2] += f64::from(u8::from(gain > 1.0));
        bin[3] += f64::from(u8::from(lo.is_none_or(|lo| lo <= gain) && hi.is_none_or(|hi| gain <= hi)));
    }
    for (i, b) in bins.iter().enumerate().filter(|(_, b)| b[0] > 0.0) {
        println!("random_gap,{i},{},{:.3},{:.3},{:.3}", b[0], b[1] / b[0], b[2] / b[0], b[3] / b[0]);
    }
    let (mut p_sum, mut right, mut inside) = (0.0, 0, 0);
    for seed in 0..200 {
        let (p, m) = compared(1.2, 5000 + seed, 3e20, 200);
        let [lo, hi] = m.ci95;
        p_sum += p;
        right += usize::from(p > 0.5);
        inside += usize::from(lo.is_none_or(|lo| lo <= 1.2) && hi.is_none_or(|hi| 1.2 <= hi));
    }
    println!("gap_1.2,all,200,{:.3},{:.3},{:.3}", p_sum / 200.0, right as f64 / 200.0, inside as f64 / 200.0);
    // 95% of 200 is 190, three standard deviations less is 181.
    assert!(right >= 190 && inside >= 181, "{right} right, {inside} inside");
}
