//! The calibration study: `cargo run --release -p scalelaw-fit --example calibration -- 2000`; with `doubtful` behind
//! the number, designs that leave directions open.
//! Prints the table of docs/studies/fit-calibration.md; the same seed gives the same table.

#![allow(clippy::print_stdout)]

use scalelaw_fit::calibration::{Coverage, coverage, holm};
use scalelaw_fit::laws::{Chinchilla, KaplanNd, KaplanNs, PowerFloor, PowerLaw};
use scalelaw_fit::presets::kaplan2020::TRAINING;
use scalelaw_fit::presets::{KaplanConstants, Preset};
use scalelaw_fit::{FitError, FitOptions, IntervalChoice, Law, Objective, Penalty, Space};

/// Points of a design: so many places along each variable, evenly in the logarithm.
fn grid(ranges: &[(f64, f64, usize)]) -> Vec<Vec<f64>> {
    let mut points = vec![vec![]];
    for (lo, hi, n) in ranges {
        let place = |i: usize| lo * libm::pow(hi / lo, i as f64 / (n - 1) as f64);
        points = points
            .iter()
            .flat_map(|p: &Vec<f64>| (0..*n).map(move |i| [p.as_slice(), &[place(i)]].concat()))
            .collect();
    }
    points
}

/// The constants of a preset's law.
fn published(name: &str) -> Vec<f64> {
    let law = Preset::by_name(name).ok().and_then(|preset| preset.rule.law());
    law.expect("the preset is a law").1
}

/// A law, its constants, and the points.
type Design<'a> = (&'a dyn Law, Vec<f64>, Vec<Vec<f64>>);

