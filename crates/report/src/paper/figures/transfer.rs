//! Figure 8: other text. Figure 24: depth and other text.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::parts::{LOSS, at, loss_axis, size_axis};
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

const MARKERS: [Marker; 5] = [Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Cross, Marker::Ring];
const OWN: &str = "text like the training text";

fn marker(i: usize) -> Marker {
    MARKERS[i % MARKERS.len()]
}

fn other(run: &PaperRun, set: &str) -> Option<f64> {
    run.row.loss_evalsets.get(set).copied()
}

pub(super) fn figure_8(study: &PaperStudy) -> Figure {
    let sets = &study.figures.transfer;
    let longest = study.runs.longest();
    let mut left = lines(OWN, Marker::Disc, Ink::Data, &longest, |run| Some((run.n(), run.row.loss?)));
    let (mut right, mut slopes) = (Vec::new(), Vec::new());
    for (i, transfer) in sets.iter().enumerate() {
        let set = &transfer.set;
        left.extend(lines(set, marker(i), Ink::Hue(i), &longest, |run| Some((run.n(), other(run, set)?))));
        slopes.extend(transfer.slope.map(|slope| format!("{set} {}", significant(slope, 3))));
        if let Some(course) = &transfer.in_training {
            let line = at(course.iter().copied());
            let dashed = Mark::Line(Dash::Dashed, Weight::Normal);
            right.push(
                Series::line(format!("{set}, largest model in training"), Ink::Hue(i), line)
                    .marked(dashed)
                    .keyed(Key::Hidden),
            );
        }
        let points = at(transfer.pairs.iter().copied());
        right.push(Series::points(set.as_str(), marker(i), Ink::Hue(i), points));
    }
    let slopes = if slopes.is_empty() {
        "No evaluation on other text yet.".into()
    } else {
        format!(
            "Slopes of the other loss on the own one: {} (published: 1, a constant offset).",
            slopes.join(", ")
        )
    };
    Figure {
        name: "figure-08".into(),
        title: "Figure 8: loss on other text".into(),
        caption: format!(
            "Left: longest runs of A on their own test text and on other text. Right: points, all finished branches of A; \
             dashed, the largest trunk in training, after its warm-up. {slopes}{}",
            missing(study, &[RunSet::Sizes])
        )
        .into(),
        panels: vec![
            Panel { title: "Size".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel {
                title: "Transfer".into(),
                x: Axis::linear("L on the own test text (nats per token)"),
                y: Axis::linear("L on other text (nats per token)"),
                series: right,
            },
        ],
        colour_bar: None,
    }
}

/// Points with a thin line through them.
fn lines(
    name: &str,
    marker: Marker,
    ink: Ink,
    runs: &[&PaperRun],
    place: impl Fn(&PaperRun) -> Option<(f64, f64)>,
) -> Vec<Series> {
    let points: Vec<Point> = runs
        .iter()
        .filter_map(|run| place(run).map(|(x, y)| Point::at(x, y).named(run.row.run_id.clone())))
        .collect();
    if points.is_empty() {
        return vec![];
    }
    let thin = Mark::Line(Dash::Solid, Weight::Thin);
    vec![
        Series::line("", ink, points.clone()).marked(thin).keyed(Key::Hidden),
        Series::points(name, marker, ink, points),
    ]
}

pub(super) fn figure_24(study: &PaperStudy) -> Figure {
    let mut runs: Vec<&PaperRun> = study.runs.part("D-aspect").collect();
    runs.sort_by_key(|run| run.layers());
    let depth = |run: &PaperRun| f64::from(run.layers());
    let mut series = lines(OWN, Marker::Disc, Ink::Data, &runs, |run| Some((depth(run), run.row.loss?)));
    series.extend(lines("training text", Marker::Ring, Ink::Muted, &runs, |run| {
        Some((depth(run), run.row.train_loss?))
    }));
    let mut sets: Vec<&String> = runs.iter().flat_map(|run| run.row.loss_evalsets.keys()).collect();
    sets.sort();
    sets.dedup();
    for (i, set) in sets.into_iter().enumerate() {
        series.extend(lines(set, marker(i), Ink::Hue(i), &runs, |run| Some((depth(run), other(run, set)?))));
    }
    Figure {
        name: "figure-24".into(),
        title: "Figure 24: loss against depth at one N".into(),
        caption: format!(
            "Shapes of one N (set D), the paper's at 1.5B parameters and depths of 10 to 100: loss there depends on depth \
             on no text.{}",
            missing(study, &[RunSet::Shapes])
        )
        .into(),
        panels: vec![Panel {
            title: "Depth at one N".into(),
            x: Axis::log("n_{layer}"),
            y: Axis::linear(LOSS),
            series,
        }],
        colour_bar: None,
    }
}
