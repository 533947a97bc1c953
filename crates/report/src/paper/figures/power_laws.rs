//! Figure 1: power laws in C, D and N. Figure 23: the logarithm as a rival of L(N).

use super::missing;
use crate::figure::{Axis, Figure, Ink, Key, Marker, Panel, Point, Series};
use crate::number::significant;
use crate::paper::parts::{
    DASHED, HEAVY, LOSS, SIZE, THIN, at, bar, beside_chain, beside_law, compute_axis, law_line, loss_axis,
    named_once, published_slope, size_axis,
};
use scalelaw_lab::laws::{Fitted, Observation};
use scalelaw_lab::paper::kaplan2020::{L_C, L_C_MIN, L_D, L_N, L_N_LOG_FIGURE_23};
use scalelaw_lab::paper::{FittedLine, PaperStudy, Refusal, RunSet, Section};

const SLOPE: &str = "published slope through the centre of ours";

/// Runs at their first variable.
fn named(points: &[Observation]) -> Vec<Point> {
    points.iter().map(|p| Point::at(p.at[0], p.loss).named(p.run_id.clone())).collect()
}

pub(super) fn figure_1(study: &PaperStudy) -> Figure {
    let fits = &study.fits;
    let caption = format!(
        "Left: learning curves of the trunks (constant rate), their lower envelope, and the published slope of \
         L(C_{{min}}) through it. Middle: the largest size on nested amounts of text, early-stopped. Right: sizes of two \
         layers or more with ample data (squares: sizes left out of the fit). {}, {}; {}; {}. Bands: 95% intervals of \
         the fitted lines.{}",
        beside_chain("α_{C}", fits, Section::NaiveFrontier, "alpha_C", L_C.exponent),
        beside_chain("α_{C,min}", fits, Section::AdjustedFrontier, "alpha_C_min", L_C_MIN.exponent),
        beside_law("α_{D}", &fits.d, "alpha_D", L_D.exponent),
        beside_law("α_{N}", &fits.n, "alpha_N", L_N.exponent),
        missing(study, &[RunSet::Sizes, RunSet::Data, RunSet::Batches]),
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
                series: points_and_line(&fits.d, &study.figures.power_laws.data),
            },
            Panel { title: "Size".into(), x: size_axis(), y: loss_axis(), series: sizes(study) },
        ],
        colour_bar: bar(SIZE, study.runs.trunks().iter().map(|run| run.n())),
    }
}

fn compute(study: &PaperStudy) -> Vec<Series> {
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
    let front = &study.figures.power_laws.envelope;
    if !front.is_empty() {
        series.push(Series::line("lower envelope", Ink::Data, at(front.iter().copied())).marked(HEAVY));
    }
    series.extend(published_slope(study.figures.power_laws.envelope_slope, SLOPE));
    series
}

/// Points, the fitted line, and the published slope.
fn points_and_line(fit: &Result<Fitted, Refusal>, fitted: &FittedLine) -> Vec<Series> {
    let Ok(fit) = fit else { return vec![] };
    let mut series = law_line(&fitted.line, "fit", Ink::Hue(0)).to_vec();
    series.extend(published_slope(fitted.slope, SLOPE));
    series.push(Series::points("runs", Marker::Disc, Ink::Data, named(&fit.points)));
    series
}

fn sizes(study: &PaperStudy) -> Vec<Series> {
    let mut series = points_and_line(&study.fits.n, &study.figures.power_laws.size);
    let used = study.fits.n.as_ref().map_or(&[][..], |fit| &fit.points[..]);
    let left_out: Vec<Point> = study
        .runs
        .longest()
        .into_iter()
        .filter(|run| used.iter().all(|p| p.run_id != run.row.run_id))
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

pub(super) fn figure_23(study: &PaperStudy) -> Figure {
    let fits = &study.fits;
    let rms = |fit: &Result<Fitted, Refusal>| {
        fit.as_ref().map_or_else(|_| "–".into(), |f| format!("{:.4}", f.law.diagnostics.rms_log))
    };
    let caption = format!(
        "A power law and −a·ln(N/b) through the same points; the paper's are ({}/N)^{{{}}} and \
         −{}·ln(N/{}). Root mean square of the residuals in ln L: power law {}, logarithm {}. Beyond the \
         points (dashed) the two part. {}{}",
        significant(L_N.scale, 2),
        L_N.exponent,
        L_N_LOG_FIGURE_23.slope,
        significant(L_N_LOG_FIGURE_23.scale, 2),
        rms(&fits.n),
        rms(&fits.n_log),
        fits.n_log.as_ref().map_or_else(
            |reason| format!("No fit: {reason}."),
            |f| format!("Here {}.", f.law.equation_with_values())
        ),
        missing(study, &[RunSet::Sizes, RunSet::Seeds]),
    );
    let mut series = Vec::new();
    if let (Ok(power), Some(rivals)) = (&fits.n, &study.figures.power_laws.rivals) {
        let names = [("power law", Ink::Hue(0)), ("logarithm", Ink::Hue(1))];
        for (rival, (name, ink)) in rivals.iter().zip(names) {
            let [_, beyond] = law_line(&rival.beyond, name, ink);
            let [_, within] = law_line(&rival.within, name, ink);
            series.push(beyond.marked(DASHED).keyed(Key::Hidden));
            series.push(within);
        }
        series.push(Series::points("runs", Marker::Disc, Ink::Data, named(&power.points)));
    }
    Figure {
        name: "figure-23".into(),
        title: "Figure 23: L(N) as a power law and as a logarithm".into(),
        caption: caption.into(),
        panels: vec![Panel { title: "L(N)".into(), x: size_axis(), y: Axis::linear(LOSS), series }],
        colour_bar: None,
    }
}