/// Designs that people have and that leave directions open: what a fit calls identified in them.
fn doubtful_designs(replicates: usize) -> Result<(), FitError> {
    let truth = [1.69, 406.4, 410.7, 0.34, 0.28];
    let sizes = |runs: usize| (0..runs).map(move |i| 1e7 * libm::pow(1e3, i as f64 / (runs - 1) as f64));
    let at_twenty = |runs| sizes(runs).map(|n| vec![n, 20.0 * n]).collect::<Vec<_>>();
    let nearly = |spread: f64| {
        let wobble = move |i: usize| libm::exp(spread * libm::sin(2.3 * i as f64));
        sizes(60).enumerate().map(|(i, n)| vec![n, 20.0 * n * wobble(i)]).collect::<Vec<_>>()
    };
    let within = |factor: f64| {
        let size = move |i: i32| 1e9 * libm::pow(factor, f64::from(i % 6) / 5.0);
        (0..60).map(|i| vec![size(i), 2e9 * libm::pow(3.0, f64::from(i / 12))]).collect::<Vec<_>>()
    };
    let budgets = |count: i32| {
        let budget = move |b: i32| (0..8).map(move |i| (1e19 * libm::pow(4.0, f64::from(b)), i));
        (0..count)
            .flat_map(budget)
            .map(|(c, i)| {
                let n = libm::sqrt(c / 120.0) * libm::pow(1.6, f64::from(i) - 3.5);
                vec![n, c / (6.0 * n)]
            })
            .collect::<Vec<_>>()
    };
    let good = sizes(8).flat_map(|n| (0..6).map(move |j| vec![n, n * 5.0 * libm::pow(3.0, f64::from(j))]));
    let floor = (0..8).map(|i| vec![1e6 * libm::pow(1e3, f64::from(i) / 7.0)]).collect::<Vec<_>>();
    let nd = |name, points| (name, &Chinchilla as &dyn Law, truth.to_vec(), points, 0.003, Space::Log);
    let designs = [
        nd("D = 20N, 60 runs", at_twenty(60)),
        nd("D = 20N, 16 runs", at_twenty(16)),
        nd("D/N within 5% of 20, 60 runs", nearly(0.05)),
        nd("D/N within 30% of 20, 60 runs", nearly(0.3)),
        nd("N within 10%, 60 runs", within(1.1)),
        nd("N within a factor of 1.6, 60 runs", within(1.6)),
        nd("N within a factor of 3, 60 runs", within(3.0)),
        nd("one budget, 8 runs", budgets(1)),
        nd("two budgets, 16 runs", budgets(2)),
        nd("five budgets, 40 runs", budgets(5)),
        nd("a good grid, 48 runs", good.collect()),
        ("a floor near its bound, 8 runs", &PowerFloor::N, vec![0.6, 40.0, 0.2], floor, 0.04, Space::Linear),
    ];
    println!("\n| design | law | parameter | called identified | of these held | held in all |");
    println!("|---|---|---|---|---|---|");
    for (name, law, truth, points, noise, space) in &designs {
        let objective = Objective { penalty: Penalty::LeastSquares, space: *space };
        let intervals = IntervalChoice::Profile;
        let options = FitOptions { objective, intervals, seed: 2022, ..FitOptions::default() };
        let c = coverage(*law, truth, points, *noise, replicates, &options)?;
        for p in &c.parameters {
            let share = p.identified_covered as f64 / p.identified as f64;
            let share = if p.identified == 0 { "–".into() } else { format!("{share:.3}") };
            println!(
                "| {name} | {} | {} | {} of {replicates} | {share} | {:.3} |",
                c.law, p.name, p.identified, p.coverage
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), FitError> {
    let replicates = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(2000);
    if std::env::args().nth(2).as_deref() == Some("doubtful") {
        return doubtful_designs(replicates);
    }
    let n = |runs| grid(&[(1e4, 1e9, runs)]);
    let nd = |k, m| grid(&[(4e5, 7e8, k), (2e7, 2.2e10, m)]);
    let chinchilla = |k, m| grid(&[(7e7, 1.6e10, k), (5e9, 5e11, m)]);
    // E, A and alpha: the law of D without end.
    let model_term = [0, 1, 3].map(|i| published("chinchilla2022-rounded")[i]).to_vec();
    let KaplanConstants { n_c, alpha_n, s_c, alpha_s, .. } = TRAINING;
    let training = vec![n_c, s_c, alpha_n, alpha_s];
    let designs: [Design<'_>; 10] = [
        (&PowerLaw::N, published("kaplan2020-n"), n(5)),
        (&PowerLaw::N, published("kaplan2020-n"), n(9)),
        (&PowerLaw::N, published("kaplan2020-n"), n(20)),
        (&PowerFloor::N, model_term.clone(), grid(&[(1e6, 1.6e10, 9)])),
        (&PowerFloor::N, model_term.clone(), grid(&[(1e6, 1.6e10, 20)])),
        (&KaplanNd, published("kaplan2020-nd"), nd(3, 3)),
        (&KaplanNd, published("kaplan2020-nd"), nd(5, 6)),
        (&KaplanNs, training.clone(), grid(&[(1e5, 1e9, 5), (3e3, 2e5, 6)])),
        (&Chinchilla, published("besiroglu2024-rounded"), chinchilla(3, 3)),
        (&Chinchilla, published("besiroglu2024-rounded"), chinchilla(5, 6)),
    ];
    let mut table: Vec<(IntervalChoice, Coverage)> = Vec::new();
    for (law, truth, design) in &designs {
        for (choice, count) in
            [(IntervalChoice::Profile, replicates), (IntervalChoice::Bootstrap(300), replicates / 5)]
        {
            let options = FitOptions { intervals: choice, seed: 2020, ..FitOptions::default() };
            table.push((choice, coverage(*law, truth, design, 0.01, count, &options)?));
        }
    }
    let claims: Vec<f64> = table
        .iter()
        .filter(|(choice, _)| *choice == IntervalChoice::Profile)
        .flat_map(|(_, c)| c.parameters.iter().filter(|p| p.name != "prediction").map(|p| p.p_value))
        .collect();
    let mut rejected = holm(&claims, 0.05).into_iter();
    println!(
        "| law | runs | interval | replicates | failed | doubtful | parameter | coverage | open | p | Holm |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (choice, c) in &table {
        for p in &c.parameters {
            let claimed = *choice == IntervalChoice::Profile && p.name != "prediction";
            let verdict = match claimed.then(|| rejected.next()).flatten() {
                Some(true) => "rejected",
                Some(false) => "kept",
                None => "",
            };
            let interval = if *choice == IntervalChoice::Profile { "profile" } else { "bootstrap" };
            println!(
                "| {} | {} | {interval} | {} | {} | {} | {} | {:.4} | {} | {:.3} | {verdict} |",
                c.law, c.n_runs, c.replicates, c.failed, c.doubtful, p.name, p.coverage, p.open, p.p_value
            );
        }
    }
    Ok(())
}
