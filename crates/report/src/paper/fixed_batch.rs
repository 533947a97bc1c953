//! Figure 11: the best model size at fixed compute and at fixed steps, for the batch that the paper used.

use super::parts::at;
use crate::figure::{Axis, ColourBar, Figure, Ink, Key, Panel, Series, Spacing};
use scalelaw_lab::paper::ConstantsStudy;

pub(super) fn figure(published: &ConstantsStudy) -> Figure {
    let left = published.fixed_compute.iter().map(|line| {
        let label = crate::number::power_of_ten(libm::round(libm::log10(line.of)) as i32);
        Series::line(label, Ink::Value(line.of), at(line.points.iter().copied())).keyed(Key::Hidden)
    });
    let left = left.collect();
    let right = published.fixed_steps.iter().enumerate().map(|(i, line)| {
        let label = format!("{} steps", crate::number::count(line.of.round()));
        // The colours of the left panel, spread over the numbers of steps.
        let ink = Ink::Value(libm::exp10(f64::from(i as u32) * 1.25 - 5.0));
        Series::line(label, ink, at(line.points.iter().copied())).keyed(Key::Direct)
    });
    let right = right.collect();
    Figure {
        name: "figure-11".into(),
        title: "Figure 11: every budget has its best size".into(),
        caption: "Curves of equation 5.6 (Table 3) for runs at the paper's batch of 2^{19} tokens, with steps turned into \
                  S_{min} by equation 5.4 and B_{crit}(L) of Table 5. Left: fixed compute, by colour. Right: fixed updates. Fewer than one update, or losses above that of guessing, are left out."
            .into(),
        panels: vec![
            Panel {
                title: "Fixed compute".into(),
                x: Axis::log("N, non-embedding parameters"),
                y: Axis::log("L, test loss (nats per token)").from_to(2.4, 8.0),
                series: left,
            },
            Panel {
                title: "Fixed updates".into(),
                x: Axis::log("N, non-embedding parameters"),
                y: Axis::log("L, test loss (nats per token)").from_to(2.3, 4.4),
                series: right,
            },
        ],
        colour_bar: Some(ColourBar {
            label: "C (PF-days, 6N FLOPs), left panel".into(),
            spacing: Spacing::Log,
            lo: 1e-5,
            hi: 1.0,
        }),
    }
}
