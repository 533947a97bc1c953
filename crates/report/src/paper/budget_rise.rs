//! Figure 3: where a billion times more compute goes.

use super::published::log_spaced;
use crate::figure::{Axis, Figure, Ink, Key, Panel, Point, Series};
use crate::number::significant;
use scalelaw_fit::presets::kaplan2020::{BATCH, N_OPT, STEPS};

/// PF-days where the rise begins; it ends 10⁹ times higher.
const START: f64 = 1e-8;
const RISE: f64 = 1e9;

pub(super) fn figure() -> Figure {
    let [p_s, p_b, p_n] = [STEPS, BATCH, N_OPT].map(|monomial| monomial.c);
    Figure {
        name: "figure-03".into(),
        title: "Figure 3: most of a larger budget goes into a larger model".into(),
        caption: format!(
            "A billion times more compute, divided by the exponents of Table 6 (N {p_n}, B {p_b}, S {p_s}), stacked as \
             factors. The paper's labels: over 1,000,000 times the model, 100 times the batch, under 10 times the \
             serial steps."
        )
        .into(),
        panels: vec![panel("Factors of growth, stacked", [p_s, p_b, p_n], "")],
        colour_bar: None,
    }
}

/// The rise divided by exponents of S, B and N; `whose` follows the names in the key.
pub(super) fn panel(title: &str, [p_s, p_b, p_n]: [f64; 3], whose: &str) -> Panel {
    let (mut steps, mut batch, mut model) = (Vec::new(), Vec::new(), Vec::new());
    for pf_days in log_spaced(START, START * RISE, 46) {
        let rise = |exponent: f64| libm::pow(pf_days / START, exponent);
        let s = rise(p_s);
        let b = s * rise(p_b);
        let n = b * rise(p_n);
        steps.push(Point::at(pf_days, s).between(1.0, s));
        batch.push(Point::at(pf_days, b).between(s, b));
        model.push(Point::at(pf_days, n).between(b, n));
    }
    let name = |what: &str, exponent: f64| {
        format!("{what}{whose} (× {})", significant(libm::pow(RISE, exponent), 2))
    };
    let edge = |points: &[Point]| Series::line("", Ink::Data, points.to_vec()).keyed(Key::Hidden);
    let series = vec![
        Series::band(name("serial steps", p_s), Ink::Hue(1), steps.clone()),
        Series::band(name("batch", p_b), Ink::Hue(2), batch.clone()),
        Series::band(name("model size", p_n), Ink::Hue(0), model.clone()),
        edge(&steps),
        edge(&batch),
        edge(&model),
    ];
    Panel {
        title: title.into(),
        x: Axis::log("C_{min} (PF-days, 6N FLOPs)").from_to(START, START * RISE),
        y: Axis::log("multiplicative contribution").from_to(1.0, RISE),
        series,
    }
}
