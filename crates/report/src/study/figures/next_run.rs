//! The plan: the frontier measured, the frontier expected, and the planned run on it.

use super::parts::{LOSS, compute_axis, fitted, measured};
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series};
use crate::number::{count, significant};
use crate::study::symbols::{INTERVAL_OF_LINE, INTERVAL_OF_PLAN, budget};
use scalelaw_lab::study::Study;

pub(super) fn figure(study: &Study) -> Option<Figure> {
    let (plan, curve) = (study.plan.as_ref()?, study.laws.compute.as_ref()?);
    let mut series = fitted(curve, Ink::Hue(0));
    let edge = vec![Point::at(plan.largest_run, f64::NAN)];
    series
        .push(Series::line("largest run of this study", Ink::Muted, edge).marked(Mark::Upright(Dash::Solid)));
    let frontier = measured(&curve.points);
    series.push(Series::points("lowest loss measured at that compute", Marker::Disc, Ink::Data, frontier));
    let planned = Point::at(plan.compute, plan.loss).named("planned run");
    let planned = match plan.loss_interval {
        Some((lo, hi)) => planned.between(lo, hi),
        None => planned,
    };
    series.push(Series::points(
        "planned run (expected, not measured)",
        Marker::Star,
        Ink::Hue(1),
        vec![planned],
    ));
    let caption = format!(
        "Planned {}: N = {} {}, {} tokens. Everything right of the grey line is extrapolation, by {} decades of compute. \
         Bar of the planned run: {}. Band: {}.",
        budget(plan.factor),
        count(plan.n_params),
        study.conventions.params,
        count(plan.tokens),
        significant(plan.decades_beyond(), 2),
        INTERVAL_OF_PLAN,
        INTERVAL_OF_LINE,
    );
    Some(Figure {
        name: "plan".into(),
        title: "The next run, beyond the data".into(),
        caption: caption.into(),
        panels: vec![Panel {
            title: "Measured frontier and planned run".into(),
            x: compute_axis(study),
            y: Axis::log(LOSS),
            series,
        }],
        colour_bar: None,
    })
}
