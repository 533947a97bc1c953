//! Figure 6: with and without embeddings.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::paper::parts::{loss_axis, size_axis};
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

/// Depths that the paper tells apart, with the last one for all above.
const DEPTHS: [(u32, u32, &str, Marker); 5] = [
    (1, 1, "1 layer", Marker::Ring),
    (2, 2, "2 layers", Marker::Disc),
    (3, 3, "3 layers", Marker::Square),
    (4, 6, "4 to 6 layers", Marker::Triangle),
    (7, u32::MAX, "more than 6 layers", Marker::Diamond),
];

pub(super) fn figure_6(study: &PaperStudy) -> Figure {
    let runs = study.runs.longest();
    let none: Vec<&PaperRun> = study.runs.part("A-zero").collect();
    let panel = |title: &str, axis: Axis, x: fn(&PaperRun) -> f64| Panel {
        title: title.into(),
        x: axis,
        y: loss_axis(),
        series: DEPTHS
            .iter()
            .enumerate()
            .flat_map(|(i, depth)| of_depth(&runs, i, *depth, x))
            .chain(without_layers(&none, x))
            .collect(),
    };
    Figure {
        name: "figure-06".into(),
        title: "Figure 6: loss against size with and without embeddings".into(),
        caption: format!(
            "The longest run of each size of A. Left: all parameters; at this vocabulary embeddings are most of a small \
             model, and models without layers have nothing else. Right: non-embedding parameters. In the paper one-layer \
             models and extreme shapes lie above the line of the others.{}",
            missing(study, &[RunSet::Sizes])
        )
        .into(),
        panels: vec![
            panel("With embeddings", Axis::log("N, all parameters"), PaperRun::n_total),
            panel("Without embeddings", size_axis(), PaperRun::n),
        ],
        colour_bar: None,
    }
}

/// Models of embeddings alone, where they have a size at all.
fn without_layers(runs: &[&PaperRun], x: fn(&PaperRun) -> f64) -> Option<Series> {
    let places = runs.iter().filter(|run| x(run) > 0.0);
    let points: Vec<Point> =
        places.map(|run| Point::at(x(run), run.loss()).named(run.row.run_id.clone())).collect();
    (!points.is_empty()).then(|| Series::points("no layers", Marker::Cross, Ink::Muted, points))
}

fn of_depth(
    runs: &[&PaperRun],
    hue: usize,
    (from, to, name, marker): (u32, u32, &str, Marker),
    x: fn(&PaperRun) -> f64,
) -> Vec<Series> {
    let points: Vec<Point> = runs
        .iter()
        .filter(|run| (from..=to).contains(&run.layers()))
        .map(|run| Point::at(x(run), run.loss()).named(run.row.run_id.clone()))
        .collect();
    if points.is_empty() {
        return vec![];
    }
    let line = Series::line("", Ink::Hue(hue), points.clone())
        .marked(Mark::Line(Dash::Solid, Weight::Thin))
        .keyed(Key::Hidden);
    vec![line, Series::points(name, marker, Ink::Hue(hue), points)]
}
