//! Muennighoff et al. 2023: R_D* and R_N*, every minimum, and the valley between them.

use super::{Origin, Report, find, numbers};
use crate::commands::fit::valley_text;
use anyhow::Context;
use scalelaw_fit::laws::DataConstrained;
use scalelaw_fit::presets::muennighoff2023::{ALPHA, LN_AMPLITUDES, R_D_STAR, R_N_STAR};
use scalelaw_fit::{
    Dataset, Effort, FitOptions, IntervalChoice, Objective, ParamState, fit, short, valley as fit_valley,
};
use scalelaw_lab::valley::{Valley, grid};
use scalelaw_report::figure::{Ink, Marker, Point, Series};
use std::path::Path;

pub const ORIGIN: Origin = Origin {
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

pub fn reproduce(data: &Path, out: Option<&Path>) -> anyhow::Result<Report> {
    let table = find(data, &ORIGIN, "c4_runs_fitted182.csv")?;
    let points = Dataset::new(numbers(&table, "val_loss_c4")?.to_vec())
        .with("N", numbers(&table, "params")?.to_vec())
        .with("D", numbers(&table, "tokens")?.to_vec())
        .with("U", numbers(&table, "unique_tokens")?.to_vec());
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
    let mut report = Report::default();
    let mut minima: Vec<(f64, f64, f64, usize)> = vec![(
        param(&law.params, "R_D_star"),
        param(&law.params, "R_N_star"),
        law.objective.value,
        law.starts.agreeing,
    )];
    minima.extend(law.starts.rivals.iter().map(|r| {
        let value = |n: &str| r.params.iter().find(|(m, _)| m == n).map_or(f64::NAN, |(_, v)| *v);
        (value("R_D_star"), value("R_N_star"), r.objective, r.agreeing)
    }));
    for (r_d, r_n, objective) in KNOWN {
        let nearest = minima
            .iter()
            .min_by(|a, b| (a.0 / r_d).ln().abs().total_cmp(&(b.0 / r_d).ln().abs()))
            .context("no minimum was found")?;
        report.check(format!("R_D* of the minimum near {r_d}"), r_d, nearest.0, 6e-4 * r_d);
        report.check("  its R_N*", r_n, nearest.1, 6e-3);
        report.check("  its objective", objective, nearest.2, 6e-9);
    }
    let unidentified = law.params.iter().any(|(n, e)| n == "R_D_star" && e.state == ParamState::Unidentified);
    report.check("R_D* reported as unidentified (1 = yes)", 1.0, f64::from(u8::from(unidentified)), 0.0);
    let listed: Vec<String> = minima
        .iter()
        .map(|(r_d, r_n, f, k)| {
            format!("  R_D* {:>8} R_N* {:>7} objective {f:.8}  ({k} starts)", short(*r_d), short(*r_n))
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
                let end = |v: Option<f64>| v.map_or_else(|| "open".into(), short);
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
    report.note(valley_text(&valley, 4));
    if let Some(dir) = out {
        let found =
            minima.iter().map(|m| Point::at(m.0, m.2).named(format!("R_N* {}", short(m.1)))).collect();
        let published = vec![Point::at(R_D_STAR, 0.015_825_935_3)];
        let figure = scalelaw_report::valley::figure(
            "muennighoff-valley",
            [
                "Repeated data do not determine R_D*".into(),
                "Lowest Huber(1e-3) objective on log loss at each R_D*, R_N* free; 182 runs on C4, base law fixed. \
                 Star: the published pair. Discs: minima found from 480 starts."
                    .into(),
            ],
            "R_D*, repetitions that a token is worth",
            &valley,
            vec![
                Series::points("minima", Marker::Disc, Ink::Data, found),
                Series::points("published", Marker::Star, Ink::Hue(1), published),
            ],
        );
        scalelaw_report::write_figures(&[figure], dir)?;
        let file = |extension: &&str| dir.join(format!("muennighoff-valley.{extension}"));
        report.files = ["svg", "png", "csv"].iter().map(file).collect();
    }
    Ok(report)
}

fn param(params: &[(String, scalelaw_fit::Estimate)], name: &str) -> f64 {
    params.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, e)| e.value)
}
