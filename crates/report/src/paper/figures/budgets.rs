//! Figures 11, 13 and 14: the best size for a budget, in compute as it was spent and as it could have been.

use super::adjusted;
use crate::figure::{Axis, Figure, Ink, Key, Marker, Panel, Point, Series};
use crate::number::count;
use crate::paper::parts::{
    COMPUTE, DASHED, HEAVY, SIZE, THIN, at, bar, beside_chain, compute_axis, loss_axis, named_once,
    published_slope, size_axis,
};
use scalelaw_lab::paper::kaplan2020::{L_C, L_C_MIN, N_OPT, N_OPT_NAIVE, STEPS};
use scalelaw_lab::paper::{Cut, PaperStudy, RunSet, Section};

const CHAIN: [RunSet; 2] = [RunSet::Sizes, RunSet::Batches];

pub(super) fn figure_11(study: &PaperStudy) -> Figure {
    let budgets = &study.figures.budgets;
    let shown: Vec<f64> = budgets.fixed_compute.iter().map(|cut| cut.at).collect();
    let left = cuts(&budgets.fixed_compute, |cut| Ink::Value(cut.at), None);
    let right = budgets.steps.map_or_else(Vec::new, |(s_lo, s_hi)| {
        // The colours of the left panel, spread over the numbers of updates.
        let colour = |cut: &Cut| {
            let share = libm::log(cut.at / s_lo) / libm::log(s_hi / s_lo);
            Ink::Value(shown[0] * libm::pow(shown[shown.len() - 1] / shown[0], share))
        };
        let name = |s: f64| format!("{} updates", count(s));
        cuts(&budgets.fixed_steps, colour, Some(&name))
    });
    Figure {
        name: "figure-11".into(),
        title: "Figure 11: loss against size at fixed compute and at fixed updates".into(),
        caption: format!(
            "Points: A's trunks at fixed compute (left, colour) and at fixed updates (right), read from their smoothed \
             curves. Lines: equation 5.6 with the constants of these runs through equations 5.4 and 5.5.{}",
            adjusted(study, &CHAIN)
        )
        .into(),
        panels: vec![
            Panel { title: "Fixed compute".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel { title: "Fixed updates".into(), x: size_axis(), y: loss_axis(), series: right },
        ],
        colour_bar: bar(&format!("{COMPUTE}, left panel"), shown),
    }
}

/// Points and fitted lines of cuts; with names the lines carry them at their ends.
fn cuts(cuts: &[Cut], ink: impl Fn(&Cut) -> Ink, name: Option<&dyn Fn(f64) -> String>) -> Vec<Series> {
    let (mut points, mut lines) = (Vec::new(), Vec::new());
    for cut in cuts {
        if let Some(fitted) = &cut.fitted {
            let said = name.map_or_else(|| "equation 5.6, fitted".to_owned(), |name| name(cut.at));
            let line = Series::line(said, ink(cut), at(fitted.iter().copied()));
            lines.push(if name.is_some() { line.keyed(Key::Direct) } else { line });
        }
        let reached = cut.points.iter().map(|(n, loss, run)| Point::at(*n, *loss).named(run.clone()));
        let drawn = Series::points("trunks of A", Marker::Disc, ink(cut), reached.collect());
        points.push(if name.is_some() { drawn.keyed(Key::Hidden) } else { drawn });
    }
    let mut series = if name.is_some() { lines } else { named_once(lines) };
    series.extend(named_once(points));
    series
}

pub(super) fn figure_13(study: &PaperStudy) -> Figure {
    let curves = study.runs.trunks().into_iter().map(|run| {
        let points = at(run.losses(1.0).map(|(step, loss)| (run.pf_days(step), loss)));
        Series::line("learning curves, as spent", Ink::Muted, points).marked(THIN)
    });
    let mut series = named_once(curves.collect());
    for front in &study.figures.budgets.loss {
        let (name, marker, hue) = match front.section {
            Section::NaiveFrontier => ("as spent, batch of the runs", Marker::Disc, 0),
            _ => ("adjusted to C_{min}", Marker::Square, 1),
        };
        let places = at(front.places.iter().copied());
        series.push(Series::points(format!("envelope, {name}"), marker, Ink::Hue(hue), places));
        if !front.line.is_empty() {
            let line = at(front.line.iter().copied());
            series.push(
                Series::line(format!("frontier of the chain, {name}"), Ink::Hue(hue), line).marked(HEAVY),
            );
        }
        series.extend(published_slope(front.slope, "published slopes through the centres of ours"));
    }
    Figure {
        name: "figure-13".into(),
        title: "Figure 13: loss against compute, as spent and adjusted".into(),
        caption: format!(
            "Envelopes of A's trunks of two layers or more in 6NBS and in C_{{min}} = C/(1 + B/B_{{crit}}(L)); lines: the \
             chain's frontiers, over the compute at which the best size lies between two others. {}; {}. The paper's lump at 10^{{−5}} PF-days is the step from one layer to two.{}",
            beside_chain("α_{C}", &study.fits, Section::NaiveFrontier, "alpha_C", L_C.exponent),
            beside_chain("α_{C,min}", &study.fits, Section::AdjustedFrontier, "alpha_C_min", L_C_MIN.exponent),
            adjusted(study, &CHAIN)
        )
        .into(),
        panels: vec![Panel { title: "L(C)".into(), x: compute_axis(), y: loss_axis(), series }],
        colour_bar: None,
    }
}

pub(super) fn figure_14(study: &PaperStudy) -> Figure {
    let budgets = &study.figures.budgets;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    if !budgets.on_envelope.is_empty() {
        let places = at(budgets.on_envelope.iter().copied());
        left.push(Series::points("size on the envelope, as spent", Marker::Ring, Ink::Muted, places));
    }
    for front in &budgets.size {
        let (name, marker, hue) = match front.section {
            Section::NaiveFrontier => ("as spent", Marker::Disc, 0),
            _ => ("adjusted", Marker::Square, 1),
        };
        let [places, line] = [&front.places, &front.line].map(|places| at(places.iter().copied()));
        left.push(Series::points(format!("N_{{opt}}, {name}"), marker, Ink::Hue(hue), places));
        left.push(Series::line(format!("its power law, {name}"), Ink::Hue(hue), line).marked(HEAVY));
        left.extend(published_slope(front.slope, "published slopes through the centres of ours"));
    }
    if let Some(steps) = &budgets.updates {
        let updates = at(steps.updates.iter().copied());
        right.push(Series::points("updates at the batch of the runs", Marker::Disc, Ink::Hue(0), updates));
        right.push(Series::points("S_{min}", Marker::Square, Ink::Hue(1), at(steps.least.iter().copied())));
        if !steps.line.is_empty() {
            let line = at(steps.line.iter().copied());
            right.push(Series::line("S_{min} of the chain", Ink::Hue(1), line).marked(DASHED));
        }
        let name = "published slope of S_{min} through the centre of ours";
        right.extend(published_slope(steps.slope, name));
    }
    Figure {
        name: "figure-14".into(),
        title: "Figure 14: best size and steps against compute".into(),
        caption: format!(
            "Left: the chain's N_{{opt}}, by parabolas through neighbouring sizes, where the best size lies between two others \
             (rings: which of A's sizes is on the envelope): {}, {}. Right: updates on the adjusted envelope; {}.{}",
            beside_chain("N ∝ C_{min} to the", &study.fits, Section::AdjustedFrontier, "p_N", N_OPT.c),
            beside_chain("as spent", &study.fits, Section::NaiveFrontier, "p_N", N_OPT_NAIVE.c),
            beside_chain("S_{min} ∝ C_{min} to the", &study.fits, Section::AdjustedFrontier, "p_S", STEPS.c),
            adjusted(study, &CHAIN)
        )
        .into(),
        panels: vec![
            Panel {
                title: "Size".into(),
                x: compute_axis(),
                y: Axis::log(format!("{SIZE}, best")),
                series: left,
            },
            Panel {
                title: "Steps".into(),
                x: Axis::log("C_{min}, 6N FLOPs (PF-days)"),
                y: Axis::log("updates"),
                series: right,
            },
        ],
        colour_bar: None,
    }
}
