//! Figures 10, 18 and 19: the critical batch, its scans, and what they say of time and data.

use super::Study;
use super::parts::{THIN, at, bar, beside_chain, log_spaced, published_slope, range, size_axis};
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::paper::fits::trunk;
use crate::paper::runs::RunSet;
use scalelaw_core::number::short;
use scalelaw_fit::chain::{Level, Section, steps_to};
use scalelaw_fit::plan::batch::{batch_trade, steps_min};
use scalelaw_fit::presets::kaplan2020::TRAINING;

const SCAN: [RunSet; 2] = [RunSet::Batches, RunSet::Sizes];
const MARKERS: [Marker; 4] = [Marker::Disc, Marker::Square, Marker::Triangle, Marker::Diamond];

fn levels<'a>(study: &Study<'a>) -> &'a [Level] {
    study.fits.chain.as_ref().map_or(&[], |chain| &chain.levels[..])
}

fn sizes(levels: &[Level]) -> Vec<f64> {
    let mut sizes: Vec<f64> = levels.iter().map(|l| l.n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

pub(super) fn figure_10(study: &Study<'_>) -> Figure {
    let levels = levels(study);
    let scanned: Vec<&crate::paper::PaperRun> = study.runs.batches();
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
    let measured: Vec<(f64, f64)> = levels.iter().filter_map(|l| Some((l.loss, l.b_crit?))).collect();
    if let (Some(k), Some((lo, hi))) = (study.fits.constants(), range(measured.iter().map(|p| p.0))) {
        let line = at(log_spaced(lo, hi, 40).map(|l| (l, k.b_crit(l))));
        series.push(
            Series::line("B*/L^{1/αB}, fitted", Ink::Data, line)
                .marked(Mark::Line(Dash::Solid, Weight::Heavy)),
        );
        let slope = published_slope(
            &measured,
            -1.0 / TRAINING.alpha_b,
            "published slope, L^{−4.8}, through the centre of ours",
        );
        series.extend(slope);
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
            beside_chain("α_{B}", &study.fits.chain, Section::CriticalBatch, "alpha_B", TRAINING.alpha_b),
            study.missing(&SCAN)
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

pub(super) fn figure_18(study: &Study<'_>) -> Figure {
    let levels = levels(study);
    let fitted: Vec<&Level> = levels.iter().filter(|l| l.b_crit.is_some()).collect();
    let panels = sizes(levels).into_iter().map(|n| contours(n, &fitted)).collect::<Vec<_>>();
    let panels = if panels.is_empty() { vec![contours(f64::NAN, &[])] } else { panels };
    Figure {
        name: "figure-18".into(),
        title: "Figure 18: time against data, by batch".into(),
        caption: format!(
            "Updates and tokens to one loss (colour) at each batch; a line is (S/S_{{min}} − 1)(E/E_{{min}} − 1) = 1, equation \
             5.1, fitted to its points. Levels without a critical batch are left out. The paper has losses of 4 to 10 at 3M \
             and 85M parameters.{}",
            study.missing(&SCAN)
        )
        .into(),
        panels,
        colour_bar: bar("L, test loss (nats per token)", fitted.iter().map(|l| l.loss)),
    }
}

fn contours(n: f64, fitted: &[&Level]) -> Panel {
    let mut series: Vec<Series> = Vec::new();
    for level in fitted.iter().filter(|l| l.n == n) {
        let key = if series.is_empty() { Key::Legend } else { Key::Hidden };
        let (Some(s), Some(e), Some(b)) = (level.steps_min, level.tokens_min, level.b_crit) else { continue };
        let Some((lo, hi)) = range(level.batches.iter().map(|batch| batch / b)) else { continue };
        let line = log_spaced(lo, hi, 40).filter_map(|ratio| {
            let trade = batch_trade(ratio, b, s, e).ok()?;
            Some((trade.steps, trade.tokens))
        });
        series.push(
            Series::line("equation 5.1, fitted", Ink::Value(level.loss), at(line)).marked(THIN).keyed(key),
        );
        let points = level.steps.iter().zip(&level.batches);
        let points = points.map(|(s, b)| Point::at(*s, s * b).named(format!("batch {b}"))).collect();
        series.push(Series::points("runs", Marker::Disc, Ink::Value(level.loss), points).keyed(key));
    }
    let title = if n.is_finite() { format!("N = {}", crate::number::count(n)) } else { "No scan".into() };
    Panel { title: title.into(), x: Axis::log("updates"), y: Axis::log("tokens processed"), series }
}

pub(super) fn figure_19(study: &Study<'_>) -> Figure {
    let options = study.estimators.chain.options();
    let trunks = study.runs.trunks();
    let (mut steps, mut tokens, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    if let (Some(k), Some((lo, hi))) =
        (study.fits.constants(), range(trunks.iter().flat_map(|r| r.losses(options.skip_steps)).map(|p| p.1)))
    {
        for loss in log_spaced(lo * 1.01, hi / 1.05, 9) {
            let b = k.b_crit(loss);
            let reached: Vec<(f64, f64)> = trunks
                .iter()
                .filter_map(|run| {
                    let s = steps_to(&trunk(run), loss, &options)?;
                    Some((run.n(), steps_min(s, run.batch(), b)))
                })
                .collect();
            if reached.len() < 2 {
                continue;
            }
            shown.push(loss);
            let line = |points: Vec<Point>| {
                Series::line("one loss, coloured by it", Ink::Value(loss), points)
                    .marked(Mark::Line(Dash::Solid, Weight::Normal))
                    .keyed(if shown.len() == 1 { Key::Legend } else { Key::Hidden })
            };
            steps.push(line(at(reached.iter().copied())));
            tokens.push(line(at(reached.iter().map(|(n, s)| (*n, s * b)))));
        }
    }
    Figure {
        name: "figure-19".into(),
        title: "Figure 19: steps and tokens to a loss, against size".into(),
        caption: format!(
            "Where A's trunks first have each of some losses, as S_{{min}} and E_{{min}} = B_{{crit}}(L)·S_{{min}}: what training far \
             above and far below the critical batch would take. The paper's losses are 2.5 to 5.5; the smallest and the largest \
             of its models differ about 100 times in tokens.{}",
            study.adjusted(&SCAN)
        )
        .into(),
        panels: vec![
            Panel { title: "Steps".into(), x: size_axis(), y: Axis::log("S_{min} (updates)"), series: steps },
            Panel { title: "Data".into(), x: size_axis(), y: Axis::log("E_{min} (tokens)"), series: tokens },
        ],
        colour_bar: bar("L, test loss (nats per token)", shown),
    }
}
