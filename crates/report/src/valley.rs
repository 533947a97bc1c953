//! The figure of a valley: how well data determine one parameter of a law.

use crate::figure::{Axis, Figure, Ink, Panel, Point, Series};
use scalelaw_lab::valley::Valley;

/// The floor of a valley as a line, and further series such as its minima upon it. `name` is the file's,
/// `parameter` the label of the horizontal axis.
pub fn figure(
    name: &str,
    [title, caption]: [String; 2],
    parameter: &str,
    valley: &Valley,
    upon: Vec<Series>,
) -> Figure {
    let positive = valley.floor.iter().all(|p| p.value > 0.0);
    let floor = valley.floor.iter().map(|p| Point::at(p.value, p.objective)).collect();
    let mut series = vec![Series::line("lowest, the others free", Ink::Hue(0), floor)];
    series.extend(upon);
    Figure {
        name: name.into(),
        title: title.into(),
        caption: caption.into(),
        panels: vec![Panel {
            title: "The valley".into(),
            x: if positive { Axis::log(parameter) } else { Axis::linear(parameter) },
            y: Axis::linear("objective (sum over runs)"),
            series,
        }],
        colour_bar: None,
    }
}
