//! Figure 17: recurrent Transformers.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::paper::parts::{at, loss_axis, size_axis};
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

const MARKERS: [Marker; 3] = [Marker::Square, Marker::Triangle, Marker::Diamond];

pub(super) fn figure_17(study: &PaperStudy) -> Figure {
    let panel = |title: &str, axis: Axis, n: fn(&PaperRun) -> f64| Panel {
        title: title.into(),
        x: axis,
        y: loss_axis(),
        series: series(study, n),
    };
    Figure {
        name: "figure-17".into(),
        title: "Figure 17: recurrent Transformers".into(),
        caption: format!(
            "Blocks whose weights are used 2, 4 and 8 times against Transformers that use each once (A's longest runs). \
             Left: every use counts, which is compute. Right: each parameter counts once.{}",
            missing(study, &[RunSet::Recurrent, RunSet::Sizes])
        )
        .into(),
        panels: vec![
            panel("Including reuse", Axis::log("N including reuse, non-embedding"), PaperRun::n_used),
            panel("Excluding reuse", size_axis(), PaperRun::n),
        ],
        colour_bar: None,
    }
}

fn series(study: &PaperStudy, n: fn(&PaperRun) -> f64) -> Vec<Series> {
    let mut series = Vec::new();
    let mut draw = |name: String, marker: Marker, ink: Ink, mut runs: Vec<&PaperRun>| {
        if runs.is_empty() {
            return;
        }
        runs.sort_by(|a, b| n(a).total_cmp(&n(b)));
        let thin = Mark::Line(Dash::Solid, Weight::Thin);
        let line = at(runs.iter().map(|r| (n(r), r.loss())));
        series.push(Series::line("", ink, line).marked(thin).keyed(Key::Hidden));
        let points = runs.iter().map(|r| Point::at(n(r), r.loss()).named(r.row.run_id.clone()));
        series.push(Series::points(name, marker, ink, points.collect()));
    };
    draw("not recurrent".into(), Marker::Disc, Ink::Data, study.runs.longest());
    let mut reuse: Vec<u32> = study.runs.of(RunSet::Recurrent).filter_map(|r| r.row.reuse).collect();
    reuse.sort_unstable();
    reuse.dedup();
    for (i, times) in reuse.into_iter().enumerate() {
        let of = study.runs.of(RunSet::Recurrent).filter(|r| r.row.reuse == Some(times)).collect();
        draw(format!("{times} uses"), MARKERS[i % MARKERS.len()], Ink::Hue(i), of);
    }
    series
}
