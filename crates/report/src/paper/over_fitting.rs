//! Figure 4 left and Figure 9: L(N, D) of equation 1.5 with Table 2.

use super::parts::{at, lines_named_at_their_ends};
use crate::figure::{Axis, ColourBar, Figure, Ink, Panel, Series, Spacing};
use crate::number::significant;
use scalelaw_lab::paper::kaplan2020::{Joint, L_N_D, OVERFITTING_EXPONENT};
use scalelaw_lab::paper::{ConstantsStudy, Line};

fn note() -> String {
    let Joint { n_c, d_c, alpha_n, alpha_d } = L_N_D;
    format!(
        "Equation 1.5 with Table 2 (α_{{N}} {alpha_n}, α_{{D}} {alpha_d}, N_{{c}} {}, D_{{c}} {})",
        significant(n_c, 2),
        significant(d_c, 2)
    )
}

pub(super) fn figure_4_left(published: &ConstantsStudy) -> Figure {
    Figure {
        name: "figure-04-left".into(),
        title: "Figure 4, left: loss against data for each model size".into(),
        caption: format!(
            "{}; the paper's points are not drawn. Names at the lines: N, non-embedding parameters.",
            note()
        )
        .into(),
        panels: vec![Panel {
            title: "L(N, D)".into(),
            x: Axis::log("D, unique tokens"),
            y: Axis::log("L, test loss (nats per token)"),
            series: lines_named_at_their_ends(&published.loss_by_data),
        }],
        colour_bar: bar("N, non-embedding parameters", &published.loss_by_data),
    }
}

pub(super) fn figure_9(published: &ConstantsStudy) -> Figure {
    Figure {
        name: "figure-09".into(),
        title: format!("Figure 9: over-fitting depends on N^{{{OVERFITTING_EXPONENT}}}/D alone").into(),
        caption: format!(
            "{}. Left: early-stopped loss for each amount of data. Right: its relative excess over endless data, equation \
             4.3; the paper's points scatter around this line.",
            note()
        )
        .into(),
        panels: vec![
            Panel {
                title: "Loss by data".into(),
                x: Axis::log("N, non-embedding parameters"),
                y: Axis::log("L, test loss (nats per token)"),
                series: lines_named_at_their_ends(&published.loss_by_size),
            },
            Panel {
                title: "Excess of the loss over endless data".into(),
                x: Axis::log("N^{αN/αD} / D"),
                y: Axis::linear("δL = L(N, D)/L(N, ∞) − 1").from_to(0.0, 0.5),
                series: vec![Series::line("equation 4.3", Ink::Hue(0), at(published.excess.iter().copied()))],
            },
        ],
        colour_bar: bar("D, unique tokens", &published.loss_by_size),
    }
}

fn bar(label: &str, lines: &[Line]) -> Option<ColourBar> {
    let (lo, hi) = (lines.first()?.of, lines.last()?.of);
    Some(ColourBar { label: label.into(), spacing: Spacing::Log, lo, hi })
}
