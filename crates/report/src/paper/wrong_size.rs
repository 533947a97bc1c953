//! Figure 12: what the wrong model size costs.

use super::published::{log_spaced, training};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel, Point, Series};
use crate::number::significant;

pub(super) fn figure() -> Figure {
    let constants = training();
    let curve = |pick: fn(&scalelaw_fit::plan::WrongSize) -> f64| -> Vec<Point> {
        log_spaced(constants.smallest_size() * 1.001, 20.0, 200)
            .filter_map(|x| constants.wrong_size(x))
            .map(|wrong| Point::at(wrong.x, pick(&wrong)))
            .collect()
    };
    let (lo, hi) = (0.6, 2.2);
    let band = [lo, hi].map(|x| Point::at(x, 1.2).between(0.0, 10.0)).to_vec();
    let level = |y: f64| vec![Point::at(f64::NAN, y)];
    let cost = |x: f64| constants.wrong_size(x).map_or(f64::NAN, |wrong| wrong.compute);
    let steps = constants.wrong_size(hi).map_or(f64::NAN, |wrong| wrong.steps);
    let caption = format!(
        "Equations B.16 and B.17 with Table 3. A model 0.6 times the optimal size costs {} times the compute, 2.2 times \
         the optimal size {} times and {}% of the steps; below {} times the optimal size the loss is never reached. The \
         paper's shaded band is 0.6 to 2.2, its text says up to 20%.",
        significant(cost(lo), 4),
        significant(cost(hi), 4),
        significant(100.0 * steps, 2),
        significant(constants.smallest_size(), 3),
    );
    Figure {
        name: "figure-12".into(),
        title: "Figure 12: sizes around the optimum cost little more".into(),
        caption: caption.into(),
        panels: vec![
            Panel {
                title: "Excess compute".into(),
                x: Axis::log("N/N_{efficient}").from_to(0.25, 20.0),
                y: Axis::linear("C/C_{efficient}").from_to(1.0, 3.0),
                series: vec![
                    Series::band("0.6 to 2.2 times the optimal size", Ink::Muted, band.clone()),
                    Series::line("20% more compute", Ink::Muted, level(1.2))
                        .marked(Mark::Level(Dash::Dotted)),
                    Series::line("compute", Ink::Hue(0), curve(|wrong| wrong.compute)),
                ],
            },
            Panel {
                title: "Excess steps".into(),
                x: Axis::log("N/N_{efficient}").from_to(0.25, 20.0),
                y: Axis::linear("S/S_{efficient}").from_to(0.0, 3.0),
                series: vec![
                    Series::band("0.6 to 2.2 times the optimal size", Ink::Muted, band),
                    Series::line("steps", Ink::Hue(1), curve(|wrong| wrong.steps)),
                ],
            },
        ],
        colour_bar: None,
    }
}
