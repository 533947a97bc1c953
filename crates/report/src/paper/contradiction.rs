//! Figure 15: where L(C_min) falls below what its own data allow.

use super::parts::at;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::{power_of_ten, significant};
use scalelaw_lab::paper::Contradiction;
use scalelaw_lab::paper::kaplan2020::BREAK_DOWN;

/// The two laws.
pub(super) fn laws(contradiction: &Contradiction) -> Vec<Series> {
    let Contradiction { compute, data, .. } = contradiction;
    vec![
        Series::line("L(C_{min})", Ink::Hue(0), at(compute.iter().copied())),
        Series::line("L(D(C_{min}))", Ink::Hue(1), at(data.iter().copied()))
            .marked(Mark::Line(Dash::Solid, Weight::Heavy)),
    ]
}

pub(super) fn figure(published: &Contradiction) -> Figure {
    let Contradiction { claims, crossings, .. } = published;
    let variants =
        crossings.iter().map(|at| Point::at(at.pf_days, at.loss).named(at.claims.variant.as_str())).collect();
    let (least, most) = crossings
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(lo, hi), at| (lo.min(at.pf_days), hi.max(at.pf_days)));
    let mut series = laws(published);
    series.push(Series::points("crossing, each printed variant", Marker::Diamond, Ink::Data, variants));
    Figure {
        name: "figure-15".into(),
        title: "Figure 15: the laws contradict each other far beyond the data".into(),
        caption: format!(
            "L(C_{{min}}) with C_{{c}} {} PF-days and L(D) of the data that efficient training uses, {}·C^{{{}}} \
             tokens, which falls as C^{{−{}}} only. Where they cross depends on which of the paper's printed numbers one takes: the \
             diamonds are the variants of the sensitivity table, from {} to {} PF-days. The paper prints about {} PF-days, {} nats.",
            significant(claims.c_c, 2),
            significant(claims.d_0, 1),
            claims.p,
            significant(published.slope, 2),
            significant(least, 2),
            significant(most, 2),
            power_of_ten(BREAK_DOWN.log10_pf_days),
            BREAK_DOWN.loss
        )
        .into(),
        panels: vec![Panel {
            title: "Compute against data".into(),
            x: Axis::log("C_{min} (PF-days, 6N FLOPs)"),
            y: Axis::linear("L, test loss (nats per token)").from_to(1.0, 7.5),
            series,
        }],
        colour_bar: None,
    }
}
