//! Muennighoff et al. 2023: R_D* and R_N*, every minimum, and the valley between them.

use super::{Minimum, Origin, ReproduceReport};
use crate::error::LabError;
use crate::valley::{Valley, grid};
use scalelaw_core::number::constant;
use scalelaw_fit::laws::DataConstrained;
use scalelaw_fit::presets::muennighoff2023::{ALPHA, LN_AMPLITUDES, R_D_STAR, R_N_STAR};
use scalelaw_fit::{
    Dataset, Effort, FitOptions, IntervalChoice, Objective, ParamState, fit, valley as fit_valley,
};
use std::path::Path;

pub(super) const ORIGIN: Origin = Origin {
    title: "Muennighoff et al. 2023: the value of repeated data, R_D* and R_N* on 182 runs",
    repository: "https://github.com/huggingface/datablations, utils/parametric_fit.ipynb, cells 1-2 and 25-26",
    commit: "13701315b163f1c54642b94ad237b2699187c3ee",
    files: &[("c4_runs_fitted182.csv", "ad31503816461b7a1af6afe7b8bde8cd2aef7a3a747e6fc2c5f5b1d96fec6972")],
    notes: "Columns params, tokens, unique_tokens, val_loss_c4 of the 182 runs that the authors fitted.",
};

/// Minima known before: R_D*, R_N*, objective.
const KNOWN: [(f64, f64, f64); 4] = [
    (95.37, 1.71, 0.015_804_66),
    (46.99, 2.33, 0.015_807_38),
    (160.7, 1.45, 0.015_811_29),
    (15.37, 5.32, 0.015_825_93),
];

pub(super) fn reproduce(data: &Path) -> Result<ReproduceReport, LabError> {
    let mut report = ReproduceReport::default();
    let table = report.table(data, &ORIGIN, "c4_runs_fitted182.csv")?;
    let points = Dataset::new(table.numbers("val_loss_c4")?.to_vec())
        .with("N", table.numbers("params")?.to_vec())
        .with("D", table.numbers("tokens")?.to_vec())
        .with("U", table.numbers("unique_tokens")?.to_vec());
    let mut fixed: Vec<(String, f64)> =
        LN_AMPLITUDES.iter().map(|(name, ln)| ((*name).to_string(), ln.exp())).collect();
    fixed.extend([("alpha".to_string(), ALPHA), ("beta".to_string(), ALPHA)]);
    let constants: Vec<f64> = fixed.iter().map(|(_, value)| *value).collect();
    // A dense grid in both: Huber's corners cut the valley floor into many small basins.
    let starts: Vec<Vec<f64>> = grid(4.0, 400.0, 40)
        .into_iter()
        .flat_map(|r_d| grid(0.9, 12.0, 12).into_iter().map(move |r_n| [r_d, r_n]))
        .map(|pair| [constants.as_slice(), &pair].concat())
        .collect();
    let mut options = FitOptions {
        objective: Objective::CHINCHILLA,
        fixed: fixed.clone(),
        effort: Effort { polished: starts.len(), ..Effort::default() },
        starts: Some(starts),
        intervals: IntervalChoice::Profile,
        ..FitOptions::default()
    };
    let law = fit(&DataConstrained, &points, &options)?;
    let mut minima = vec![Minimum {
        r_d: param(&law.params, "R_D_star"),
        r_n: param(&law.params, "R_N_star"),
        objective: law.objective.value,
        agreeing: law.starts.agreeing,
    }];
    minima.extend(law.starts.rivals.iter().map(|r| {
        let value = |n: &str| r.params.iter().find(|(m, _)| m == n).map_or(f64::NAN, |(_, v)| *v);
        let (r_d, r_n) = (value("R_D_star"), value("R_N_star"));
        Minimum { r_d, r_n, objective: r.objective, agreeing: r.agreeing }
    }));
    let distance = |m: &Minimum, r_d: f64| (m.r_d / r_d).ln().abs();
    for (r_d, r_n, objective) in KNOWN {
        let nearer = |a: Minimum, b: &Minimum| if distance(b, r_d) < distance(&a, r_d) { *b } else { a };
        let nearest = minima.iter().fold(minima[0], nearer);
        report.check(format!("R_D* of the minimum near {r_d}"), r_d, nearest.r_d, 6e-4 * r_d);
        report.check("  its R_N*", r_n, nearest.r_n, 6e-3);
        report.check("  its objective", objective, nearest.objective, 6e-9);
    }
    let unidentified = law.params.iter().any(|(n, e)| n == "R_D_star" && e.state == ParamState::Unidentified);
    report.check("R_D* reported as unidentified (1 = yes)", 1.0, f64::from(u8::from(unidentified)), 0.0);
    let listed: Vec<String> = minima
        .iter()
        .map(|m| {
            let (r_d, r_n) = (constant(m.r_d), constant(m.r_n));
            format!("  R_D* {r_d:>8} R_N* {r_n:>7} objective {:.8}  ({} starts)", m.objective, m.agreeing)
        })
        .collect();
    report.note(format!(
        "All minima found from {} starts (the published pair is {R_D_STAR:.2}, {R_N_STAR:.2}):\n{}",
        law.starts.tried,
        listed.join("\n")
    ));
    let interval = |name: &str| {
        law.params.iter().find(|(n, _)| n == name).and_then(|(_, e)| e.ci95).map_or_else(
            String::new,
            |[lo, hi]| {
                let end = |v: Option<f64>| v.map_or_else(|| "open".into(), constant);
                format!("{} … {}", end(lo), end(hi))
            },
        )
    };
    report.note(format!(
        "95% profile intervals: R_D* {}, R_N* {}. R_D* and R_N* trade off along a flat valley: these runs do not \
         determine them.",
        interval("R_D_star"),
        interval("R_N_star")
    ));

    // The valley: the lowest objective at each R_D*.
    options.effort.polished = 6;
    let start = |r_n: &f64| [constants.as_slice(), &[f64::NAN, *r_n]].concat();
    options.starts = Some(grid(0.9, 30.0, 6).iter().map(start).collect());
    let valley = Valley {
        parameter: "R_D_star".into(),
        fitted: (param(&law.params, "R_D_star"), law.objective.value),
        floor: fit_valley(&DataConstrained, &points, &options, "R_D_star", &grid(4.0, 400.0, 81))?,
    };
    report.valley = Some((minima, valley));
    Ok(report)
}

fn param(params: &[(String, scalelaw_fit::Estimate)], name: &str) -> f64 {
    params.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, e)| e.value)
}
