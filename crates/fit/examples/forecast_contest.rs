//! The contest of `bench/forecast`: the cheap runs of each table forecast the dear ones.
//!
//! ```text
//! cargo run --release -p scalelaw-fit --example forecast_contest -- TABLE.csv … > rows.csv
//! cargo run --release -p scalelaw-fit --example forecast_contest -- --rules TABLE.csv … > rules.csv
//! ```
//! The second has the forecaster alone, by each of the rules among which it was chosen.
//! Every table has columns `N`, `D` and `loss`. Runs up to a share of the range of ln C (C = 6·N·D) are fitted, the
//! dearer ones scored. A row of the output is one forecast of one run.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use scalelaw_fit::{
    Dataset, FitOptions, IntervalChoice, Law, Objective, Penalty, Rules, Space, fit, forecaster,
    forecaster_by, laws, rank,
};
use std::path::Path;
use std::time::Instant;

/// Shares of the range of ln C that are fitted.
const CUTS: [f64; 4] = [0.5, 0.6, 0.7, 0.8];
/// Fewer runs than this on either side are no contest.
const FEWEST: [usize; 2] = [8, 3];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("table,cut,method,decades,observed,forecast,lo,hi,seconds");
    let (options, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let by_rules = options.iter().any(|option| option == "--rules");
    for path in paths {
        let table = Path::new(&path).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
        let [n, d, loss] = columns(&std::fs::read_to_string(&path)?)?;
        let log_flops: Vec<f64> = n.iter().zip(&d).map(|(n, d)| (6.0 * n * d).log10()).collect();
        let (lo, hi) = log_flops.iter().fold((f64::MAX, f64::MIN), |(lo, hi), c| (lo.min(*c), hi.max(*c)));
        for cut in CUTS {
            let top = lo + cut * (hi - lo) + 1e-9;
            let all = Dataset::new(loss.clone()).with("N", n.clone()).with("D", d.clone());
            let runs = all.filtered(|i| log_flops[i] <= top);
            let scored: Vec<usize> = (0..n.len()).filter(|i| log_flops[*i] > top).collect();
            if runs.len() < FEWEST[0] || scored.len() < FEWEST[1] {
                continue;
            }
            let dearest = log_flops.iter().filter(|c| **c <= top).fold(f64::MIN, |m, c| m.max(*c));
            if by_rules {
                for rules in RULES {
                    let mut made = forecaster_by(rules, &runs, &|_, _| {})?;
                    for drift in DRIFTS {
                        made.rules.drift = drift;
                        for i in &scored {
                            let (outlook, observed) = (made.at(n[*i], d[*i]), loss[*i]);
                            let (decades, [lo, hi]) = (log_flops[*i] - dearest, outlook.interval95);
                            println!(
                                "{table},{cut},recency {} skaling {} drift {drift},{decades:.4},{observed},{},{lo},{hi},0",
                                rules.recency, rules.skaling, outlook.loss
                            );
                        }
                    }
                }
                continue;
            }
            for method in METHODS {
                let start = Instant::now();
                let said = match (method.1)(&runs) {
                    Ok(said) => said,
                    Err(error) => {
                        eprintln!("{table}, {cut}, {}: {error}", method.0);
                        continue;
                    }
                };
                let seconds = start.elapsed().as_secs_f64();
                for i in &scored {
                    let (forecast, [lo, hi]) = said(n[*i], d[*i]);
                    let (decades, observed) = (log_flops[*i] - dearest, loss[*i]);
                    println!(
                        "{table},{cut},{},{decades:.4},{observed},{forecast},{lo},{hi},{seconds:.3}",
                        method.0
                    );
                }
            }
        }
    }
    Ok(())
}

/// The rules among which the forecaster's were chosen.
const RULES: [Rules; 9] = {
    const fn rules(recency: f64, skaling: f64) -> Rules {
        Rules { recency, skaling, drift: 0.0 }
    }
    [
        rules(0.0, 1.0),
        rules(0.0, 3.0),
        rules(0.0, 8.0),
        rules(0.5, 1.0),
        rules(0.5, 3.0),
        rules(0.5, 8.0),
        rules(1.0, 1.0),
        rules(1.0, 3.0),
        rules(1.0, 8.0),
    ]
};
const DRIFTS: [f64; 6] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5];

/// The forecast at N and D, and its 95% interval for one run (NaN where the method gives none).
type Said = Box<dyn Fn(f64, f64) -> (f64, [f64; 2])>;
type Method = fn(&Dataset) -> Result<Said, Box<dyn std::error::Error>>;

const METHODS: [(&str, Method); 7] = [
    ("forecaster", |runs| {
        let made = forecaster(runs, &|_, _| {})?;
        Ok(Box::new(move |n, d| {
            let outlook = made.at(n, d);
            (outlook.loss, outlook.interval95)
        }))
    }),
    ("chinchilla by least squares", |runs| named("chinchilla", Objective::LOG_LEAST_SQUARES, runs)),
    ("chinchilla by Huber", |runs| named("chinchilla", Objective::CHINCHILLA, runs)),
    ("chinchilla by asymmetric", |runs| {
        let penalty = Penalty::Asymmetric { delta: 1e-3, over: 10.0 };
        named("chinchilla", Objective { penalty, space: Space::Log }, runs)
    }),
    ("skaling by least squares", |runs| named("skaling", Objective::LOG_LEAST_SQUARES, runs)),
    ("skaling by Huber", |runs| named("skaling", Objective::CHINCHILLA, runs)),
    ("first of the ranking", |runs| {
        let candidates: Vec<Box<dyn Law>> =
            laws::all().into_iter().filter(|law| *law.variables() == ["N", "D"]).collect();
        let (n, d) = (runs.column("N").unwrap_or(&[]), runs.column("D").unwrap_or(&[]));
        let cost: Vec<f64> = n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect();
        let (ranked, _) = rank(&candidates, runs, &cost, 0.7, &FitOptions::default())?;
        let best = ranked.first().ok_or("no law is fitted")?;
        named(&best.law.law, Objective::LOG_LEAST_SQUARES, runs)
    }),
];

fn named(law: &str, objective: Objective, runs: &Dataset) -> Result<Said, Box<dyn std::error::Error>> {
    let law = laws::by_name(law)?;
    let options = FitOptions { objective, intervals: IntervalChoice::Covariance, ..FitOptions::default() };
    let fitted = fit(law.as_ref(), runs, &options)?;
    Ok(Box::new(move |n, d| {
        let said = fitted.predict(&[("N", n), ("D", d)]);
        said.map_or((f64::NAN, [f64::NAN; 2]), |said| (said.mean, said.pi95.unwrap_or([f64::NAN; 2])))
    }))
}

/// The columns N, D and loss of a plain CSV file.
fn columns(text: &str) -> Result<[Vec<f64>; 3], Box<dyn std::error::Error>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = |name: &str| header.iter().position(|h| *h == name).ok_or(format!("no column {name}"));
    let places = [place("N")?, place("D")?, place("loss")?];
    let mut columns = [vec![], vec![], vec![]];
    for line in lines.filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        for (column, place) in columns.iter_mut().zip(places) {
            column.push(cells[place].parse()?);
        }
    }
    Ok(columns)
}
