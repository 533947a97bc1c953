//! Figure 9: over-fitting. Figure 16: when to stop.

use super::Study;
use super::parts::{DOTTED, LOSS, THIN, at, bar, log_spaced, loss_axis, named_once, range, size_axis};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::claims::endless;
use crate::paper::fits::unique;
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_fit::laws::KaplanNd;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::plan::overfit;
use scalelaw_fit::presets::kaplan2020::OVERFITTING_EXPONENT;
use scalelaw_fit::value;

const DATA: &str = "D, unique tokens";

/// B's runs by amount of data, smallest first: amounts within a factor of two are one (a run that stops early on
/// all data has seen a little less of it).
fn by_data<'a>(study: &Study<'a>) -> Vec<(f64, Vec<&'a PaperRun>)> {
    let mut groups: Vec<(f64, Vec<&PaperRun>)> = Vec::new();
    let mut runs: Vec<&PaperRun> = study.runs.of(RunSet::Data).collect();
    runs.sort_by(|a, b| unique(b).total_cmp(&unique(a)).then(a.n().total_cmp(&b.n())));
    for run in runs {
        match groups.iter_mut().find(|(d, _)| *d / unique(run) < 2.0) {
            Some((_, members)) => members.push(run),
            None => groups.push((unique(run), vec![run])),
        }
    }
    groups.reverse();
    for (_, members) in &mut groups {
        members.sort_by(|a, b| a.n().total_cmp(&b.n()));
    }
    groups
}

