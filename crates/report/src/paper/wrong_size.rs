//! Figure 12: what the wrong model size costs.

use crate::figure::{Axis, Dash, Figure, Ink, Mark, Panel, Point, Series};
use crate::number::significant;
use scalelaw_lab::paper::kaplan2020::TOLERABLE_COMPUTE;
use scalelaw_lab::paper::{ConstantsStudy, WrongSizes};

/// Compute against size.
pub(super) fn compute(sizes: &WrongSizes) -> Vec<Point> {
    sizes.curve.iter().map(|wrong| Point::at(wrong.x, wrong.compute)).collect()
}

/// Steps against size.
pub(super) fn steps(sizes: &WrongSizes) -> Vec<Point> {
    sizes.curve.iter().map(|wrong| Point::at(wrong.x, wrong.steps)).collect()
}

pub(super) fn figure(published: &ConstantsStudy) -> Figure {
    let sizes = &published.wrong_size;
    let [(lo, cost_lo, _), (hi, cost_hi, steps_hi)] = published.worked.wrong_sizes;
    let band = [lo, hi].map(|x| Point::at(x, TOLERABLE_COMPUTE).between(0.0, 10.0)).to_vec();
    let more = significant(100.0 * (TOLERABLE_COMPUTE - 1.0), 2);
    let within = format!("{lo} to {hi} times the optimal size");
    let level = |y: f64| vec![Point::at(f64::NAN, y)];
    let caption = format!(
        "Equations B.16 and B.17 with Table 3. A model {lo} times the optimal size costs {} times the compute, {hi} times \
         the optimal size {} times and {}% of the steps; below {} times the optimal size the loss is never reached. The \
         paper's shaded band is {lo} to {hi}, its text says up to {more}%.",
        significant(cost_lo, 4),
        significant(cost_hi, 4),
        significant(100.0 * steps_hi, 2),
        significant(sizes.smallest, 3),
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
                    Series::band(within.as_str(), Ink::Muted, band.clone()),
                    Series::line(format!("{more}% more compute"), Ink::Muted, level(TOLERABLE_COMPUTE))
                        .marked(Mark::Level(Dash::Dotted)),
                    Series::line("compute", Ink::Hue(0), compute(sizes)),
                ],
            },
            Panel {
                title: "Excess steps".into(),
                x: Axis::log("N/N_{efficient}").from_to(0.25, 20.0),
                y: Axis::linear("S/S_{efficient}").from_to(0.0, 3.0),
                series: vec![
                    Series::band(within, Ink::Muted, band),
                    Series::line("steps", Ink::Hue(1), steps(sizes)),
                ],
            },
        ],
        colour_bar: None,
    }
}
