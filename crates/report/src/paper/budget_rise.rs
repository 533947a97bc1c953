//! Figure 3: where a billion times more compute goes.

use crate::figure::{Axis, Figure, Ink, Key, Panel, Point, Series};
use crate::number::significant;
use scalelaw_lab::paper::BudgetRise;

pub(super) fn figure(rise: &BudgetRise) -> Figure {
    let [p_s, p_b, p_n] = rise.exponents;
    Figure {
        name: "figure-03".into(),
        title: "Figure 3: most of a larger budget goes into a larger model".into(),
        caption: format!(
            "A billion times more compute, divided by the exponents of Table 6 (N {p_n}, B {p_b}, S {p_s}), stacked as \
             factors. The paper's labels: over 1,000,000 times the model, 100 times the batch, under 10 times the \
             serial steps."
        )
        .into(),
        panels: vec![panel("Factors of growth, stacked", rise, "")],
        colour_bar: None,
    }
}

/// The stacked factors; `whose` follows the names in the key.
pub(super) fn panel(title: &str, rise: &BudgetRise, whose: &str) -> Panel {
    let layer = |i: usize| -> Vec<Point> {
        let below = |stacked: &[f64; 3]| if i == 0 { 1.0 } else { stacked[i - 1] };
        rise.places
            .iter()
            .map(|(c, stacked)| Point::at(*c, stacked[i]).between(below(stacked), stacked[i]))
            .collect()
    };
    let [steps, batch, model] = [layer(0), layer(1), layer(2)];
    let [s, b, n] = rise.factors.map(|factor| significant(factor, 2));
    let edge = |points: &[Point]| Series::line("", Ink::Data, points.to_vec()).keyed(Key::Hidden);
    let series = vec![
        Series::band(format!("serial steps{whose} (× {s})"), Ink::Hue(1), steps.clone()),
        Series::band(format!("batch{whose} (× {b})"), Ink::Hue(2), batch.clone()),
        Series::band(format!("model size{whose} (× {n})"), Ink::Hue(0), model.clone()),
        edge(&steps),
        edge(&batch),
        edge(&model),
    ];
    Panel {
        title: title.into(),
        x: Axis::log("C_{min} (PF-days, 6N FLOPs)")
            .from_to(BudgetRise::START, BudgetRise::START * BudgetRise::RISE),
        y: Axis::log("multiplicative contribution").from_to(1.0, BudgetRise::RISE),
        series,
    }
}
