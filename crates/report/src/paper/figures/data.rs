//! Figure 9: over-fitting. Figure 16: when to stop.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::parts::{DOTTED, LOSS, THIN, at, bar, loss_axis, named_once, size_axis};
use scalelaw_lab::lines::range;
use scalelaw_lab::paper::kaplan2020::OVERFITTING_EXPONENT;
use scalelaw_lab::paper::{Excess, PaperRun, PaperStudy, RunSet};

const DATA: &str = "D, unique tokens";

/// Points of each amount of data, in its colour.
fn by_amount(name: &str, groups: &[Excess]) -> Vec<Series> {
    let series = groups.iter().map(|group| {
        let points = group.points.iter().map(|(x, y, run)| Point::at(*x, *y).named(run.clone())).collect();
        Series::points(name, Marker::Disc, Ink::Value(group.d), points)
    });
    named_once(series.collect())
}

pub(super) fn figure_9(study: &PaperStudy) -> Figure {
    let groups = study.runs.by_data();
    let over_fitting = &study.figures.over_fitting;
    let ratio = over_fitting.ratio.map_or_else(|| "no fit".to_owned(), |ratio| significant(ratio, 2));
    let lines = over_fitting.lines.iter().map(|line| {
        Series::line("equation 1.5, fitted", Ink::Value(line.of), at(line.points.iter().copied()))
    });
    let points = groups.iter().map(|(d, runs)| {
        let of = runs.iter().map(|r| Point::at(r.n(), r.lowest()).named(r.row.run_id.clone())).collect();
        Series::points("runs, lowest test loss", Marker::Disc, Ink::Value(*d), of)
    });
    let mut left = named_once(lines.collect());
    left.extend(named_once(points.collect()));
    let mut right = Vec::new();
    if !over_fitting.fitted.is_empty() {
        let curve = at(over_fitting.fitted.iter().copied());
        right.push(Series::line("equation 4.3, fitted", Ink::Data, curve));
    }
    right.extend(by_amount("runs, lowest test loss", &over_fitting.measured));
    Figure {
        name: "figure-09".into(),
        title: "Figure 9: loss against size and data, and over-fitting".into(),
        caption: format!(
            "Left: early-stopped loss for each amount of text (colour). Right: its excess over endless data, which \
             equation 1.5 extrapolates, against N^{{αN/αD}}/D; α_{{N}}/α_{{D}} {ratio} (published {OVERFITTING_EXPONENT}). The smallest D \
             is drawn and not fitted.{}",
            missing(study, &[RunSet::Data])
        )
        .into(),
        panels: vec![
            Panel { title: "Loss by data".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel {
                title: "Excess of the loss over endless data".into(),
                x: Axis::log("N^{αN/αD} / D"),
                y: Axis::linear("δL = L(N, D)/L(N, ∞) − 1"),
                series: right,
            },
        ],
        colour_bar: bar(DATA, groups.iter().map(|(d, _)| *d)),
    }
}

pub(super) fn figure_16(study: &PaperStudy) -> Figure {
    let groups = study.runs.by_data();
    let mut left = by_amount("runs, coloured by D", &study.figures.over_fitting.stops);
    let places = left.iter().flat_map(|s| &s.points).map(|p| p.x).collect::<Vec<_>>();
    if let Some((lo, hi)) = range(places) {
        let line = at([(lo, lo), (hi, hi)]);
        left.push(
            Series::line("lower bound of equation 5.7", Ink::Hue(1), line)
                .marked(Mark::Line(Dash::Dashed, Weight::Heavy)),
        );
    }
    let largest = range(study.runs.of(RunSet::Data).map(PaperRun::n)).map(|(_, hi)| hi);
    let (mut test, mut train) = (Vec::new(), Vec::new());
    for (d, runs) in &groups {
        for run in runs.iter().filter(|run| Some(run.n()) == largest) {
            test.push(Series::line("test loss", Ink::Value(*d), at(run.losses(1.0))).marked(THIN));
            let points = run.curve.iter().filter(|row| row.step.is_some_and(|step| step > 0));
            let points = points.filter_map(|row| Some((row.step? as f64, row.train_loss?)));
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
            missing(study, &[RunSet::Data, RunSet::Batches])
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
