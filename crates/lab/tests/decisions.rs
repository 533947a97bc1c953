//! From laws to decisions: isoFLOP optima, plans, comparisons and forecasts of tables whose truth is known.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use scalelaw_core::observer::Silent;
use scalelaw_fit::FitOptions;
use scalelaw_fit::isoflop::Valley;
use scalelaw_fit::plan::repetition::Decay;
use scalelaw_fit::plan::{Goal, PlanError};
use scalelaw_fit::presets::muennighoff2023;
use scalelaw_lab::assumed::Assumption;
use scalelaw_lab::compare::{self, CompareRequest};
use scalelaw_lab::fit::{self, FitReport, FitRequest};
use scalelaw_lab::isoflop::{self, IsoflopReport, IsoflopRequest};
use scalelaw_lab::plan::{self, PlanReport, PlanRequest};
use scalelaw_lab::predict::{self, CurvesRequest, OfAnyForm, PlaceRequest, PlacesRequest};
use scalelaw_lab::rank::{self, RankRequest};
use scalelaw_lab::schedules::Schedules;
use scalelaw_lab::suggest::{self, SuggestRequest};
use scalelaw_lab::{LabError, TableRequest};
use std::path::{Path, PathBuf};

/// Besiroglu et al.'s law.
fn loss(n: f64, d: f64) -> f64 {
    1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658)
}

/// Noise in the fourth digit that no pattern of rows shares.
fn noise(i: usize) -> f64 {
    1.0 + 0.002 * ((i as f64 * 12.9898).sin() * 43758.5453).fract()
}

fn write(dir: &Path, name: &str, csv: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, csv).unwrap();
    path
}

/// A grid of 25 runs with a little noise.
fn grid(dir: &Path, name: &str, gain: f64, seed: usize) -> PathBuf {
    let mut csv = String::from("N,D,loss\n");
    for i in 0..5 {
        for j in 0..5 {
            let (n, d) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
            csv += &format!(
                "{n},{d},{}\n",
                loss(n * gain, d * gain) * noise(seed + 5 * i as usize + j as usize)
            );
        }
    }
    write(dir, name, &csv)
}

fn fit_request(table: &Path, law: &str) -> FitRequest {
    FitRequest {
        table: TableRequest::new(table),
        law: law.into(),
        bounds: vec![],
        options: FitOptions::default(),
        residuals_by: None,
        valley: None,
        assumed: None,
        leave_out: None,
        forecaster: false,
    }
}

/// The law fitted to a table, and its file.
fn law_file(dir: &Path, table: &Path, law: &str) -> (FitReport, String) {
    let report = fit::run(&fit_request(table, law)).unwrap();
    let path = write(dir, "law.json", &serde_json::to_string(&report).unwrap());
    (report, path.display().to_string())
}

/// Six runs that pin down the forecast at 1e23 FLOPs.
fn suggestion(law: String) -> SuggestRequest {
    SuggestRequest {
        law,
        budget: 1e21,
        target: 1e23,
        largest: None,
        most_runs: 6,
        base: None,
        name: String::new(),
        seed: 0,
    }
}

fn planned(law: &str, flops: f64, unique: Option<f64>) -> Result<PlanReport, LabError> {
    plan::run(&PlanRequest {
        law: law.into(),
        goal: Goal::Compute(flops),
        hyper: vec![],
        unique_tokens: unique,
        inference_tokens: None,
        hardware: None,
        spec: None,
        register: None,
    })
}

fn isoflop(table: &Path, within: f64) -> IsoflopReport {
    let table = TableRequest::new(table);
    isoflop::run(&IsoflopRequest { table, within, noise: None, replicates: 0, seed: 0 }).unwrap()
}

#[test]
fn isoflop_of_near_duplicate_sizes_has_the_exponent_of_its_valleys() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = String::from("N,C,loss\n");
    for k in 0..3 {
        let (budget, root) = (10f64.powi(18 + k), 10f64.powf(0.5 * f64::from(k)));
        for (n, loss) in [(1e7, 3.1), (2e7, 2.96), (20_000_001.0, 2.99), (4e7, 2.9), (8e7, 2.95), (16e7, 3.1)]
        {
            csv += &format!("{},{budget},{}\n", n * root, loss - 0.3 * f64::from(k));
        }
    }
    let report = isoflop(&write(dir.path(), "akima.csv", &csv), 1.1);
    for valley in &report.valleys {
        assert!((valley.n_opt.unwrap().exponent - 0.5).abs() < 1e-6, "{valley:?}");
        assert!(valley.optima.iter().all(|o| o.optimum.loss > 2.25), "{valley:?}");
        // C = 6ND.
        assert!((valley.d_opt.unwrap().exponent - 0.5).abs() < 1e-6, "{valley:?}");
        let o = &valley.optima[0];
        assert!((6.0 * o.optimum.n * o.d / 1e18 - 1.0).abs() < 1e-9, "{o:?}");
    }
    assert!(
        report.budgets.iter().all(|budget| (budget.runs, budget.sizes) == (6, 5)),
        "{:?}",
        report.budgets
    );
}

