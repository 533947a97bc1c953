use super::*;
use crate::laws::Chinchilla;
use crate::presets::Preset;
use crate::random::{generator, normal};
use crate::suggest::Candidate;

/// Runs of Besiroglu et al.'s law at five sizes for each of four budgets from 1e18 to 1e20 FLOPs, with `noise` in ln loss.
fn runs(noise: f64, seed: u64) -> Dataset {
    let mut rng = generator(seed, 0);
    let (mut n, mut d, mut loss) = (vec![], vec![], vec![]);
    for budget in 0..4 {
        let flops = 1e18 * 100f64.powf(f64::from(budget) / 3.0);
        for size in -2..=2 {
            let params = (flops / 120.0).sqrt() * 2f64.powi(size);
            let tokens = flops / (6.0 * params);
            n.push(params);
            d.push(tokens);
            loss.push(truth(params, tokens) * (noise * normal(&mut rng)).exp());
        }
    }
    Dataset::new(loss).with("N", n).with("D", d)
}

fn truth(n: f64, d: f64) -> f64 {
    let (_, constants) = Preset::by_name("besiroglu2024").unwrap().rule.law().unwrap();
    value(&Chinchilla, &[n, d], &constants)
}

#[test]
fn forecast_of_exact_runs_is_their_law() {
    let made = forecaster(&runs(0.0, 1), &|_, _| {}).unwrap();
    for (n, d) in [(1e9, 2e10), (1e10, 2e11), (7e10, 1.4e12)] {
        assert!((made.at(n, d).loss / truth(n, d) - 1.0).abs() < 1e-6);
    }
    let best = made.best_division(1e22).unwrap();
    let exact = compute_optimal(&truth, &|n| 6.0 * n, 1e22).unwrap();
    assert!((best.optimum.n / exact.n - 1.0).abs() < 1e-3);
    assert!(best.n95[0] <= best.optimum.n && best.optimum.n <= best.n95[1]);
}

#[test]
fn forecast_a_decade_beyond_the_runs_is_covered_at_its_level() {
    let (trials, mut inside) = (40, 0);
    for trial in 0..trials {
        let made = forecaster(&runs(0.003, 100 + trial), &|_, _| {}).unwrap();
        let (n, d) = (3e9, 6e10);
        let seen = truth(n, d) * (0.003 * normal(&mut generator(trial, 7))).exp();
        let [lo, hi] = made.at(n, d).interval95;
        inside += u32::from(lo <= seen && seen <= hi);
        assert!((hi / lo).ln() < 0.05, "{lo} {hi}");
    }
    // 95% of 40, less three standard errors.
    assert!(inside >= 34, "{inside} of {trials}");
}

#[test]
fn interval_grows_with_the_distance_and_far_places_are_named() {
    let made = forecaster(&runs(0.003, 5), &|_, _| {}).unwrap();
    let width = |scale: f64| {
        let outlook = made.at(9e8 * scale, 1.8e10 * scale);
        ((outlook.interval95[1] / outlook.interval95[0]).ln(), outlook.reach)
    };
    let [inside, near, further, far] = [0.5, 2.0, 9.0, 1000.0].map(width);
    assert!(inside.0 < near.0 && near.0 < further.0 && further.0 < far.0);
    assert_eq!(
        [inside.1, near.1, further.1, far.1],
        [Reach::Inside, Reach::Scored, Reach::Beyond, Reach::Far]
    );
}

#[test]
fn forecaster_file_gives_the_same_forecast() {
    let made = forecaster(&runs(0.003, 6), &|_, _| {}).unwrap();
    let text = serde_json::to_string(&made).unwrap();
    let read = Forecaster::from_json(&text).unwrap();
    let [a, b] = [&made, &read].map(|f| f.at(1e10, 1e11));
    assert_eq!((a.loss, a.interval95), (b.loss, b.interval95));
    assert!(Forecaster::from_json(&text.replace("\"E\"", "\"F\"")).is_err());
    assert!(made.predict(&[("N", 1e9)]).is_err());
}

