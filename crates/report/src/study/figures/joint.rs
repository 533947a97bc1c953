//! The paper's Figure 4, left: loss against data for each model size, with the law of both.

use super::parts::{LOSS, data_axis, measured, params_bar, place};
use crate::figure::{Axis, Figure, Ink, Key, Marker, Panel, Series};
use crate::study::symbols::{constants, sentence, symbols};
use scalelaw_lab::study::Study;

pub(super) fn figure(study: &Study) -> Option<Figure> {
    let joint = study.laws.joint.as_ref()?;
    let mut series = Vec::new();
    for (i, line) in joint.lines.iter().enumerate() {
        // One entry in the key for all lines and one for all points: colour says the rest.
        let key = if i == 0 { Key::Legend } else { Key::Hidden };
        let ink = Ink::Value(line.n_params);
        let samples = line.samples.iter().map(place).collect();
        series.push(Series::line("L(N, D) at each N", ink, samples).keyed(key));
        series.push(
            Series::points("runs, lowest logged test loss", Marker::Disc, ink, measured(&line.points))
                .keyed(key),
        );
    }
    let mut caption = format!(
        "The left panel of Figure 4 of Kaplan et al. 2020 on this text: {}",
        symbols(&joint.equation)
    );
    for param in &joint.params {
        caption += &format!(", {} = {}", symbols(&param.name), sentence(param));
    }
    caption += ".";
    if let Some(published) = &joint.published {
        caption += &format!(" Published: {}.", constants(published));
    }
    Some(Figure {
        name: "loss-by-data-and-size".into(),
        title: "Loss against data, for each model size".into(),
        caption: caption.into(),
        panels: vec![Panel {
            title: "Small data stop large models".into(),
            x: data_axis(study),
            y: Axis::log(LOSS),
            series,
        }],
        colour_bar: params_bar(study),
    })
}
