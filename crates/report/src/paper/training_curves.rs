//! Figure 4 right: learning curves after equation 1.6.

use super::published::{SIZES, log_spaced, training};
use crate::figure::{Axis, ColourBar, Figure, Ink, Key, Panel, Point, Series, Spacing};
use crate::number::significant;

pub(super) fn figure() -> Figure {
    let constants = training();
    let series = SIZES
        .iter()
        .map(|(n, label)| {
            let points = log_spaced(2e3, 1.7e5, 60)
                .map(|s| Point::at(s, constants.loss(*n, s)).named(*label))
                .collect();
            Series::line(*label, Ink::Value(*n), points).keyed(Key::Direct)
        })
        .collect();
    Figure {
        name: "figure-04-right".into(),
        title: "Figure 4, right: learning curves of every size are one law".into(),
        caption: format!(
            "Equation 1.6 with Table 3 (α_{{N}} {}, α_{{S}} {}, N_{{c}} {}, S_{{c}} {}×10^{{3}}); the paper's runs are not drawn. \
             Names at the lines: N, non-embedding parameters.",
            constants.alpha_n,
            constants.alpha_s,
            significant(constants.n_c, 2),
            constants.s_c / 1e3
        )
        .into(),
        panels: vec![Panel {
            title: "L(N, S_{min})".into(),
            x: Axis::log("S_{min}, updates at a batch far above the critical one"),
            y: Axis::log("L, test loss (nats per token)").from_to(2.4, 4.4),
            series,
        }],
        colour_bar: Some(ColourBar {
            label: "N, non-embedding parameters".into(),
            spacing: Spacing::Log,
            lo: SIZES[0].0,
            hi: SIZES[5].0,
        }),
    }
}
