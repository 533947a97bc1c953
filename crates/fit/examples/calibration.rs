//! The calibration study: `cargo run --release -p scalelaw-fit --example calibration -- 2000`.
//! Prints the table of docs/studies/fit-calibration.md; the same seed gives the same table.

#![allow(clippy::print_stdout)]

use scalelaw_fit::calibration::{Coverage, coverage, holm};
use scalelaw_fit::laws::{Chinchilla, KaplanNd, KaplanNs, PowerFloor, PowerLaw};
use scalelaw_fit::presets::kaplan2020::TRAINING;
use scalelaw_fit::presets::{KaplanConstants, Preset};
use scalelaw_fit::{FitError, FitOptions, IntervalChoice, Law};

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

fn main() -> Result<(), FitError> {
    let replicates = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(2000);
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
