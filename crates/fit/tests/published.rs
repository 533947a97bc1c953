//! Published fits from their published data.

#![allow(clippy::unwrap_used)]

mod common;

use scalelaw_fit::{Dataset, FitOptions, FittedLaw, IntervalChoice, Objective, Penalty, Space, fit, laws};

fn chinchilla(objective: Objective, intervals: IntervalChoice) -> Option<FittedLaw> {
    let t = common::shared("runs/epoch_chinchilla/runs_240.csv")?;
    let data = Dataset::new(t["loss"].clone()).with("N", t["N"].clone()).with("D", t["D"].clone());
    let options = FitOptions { objective, intervals, ..FitOptions::default() };
    Some(fit(&laws::Chinchilla, &data, &options).unwrap())
}

fn assert_params(law: &FittedLaw, want: &[(&str, f64, f64)]) {
    for (name, value, tolerance) in want {
        let got = law.param(name).unwrap();
        assert!((got - value).abs() <= *tolerance, "{name}: {got} against {value}");
    }
}

#[test]
fn chinchilla_huber_on_epoch_points_reaches_the_known_minimum() {
    let Some(law) = chinchilla(Objective::CHINCHILLA, IntervalChoice::None) else { return };
    assert!((law.objective.value / 0.001_018_274_018 - 1.0).abs() < 1e-9, "{:.15}", law.objective.value);
    assert_params(
        &law,
        &[
            ("E", 1.81722, 5e-6),
            ("A", 477.83, 5e-3),
            ("B", 2143.42, 5e-3),
            ("alpha", 0.34731, 5e-6),
            ("beta", 0.36717, 5e-6),
        ],
    );
}

#[test]
fn chinchilla_huber_with_delta_1e_6_on_epoch_points_reaches_the_known_minimum() {
    let objective = Objective { penalty: Penalty::Huber { delta: 1e-6 }, space: Space::Log };
    let Some(law) = chinchilla(objective, IntervalChoice::None) else { return };
    assert_params(
        &law,
        &[
            ("E", 1.81684, 5e-6),
            ("A", 481.93, 5e-3),
            ("B", 2085.00, 5e-3),
            ("alpha", 0.34780, 5e-6),
            ("beta", 0.36584, 5e-6),
        ],
    );
}

#[test]
fn chinchilla_least_absolute_on_epoch_points_is_the_published_estimate() {
    // The published fit is a Huber likelihood whose scale ran to exp(-12.27): |r| itself, all but.
    let objective = Objective { penalty: Penalty::LeastAbsolute, space: Space::Log };
    let Some(law) = chinchilla(objective, IntervalChoice::None) else { return };
    for (name, published) in
        [("E", 1.81686), ("A", 482.00572), ("B", 2085.43420), ("alpha", 0.34781), ("beta", 0.36585)]
    {
        let got = law.param(name).unwrap();
        let digits = if published > 100.0 { 1e-6 * published } else { 5e-6 };
        assert!((got - published).abs() <= digits, "{name}: {got} against {published}");
    }
    // The minimum itself, by an independent solver (sequential linear programs, HiGHS): a corner where five
    // residuals vanish.
    assert_params(
        &law,
        &[
            ("E", 1.816_864_132_9, 1e-9),
            ("A", 482.006_054_751, 1e-6),
            ("B", 2_085.436_245_48, 1e-5),
            ("alpha", 0.347_813_070_13, 1e-10),
            ("beta", 0.365_854_164_33, 1e-10),
        ],
    );
    assert!((law.objective.value - 1.129_494_653_621_5).abs() < 1e-12, "{:.15}", law.objective.value);
    assert_eq!(law.starts.agreeing, law.starts.tried);
}

#[test]
fn kaplan_joint_law_on_digitised_figure_1_gives_table_2() {
    let Some(t) = common::shared("runs/kaplan2020_digitised/fig1_left_L_N_D.csv") else { return };
    let d = &t["dataset_tokens"];
    let data = Dataset::new(t["test_loss_nats"].clone())
        .with("N", t["n_nonembed_params"].clone())
        .with("D", d.clone())
        .filtered(|i| d[i] > 3e7);
    let law = fit(&laws::KaplanNd, &data, &FitOptions::default()).unwrap();
    assert_eq!(law.n_points, 32);
    assert_params(
        &law,
        &[
            ("alpha_N", 0.0760, 5e-5),
            ("alpha_D", 0.1029, 5e-5),
            ("N_c", 7.08e13, 5e10),
            ("D_c", 1.79e13, 5e10),
        ],
    );
    assert!((law.diagnostics.rms_log - 0.0078).abs() < 5e-5);
}
