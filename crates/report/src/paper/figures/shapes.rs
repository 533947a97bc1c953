//! Figure 5: shapes at one N.

use super::Study;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::claims::at_common_size;
use crate::paper::runs::{PaperRun, RunSet};

pub(super) fn figure_5(study: &Study<'_>) -> Figure {
    let runs = study.runs;
    let aspect = |run: &PaperRun| run.width() / f64::from(run.layers());
    let ff = |run: &PaperRun| run.row.d_ff.map_or(f64::NAN, f64::from) / run.width();
    let head = |run: &PaperRun| run.width() / run.row.n_head.map_or(f64::NAN, f64::from);
    let standard: Vec<&PaperRun> = runs.part("D-aspect").filter(|run| run.layers() == 2).collect();
    let with_standard =
        |part: &'static str| -> Vec<&PaperRun> { runs.part(part).chain(standard.iter().copied()).collect() };
    let n = runs.of(RunSet::Shapes).map(PaperRun::n).next();
    let alpha = study.fits.n.as_ref().ok().and_then(|f| f.law.param("alpha_N"));
    let noise = study.fits.noise.as_ref().ok();
    let caption = format!(
        "Loss over the lowest of each panel, moved to one N by α_{{N}} {} ({}). Bars: ±1.96 standard deviations between \
         seeds{}. The paper, at 50M, 274M and 1.5B parameters: within 3% for ratios of 1 to about 12, aspects of 4 to \
         250, and all head widths; 1% of loss is 22% of compute.{}",
        alpha.map_or_else(|| "unknown, not moved".into(), |a| significant(a, 2)),
        n.map_or_else(|| "no run yet".into(), |n| format!("N about {}", crate::number::count(n))),
        noise.map_or_else(|| ", not known".into(), |m| format!(" ({} of ln L)", significant(m.se, 2))),
        study.missing(&[RunSet::Shapes, RunSet::Seeds]),
    );
    let sd = noise.map(|m| m.se);
    let alpha = alpha.unwrap_or(0.0);
    let panel = |title: &str, axis: Axis, part: Vec<&PaperRun>, x: &dyn Fn(&PaperRun) -> f64| Panel {
        title: title.into(),
        x: axis,
        y: Axis::linear("loss increase (%)"),
        series: increase(&part, alpha, sd, x),
    };
    Figure {
        name: "figure-05".into(),
        title: "Figure 5: loss against shape at one N".into(),
        caption: caption.into(),
        panels: vec![
            panel("Feed-forward ratio", Axis::log("d_{ff} / d_{model}"), with_standard("D-ff"), &ff),
            panel(
                "Aspect ratio",
                Axis::log("d_{model} / n_{layer}"),
                runs.part("D-aspect").collect(),
                &aspect,
            ),
            panel("Width of a head", Axis::log("d_{model} / n_{head}"), with_standard("D-heads"), &head),
        ],
        colour_bar: None,
    }
}

fn increase(runs: &[&PaperRun], alpha: f64, sd: Option<f64>, x: &dyn Fn(&PaperRun) -> f64) -> Vec<Series> {
    let losses = at_common_size(runs, alpha);
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let mut points: Vec<Point> = runs
        .iter()
        .zip(&losses)
        .map(|(run, loss)| {
            let percent = 100.0 * (loss / lowest - 1.0);
            let point = Point::at(x(run), percent).named(run.row.run_id.clone());
            sd.map_or(point.clone(), |sd| point.between(percent - 196.0 * sd, percent + 196.0 * sd))
        })
        .collect();
    if points.is_empty() {
        return vec![];
    }
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
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