#[test]
fn members_are_weighed_by_their_errors_and_add_up_to_one() {
    let made = forecaster(&runs(0.003, 7), &|_, _| {}).unwrap();
    let total: f64 = made.members.iter().map(|m| m.weight).sum();
    assert!((total - 1.0).abs() < 1e-12);
    assert!(made.members.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
    // Kaplan's joint law has no floor: on runs that have one it says little.
    let by_law = made.weights_by_law();
    assert_eq!(by_law.last().unwrap().0, "nd");
    assert!(made.origins.windows(2).all(|pair| pair[0].decades < pair[1].decades));
}

#[test]
fn small_tables_are_weighed_by_leaving_runs_out_and_tiny_ones_refused() {
    let all = runs(0.003, 8);
    let eight = all.filtered(|i| i % 5 == 1 || i % 5 == 3);
    let made = forecaster(&eight, &|_, _| {}).unwrap();
    assert!(made.origins.is_empty());
    let outlook = made.at(3e9, 6e10);
    assert!(outlook.interval95[0] < truth(3e9, 6e10) && truth(3e9, 6e10) < outlook.interval95[1]);
    let seven = eight.filtered(|i| i > 0);
    assert!(matches!(forecaster(&seven, &|_, _| {}), Err(FitError::TooFewPoints { n_points: 7, .. })));
    let no_d = Dataset::new(vec![3.0; 9]).with("N", vec![1e6; 9]);
    assert!(matches!(forecaster(&no_d, &|_, _| {}), Err(FitError::MissingVariable { .. })));
}

#[test]
fn progress_counts_every_fit_once() {
    use std::sync::Mutex;
    let seen = Mutex::new(vec![]);
    let made = forecaster(&runs(0.003, 9), &|done, total| seen.lock().unwrap().push((done, total))).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    let total = 12 * (1 + made.origins.len());
    assert_eq!(seen, (1..=total).map(|done| (done, total)).collect::<Vec<_>>());
}

#[test]
fn suggested_runs_narrow_the_forecast_about_as_much_as_they_promise() {
    let before = runs(0.003, 9);
    let made = forecaster(&before, &|_, _| {}).unwrap();
    let mut candidates = vec![];
    for i in 0..12 {
        for j in 0..8 {
            let (n, d) = (1e8 * 2f64.powi(i), 1e9 * 4f64.powi(j));
            candidates.push(Candidate { n, d, cost: 6.0 * n * d });
        }
    }
    let best = made.best_division(1e22).unwrap().optimum;
    let suggestion = made.suggest(&candidates, 3e21, (best.n, best.d), 6).unwrap();
    assert!(!suggestion.runs.is_empty() && suggestion.cost <= 3e21);
    assert!(suggestion.width_after < 0.7 * suggestion.width_now, "{suggestion:?}");
    assert!(suggestion.runs.is_sorted_by(|a, b| a.width_after > b.width_after));
    // A run beyond those there are: deciding between forms among the cheap ones brings nothing nearer.
    assert!(suggestion.runs.iter().any(|chosen| chosen.run.cost > 1e20));
    let column = |name: &str, more: &dyn Fn(&Candidate) -> f64| {
        let new = suggestion.runs.iter().map(|chosen| more(&chosen.run));
        before.column(name).unwrap().iter().copied().chain(new).collect::<Vec<f64>>()
    };
    let mut rng = generator(31, 0);
    let new = suggestion.runs.iter().map(|c| truth(c.run.n, c.run.d) * (0.003 * normal(&mut rng)).exp());
    let loss: Vec<f64> = before.response().iter().copied().chain(new).collect();
    let all = Dataset::new(loss).with("N", column("N", &|c| c.n)).with("D", column("D", &|c| c.d));
    let [lo, hi] = forecaster(&all, &|_, _| {}).unwrap().at(best.n, best.d).mean95;
    let came = (hi - lo) / suggestion.width_after;
    assert!((0.3..3.0).contains(&came), "{came} times the width promised");
    assert!(made.suggest(&candidates, 1.0, (best.n, best.d), 6).is_err());
}