#[test]
fn isoflop_of_drifting_budgets_has_no_wide_one_and_accounts_for_every_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = String::from("N,C,loss\n");
    for i in 0..240 {
        let c = 1e18 * 1000f64.powf(f64::from(i) / 239.0);
        let n = (c / 120.0).sqrt() * 2f64.powf(f64::from(i % 7) - 3.0);
        csv += &format!("{n},{c},{}\n", loss(n, c / 6.0 / n));
    }
    // One whose budget is nowhere near the others.
    csv += "1e9,1e25,2.2\n";
    let path = write(dir.path(), "drift.csv", &csv);
    let report = isoflop(&path, 1.5);
    let rows: Vec<u64> = report.budgets.iter().chain(&report.left_out).flat_map(|b| b.rows.clone()).collect();
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=241).collect::<Vec<u64>>());
    assert!(report.budgets.len() > 10, "{}", report.budgets.len());
    assert_eq!(report.left_out.last().unwrap().rows, [241]);
    let parabola = &report.valleys[0];
    assert_eq!(parabola.valley, Valley::Parabola);
    assert_eq!(parabola.exponents_without.len(), parabola.optima.len());
    let parametric = report.parametric.unwrap();
    if let Some([lo, hi]) = parametric.ci95 {
        assert!(0.0 <= lo && hi <= 1.0, "{lo} {hi}");
    }
}

#[test]
fn isoflop_of_an_own_sweep_takes_the_full_flops_by_itself_and_assigned_ones_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = String::from("n_nonembed,tokens,flops_6n,flops_full,loss\n");
    for budget in [1e15, 4e15, 1.6e16] {
        for k in 0..6 {
            let n = 1e5 * (budget / 1e15f64).sqrt() * 2f64.powi(k);
            // The head and attention cost as much as a million parameters.
            let tokens = budget / (6.0 * (n + 1e6));
            csv +=
                &format!("{n},{tokens},{},{budget},{}\n", 6.0 * n * tokens, loss(n * 300.0, tokens * 300.0));
        }
    }
    let path = write(dir.path(), "own.csv", &csv);
    let report = isoflop(&path, 1.1);
    assert_eq!(report.cost.column.as_deref(), Some("flops_full"));
    assert_eq!((report.budgets.len(), report.left_out.len()), (3, 0));
    let table = TableRequest { map: vec![("C".into(), "flops_6n".into())], ..TableRequest::new(&path) };
    let told = isoflop::run(&IsoflopRequest { table, within: 1.1, noise: None, replicates: 0, seed: 0 });
    assert!(!matches!(told, Ok(report) if report.cost.column.as_deref() != Some("flops_6n")));
}

#[test]
fn plan_from_runs_of_one_size_is_refused_with_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = String::from("N,D,loss\n");
    for j in 0..24 {
        let d = 1e9 * 1.3f64.powi(j);
        csv += &format!("1e9,{d},{}\n", loss(1e9, d) * noise(j as usize));
    }
    let (_, law) = law_file(dir.path(), &write(dir.path(), "one.csv", &csv), "chinchilla");
    let refused = planned(&law, 1e23, None).map(|report| report.plan).unwrap_err();
    let LabError::Plan(PlanError::Undecided { constant, .. }) = &refused else { panic!("{refused}") };
    assert_eq!(*constant, Some("N"));
    assert!(refused.to_string().contains("one N"), "{refused}");
}

