//! The marks of one series, cut at the axes.

use super::clip;
use super::colour::Rgb;
use super::key;
use super::panel::Axes;
use super::scene::{Pen, Scene, Shape};
use super::series::{Mark, Point, Series};

/// Draws one series; says whether anything of it can be seen.
pub(super) fn draw(scene: &mut Scene, axes: &Axes, series: &Series, colour: Rgb) -> bool {
    let before = scene.shapes.len();
    let frame = &axes.frame;
    match series.mark {
        Mark::Line(dash, weight) => {
            let pen = Pen { colour, width: weight.pixels(), dash };
            for stretch in stretches(axes, series) {
                for piece in clip::line(&stretch, frame) {
                    scene.line(piece, pen);
                }
            }
        }
        Mark::Band => {
            let outline = band_outline(axes, series);
            let places = clip::area(&outline, frame);
            if places.len() >= 3 {
                scene.shapes.push(Shape::Area {
                    places,
                    fill: colour,
                    opacity: key::BAND_OPACITY,
                    pen: None,
                });
            }
        }
        Mark::Points(marker) => {
            for point in &series.points {
                if !(axes.admits(point) && axes.x.contains(point.x) && axes.y.contains(point.y)) {
                    continue;
                }
                let x = axes.x.pixel(point.x);
                if let Some((lo, hi)) = point.interval {
                    let ends = [lo, hi]
                        .map(|v| if axes.y.spacing.admits(v) { axes.y.pixel(v) } else { frame.bottom });
                    for piece in clip::line(&[(x, ends[0]), (x, ends[1])], frame) {
                        scene.line(piece, Pen::solid(colour, 1.1));
                    }
                }
                key::draw_marker(scene, marker, (x, axes.y.pixel(point.y)), colour);
            }
        }
        Mark::Level(dash) => {
            for point in &series.points {
                if axes.y.spacing.admits(point.y) && axes.y.contains(point.y) {
                    let y = axes.y.pixel(point.y);
                    let pen = Pen { colour, width: 1.2, dash };
                    scene.line(vec![(frame.left, y), (frame.right, y)], pen);
                }
            }
        }
        Mark::Upright(dash) => {
            for point in &series.points {
                if axes.x.spacing.admits(point.x) && axes.x.contains(point.x) {
                    let x = axes.x.pixel(point.x);
                    let pen = Pen { colour, width: 1.2, dash };
                    scene.line(vec![(x, frame.top), (x, frame.bottom)], pen);
                }
            }
        }
    }
    scene.shapes.len() > before
}

impl Axes {
    fn admits(&self, point: &Point) -> bool {
        self.x.spacing.admits(point.x) && self.y.spacing.admits(point.y)
    }
}

/// A line breaks at a point that has no place: a gap is a gap.
pub(super) fn stretches(axes: &Axes, series: &Series) -> Vec<Vec<(f64, f64)>> {
    series
        .points
        .split(|point| !axes.admits(point))
        .map(|stretch| stretch.iter().map(|point| (axes.x.pixel(point.x), axes.y.pixel(point.y))).collect())
        .collect()
}

fn band_outline(axes: &Axes, series: &Series) -> Vec<(f64, f64)> {
    let edge = |point: &Point, bound: f64| {
        let y = if axes.y.spacing.admits(bound) {
            axes.y.pixel(bound)
        } else {
            // Zero or less on a log axis: the band reaches below whatever is seen.
            axes.frame.bottom + 1.0
        };
        (axes.x.pixel(point.x), y)
    };
    let points: Vec<(&Point, (f64, f64))> = series
        .points
        .iter()
        .filter(|point| axes.x.spacing.admits(point.x))
        .filter_map(|point| point.interval.map(|interval| (point, interval)))
        .filter(|(_, (lo, hi))| !lo.is_nan() && axes.y.spacing.admits(*hi))
        .collect();
    let upper = points.iter().map(|(point, (_, hi))| edge(point, *hi));
    let lower = points.iter().rev().map(|(point, (lo, _))| edge(point, *lo));
    upper.chain(lower).collect()
}
