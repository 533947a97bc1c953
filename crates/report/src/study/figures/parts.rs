//! What several figures draw alike: axes with their conventions, fitted lines, published slopes, learning curves.

use crate::figure::{Axis, ColourBar, Dash, Ink, Key, Mark, Marker, Point, Series, Spacing, Weight};
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_lab::lines::{in_logs, through_centre};
use scalelaw_lab::study::{FittedCurve, LawPoint, Published, RunRow, Sample, Study};

pub(super) const LOSS: &str = "L, test loss (nats per token)";

pub(super) fn params_axis(study: &Study) -> Axis {
    Axis::log(format!("N, {}", study.conventions.params))
}

pub(super) fn data_axis(study: &Study) -> Axis {
    Axis::log(format!("D, {}", study.conventions.data))
}

pub(super) fn compute_axis(study: &Study) -> Axis {
    Axis::log(format!("C, training {}", study.conventions.flops))
}

/// The colour scale of N over all runs; `None` where no run has an N.
pub(super) fn params_bar(study: &Study) -> Option<ColourBar> {
    let counts = || study.runs.iter().filter_map(|run| n_params(study, run));
    let (lo, hi) = (counts().fold(f64::INFINITY, f64::min), counts().fold(0.0, f64::max));
    (lo <= hi).then(|| ColourBar {
        label: format!("N, {}", study.conventions.params).into(),
        spacing: Spacing::Log,
        lo,
        hi: hi.max(lo * 1.5),
    })
}

pub(super) fn n_params(study: &Study, run: &RunRow) -> Option<f64> {
    match study.conventions.params {
        ParamConvention::NonEmbedding => run.n_nonembed,
        ParamConvention::Total => run.n_total,
        ParamConvention::Matmul => run.n_matmul,
    }
    .map(|n| n as f64)
}

fn flops(study: &Study, run: &RunRow) -> Option<f64> {
    match study.conventions.flops {
        FlopConvention::SixN => run.flops_6n,
        FlopConvention::Matmul => run.flops_matmul,
        FlopConvention::Full => run.flops_full,
    }
}

/// What a learning curve is drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    Tokens,
    Compute,
}

/// The learning curves of the runs on all data (over-fitted ones would say nothing about N), coloured by N.
pub(super) fn learning_curves(study: &Study, against: Against) -> Vec<Series> {
    let mut named = false;
    let all_data = study.runs.iter().filter_map(|run| run.d_unique).max();
    study
        .runs
        .iter()
        .filter(|run| run.d_unique == all_data)
        .filter_map(|run| {
            let n = n_params(study, run)?;
            let per_token = match against {
                Against::Tokens => 1.0,
                Against::Compute => flops(study, run)? / run.tokens? as f64,
            };
            let points: Vec<Point> = study
                .curves
                .iter()
                .filter(|row| row.run_id == run.run_id)
                .filter_map(|row| {
                    let x = row.tokens.filter(|tokens| *tokens > 0)? as f64 * per_token;
                    Some(Point::at(x, row.test_loss?).named(run.run_id.clone()))
                })
                .collect();
            if points.is_empty() {
                return None;
            }
            // They differ in colour only: one entry in the key names them all.
            let key = if named { Key::Hidden } else { Key::Legend };
            named = true;
            let line = Mark::Line(Dash::Solid, Weight::Thin);
            Some(
                Series::line("learning curves, coloured by N", Ink::Value(n), points).marked(line).keyed(key),
            )
        })
        .collect()
}

pub(super) fn measured(points: &[LawPoint]) -> Vec<Point> {
    points
        .iter()
        .map(|point| {
            let place = Point::at(point.x, point.loss).named(point.run_id.clone());
            match point.loss_se {
                Some(se) => place.between(point.loss - 1.96 * se, point.loss + 1.96 * se),
                None => place,
            }
        })
        .collect()
}

/// The fitted line: its band, the line within the data unbroken, the line beyond them dashed.
pub(super) fn fitted(curve: &FittedCurve, ink: Ink) -> Vec<Series> {
    let samples = with_ends_of_data(curve);
    let (lo, hi) = curve.data_range().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let part = |keep: &dyn Fn(f64) -> bool| -> Vec<Point> {
        samples.iter().filter(|sample| keep(sample.x)).map(place).collect()
    };
    let mut series = Vec::new();
    if samples.iter().any(|sample| sample.interval.is_some()) {
        series.push(Series::band("95% interval of the fitted line", ink, part(&|_| true)));
    }
    for beyond in [part(&|x| x <= lo), part(&|x| x >= hi)] {
        if beyond.len() > 1 {
            let dashed = Mark::Line(Dash::Dashed, Weight::Normal);
            series.push(Series::line("the fit beyond its data", ink, beyond).marked(dashed));
        }
    }
    let solid = Mark::Line(Dash::Solid, Weight::Heavy);
    series.push(Series::line("fit", ink, part(&|x| (lo..=hi).contains(&x))).marked(solid));
    series
}

/// The samples with one at either end of the data, straight in logarithms between its neighbours: the unbroken and
/// the dashed line must meet there.
fn with_ends_of_data(curve: &FittedCurve) -> Vec<Sample> {
    let mut samples = curve.samples.clone();
    let Some((lo, hi)) = curve.data_range() else { return samples };
    for x in [lo, hi] {
        let Some(after) = samples.iter().position(|sample| sample.x >= x) else { continue };
        if after == 0 || samples[after].x == x {
            continue;
        }
        let read = |y: fn(&Sample) -> Option<f64>| {
            let ends = samples[after - 1..=after].iter().map(|s| Some((s.x, y(s)?)));
            in_logs(&ends.collect::<Option<Vec<_>>>()?, x)
        };
        let Some(loss) = read(|s| Some(s.loss)) else { continue };
        let interval = read(|s| Some(s.interval?.0)).zip(read(|s| Some(s.interval?.1)));
        samples.insert(after, Sample { x, loss, interval });
    }
    samples
}

pub(super) fn place(sample: &Sample) -> Point {
    let point = Point::at(sample.x, sample.loss);
    match sample.interval {
        Some((lo, hi)) => point.between(lo, hi),
        None => point,
    }
}

/// The published exponent as a line through the centre of our points: tokens and text differ, so that its height
/// would mean nothing here; its slope does.
pub(super) fn published_slope(curve: &FittedCurve, published: &Published) -> Option<Series> {
    let places: Vec<(f64, f64)> = curve.points.iter().map(|p| (p.x, p.loss)).collect();
    let ends = through_centre(&places, -published.exponent)?;
    let points = ends.into_iter().map(|(x, loss)| Point::at(x, loss)).collect();
    let name = format!("slope of {} through the centre of our points", published.source);
    let dotted = Mark::Line(Dash::Dotted, Weight::Normal);
    Some(Series::line(name, Ink::Muted, points).marked(dotted))
}

/// The true source, across the panel.
pub(super) fn floor(study: &Study) -> Option<Series> {
    let floor = study.floor.as_ref()?;
    let points = vec![Point::at(f64::NAN, floor.loss).named(floor.source.clone())];
    Some(Series::line("loss of the true source", Ink::Hue(1), points).marked(Mark::Level(Dash::Solid)))
}

pub(super) fn run_points(points: &[LawPoint]) -> Series {
    Series::points(
        "runs (bar: ±1.96 standard errors over test tokens)",
        Marker::Disc,
        Ink::Data,
        measured(points),
    )
}