#[test]
fn expression_over_n_and_d_plans_predicts_and_suggests_as_the_law_it_is_equal_to() {
    let dir = tempfile::tempdir().unwrap();
    let table = grid(dir.path(), "runs.csv", 1.0, 0);
    let (_, built_in) = law_file(dir.path(), &table, "chinchilla");
    let ours = planned(&built_in, 1e22, None).unwrap().plan;
    for (name, text) in [("a", "E + A/N^alpha + B/D^beta"), ("b", "B*D^(-beta) + E + A*N^(-alpha)")] {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let (report, law) = law_file(&folder, &table, text);
        let plan = planned(&law, 1e22, None).unwrap().plan;
        assert!((plan.n / ours.n - 1.0).abs() < 1e-3, "{text}: {:e}, {:e}", plan.n, ours.n);
        assert!((plan.loss.unwrap() - ours.loss.unwrap()).abs() < 1e-5);
        assert!(plan.extrapolation_decades.unwrap() > 0.0 && plan.status == Some(report.law.status));
        let suggested = suggest::run(&suggestion(law)).unwrap().suggestion;
        assert!(suggested.width_after < suggested.width_now, "{suggested:?}");
        assert!(
            suggested.runs.iter().all(|c| c.run.n >= 1e7 * 0.999 && c.run.d >= 1e9 * 0.999),
            "{suggested:?}"
        );
    }
}

#[test]
fn law_of_repeated_data_that_was_fitted_plans_with_its_own_repetition() {
    let dir = tempfile::tempdir().unwrap();
    let Decay { data, params } = muennighoff2023::DECAY;
    let effective = |unique: f64, total: f64, r: f64| {
        let repeats = (total / unique - 1.0).max(0.0);
        unique * (total / unique).min(1.0) + unique * r * (1.0 - (-repeats / r).exp())
    };
    let (e, a, b, alpha) =
        (muennighoff2023::E, muennighoff2023::A, muennighoff2023::B, muennighoff2023::ALPHA);
    let mut csv = String::from("N,D,U,loss\n");
    for n in [2e7, 1e8, 5e8, 2e9, 8e9] {
        for unique in [2e8, 2e9, 2e10] {
            for epochs in [1.0, 4.0, 16.0, 60.0] {
                let d = unique * epochs;
                let u_n = (a / b).powf(1.0 / alpha) * unique;
                let n_worth = effective(u_n, n, params);
                let loss = e + a * n_worth.powf(-alpha) + b * effective(unique, d, data).powf(-alpha);
                csv += &format!("{n},{d},{unique},{loss}\n");
            }
        }
    }
    let (_, law) = law_file(dir.path(), &write(dir.path(), "repeated.csv", &csv), "data-constrained");
    let plan = planned(&law, 9.3e21, Some(25e9)).unwrap().plan;
    let repeated = plan.repeated.unwrap();
    assert!((repeated.allocation.n / 6.8e9 - 1.0).abs() < 0.02, "{repeated:?}");
    assert!(
        (repeated.epochs - 9.1).abs() < 0.2 && (repeated.excess_loss - 0.033).abs() < 1e-3,
        "{repeated:?}"
    );
}

#[test]
fn places_of_a_law_of_compute_and_tokens_per_parameter_follow_from_n_and_d() {
    let dir = tempfile::tempdir().unwrap();
    let (report, law) = law_file(dir.path(), &grid(dir.path(), "runs.csv", 1.0, 0), "over-training");
    let at = vec![("N".to_string(), 1e9), ("D".to_string(), 2e10)];
    let one = predict::at(&PlaceRequest { law: law.clone(), at, register: None }).unwrap();
    let expected = report.law.predict(&[("C", 1.2e20), ("M", 20.0)]).unwrap();
    assert_eq!((one.prediction, one.derived), (expected.clone(), vec!["C = 6ND", "M = D/N"]));
    let table = TableRequest::new(write(dir.path(), "places.csv", "N,D\n1e9,2e10\n2e9,x\n1e8,2e9\n"));
    let places = predict::places(&PlacesRequest { law, table }).unwrap();
    assert_eq!(places.places.iter().map(|p| p.row).collect::<Vec<_>>(), [1, 3]);
    assert!((places.places[0].prediction.mean / expected.mean - 1.0).abs() < 1e-12);
    assert_eq!(places.problems.len(), 1);
}

#[test]
fn compare_of_a_table_with_itself_is_even_at_every_budget() {
    let dir = tempfile::tempdir().unwrap();
    let table = grid(dir.path(), "runs.csv", 1.0, 0);
    for flops in [1e20, 1e24] {
        let report = compare::run(&CompareRequest {
            a: TableRequest::new(&table),
            b: TableRequest::new(&table),
            law: "chinchilla".into(),
            flops,
            paired: false,
            draws: 2000,
            seed: 0,
        })
        .unwrap();
        let c = report.comparison;
        assert!((c.at.probability_a_better - 0.5).abs() < 0.03, "{c:?}");
        assert_eq!(c.matched.unwrap().a_better, 0);
        assert_eq!(c.in_range.is_some(), flops > 1e21);
    }
}