pub(super) fn figure_9(study: &Study<'_>) -> Figure {
    let groups = by_data(study);
    let (mut lines, mut points, mut excess) = (Vec::new(), Vec::new(), Vec::new());
    let mut curve = Vec::new();
    let mut ratio_said = "no fit".to_owned();
    let sizes = range(study.runs.of(RunSet::Data).map(PaperRun::n));
    for (d, runs) in &groups {
        let of = runs.iter().map(|r| Point::at(r.n(), r.lowest()).named(r.row.run_id.clone())).collect();
        points.push(Series::points("runs, lowest test loss", Marker::Disc, Ink::Value(*d), of));
    }
    if let (Ok(fit), Some((lo, hi))) = (&study.fits.nd, sizes) {
        let p = fit.law.values();
        let loss = |n: f64, d: f64| value(&KaplanNd, &[n, d], &p);
        let of = |name| fit.law.param(name).unwrap_or(f64::NAN);
        let ratio = of("alpha_N") / of("alpha_D");
        ratio_said = significant(ratio, 2);
        let x = |n: f64, d: f64| libm::pow(n, ratio) / d;
        // The smallest D is not fitted, and no line says what it should be.
        let least = fit.points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
        for (d, runs) in &groups {
            if *d >= least {
                let line = at(log_spaced(lo, hi, 40).map(|n| (n, loss(n, *d))));
                lines.push(Series::line("equation 1.5, fitted", Ink::Value(*d), line));
            }
            let of = runs
                .iter()
                .map(|r| {
                    let delta = r.lowest() / endless(&fit.law, r.n()) - 1.0;
                    Point::at(x(r.n(), unique(r)), delta).named(r.row.run_id.clone())
                })
                .collect();
            excess.push(Series::points("runs, lowest test loss", Marker::Disc, Ink::Value(*d), of));
        }
        let all = study.runs.of(RunSet::Data).filter(|r| unique(r) >= least);
        if let Some((from, to)) = range(all.map(|r| x(r.n(), unique(r)))) {
            let n = (lo * hi).sqrt();
            let on = log_spaced(from, to, 60).map(|x| (x, overfit(&loss, n, libm::pow(n, ratio) / x)));
            curve.push(Series::line("equation 4.3, fitted", Ink::Data, at(on)));
        }
    }
    let mut left = named_once(lines);
    left.extend(named_once(points));
    curve.extend(named_once(excess));
    Figure {
        name: "figure-09".into(),
        title: "Figure 9: loss against size and data, and over-fitting".into(),
        caption: format!(
            "Left: early-stopped loss for each amount of text (colour). Right: its excess over endless data, which \
             equation 1.5 extrapolates, against N^{{αN/αD}}/D; α_{{N}}/α_{{D}} {ratio_said} (published {OVERFITTING_EXPONENT}). The smallest D \
             is drawn and not fitted.{}",
            study.missing(&[RunSet::Data])
        )
        .into(),
        panels: vec![
            Panel { title: "Loss by data".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel {
                title: "Excess of the loss over endless data".into(),
                x: Axis::log("N^{αN/αD} / D"),
                y: Axis::linear("δL = L(N, D)/L(N, ∞) − 1"),
                series: curve,
            },
        ],
        colour_bar: bar(DATA, groups.iter().map(|(d, _)| *d)),
    }
}

pub(super) fn figure_16(study: &Study<'_>) -> Figure {
    let groups = by_data(study);
    // On all its data a run sees nothing twice.
    let limited = &groups[..groups.len().saturating_sub(1)];
    let mut left = Vec::new();
    if let (Some(k), Ok(fit)) = (study.fits.constants(), &study.fits.nd) {
        let p = fit.law.values();
        for (d, runs) in limited {
            let points: Vec<Point> = runs
                .iter()
                .filter(|run| run.row.best_step < run.row.steps)
                .filter_map(|run| {
                    let (n, d) = (run.n(), unique(run));
                    let excess = value(&KaplanNd, &[n, d], &p) - endless(&fit.law, n);
                    let stop = run.row.best_step? as f64;
                    let stop = steps_min(stop, run.batch(), k.b_crit(run.lowest()));
                    let bound = k.stop_step(excess, 0.0);
                    Some(Point::at(bound, stop).named(run.row.run_id.clone()))
                })
                .collect();
            left.push(Series::points("runs, coloured by D", Marker::Disc, Ink::Value(*d), points));
        }
        left = named_once(left);
        let places = left.iter().flat_map(|s| &s.points).map(|p| p.x).collect::<Vec<_>>();
        if let Some((lo, hi)) = range(places) {
            let line = at([(lo, lo), (hi, hi)]);
            left.push(
                Series::line("lower bound of equation 5.7", Ink::Hue(1), line)
                    .marked(Mark::Line(Dash::Dashed, Weight::Heavy)),
            );
        }
    }
    let largest = range(study.runs.of(RunSet::Data).map(PaperRun::n)).map(|(_, hi)| hi);
    let (mut test, mut train) = (Vec::new(), Vec::new());
    for (d, runs) in &groups {
        for run in runs.iter().filter(|run| Some(run.n()) == largest) {
            test.push(Series::line("test loss", Ink::Value(*d), at(run.losses(1.0))).marked(THIN));
            let points = run.curve.iter().filter(|row| row.step > 0);
            let points = points.filter_map(|row| Some((row.step as f64, row.train_loss?)));
            train.push(Series::line("train loss, with dropout", Ink::Value(*d), at(points)).marked(DOTTED));
        }
    }
    let mut right = named_once(test);
    right.extend(named_once(train));
    Figure {
        name: "figure-16".into(),
        title: "Figure 16: when to stop".into(),
        caption: format!(
            "Left: the step of the lowest test loss, as S_{{min}}, against S_{{c}}·[L(N, D) − L(N, ∞)]^{{−1/αS}}, both laws of \
             these runs, of runs that over-fitted at all; the paper's points lie above the bound. The loss is evaluated on a \
             grid of steps, so that a stop is known to about 15%. Right: test and train loss of the largest model of B on \
             each amount of text; the gap between them overstates what over-fitting costs.{}",
            study.missing(&[RunSet::Data, RunSet::Batches])
        )
        .into(),
        panels: vec![
            Panel {
                title: "Early stop".into(),
                x: Axis::log("S_{c}·[L(N, D) − L(N, ∞)]^{−1/αS}"),
                y: Axis::log("S_{stop}, as S_{min}"),
                series: left,
            },
            Panel {
                title: "Largest model".into(),
                x: Axis::log("updates"),
                y: Axis::linear(LOSS),
                series: right,
            },
        ],
        colour_bar: bar(DATA, groups.iter().map(|(d, _)| *d)),
    }
}
