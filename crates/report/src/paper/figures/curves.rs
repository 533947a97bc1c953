//! Figure 2: learning curves. Figure 4: L(N, D) and L(N, S_min).

use super::Study;
use super::parts::{
    DASHED, SIZE, THIN, at, bar, beside_chain, beside_law, compute_axis, log_spaced, loss_axis, named_once,
    range,
};
use crate::figure::{Axis, Figure, Ink, Marker, Panel, Point, Series};
use crate::number::significant;
use crate::paper::fits::{trunk, unique};
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::chain::{Section, smoothed, steps_to};
use scalelaw_fit::laws::KaplanNd;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::presets::kaplan2020::{L_N_D, TRAINING};
use scalelaw_fit::value;

pub(super) fn figure_2(study: &Study<'_>) -> Figure {
    let constants = study.fits.constants();
    let f = constants.as_ref().map(|k| k.efficient_f());
    let stops = |x: fn(&PaperRun, f64) -> f64| -> Vec<Point> {
        let Some(k) = constants.as_ref() else { return vec![] };
        let options = study.estimators.chain.options();
        study
            .runs
            .trunks()
            .iter()
            .filter_map(|run| {
                let loss = (1.0 + k.efficient_f()) * k.converged(run.n());
                let step = steps_to(&trunk(run), loss, &options)?;
                Some(Point::at(x(run, step), loss).named(run.row.run_id.clone()))
            })
            .collect()
    };
    let panel = |title: &str, axis: Axis, x: fn(&PaperRun, f64) -> f64| {
        let curves = study.runs.trunks().into_iter().map(|run| {
            let points = at(run.losses(1.0).map(|(step, loss)| (x(run, step), loss)));
            Series::line("learning curves, coloured by N", Ink::Value(run.n()), points).marked(THIN)
        });
        let mut series = named_once(curves.collect());
        let stops = stops(x);
        if !stops.is_empty() {
            series.push(Series::points("compute-efficient stop", Marker::Star, Ink::Data, stops));
        }
        Panel { title: title.into(), x: axis, y: loss_axis(), series }
    };
    let stop = f.map_or_else(
        || "Where efficient training stops is not known without the batch scans.".into(),
        |f| format!("Stars: where compute-efficient training stops, {}% above the loss of endless training by L(N, S_{{min}}) (published: 10%); a size without a star did not get there.", significant(100.0 * f, 2)),
    );
    Figure {
        name: "figure-02".into(),
        title: "Figure 2: learning curves against tokens and compute".into(),
        caption: format!(
            "Trunks of constant rate. {stop} The paper's axes: 10^{{7}} to 10^{{11}} tokens, 10^{{−9}} to 1 PF-days, N 10^{{3}} to 10^{{9}}.{}",
            study.missing(&[RunSet::Sizes, RunSet::Batches])
        )
        .into(),
        panels: vec![
            panel("Tokens", Axis::log("tokens processed"), |run, step| step * run.batch()),
            panel("Compute", compute_axis(), |run, step| run.pf_days(step)),
        ],
        colour_bar: bar(SIZE, study.runs.trunks().iter().map(|run| run.n())),
    }
}

pub(super) fn figure_4(study: &Study<'_>) -> Figure {
    let law = study.fits.nd.as_ref().map(|f| f.law.clone()).map_err(String::clone);
    let chain = &study.fits.chain;
    let steps = Section::StepsLaw;
    let caption = format!(
        "Left: early-stopped loss of each size against its data (points) and equation 1.5 (lines; the smallest D is not \
         fitted): {}, {}. Right: trunks after the warm-up against S_{{min}} (equation 5.4 with B_{{crit}} \
         of these runs), thin, and equation 1.6, dashed: {}, {}. Scales N_{{c}}, D_{{c}}, S_{{c}} belong to the tokenizer.{}",
        beside_law("α_{N}", &law, "alpha_N", L_N_D.alpha_n),
        beside_law("α_{D}", &law, "alpha_D", L_N_D.alpha_d),
        beside_chain("α_{N}", chain, steps, "alpha_N", TRAINING.alpha_n),
        beside_chain("α_{S}", chain, steps, "alpha_S", TRAINING.alpha_s),
        study.adjusted(&[RunSet::Data, RunSet::Sizes, RunSet::Batches]),
    );
    let sizes = study.runs.trunks().into_iter().chain(study.runs.of(RunSet::Data)).map(PaperRun::n);
    Figure {
        name: "figure-04".into(),
        title: "Figure 4: L(N, D) and L(N, S_{min})".into(),
        caption: caption.into(),
        panels: vec![
            Panel {
                title: "L(N, D)".into(),
                x: Axis::log("D, unique tokens"),
                y: loss_axis(),
                series: by_data(study),
            },
            Panel {
                title: "L(N, S_{min})".into(),
                x: Axis::log("S_{min}, updates far above the critical batch"),
                y: loss_axis(),
                series: by_steps(study),
            },
        ],
        colour_bar: bar(SIZE, sizes),
    }
}

fn sizes_of<'a>(runs: impl Iterator<Item = &'a PaperRun>) -> Vec<f64> {
    let mut sizes: Vec<f64> = runs.map(PaperRun::n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

fn by_data(study: &Study<'_>) -> Vec<Series> {
    let runs: Vec<&PaperRun> = study.runs.of(RunSet::Data).collect();
    let mut lines = Vec::new();
    let mut points = Vec::new();
    for n in sizes_of(runs.iter().copied()) {
        if let Ok(fit) = &study.fits.nd
            && let Some((lo, hi)) = range(fit.points.iter().map(|p| p.0))
        {
            let p = fit.law.values();
            let line = at(log_spaced(lo, hi, 40).map(|d| (d, value(&KaplanNd, &[n, d], &p))));
            lines.push(Series::line("equation 1.5, fitted", Ink::Value(n), line));
        }
        let of = runs.iter().filter(|run| run.n() == n);
        let of = of.map(|run| Point::at(unique(run), run.lowest()).named(run.row.run_id.clone())).collect();
        points.push(Series::points("runs, lowest test loss", Marker::Disc, Ink::Value(n), of));
    }
    let mut series = named_once(lines);
    series.extend(named_once(points));
    series
}

fn by_steps(study: &Study<'_>) -> Vec<Series> {
    let Some(k) = study.fits.constants() else { return vec![] };
    let options = study.estimators.chain.options();
    let mut curves = Vec::new();
    let mut lines = Vec::new();
    for run in study.runs.trunks() {
        let least = |(step, loss): (f64, f64)| (steps_min(step, run.batch(), k.b_crit(loss)), loss);
        let points: Vec<(f64, f64)> = smoothed(&trunk(run), &options).into_iter().map(least).collect();
        if let Some((lo, hi)) = range(points.iter().map(|p| p.0)) {
            let line = at(log_spaced(lo, hi, 40).map(|s| (s, k.loss(run.n(), s))));
            lines.push(Series::line("equation 1.6, fitted", Ink::Value(run.n()), line).marked(DASHED));
        }
        curves.push(Series::line("learning curves", Ink::Value(run.n()), at(points)).marked(THIN));
    }
    let mut series = named_once(curves);
    series.extend(named_once(lines));
    series
}
