//! The paper's Figure 2: learning curves against tokens and against compute.

use super::parts::{Against, LOSS, compute_axis, floor, learning_curves, params_bar};
use crate::figure::{Axis, Figure, Panel};
use scalelaw_lab::study::Study;

pub(super) fn figure(study: &Study) -> Option<Figure> {
    let colour_bar = Some(params_bar(study)?);
    let panel = |title: &str, x: Axis, against| {
        let mut series = learning_curves(study, against);
        series.extend(floor(study));
        Panel { title: title.into(), x, y: Axis::log(LOSS), series }
    };
    let panels = vec![
        panel(
            "Larger models need fewer tokens to reach a loss",
            Axis::log("tokens processed"),
            Against::Tokens,
        ),
        panel("The best size grows with compute", compute_axis(study), Against::Compute),
    ];
    let any = panels.iter().any(|panel| !panel.series.is_empty());
    any.then(|| Figure {
        name: "learning-curves".into(),
        title: "Learning curves by model size".into(),
        caption: "The two panels of Figure 2 of Kaplan et al. 2020 on this text: test loss during training, every run \
                  on all data, coloured by N. Curves of a schedule that decays at its end drop there."
            .into(),
        panels,
        colour_bar,
    })
}