#[test]
fn fit_shows_the_forecast_under_assumed_floors_and_without_each_size() {
    let dir = tempfile::tempdir().unwrap();
    let table = grid(dir.path(), "runs.csv", 1.0, 0);
    let report = fit::run(&FitRequest {
        assumed: Some(Assumption { parameter: "E".into(), lo: 1.7, hi: 1.9 }),
        leave_out: Some("N".into()),
        ..fit_request(&table, "chinchilla")
    })
    .unwrap();
    let under = report.assumed.unwrap();
    assert_eq!(under.len(), 9);
    assert!(under.iter().all(|u| u.excess > -1e-9 && u.ahead.len() == 3), "{under:?}");
    // Farther from the runs the floor decides more of the loss.
    let spread = |k: usize| under[8].ahead[k].loss - under[0].ahead[k].loss;
    assert!(spread(2) > spread(0) && spread(2) > 0.0, "{} {}", spread(0), spread(2));
    let left_out = report.left_out.unwrap();
    assert_eq!(left_out.iter().map(|l| l.runs).collect::<Vec<_>>(), [5; 5]);
    assert!(left_out.iter().all(|l| l.params.len() == 5 && l.ahead.is_some()), "{left_out:?}");
    assert!(report.floor.is_none(), "{:?}", report.floor);
}

#[test]
fn floor_far_below_every_loss_is_said_to_be_decided_by_the_form() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = String::from("N,loss\n");
    for k in 0..8 {
        let n = 1e8 * 1.5f64.powi(k);
        csv += &format!("{n},{}\n", (1.7 + 400.0 / n.powf(0.3)) * noise(k as usize).powf(0.05));
    }
    let report = fit::run(&fit_request(&write(dir.path(), "short.csv", &csv), "n-floor")).unwrap();
    let floor = report.floor.unwrap();
    assert!(floor.parameter.starts_with('E') && floor.below > 0.3 && floor.share > 0.5, "{floor:?}");
}

/// Four curves of a law of steps, their rate coming down over `length` steps of run k.
fn curves(length: fn(usize) -> f64) -> String {
    let mut csv = String::from("run,N,step,lr,loss\n");
    for k in 0..4 {
        for step in 1..=20 {
            let (n, s) = (1e6 * 2f64.powi(k), 1000.0 * f64::from(step));
            let lr = 1e-3 * 0.5 * (1.0 + (std::f64::consts::PI * (s / length(k as usize)).min(1.0)).cos());
            let loss = (8.8e13 / n).powf(0.076) + (2100.0 / s).powf(0.76);
            csv += &format!("r{k},{n},{s},{lr},{}\n", loss * noise(20 * k as usize + step as usize));
        }
    }
    csv
}

#[test]
fn curves_of_differing_schedules_are_told_apart_from_those_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let study = |csv: &str| {
        let table = TableRequest::new(write(dir.path(), "curves.csv", csv));
        predict::curves(&CurvesRequest { table, from: 0.4 }).unwrap().schedules
    };
    assert_eq!(study(&curves(|_| 20_000.0)), Schedules::Same);
    let apart = study(&curves(|k| 20_000.0 * 2f64.powi(k as i32)));
    assert!(
        matches!(&apart, Schedules::Apart { column, step, .. } if column == "lr" && *step == 20_000.0),
        "{apart:?}"
    );
    let named = curves(|_| 20_000.0).replace("run,N,step,lr,loss", "run,N,step,schedule,loss");
    let named: String = named
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if cells[3] != "schedule" {
                cells[3] = if cells[0] == "r0" { "wsd" } else { "cosine" };
            }
            cells.join(",") + "\n"
        })
        .collect();
    let Schedules::Named { names, .. } = study(&named) else { panic!("not told") };
    assert_eq!(names, ["cosine", "wsd"]);
}

#[test]
fn forecaster_of_a_table_predicts_and_plans_like_the_law_that_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let table = TableRequest::new(grid(dir.path(), "runs.csv", 1.0, 3));
    let report = rank::run(&RankRequest { table, options: FitOptions::default() }, &Silent).unwrap();
    let file = dir.path().join("forecaster.json");
    std::fs::write(&file, serde_json::to_string(&report.forecast.unwrap()).unwrap()).unwrap();
    let law = file.display().to_string();
    let at = vec![("N".to_string(), 1e10), ("D".to_string(), 2e11)];
    let place = predict::at(&PlaceRequest { law: law.clone(), at, register: None }).unwrap().prediction;
    assert!((place.mean / loss(1e10, 2e11) - 1.0).abs() < 5e-3, "{place:?}");
    assert!(place.pi95.is_some_and(|[lo, hi]| lo < place.mean && place.mean < hi));
    let plan = planned(&law, 1e22, None).unwrap().plan;
    let [[lo, hi], _] = plan.ranges.unwrap();
    assert!(lo < plan.n && plan.n < hi);
    assert!(plan.loss_pi95.is_some_and(|[lo, hi]| lo < plan.loss.unwrap() && plan.loss.unwrap() < hi));
    // A thousand times further than any run: the plan says so.
    let far = planned(&law, 1e30, None).unwrap().plan;
    assert!(far.warnings.iter().any(|w| w.contains("train a run in between first")), "{:?}", far.warnings);
    let suggested = suggest::run(&suggestion(law)).unwrap();
    assert!(suggested.of_any_form && suggested.suggestion.width_after < suggested.suggestion.width_now);
}

