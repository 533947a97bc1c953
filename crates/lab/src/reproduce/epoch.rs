//! Besiroglu et al. 2024 (Epoch AI): Chinchilla's parametric law refitted to its own points.

use super::{Origin, ReproduceReport};
use crate::error::LabError;
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::presets::Preset;
use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, Objective, Penalty, Space, fit};
use std::path::Path;

pub(super) const ORIGIN: Origin = Origin {
    title: "Besiroglu et al. 2024: E + A/N^alpha + B/D^beta on 240 of Chinchilla's runs",
    repository: "https://github.com/epoch-research/analyzing-chinchilla, data/svg_extracted_data.csv",
    commit: "92258837425e1b5f2851d624287f0120583a3d0e",
    files: &[("svg_extracted_data.csv", "8f6d1a4f4da8a94510732255a43a2de52c5a18a333a3ed55d916f0d1c725f401")],
    notes: "Columns Model Size (N), Training FLOP (C) and loss are read; the 5 highest losses are left out, D = C/(6N).",
};

/// Ten times the published number: the lower ends of B and beta move by 3% from seed to seed at 4,000.
pub(super) const REPLICATES: usize = 40_000;

/// Resamples of the published bootstrap.
const PUBLISHED_REPLICATES: f64 = 4000.0;

/// The published bootstrap: parameter, standard error, 95% percentile ends, and the size of a
/// unit in the last digit printed.
const BOOTSTRAP: [(&str, f64, [f64; 2], f64); 5] = [
    ("A", 124.52, [285.214, 743.626], 1e-3),
    ("B", 1293.28, [1042.357, 5810.344], 1e-3),
    ("E", 0.02566, [1.769, 1.871], 1e-3),
    ("alpha", 0.01540, [0.317, 0.373], 1e-3),
    ("beta", 0.02060, [0.331, 0.415], 1e-3),
];

pub(super) fn reproduce(data: &Path, replicates: usize) -> Result<ReproduceReport, LabError> {
    let mut report = ReproduceReport::default();
    let table = report.table(data, &ORIGIN, "svg_extracted_data.csv")?;
    let (n, c, loss) =
        (table.numbers("Model Size")?, table.numbers("Training FLOP")?, table.numbers("loss")?);
    let mut sorted = loss.to_vec();
    sorted.sort_by(f64::total_cmp);
    let bar = sorted.iter().rev().nth(4).copied().unwrap_or(f64::INFINITY);
    let d = n.iter().zip(c).map(|(n, c)| c / (6.0 * n)).collect();
    let points = Dataset::new(loss.to_vec()).with("N", n.to_vec()).with("D", d).filtered(|i| loss[i] < bar);
    let at = |penalty, intervals| {
        let objective = Objective { penalty, space: Space::Log };
        fit(&Chinchilla, &points, &FitOptions { objective, intervals, seed: 42, ..FitOptions::default() })
    };
    report.check("points", 240.0, points.len() as f64, 0.0);

    let huber = at(Penalty::Huber { delta: 1e-3 }, IntervalChoice::Bootstrap(replicates))?;
    report.check("Huber(1e-3) objective", 0.001_018_274_018, huber.objective.value, 5e-13);
    let known = Preset::by_name("besiroglu2024-huber")?;
    for (name, unit) in [("E", 1e-5), ("A", 1e-2), ("B", 1e-2), ("alpha", 1e-5), ("beta", 1e-5)] {
        let published = known.constant(name).unwrap_or(f64::NAN);
        let check = report.check(
            format!("Huber(1e-3) {name}"),
            published,
            huber.param(name).unwrap_or(f64::NAN),
            unit,
        );
        check.ci95 = huber.intervals.bootstrap.as_ref().and_then(|b| {
            b.params.iter().find(|(p, _)| p == name).and_then(|(_, [_, lo, hi])| Some([(*lo)?, (*hi)?]))
        });
        check.published_ci95 = BOOTSTRAP.iter().find(|(p, ..)| *p == name).map(|(_, _, ends, _)| *ends);
    }

    let lad = at(Penalty::LeastAbsolute, IntervalChoice::None)?;
    let known = Preset::by_name("besiroglu2024")?;
    for (name, unit) in [("E", 1e-5), ("A", 1e-3), ("B", 5e-3), ("alpha", 1e-5), ("beta", 1e-5)] {
        report.check(
            format!("published estimate (LAD) {name}"),
            known.constant(name).unwrap_or(f64::NAN),
            lad.param(name).unwrap_or(f64::NAN),
            unit,
        );
    }
    let near = at(Penalty::Huber { delta: 1e-6 }, IntervalChoice::None)?;
    for (name, published, unit) in [
        ("E", 1.81684, 1e-5),
        ("A", 481.93, 1e-2),
        ("B", 2085.00, 1e-2),
        ("alpha", 0.34780, 1e-5),
        ("beta", 0.36584, 1e-5),
    ] {
        report.check(format!("Huber(1e-6) {name}"), published, near.param(name).unwrap_or(f64::NAN), unit);
    }
    report.note(format!(
        "The published numbers are not the Huber(1e-3) minimum: a Huber likelihood whose free scale ran to \
         exp(-12.27) is least absolute deviations. Sum of |r| on log loss: {:.9} at our minimum.",
        lad.objective.value
    ));
    if let Some(b) = &huber.intervals.bootstrap {
        // The error of the difference to a study of fewer draws, in units of our own error.
        let both = (1.0 + replicates as f64 / PUBLISHED_REPLICATES).sqrt();
        for (name, se, ends, unit) in BOOTSTRAP {
            let Some((_, drawn)) = b.params.iter().find(|(p, _)| p == name) else { continue };
            let Some((_, errors)) = b.percentile_errors.iter().find(|(p, _)| p == name) else { continue };
            // What is not finite fails its check.
            let [sd, lo, hi] = drawn.map(|v| v.unwrap_or(f64::NAN));
            let errors = errors.map(|v| v.unwrap_or(f64::NAN));
            // A and B are compared as logarithms: their bootstrap distributions are long-tailed.
            let logarithm = matches!(name, "A" | "B");
            let f = |v: f64| if logarithm { v.ln() } else { v };
            let label = if logarithm { format!("ln {name}") } else { name.to_string() };
            for (which, published, ours, error) in
                [("2.5%", ends[0], lo, errors[0]), ("97.5%", ends[1], hi, errors[1])]
            {
                // Three Monte-Carlo errors of both studies together, and half a unit of the last digit printed.
                let scale = if logarithm { 1.0 / ours } else { 1.0 };
                let tolerance = (3.0 * error * both + 0.5 * unit) * scale;
                report.check(format!("bootstrap {which} {label}"), f(published), f(ours), tolerance);
            }
            if !logarithm {
                // Standard error of a standard deviation: σ/√(2n), likewise three times.
                report.check(
                    format!("bootstrap s.e. {name}"),
                    se,
                    sd,
                    3.0 * sd / (2.0 * replicates as f64).sqrt() * both + 5e-6,
                );
            }
        }
    }
    Ok(report)
}
