//! Figure 7: LSTMs against Transformers.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::count;
use crate::paper::parts::{LOSS, SIZE, at, bar, loss_axis, size_axis};
use scalelaw_core::number::short;
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

const MARKERS: [Marker; 3] = [Marker::Ring, Marker::Square, Marker::Triangle];

pub(super) fn figure_7(study: &PaperStudy) -> Figure {
    let lstms: Vec<&PaperRun> = sorted(study.runs.of(RunSet::Lstm).collect());
    let transformers = study.runs.longest();
    let mut left = vec![
        Series::line("", Ink::Data, at(transformers.iter().map(|r| (r.n(), r.loss()))))
            .marked(Mark::Line(Dash::Solid, Weight::Thin))
            .keyed(Key::Hidden),
        Series::points("Transformers", Marker::Disc, Ink::Data, named(&transformers)),
    ];
    let mut depths: Vec<u32> = lstms.iter().map(|r| r.layers()).collect();
    depths.sort_unstable();
    depths.dedup();
    for (i, depth) in depths.iter().enumerate() {
        let of: Vec<&PaperRun> = lstms.iter().copied().filter(|r| r.layers() == *depth).collect();
        let line = at(of.iter().map(|r| (r.n(), r.loss())));
        left.push(
            Series::line("", Ink::Hue(i), line)
                .marked(Mark::Line(Dash::Dashed, Weight::Thin))
                .keyed(Key::Hidden),
        );
        let layers = if *depth == 1 { "layer" } else { "layers" };
        let name = format!("LSTM, {depth} {layers}");
        left.push(Series::points(name, MARKERS[i % MARKERS.len()], Ink::Hue(i), named(&of)));
    }
    if lstms.is_empty() && transformers.is_empty() {
        left.clear();
    }
    Figure {
        name: "figure-07".into(),
        title: "Figure 7: LSTMs against Transformers".into(),
        caption: format!(
            "Left: loss against size. Right: loss at each position of the context of a small, a middle and a large LSTM \
             of two layers (dashed) and of the Transformers nearest in N (unbroken), N at the lines. In the paper LSTMs \
             stop improving before 100 tokens of 1024.{}",
            missing(study, &[RunSet::Lstm, RunSet::Sizes])
        )
        .into(),
        panels: vec![
            Panel { title: "Size".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel {
                title: "Position".into(),
                x: Axis::log("token index in the context"),
                y: Axis::linear(LOSS),
                series: along_context(&lstms, &transformers),
            },
        ],
        colour_bar: bar(SIZE, lstms.iter().chain(&transformers).map(|r| r.n())),
    }
}

fn sorted(mut runs: Vec<&PaperRun>) -> Vec<&PaperRun> {
    runs.sort_by(|a, b| a.n().total_cmp(&b.n()).then(a.layers().cmp(&b.layers())));
    runs
}

fn named(runs: &[&PaperRun]) -> Vec<Point> {
    runs.iter().map(|r| Point::at(r.n(), r.loss()).named(r.row.run_id.clone())).collect()
}

fn along_context(lstms: &[&PaperRun], transformers: &[&PaperRun]) -> Vec<Series> {
    let pairs = lstms.iter().filter(|r| r.layers() == 2).filter_map(|lstm| {
        let far = |t: &&&PaperRun| libm::fabs(libm::log(t.n() / lstm.n()));
        let nearest = transformers.iter().min_by(|a, b| far(a).total_cmp(&far(b)))?;
        Some([(*lstm, Dash::Dashed, "LSTM"), (*nearest, Dash::Solid, "Transformer")])
    });
    pairs
        .flatten()
        .map(|(run, dash, what)| {
            let name = format!("{what} {}", short(run.n()));
            let points = run.along_context().into_iter();
            let points = points.map(|(t, loss)| Point::at(t, loss).named(count(run.n()))).collect();
            Series::line(name, Ink::Value(run.n()), points)
                .marked(Mark::Line(dash, Weight::Normal))
                .keyed(Key::Direct)
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}
