//! Figure 15: where L(C_min) falls below what its own data allow.

use super::published::{log_spaced, loss_c_min, loss_d};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use scalelaw_core::PF_DAY;
use scalelaw_fit::plan::contradiction::{Claims, sensitivity};
use scalelaw_fit::presets::Monomial;

pub(super) fn figure() -> Figure {
    let claims = Claims::PAPER;
    let compute =
        log_spaced(1e-8, 1e7, 60).map(|c| Point::at(c, loss_c_min(c, claims.c_c, claims.alpha_c))).collect();
    let data = log_spaced(1e-8, 1e7, 60)
        .map(|c| {
            let d = Monomial::of_pf_days(claims.d_0, claims.p).at(1.0, 1.0, c * PF_DAY);
            Point::at(c, loss_d(d, claims.d_c, claims.alpha_d))
        })
        .collect();
    let crossings = sensitivity();
    let variants =
        crossings.iter().map(|at| Point::at(at.pf_days, at.loss).named(at.claims.variant)).collect();
    let slope = claims.p * claims.alpha_d;
    let (least, most) = crossings
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(lo, hi), at| (lo.min(at.pf_days), hi.max(at.pf_days)));
    Figure {
        name: "figure-15".into(),
        title: "Figure 15: the laws contradict each other far beyond the data".into(),
        caption: format!(
            "L(C_{{min}}) with C_{{c}} {} PF-days and L(D) of the data that efficient training uses, {}·C^{{{}}} \
             tokens, which falls as C^{{−{}}} only. Where they cross depends on which of the paper's printed numbers one takes: the \
             diamonds are the variants of the sensitivity table, from {} to {} PF-days. The paper prints about 10^{{4}} PF-days, 1.7 nats.",
            significant(claims.c_c, 2),
            significant(claims.d_0, 1),
            claims.p,
            significant(slope, 2),
            significant(least, 2),
            significant(most, 2)
        )
        .into(),
        panels: vec![Panel {
            title: "Compute against data".into(),
            x: Axis::log("C_{min} (PF-days, 6N FLOPs)"),
            y: Axis::linear("L, test loss (nats per token)").from_to(1.0, 7.5),
            series: vec![
                Series::line("L(C_{min})", Ink::Hue(0), compute),
                Series::line("L(D(C_{min}))", Ink::Hue(1), data)
                    .marked(Mark::Line(Dash::Solid, Weight::Heavy)),
                Series::points("crossing, each printed variant", Marker::Diamond, Ink::Data, variants),
            ],
        }],
        colour_bar: None,
    }
}
