//! Figures 20 and 21: loss along the context.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::parts::{DASHED, LOSS, SIZE, THIN, at, bar, named_once, size_axis};
use scalelaw_core::number::short;
use scalelaw_lab::paper::kaplan2020::POSITIONS_FIGURE_20;
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

/// An exponent below this is that of no trend along the context.
const FLAT: f64 = 0.01;
const INDEX: &str = "token index in the context";

/// Powers of two up to the context, and its end.
fn indices(runs: &[&PaperRun]) -> Vec<u64> {
    let context = runs.iter().filter_map(|r| r.row.n_ctx).max().unwrap_or(0);
    let mut indices: Vec<u64> = (0..20).map(|i| 1 << i).filter(|t| *t <= u64::from(context)).collect();
    if !indices.is_empty() && !indices.contains(&u64::from(context)) {
        indices.push(u64::from(context));
    }
    indices
}

pub(super) fn figure_20(study: &PaperStudy) -> Figure {
    let runs = study.runs.longest();
    let (mut curves, mut lines, mut fits) = (Vec::new(), Vec::new(), Vec::new());
    for run in &runs {
        let points = run.along_context();
        if points.len() < 4 {
            continue;
        }
        if let Some(fitted) = study.figures.context.iter().find(|c| c.run_id == run.row.run_id) {
            let line = at(fitted.line.iter().copied());
            lines.push(Series::line("a + b·T^{−c}, fitted", Ink::Value(run.n()), line).marked(DASHED));
            let [a, b, c] = fitted.constants;
            fits.push(if c < FLAT {
                format!("{}: {} everywhere", short(run.n()), significant(a + b, 3))
            } else {
                let [a, b, c] = [significant(a, 3), significant(b, 2), significant(c, 2)];
                format!("{}: {a} + {b}·T^{{−{c}}}", short(run.n()))
            });
        }
        curves.push(Series::line("loss at each index", Ink::Value(run.n()), at(points)).marked(THIN));
    }
    let mut left = named_once(curves);
    left.extend(named_once(lines));
    let largest = study.runs.trunks().into_iter().rfind(|run| !run.positions.is_empty());
    let right = largest.map_or_else(Vec::new, in_training);
    let context = indices(&runs);
    Figure {
        name: "figure-20".into(),
        title: "Figure 20: loss along the context".into(),
        caption: format!(
            "Left: longest run of each size. Fits by N: {}. The paper's, smallest to largest model, context 1024: \
             {}. Right: loss at some indices of the largest trunk in training{}.{}",
            if fits.is_empty() { "none".into() } else { fits.join("; ") },
            POSITIONS_FIGURE_20.map(|[e, a, p]| format!("{e:.1} + {a:.1}·T^{{−{p:.2}}}")).join(", "),
            largest.map_or_else(String::new, |run| format!(", N {}", short(run.n()))),
            missing(study, &[RunSet::Sizes])
        )
        .into(),
        panels: vec![
            Panel { title: "Size".into(), x: Axis::log(INDEX), y: Axis::linear(LOSS), series: left },
            Panel {
                title: "In training".into(),
                x: Axis::log("updates"),
                y: Axis::linear("L at one index (nats)"),
                series: right,
            },
        ],
        colour_bar: bar(SIZE, runs.iter().map(|r| r.n())).filter(|_| !context.is_empty()),
    }
}

/// One line an index, named at its end.
fn in_training(run: &PaperRun) -> Vec<Series> {
    indices(&[run])
        .into_iter()
        .enumerate()
        .map(|(i, t)| {
            let points = run.positions.iter().filter(|p| p.position == t && p.step > 0);
            let points =
                points.map(|p| Point::at(p.step as f64, p.loss).named(format!("index {t}"))).collect();
            Series::line(format!("token {t}"), Ink::Hue(i), points)
                // There are six hues: what comes after them is dashed.
                .marked(Mark::Line(if i < 6 { Dash::Solid } else { Dash::Dashed }, Weight::Normal))
                .keyed(Key::Direct)
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

pub(super) fn figure_21(study: &PaperStudy) -> Figure {
    let long = study.runs.longest();
    let mut short_context: Vec<&PaperRun> = study.runs.of(RunSet::Context).collect();
    short_context.sort_by(|a, b| a.n().total_cmp(&b.n()));
    let line = |runs: &[&PaperRun], t: u64, dash: Dash, name: String| {
        let points: Vec<Point> = runs
            .iter()
            .filter_map(|r| Some(Point::at(r.n(), r.at_positions(t, t)?).named(r.row.run_id.clone())))
            .collect();
        Series::line(name, Ink::Value(t as f64), points).marked(Mark::Line(dash, Weight::Normal))
    };
    let indices = indices(&long);
    let mut series: Vec<Series> = indices
        .iter()
        .map(|t| line(&long, *t, Dash::Solid, format!("token {t}")).keyed(Key::Direct))
        .collect();
    let dashed: Vec<Series> = self::indices(&short_context)
        .into_iter()
        .map(|t| line(&short_context, t, Dash::Dashed, "the same index of a context of 8".into()))
        .collect();
    series.extend(named_once(dashed));
    series.retain(|s| !s.points.is_empty());
    Figure {
        name: "figure-21".into(),
        title: "Figure 21: loss at single positions against size".into(),
        caption: format!(
            "Loss at single indices of the context (colour) of A's longest runs, and of models with a context of 8 tokens \
             (dashed), which do better early: they spend nothing on later tokens. The paper's indices: 1 to 1024.{}",
            missing(study, &[RunSet::Sizes, RunSet::Context])
        )
        .into(),
        panels: vec![Panel {
            title: "Loss at an index".into(),
            x: size_axis(),
            y: Axis::linear("L at one index (nats)"),
            series,
        }],
        colour_bar: bar(INDEX, indices.iter().map(|t| *t as f64)),
    }
}
