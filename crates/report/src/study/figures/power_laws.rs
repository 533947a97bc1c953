//! The paper's Figure 1: loss against compute, data and parameters.

use super::parts::{
    Against, LOSS, compute_axis, data_axis, fitted, floor, learning_curves, measured, params_axis,
    params_bar, published_slope, run_points,
};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel, Series, Weight};
use crate::study::symbols::{INTERVAL_OF_LINE, equation, sentence};
use scalelaw_lab::study::{FittedCurve, Study};

/// The panels whose laws were fitted; nothing where none was.
pub(super) fn figure(study: &Study) -> Option<Figure> {
    let laws = &study.laws;
    let mut panels = Vec::new();
    if let Some(curve) = &laws.compute {
        let mut series = learning_curves(study, Against::Compute);
        let envelope = Mark::Line(Dash::Solid, Weight::Normal);
        series.push(
            Series::line("lowest loss of any run at that compute", Ink::Data, measured(&curve.points))
                .marked(envelope),
        );
        panels.push(panel("Compute", "C", compute_axis(study), curve, series));
    }
    if let Some(curve) = &laws.data {
        panels.push(panel("Data", "D", data_axis(study), curve, vec![run_points(&curve.points)]));
    }
    if let Some(curve) = &laws.params {
        let mut series = vec![run_points(&curve.points)];
        series.extend(floor(study));
        panels.push(panel("Parameters", "N", params_axis(study), curve, series));
    }
    (!panels.is_empty()).then(|| Figure {
        name: "power-laws".into(),
        title: "Loss against compute, data and parameters".into(),
        caption: caption(study).as_str().into(),
        panels,
        colour_bar: laws.compute.as_ref().and_then(|_| params_bar(study)),
    })
}

fn panel(title: &str, symbol: &str, x: Axis, curve: &FittedCurve, measured: Vec<Series>) -> Panel {
    let mut series = fitted(curve, Ink::Hue(0));
    // Learning curves lie under the fit, points on it.
    let under = measured.iter().position(|s| !matches!(s.ink, Ink::Value(_))).unwrap_or(measured.len());
    let mut all: Vec<Series> = measured[..under].to_vec();
    all.extend(curve.published.as_ref().and_then(|published| published_slope(curve, published)));
    all.append(&mut series);
    all.extend_from_slice(&measured[under..]);
    let exponent = crate::number::significant(curve.exponent.value, 2);
    Panel {
        title: format!("{title}: L ~ {symbol}^{{−{exponent}}}").into(),
        x,
        y: Axis::log(LOSS),
        series: all,
    }
}

fn caption(study: &Study) -> String {
    let laws = &study.laws;
    let mut text = String::from("The three panels of Figure 1 of Kaplan et al. 2020 on this text.");
    if laws.compute.is_some() {
        text += " Left: learning curves of the runs on all data, and the lowest loss that any of them has at a compute.";
    }
    for (name, curve) in [("L(C)", &laws.compute), ("L(D)", &laws.data), ("L(N)", &laws.params)] {
        let Some(curve) = curve else { continue };
        text += &format!(" {name}: exponent {}", sentence(&curve.exponent));
        if let Some(published) = &curve.published {
            text += &format!("; {}: {}", published.source, equation(published));
        }
        text += &format!("; band: {INTERVAL_OF_LINE}.");
    }
    text + " Dotted: the published slope, moved through the centre of our points, because other tokens and other text \
            move the whole line."
}
