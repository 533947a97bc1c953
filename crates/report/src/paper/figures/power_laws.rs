//! Figure 1: power laws in C, D and N. Figure 23: the logarithm as a rival of L(N).

use super::Study;
use super::parts::{
    HEAVY, LOSS, SIZE, THIN, at, bar, beside_chain, beside_law, compute_axis, law_line, loss_axis,
    named_once, published_slope, range, size_axis,
};
use crate::figure::{Axis, Figure, Ink, Marker, Panel, Point, Series};
use crate::paper::fits::Fitted;
use crate::paper::runs::RunSet;
use scalelaw_fit::chain::Section;
use scalelaw_fit::presets::kaplan2020::{L_C, L_C_MIN, L_D, L_N};
use scalelaw_fit::{Curve, Envelope, FrontierPoint, envelope, readings};

pub(super) fn figure_1(study: &Study<'_>) -> Figure {
    let fits = study.fits;
    let law = |fit: &Result<Fitted, String>| fit.as_ref().map(|f| f.law.clone()).map_err(String::clone);
    let caption = format!(
        "Left: learning curves of the trunks (constant rate), their lower envelope, and the published slope of \
         L(C_{{min}}) through it. Middle: the largest size on nested amounts of text, early-stopped. Right: sizes of two \
         layers or more with ample data (squares: sizes left out of the fit). {}, {}; {}; {}. Bands: 95% intervals of \
         the fitted lines.{}",
        beside_chain("α_{C}", &fits.chain, Section::NaiveFrontier, "alpha_C", L_C.exponent),
        beside_chain("α_{C,min}", &fits.chain, Section::AdjustedFrontier, "alpha_C_min", L_C_MIN.exponent),
        beside_law("α_{D}", &law(&fits.d), "alpha_D", L_D.exponent),
        beside_law("α_{N}", &law(&fits.n), "alpha_N", L_N.exponent),
        study.missing(&[RunSet::Sizes, RunSet::Data, RunSet::Batches]),
    );
    Figure {
        name: "figure-01".into(),
        title: "Figure 1: loss against compute, data and size".into(),
        caption: caption.into(),
        panels: vec![
            Panel { title: "Compute".into(), x: compute_axis(), y: loss_axis(), series: compute(study) },
            Panel {
                title: "Data".into(),
                x: Axis::log("D, unique tokens"),
                y: loss_axis(),
                series: points_and_line(&fits.d, "D", L_D.exponent),
            },
            Panel { title: "Size".into(), x: size_axis(), y: loss_axis(), series: sizes(study) },
        ],
        colour_bar: bar(SIZE, study.runs.trunks().iter().map(|run| run.n())),
    }
}

/// The lower envelope of A's trunks after the warm-up, against PF-days.
fn front(study: &Study<'_>) -> Vec<FrontierPoint> {
    let skip = study.estimators.chain.skip_steps;
    let curves: Vec<Curve> = study
        .runs
        .trunks()
        .iter()
        .map(|run| Curve {
            run: run.row.run_id.clone(),
            points: run.losses(skip).map(|(step, loss)| (run.pf_days(step), loss)).collect(),
        })
        .collect();
    envelope(&curves, Envelope::RunningMinimum).map(|e| readings(&e, 8)).unwrap_or_default()
}

fn compute(study: &Study<'_>) -> Vec<Series> {
    let mut series: Vec<Series> = study
        .runs
        .trunks()
        .iter()
        .map(|run| {
            let points = at(run.losses(1.0).map(|(step, loss)| (run.pf_days(step), loss)));
            Series::line("learning curves, coloured by N", Ink::Value(run.n()), points).marked(THIN)
        })
        .collect();
    series = named_once(series);
    let front: Vec<(f64, f64)> = front(study).iter().map(|p| (p.cost, p.loss)).collect();
    if !front.is_empty() {
        series.push(Series::line("lower envelope", Ink::Data, at(front.iter().copied())).marked(HEAVY));
    }
    series.extend(published_slope(&front, -L_C_MIN.exponent, "published slope through the centre of ours"));
    series
}

/// Points, the fitted line, and the published slope.
fn points_and_line(fit: &Result<Fitted, String>, variable: &str, exponent: f64) -> Vec<Series> {
    let Ok(fit) = fit else { return vec![] };
    let places: Vec<(f64, f64)> = fit.points.iter().map(|p| (p.0, p.1)).collect();
    let mut series = range(places.iter().map(|p| p.0))
        .map_or_else(Vec::new, |span| law_line(&fit.law, variable, span, "fit", Ink::Hue(0)));
    series.extend(published_slope(&places, -exponent, "published slope through the centre of ours"));
    let named = fit.points.iter().map(|p| Point::at(p.0, p.1).named(p.2.clone())).collect();
    series.push(Series::points("runs", Marker::Disc, Ink::Data, named));
    series
}

fn sizes(study: &Study<'_>) -> Vec<Series> {
    let mut series = points_and_line(&study.fits.n, "N", L_N.exponent);
    let used = study.fits.n.as_ref().map_or(&[][..], |fit| &fit.points[..]);
    let left_out: Vec<Point> = study
        .runs
        .longest()
        .into_iter()
        .filter(|run| used.iter().all(|p| p.2 != run.row.run_id))
        .map(|run| Point::at(run.n(), run.loss()).named(run.row.run_id.clone()))
        .collect();
    if !left_out.is_empty() {
        series.push(Series::points(
            "one layer, or under 100 tokens per parameter",
            Marker::Square,
            Ink::Muted,
            left_out,
        ));
    }
    series
}

pub(super) fn figure_23(study: &Study<'_>) -> Figure {
    let fits = study.fits;
    let rms = |fit: &Result<Fitted, String>| {
        fit.as_ref().map_or_else(|_| "–".into(), |f| format!("{:.4}", f.law.diagnostics.rms_log))
    };
    let caption = format!(
        "A power law and −a·ln(N/b) through the same points; the paper's are (8.8×10^{{13}}/N)^{{0.076}} and \
         −0.25·ln(N/7.1×10^{{12}}). Root mean square of the residuals in ln L: power law {}, logarithm {}. Beyond the \
         points (dashed) the two part. {}{}",
        rms(&fits.n),
        rms(&fits.n_log),
        fits.n_log.as_ref().map_or_else(
            |reason| format!("No fit: {reason}."),
            |f| format!("Here {}.", f.law.equation_with_values())
        ),
        study.missing(&[RunSet::Sizes, RunSet::Seeds]),
    );
    let mut series = Vec::new();
    if let (Ok(power), Ok(log)) = (&fits.n, &fits.n_log)
        && let Some((lo, hi)) = range(power.points.iter().map(|p| p.0))
    {
        for (fit, name, ink) in [(power, "power law", Ink::Hue(0)), (log, "logarithm", Ink::Hue(1))] {
            let wide = law_line(&fit.law, "N", (lo / 30.0, hi * 30.0), name, ink);
            series.push(wide[1].clone().marked(super::parts::DASHED).keyed(crate::figure::Key::Hidden));
            series.push(law_line(&fit.law, "N", (lo, hi), name, ink)[1].clone());
        }
        let points = power.points.iter().map(|p| Point::at(p.0, p.1).named(p.2.clone())).collect();
        series.push(Series::points("runs", Marker::Disc, Ink::Data, points));
    }
    Figure {
        name: "figure-23".into(),
        title: "Figure 23: L(N) as a power law and as a logarithm".into(),
        caption: caption.into(),
        panels: vec![Panel { title: "L(N)".into(), x: size_axis(), y: Axis::linear(LOSS), series }],
        colour_bar: None,
    }
}
