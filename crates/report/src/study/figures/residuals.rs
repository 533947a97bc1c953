//! What L(N) leaves unexplained: a pattern here is a law that is wrong.

use super::parts::params_axis;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series};
use crate::study::symbols::{per_cent as share, symbols};
use scalelaw_lab::study::{LawPoint, Study};

pub(super) fn figure(study: &Study) -> Option<Figure> {
    let curve = study.laws.params.as_ref()?;
    let per_cent = |loss: f64, point: &LawPoint| 100.0 * (loss / point.fitted - 1.0);
    let residuals = curve
        .points
        .iter()
        .map(|point| {
            let place = Point::at(point.x, per_cent(point.loss, point)).named(point.run_id.clone());
            match point.loss_se {
                Some(se) => place.between(
                    per_cent(point.loss - 1.96 * se, point),
                    per_cent(point.loss + 1.96 * se, point),
                ),
                None => place,
            }
        })
        .collect();
    let zero = Series::line("the fit", Ink::Hue(0), vec![Point::at(f64::NAN, 0.0)])
        .marked(Mark::Level(Dash::Solid))
        .keyed(Key::Legend);
    let rms =
        curve.residual_rms().map_or_else(String::new, |rms| format!(" Root mean square {}.", share(rms)));
    Some(Figure {
        name: "residuals".into(),
        title: "What L(N) leaves unexplained".into(),
        caption: format!(
            "Measured loss above or below the fitted {}, in per cent of the fitted loss. Bars: ±1.96 standard errors over \
             test tokens; they do not contain the spread between seeds.{rms}",
            symbols(&curve.equation)
        )
        .into(),
        panels: vec![Panel {
            title: "Residuals of L(N)".into(),
            x: params_axis(study),
            y: Axis::linear("loss − fit (%)"),
            series: vec![
                zero,
                Series::points("runs (bar: ±1.96 standard errors over test tokens)", Marker::Disc, Ink::Data, residuals),
            ],
        }],
        colour_bar: None,
    })
}
