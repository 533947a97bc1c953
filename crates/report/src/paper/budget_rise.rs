//! Figure 3: where a billion times more compute goes.

use super::published::{log_spaced, table_6};
use crate::figure::{Axis, Figure, Ink, Key, Panel, Point, Series};
use crate::number::significant;
use scalelaw_core::PF_DAY;

/// PF-days where the rise begins; it ends 10⁹ times higher.
const START: f64 = 1e-8;
const RISE: f64 = 1e9;

pub(super) fn figure() -> Figure {
    let optima = table_6();
    // How many times more than at the start.
    let rise = |monomial: Option<scalelaw_fit::presets::Monomial>, pf_days: f64| {
        monomial.map_or(f64::NAN, |m| m.at(1.0, 1.0, pf_days * PF_DAY) / m.at(1.0, 1.0, START * PF_DAY))
    };
    let (mut steps, mut batch, mut model) = (Vec::new(), Vec::new(), Vec::new());
    for pf_days in log_spaced(START, START * RISE, 46) {
        let s = rise(optima.steps, pf_days);
        let b = s * rise(optima.batch, pf_days);
        let n = b * rise(optima.n, pf_days);
        steps.push(Point::at(pf_days, s).between(1.0, s));
        batch.push(Point::at(pf_days, b).between(s, b));
        model.push(Point::at(pf_days, n).between(b, n));
    }
    let end = START * RISE;
    let name = |what: &str, monomial| format!("{what} (× {})", significant(rise(monomial, end), 2));
    let edge = |points: &[Point]| Series::line("", Ink::Data, points.to_vec()).keyed(Key::Hidden);
    let series = vec![
        Series::band(name("serial steps", optima.steps), Ink::Hue(1), steps.clone()),
        Series::band(name("batch", optima.batch), Ink::Hue(2), batch.clone()),
        Series::band(name("model size", optima.n), Ink::Hue(0), model.clone()),
        edge(&steps),
        edge(&batch),
        edge(&model),
    ];
    Figure {
        name: "figure-03".into(),
        title: "Figure 3: most of a larger budget goes into a larger model".into(),
        caption: "A billion times more compute, divided by the exponents of Table 6 (N 0.73, B 0.24, S 0.03), stacked as \
                  factors. The paper's labels: over 1,000,000 times the model, 100 times the batch, under 10 times the \
                  serial steps."
            .into(),
        panels: vec![Panel {
            title: "Factors of growth, stacked".into(),
            x: Axis::log("C_{min} (PF-days, 6N FLOPs)").from_to(START, end),
            y: Axis::log("multiplicative contribution").from_to(1.0, RISE),
            series,
        }],
        colour_bar: None,
    }
}
