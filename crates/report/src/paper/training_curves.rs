//! Figure 4 right: learning curves after equation 1.6.

use super::parts::lines_named_at_their_ends;
use crate::figure::{Axis, ColourBar, Figure, Panel, Spacing};
use crate::number::significant;
use scalelaw_lab::paper::Line;
use scalelaw_lab::paper::kaplan2020::TRAINING;

pub(super) fn figure(learning: &[Line]) -> Figure {
    Figure {
        name: "figure-04-right".into(),
        title: "Figure 4, right: learning curves of every size are one law".into(),
        caption: format!(
            "Equation 1.6 with Table 3 (α_{{N}} {}, α_{{S}} {}, N_{{c}} {}, S_{{c}} {}×10^{{3}}); the paper's runs are not drawn. \
             Names at the lines: N, non-embedding parameters.",
            TRAINING.alpha_n,
            TRAINING.alpha_s,
            significant(TRAINING.n_c, 2),
            TRAINING.s_c / 1e3
        )
        .into(),
        panels: vec![Panel {
            title: "L(N, S_{min})".into(),
            x: Axis::log("S_{min}, updates at a batch far above the critical one"),
            y: Axis::log("L, test loss (nats per token)").from_to(2.4, 4.4),
            series: lines_named_at_their_ends(learning),
        }],
        colour_bar: learning.first().zip(learning.last()).map(|(first, last)| ColourBar {
            label: "N, non-embedding parameters".into(),
            spacing: Spacing::Log,
            lo: first.of,
            hi: last.of,
        }),
    }
}