#[test]
fn forecaster_of_runs_at_twenty_tokens_a_parameter_or_of_checkpoints_says_what_it_cannot_know() {
    let dir = tempfile::tempdir().unwrap();
    let ladder = |i: i32| (1e7 * 2f64.powi(i), 2e8 * 2f64.powi(i));
    let rows = (0..12).map(|i| (ladder(i), i as usize));
    let csv: String = rows.map(|((n, d), i)| format!("{n},{d},{}\n", loss(n, d) * noise(i))).collect();
    let table = TableRequest::new(write(dir.path(), "ladder.csv", &format!("N,D,loss\n{csv}")));
    let report = rank::run(&RankRequest { table, options: FitOptions::default() }, &Silent).unwrap();
    let made = report.forecast.unwrap();
    assert!(!made.divides && made.best_division(1e22).is_err());
    let file = write(dir.path(), "ladder.json", &serde_json::to_string(&made).unwrap());
    let refused = planned(&file.display().to_string(), 1e22, None).unwrap_err();
    assert!(matches!(refused, LabError::Plan(PlanError::OneDirection { .. })), "{refused}");
    // Ten runs of twenty checkpoints are ten runs.
    let mut csv = String::from("run,N,D,loss\n");
    for run in 0..10 {
        for step in 1..=20 {
            let (n, d) = (1e7 * 2f64.powi(run), 1e8 * f64::from(step) * (1.0 + f64::from(run % 3)));
            csv += &format!("r{run},{n},{d},{}\n", loss(n, d) * noise(run as usize));
        }
    }
    let table = TableRequest::new(write(dir.path(), "curves.csv", &csv));
    let report = rank::run(&RankRequest { table, options: FitOptions::default() }, &Silent).unwrap();
    let made = report.forecast.unwrap();
    assert_eq!((made.n_runs, made.freedom), (10, 9.0));
}

#[test]
fn law_of_size_and_data_has_beside_it_what_holds_whatever_its_form() {
    let dir = tempfile::tempdir().unwrap();
    let table = grid(dir.path(), "runs.csv", 1.0, 0);
    // Kaplan's joint law is not what made these runs.
    let request = FitRequest { forecaster: true, ..fit_request(&table, "nd") };
    let law = serde_json::to_string(&fit::run(&request).unwrap()).unwrap();
    let law = write(dir.path(), "nd.json", &law).display().to_string();
    let (n, d) = (4e10, 4e12);
    let at = vec![("N".to_string(), n), ("D".to_string(), d)];
    let report = predict::at(&PlaceRequest { law: law.clone(), at, register: None }).unwrap();
    let OfAnyForm::Beside(over) = &report.of_any_form else { panic!("{report:?}") };
    let held = |[lo, hi]: [f64; 2]| lo <= loss(n, d) && loss(n, d) <= hi;
    assert!(held(over.pi95.unwrap()), "{over:?} does not hold {}", loss(n, d));
    assert!(!held(report.prediction.pi95.unwrap()), "the wrong form is sure of itself: {report:?}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["forecast"]["mean"], over.mean);
    let plan = planned(&law, 1e24, None).unwrap();
    assert!(held_at(plan.of_any_form.unwrap().outlook.interval95, 1e24));
    // Of a law without tokens there is none.
    let of_size = FitRequest { forecaster: true, ..fit_request(&table, "n") };
    assert!(fit::run(&of_size).unwrap().law.forecaster.is_none());
}

/// Whether an interval holds the lowest loss of a budget.
fn held_at([lo, hi]: [f64; 2], flops: f64) -> bool {
    let sizes = (0..400).map(|i| 1e8 * 1e5f64.powf(f64::from(i) / 400.0));
    let lowest = sizes.map(|n| loss(n, flops / (6.0 * n))).fold(f64::INFINITY, f64::min);
    lo <= lowest && lowest <= hi
}
