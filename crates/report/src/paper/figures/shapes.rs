//! Figure 5: shapes at one N.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use scalelaw_lab::paper::{PaperStudy, RunSet, Shape};

pub(super) fn figure_5(study: &PaperStudy) -> Figure {
    let shapes = &study.figures.shapes;
    let noise = study.fits.noise.as_ref().ok();
    let caption = format!(
        "Loss over the lowest of each panel, moved to one N by α_{{N}} {} ({}). Bars: ±1.96 standard deviations between \
         seeds{}. The paper, at 50M, 274M and 1.5B parameters: within 3% for ratios of 1 to about 12, aspects of 4 to \
         250, and all head widths; 1% of loss is 22% of compute.{}",
        shapes.alpha_n.map_or_else(|| "unknown, not moved".into(), |a| significant(a, 2)),
        shapes.n.map_or_else(|| "no run yet".into(), |n| format!("N about {}", crate::number::count(n))),
        noise.map_or_else(|| ", not known".into(), |m| format!(" ({} of ln L)", significant(m.se, 2))),
        missing(study, &[RunSet::Shapes, RunSet::Seeds]),
    );
    let panel = |title: &str, axis: Axis, shapes: &[Shape]| Panel {
        title: title.into(),
        x: axis,
        y: Axis::linear("loss increase (%)"),
        series: increase(shapes),
    };
    Figure {
        name: "figure-05".into(),
        title: "Figure 5: loss against shape at one N".into(),
        caption: caption.into(),
        panels: vec![
            panel("Feed-forward ratio", Axis::log("d_{ff} / d_{model}"), &shapes.feed_forward),
            panel("Aspect ratio", Axis::log("d_{model} / n_{layer}"), &shapes.aspect),
            panel("Width of a head", Axis::log("d_{model} / n_{head}"), &shapes.heads),
        ],
        colour_bar: None,
    }
}

fn increase(shapes: &[Shape]) -> Vec<Series> {
    if shapes.is_empty() {
        return vec![];
    }
    let points: Vec<Point> = shapes
        .iter()
        .map(|shape| {
            let point = Point::at(shape.ratio, shape.increase).named(shape.run_id.clone());
            shape.interval.map_or(point.clone(), |(lo, hi)| point.between(lo, hi))
        })
        .collect();
    let line: Vec<Point> = points.iter().map(|p| Point::at(p.x, p.y)).collect();
    vec![
        Series::line(
            "1%: as much as 22% more compute (published)",
            Ink::Muted,
            vec![Point::at(f64::NAN, 1.0)],
        )
        .marked(Mark::Level(Dash::Dotted)),
        Series::line("", Ink::Hue(0), line)
            .marked(Mark::Line(Dash::Solid, Weight::Thin))
            .keyed(crate::figure::Key::Hidden),
        Series::points("runs (bar: ±1.96 seeds' standard deviations)", Marker::Disc, Ink::Hue(0), points),
    ]
}
