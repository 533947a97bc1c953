//! Figures 10, 18 and 19: the critical batch, its scans, and what they say of time and data.

use super::{adjusted, missing};
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::parts::{THIN, at, bar, beside_chain, named_once, published_slope, size_axis};
use scalelaw_core::number::short;
use scalelaw_lab::paper::kaplan2020::TRAINING;
use scalelaw_lab::paper::{Contour, Level, PaperRun, PaperStudy, Places, RunSet, Section, ToLoss};

const SCAN: [RunSet; 2] = [RunSet::Batches, RunSet::Sizes];
const MARKERS: [Marker; 4] = [Marker::Disc, Marker::Square, Marker::Triangle, Marker::Diamond];

fn levels(study: &PaperStudy) -> &[Level] {
    study.fits.chain.as_ref().map_or(&[], |chain| &chain.levels[..])
}

fn sizes(levels: &[Level]) -> Vec<f64> {
    let mut sizes: Vec<f64> = levels.iter().map(|l| l.n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

pub(super) fn figure_10(study: &PaperStudy) -> Figure {
    let levels = levels(study);
    let scanned: Vec<&PaperRun> = study.runs.batches();
    let cloud: Vec<Point> = scanned
        .iter()
        .flat_map(|run| &run.curve)
        .filter_map(|row| Some(Point::at(row.train_loss?, row.noise_scale.filter(|b| *b > 0.0)?)))
        .collect();
    let mut series = Vec::new();
    if !cloud.is_empty() {
        series.push(Series::points(
            "gradient noise scale at each evaluation of C",
            Marker::Ring,
            Ink::Muted,
            cloud,
        ));
    }
    let scans = &study.figures.batches;
    if !scans.critical.is_empty() {
        let line = at(scans.critical.iter().copied());
        series.push(
            Series::line("B*/L^{1/αB}, fitted", Ink::Data, line)
                .marked(Mark::Line(Dash::Solid, Weight::Heavy)),
        );
        let slope = significant(1.0 / TRAINING.alpha_b, 2);
        let name = format!("published slope, L^{{−{slope}}}, through the centre of ours");
        series.extend(published_slope(scans.critical_slope, &name));
    }
    for (i, n) in sizes(levels).into_iter().enumerate() {
        let of = levels.iter().filter(|l| l.n == n).filter_map(|l| {
            let point = Point::at(l.loss, l.b_crit?);
            Some(l.b_crit_ci95.map_or(point.clone(), |[lo, hi]| point.between(lo, hi)))
        });
        let points: Vec<Point> = of.collect();
        if !points.is_empty() {
            let name = format!("scans, N {} (bar: 95%)", short(n));
            series.push(Series::points(name, MARKERS[i % MARKERS.len()], Ink::Hue(i), points));
        }
    }
    let refused = levels.iter().filter(|l| l.refused.is_some()).count();
    Figure {
        name: "figure-10".into(),
        title: "Figure 10: the critical batch against the loss".into(),
        caption: format!(
            "E_{{min}}/S_{{min}} of the scans at each test loss, bars from the bootstrap over runs; {refused} of {} levels gave \
             none. {}; in the paper B_{{crit}} doubles with every 13% of loss. The noise scale is drawn at its train loss. \
             Beyond the measured losses B_{{crit}}(L) is a guess.{}",
            levels.len(),
            beside_chain("α_{B}", &study.fits, Section::CriticalBatch, "alpha_B", TRAINING.alpha_b),
            missing(study, &SCAN)
        )
        .into(),
        panels: vec![Panel {
            title: "Critical batch".into(),
            x: Axis::log("L (nats per token), falling").falling(),
            y: Axis::log("B_{crit} (tokens)"),
            series,
        }],
        colour_bar: None,
    }
}

pub(super) fn figure_18(study: &PaperStudy) -> Figure {
    let levels = levels(study);
    let fitted = &study.figures.batches.contours;
    let panels = sizes(levels).into_iter().map(|n| contours(n, fitted)).collect::<Vec<_>>();
    let panels = if panels.is_empty() { vec![contours(f64::NAN, &[])] } else { panels };
    Figure {
        name: "figure-18".into(),
        title: "Figure 18: time against data, by batch".into(),
        caption: format!(
            "Updates and tokens to one loss (colour) at each batch; a line is (S/S_{{min}} − 1)(E/E_{{min}} − 1) = 1, equation \
             5.1, fitted to its points. Levels without a critical batch are left out. The paper has losses of 4 to 10 at 3M \
             and 85M parameters.{}",
            missing(study, &SCAN)
        )
        .into(),
        panels,
        colour_bar: bar("L, test loss (nats per token)", fitted.iter().map(|l| l.loss)),
    }
}

fn contours(n: f64, fitted: &[Contour]) -> Panel {
    let mut series: Vec<Series> = Vec::new();
    for contour in fitted.iter().filter(|c| c.n == n) {
        let key = if series.is_empty() { Key::Legend } else { Key::Hidden };
        let ink = Ink::Value(contour.loss);
        let line = at(contour.fitted.iter().copied());
        series.push(Series::line("equation 5.1, fitted", ink, line).marked(THIN).keyed(key));
        let points = contour.runs.iter().map(|(s, e, b)| Point::at(*s, *e).named(format!("batch {b}")));
        series.push(Series::points("runs", Marker::Disc, ink, points.collect()).keyed(key));
    }
    let title = if n.is_finite() { format!("N = {}", crate::number::count(n)) } else { "No scan".into() };
    Panel { title: title.into(), x: Axis::log("updates"), y: Axis::log("tokens processed"), series }
}

pub(super) fn figure_19(study: &PaperStudy) -> Figure {
    let to_loss = &study.figures.batches.to_loss;
    let lines = |places: fn(&ToLoss) -> &Places| -> Vec<Series> {
        let line = |t: &ToLoss| {
            let points = at(places(t).iter().copied());
            Series::line("one loss, coloured by it", Ink::Value(t.loss), points)
                .marked(Mark::Line(Dash::Solid, Weight::Normal))
        };
        named_once(to_loss.iter().map(line).collect())
    };
    let (steps, tokens) = (lines(|t| &t.steps), lines(|t| &t.tokens));
    Figure {
        name: "figure-19".into(),
        title: "Figure 19: steps and tokens to a loss, against size".into(),
        caption: format!(
            "Where A's trunks first have each of some losses, as S_{{min}} and E_{{min}} = B_{{crit}}(L)·S_{{min}}: what training far \
             above and far below the critical batch would take. The paper's losses are 2.5 to 5.5; the smallest and the largest \
             of its models differ about 100 times in tokens.{}",
            adjusted(study, &SCAN)
        )
        .into(),
        panels: vec![
            Panel { title: "Steps".into(), x: size_axis(), y: Axis::log("S_{min} (updates)"), series: steps },
            Panel { title: "Data".into(), x: size_axis(), y: Axis::log("E_{min} (tokens)"), series: tokens },
        ],
        colour_bar: bar("L, test loss (nats per token)", to_loss.iter().map(|t| t.loss)),
    }
}
