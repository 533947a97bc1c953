//! Figure 11: the best model size at fixed compute and at fixed steps, for the batch that the paper used.

use super::published::{BATCH, log_spaced, training};
use crate::figure::{Axis, ColourBar, Figure, Ink, Key, Panel, Point, Series, Spacing};
use scalelaw_core::PF_DAY;
use scalelaw_fit::plan::batch::steps_min;
use scalelaw_fit::presets::KaplanConstants;

pub(super) fn figure() -> Figure {
    let constants = training();
    let budgets = (-5..=0).map(|exponent| (libm::exp10(f64::from(exponent)), format!("10^{{{exponent}}}")));
    let left = budgets
        .map(|(pf_days, label)| {
            let label = label.replace('-', "−");
            let points = log_spaced(1e4, 1e9, 90)
                .map(|n| Point::at(n, loss_of_run(&constants, n, pf_days * PF_DAY / (6.0 * n * BATCH), RUN)))
                .filter(|point| point.y.is_finite())
                .collect();
            Series::line(label, Ink::Value(pf_days), points).keyed(Key::Hidden)
        })
        .collect();
    let right = log_spaced(1e4, 1e5, 5)
        .enumerate()
        .map(|(i, steps)| {
            let points = log_spaced(1e6, 1e9, 60)
                .map(|n| Point::at(n, loss_of_run(&constants, n, steps, RUN)))
                .filter(|point| point.y.is_finite())
                .collect();
            let label = format!("{} steps", crate::number::count(steps.round()));
            Series::line(label, Ink::Value(libm::exp10(f64::from(i as u32) * 1.25 - 5.0)), points)
                .keyed(Key::Direct)
        })
        .collect();
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

/// How a run is trained and what it can say without training.
#[derive(Clone, Copy)]
pub(super) struct Trained {
    /// Tokens an update.
    pub batch: f64,
    /// Vocabulary: a model that knows nothing has the loss of guessing one of it.
    pub vocabulary: f64,
}

const RUN: Trained = Trained { batch: BATCH, vocabulary: 50_257.0 };

/// L of a run of so many updates: L = L(N, S_min) with S_min = S/(1 + B_crit(L)/B). The right side
/// falls as L rises, so halving finds the one solution. NaN for less than one update or a loss above guessing.
pub(super) fn loss_of_run(constants: &KaplanConstants, n: f64, steps: f64, run: Trained) -> f64 {
    if steps < 1.0 {
        return f64::NAN;
    }
    let guessing = libm::log(run.vocabulary);
    let excess = |l: f64| l - constants.loss(n, steps_min(steps, run.batch, constants.b_crit(l)));
    if excess(guessing) < 0.0 {
        return f64::NAN;
    }
    let (mut lo, mut hi) = (constants.converged(n), guessing);
    for _ in 0..80 {
        let middle = (lo + hi) / 2.0;
        if excess(middle) < 0.0 { lo = middle } else { hi = middle }
    }
    (lo + hi) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_of_the_paper_s_full_run_has_its_s_min() {
        // Reference sheet: S = 2.5e5 at L ≈ 2.45 is S_min ≈ 3.8e4.
        let constants = training();
        let l = loss_of_run(&constants, 708e6, 2.5e5, RUN);
        let s = steps_min(2.5e5, BATCH, constants.b_crit(l));
        assert!((l - 2.45).abs() < 0.1, "{l}");
        assert!((s / 3.8e4 - 1.0).abs() < 0.15, "{s}");
    }

    #[test]
    fn loss_without_an_update_or_above_guessing_is_none() {
        let constants = training();
        assert!(loss_of_run(&constants, 1e6, 0.5, RUN).is_nan());
        assert!(loss_of_run(&constants, 768.0, 1.0, RUN).is_nan());
    }
}
