//! Figures 3, 12 and 15: what follows from the constants, ours beside the published.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::{budget_rise, contradiction, wrong_size};
use scalelaw_lab::paper::{Contradiction, PaperStudy, RunSet};

const CHAIN: [RunSet; 2] = [RunSet::Sizes, RunSet::Batches];

pub(super) fn figure_3(study: &PaperStudy) -> Figure {
    let mut figure = budget_rise::figure(&study.published.budget_rise);
    let mut end = missing(study, &CHAIN);
    figure.title = "Figure 3: where a larger budget goes".into();
    figure.panels[0].title = "Published exponents".into();
    if let Some(rise) = &study.figures.budget_rise {
        let [s, b, n] = rise.exponents;
        figure.panels.push(budget_rise::panel("Exponents of these runs", rise, ", these runs"));
        end += &format!(
            " Right: N {}, B {}, S {} of the adjusted frontier of these runs, an extrapolation over nine decades that \
             they span only a part of.",
            significant(n, 2),
            significant(b, 2),
            significant(s, 2)
        );
    } else {
        end += " These runs have no adjusted frontier to put beside it.";
    }
    figure.caption = figure.caption.followed_by(&end);
    figure
}

pub(super) fn figure_12(study: &PaperStudy) -> Figure {
    let mut figure = wrong_size::figure(&study.published);
    figure.title = "Figure 12: what a size beside the optimum costs".into();
    let Some(sizes) = &study.figures.wrong_size else {
        let end = format!(" These runs have no L(N, S_{{min}}) to put beside it.{}", missing(study, &CHAIN));
        figure.caption = figure.caption.followed_by(&end);
        return figure;
    };
    let dashed = Mark::Line(Dash::Dashed, Weight::Heavy);
    figure.panels[0].series.push(
        Series::line("compute, constants of these runs", Ink::Data, wrong_size::compute(sizes))
            .marked(dashed),
    );
    figure.panels[1].series.push(
        Series::line("steps, constants of these runs", Ink::Data, wrong_size::steps(sizes)).marked(dashed),
    );
    let paid = sizes.for_a_fifth.map_or_else(String::new, |[lo, hi]| {
        format!(
            " With the constants of these runs (dashed) 20% more compute pays for {} to {} times the optimal size.",
            significant(lo, 2),
            significant(hi, 2)
        )
    });
    figure.caption = figure.caption.followed_by(&(paid + &missing(study, &CHAIN)));
    figure
}

pub(super) fn figure_15(study: &PaperStudy) -> Figure {
    let mut figure = contradiction::figure(&study.published.contradiction);
    figure.title = "Figure 15: where L(C_{min}) and L(D) cross".into();
    figure.panels[0].title = "Published constants".into();
    let missing = missing(study, &[RunSet::Sizes, RunSet::Data, RunSet::Batches]);
    let end = match &study.figures.contradiction {
        None => format!(" These runs have not the laws to put beside it.{missing}"),
        Some(ours) => {
            let crossing = ours.crossings.first();
            figure.panels.push(crossing_panel(ours));
            let words = crossing.map_or_else(
                || " Right: with the constants of these runs the two lines never cross.".to_owned(),
                |c| {
                    format!(
                        " Right: with the constants of these runs they cross at {} PF-days, {} nats, N {}, {} tokens: a \
                         place as far from these runs as the paper's is from its own, and as uncertain.",
                        significant(c.pf_days, 2),
                        significant(c.loss, 3),
                        significant(c.n, 2),
                        significant(c.d, 2)
                    )
                },
            );
            words + &missing
        }
    };
    figure.caption = figure.caption.followed_by(&end);
    figure
}

fn crossing_panel(ours: &Contradiction) -> Panel {
    let mut series = contradiction::laws(ours);
    for at in &ours.crossings {
        let point = vec![Point::at(at.pf_days, at.loss).named("these runs")];
        series.push(Series::points("crossing, these runs", Marker::Star, Ink::Data, point));
    }
    Panel {
        title: "Constants of these runs".into(),
        x: Axis::log("C_{min} (PF-days, 6N FLOPs)"),
        y: Axis::linear("L, test loss (nats per token)"),
        series,
    }
}
