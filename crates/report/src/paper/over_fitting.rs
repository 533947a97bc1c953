//! Figure 4 left and Figure 9: L(N, D) of equation 1.5 with Table 2.

use super::published::{SIZES, SUBSETS, log_spaced, loss_n_d};
use crate::figure::{Axis, ColourBar, Figure, Ink, Key, Panel, Point, Series, Spacing};
use crate::number::significant;
use scalelaw_fit::plan::overfit;
use scalelaw_fit::presets::kaplan2020::{Joint, L_N_D, OVERFITTING_EXPONENT};

fn note() -> String {
    let Joint { n_c, d_c, alpha_n, alpha_d } = L_N_D;
    format!(
        "Equation 1.5 with Table 2 (α_{{N}} {alpha_n}, α_{{D}} {alpha_d}, N_{{c}} {}, D_{{c}} {})",
        significant(n_c, 2),
        significant(d_c, 2)
    )
}

pub(super) fn figure_4_left() -> Figure {
    let series = SIZES
        .iter()
        .map(|(n, label)| {
            let points =
                log_spaced(1e7, 3e10, 60).map(|d| Point::at(d, loss_n_d(*n, d)).named(*label)).collect();
            Series::line(*label, Ink::Value(*n), points).keyed(Key::Direct)
        })
        .collect();
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
            series,
        }],
        colour_bar: Some(bar("N, non-embedding parameters", SIZES[0].0, SIZES[5].0)),
    }
}

pub(super) fn figure_9() -> Figure {
    let left = SUBSETS
        .iter()
        .map(|(d, label)| {
            let points =
                log_spaced(1e5, 2e9, 60).map(|n| Point::at(n, loss_n_d(n, *d)).named(*label)).collect();
            Series::line(*label, Ink::Value(*d), points).keyed(Key::Direct)
        })
        .collect();
    // N^(α_N/α_D)/D is all that the excess depends on: one N stands for every N.
    let ratio = L_N_D.alpha_n / L_N_D.alpha_d;
    let n = 1e8;
    let right = log_spaced(1e-4, 1e-1, 60)
        .map(|x| {
            let d = libm::pow(n, ratio) / x;
            Point::at(x, overfit(&loss_n_d, n, d))
        })
        .collect();
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
                series: left,
            },
            Panel {
                title: "Excess of the loss over endless data".into(),
                x: Axis::log("N^{αN/αD} / D"),
                y: Axis::linear("δL = L(N, D)/L(N, ∞) − 1").from_to(0.0, 0.5),
                series: vec![Series::line("equation 4.3", Ink::Hue(0), right)],
            },
        ],
        colour_bar: Some(bar("D, unique tokens", SUBSETS[0].0, SUBSETS[7].0)),
    }
}

fn bar(label: &str, lo: f64, hi: f64) -> ColourBar {
    ColourBar { label: label.into(), spacing: Spacing::Log, lo, hi }
}
