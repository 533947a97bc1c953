//! One panel: margins from measured text, axes, then its series.

use super::clip::Frame;
use super::colour::{self, AXIS, GRID, INK, MUTED, Rgb};
use super::measure::{LINE_HEIGHT, width, wrap};
use super::scale::{Scale, Spacing};
use super::scene::{Anchor, Pen, Scene, Shape, Turn};
use super::series::{Ink, Key, Mark, Point};
use super::ticks::{Direction, Tick, ticks};
use super::{Axis, ColourBar, Omitted, Order, Panel, Range, direct, marks};
use crate::text::RichText;

pub(super) const WIDTH: f64 = 400.0;
pub(super) const HEIGHT: f64 = 330.0;
const TITLE_SIZE: f64 = 13.0;
const LABEL_SIZE: f64 = 12.0;
pub(super) const TICK_SIZE: f64 = 11.0;
const TICK_LENGTH: f64 = 5.0;
const EDGE: f64 = 6.0;

/// Axes fixed to pixels.
pub(super) struct Axes {
    pub(super) x: Scale,
    pub(super) y: Scale,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    pub(super) frame: Frame,
    title: Vec<RichText>,
    x_label: Vec<RichText>,
    y_label: Vec<RichText>,
}

pub(super) fn draw(panel: &Panel, colour_bar: Option<&ColourBar>) -> Scene {
    let mut scene = Scene::new(WIDTH, HEIGHT);
    let axes = lay_out(panel);
    draw_axes(&mut scene, &axes);
    let mut seen = false;
    for series in &panel.series {
        seen |= marks::draw(&mut scene, &axes, series, colour_of(series.ink, colour_bar));
    }
    if !seen {
        let middle = ((axes.frame.left + axes.frame.right) / 2.0, (axes.frame.top + axes.frame.bottom) / 2.0);
        scene.text(middle, "no data".into(), LABEL_SIZE, Anchor::Middle);
    }
    direct::draw(&mut scene, panel, &axes, colour_bar);
    scene
}

pub(super) fn colour_of(ink: Ink, colour_bar: Option<&ColourBar>) -> Rgb {
    match ink {
        Ink::Data => INK,
        Ink::Muted => MUTED,
        Ink::Hue(n) => colour::hue(n),
        Ink::Value(value) => match colour_bar {
            Some(bar) if bar.spacing.admits(value) => {
                let scale = Scale::new(bar.spacing, (bar.lo, bar.hi), (0.0, 1.0));
                colour::ramp(scale.pixel(value))
            }
            _ => MUTED,
        },
    }
}

pub(super) fn lay_out(panel: &Panel) -> Axes {
    let title = wrap(&panel.title, TITLE_SIZE, WIDTH - 4.0 * EDGE);
    let top = EDGE + title.len() as f64 * TITLE_SIZE * LINE_HEIGHT + 8.0;
    let x_label = wrap(&panel.x.label, LABEL_SIZE, WIDTH - 80.0);
    let bottom = HEIGHT
        - EDGE
        - x_label.len() as f64 * LABEL_SIZE * LINE_HEIGHT
        - TICK_SIZE * LINE_HEIGHT
        - TICK_LENGTH
        - 4.0;
    let y = Scale::new(panel.y.spacing, range(panel, Side::Y), ordered(&panel.y, (bottom, top)));
    let y_ticks = if is_empty(panel) { vec![] } else { ticks(&y, Direction::Vertical, TICK_SIZE) };
    let y_label = wrap(&panel.y.label, LABEL_SIZE, bottom - top);
    let tick_width = widest(y_ticks.iter().filter_map(|tick| tick.label.as_ref()), TICK_SIZE);
    let left = EDGE + y_label.len() as f64 * LABEL_SIZE * LINE_HEIGHT + 4.0 + tick_width + TICK_LENGTH + 4.0;
    let names = panel.series.iter().filter(|series| series.key == Key::Direct).map(|series| &series.name);
    let right = match widest(names, TICK_SIZE) {
        0.0 => WIDTH - 20.0,
        room => WIDTH - EDGE - room - 14.0,
    };
    let x = Scale::new(panel.x.spacing, range(panel, Side::X), ordered(&panel.x, (left, right)));
    let x_ticks = if is_empty(panel) { vec![] } else { ticks(&x, Direction::Horizontal, TICK_SIZE) };
    Axes { x, y, x_ticks, y_ticks, frame: Frame { left, top, right, bottom }, title, x_label, y_label }
}

/// Without a point an axis of automatic range has no numbers to show.
fn is_empty(panel: &Panel) -> bool {
    let ranges = [panel.x.range, panel.y.range];
    ranges.contains(&Range::Auto) && panel.series.iter().all(|series| series.points.is_empty())
}

fn ordered(axis: &Axis, (first, last): (f64, f64)) -> (f64, f64) {
    match axis.order {
        Order::Rising => (first, last),
        Order::Falling => (last, first),
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a RichText>, size: f64) -> f64 {
    texts.map(|text| width(text, size)).fold(0.0, f64::max)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    X,
    Y,
}

/// Share of an axis that is left free behind an interval that widens it.
const ROOM: f64 = 0.03;

/// The range of an axis. Intervals count until they have widened the range of the points and lines by their whole
/// length (error bars) or a third of it (bands) on one side: a very wide interval is cut rather than let it
/// flatten what was measured.
fn range(panel: &Panel, side: Side) -> (f64, f64) {
    let axis = match side {
        Side::X => &panel.x,
        Side::Y => &panel.y,
    };
    if let Range::Fixed { lo, hi } = axis.range {
        return (lo, hi);
    }
    let shown = || {
        panel.series.iter().flat_map(|series| {
            series
                .points
                .iter()
                .filter(|point| has_place(panel, series.mark, point))
                .map(move |point| (series.mark, point))
        })
    };
    let core = shown().filter_map(|(mark, point)| match (side, mark) {
        (Side::X, Mark::Level(_)) | (Side::Y, Mark::Upright(_) | Mark::Band) => None,
        (Side::X, _) => Some(point.x),
        (Side::Y, _) => Some(point.y),
    });
    let (lo, hi) = Scale::around(axis.spacing, core);
    if side == Side::X {
        return (lo, hi);
    }
    let scale = Scale::new(axis.spacing, (lo, hi), (0.0, 1.0));
    let (mut low, mut high) = (lo, hi);
    for (mark, point) in shown() {
        let Some((a, b)) = point.interval else { continue };
        let most = if mark == Mark::Band { 0.33 } else { 1.0 };
        for value in [a, b].into_iter().filter(|v| axis.spacing.admits(*v)) {
            let share = scale.pixel(value).clamp(-most, 1.0 + most);
            // Room behind its end: a bar that touches the frame looks cut.
            let room = if (0.0..=1.0).contains(&share) { 0.0 } else { ROOM.copysign(share) };
            let reached = at_share(&scale, share + room);
            low = low.min(reached);
            high = high.max(reached);
        }
    }
    (low, high)
}

fn at_share(scale: &Scale, share: f64) -> f64 {
    match scale.spacing {
        Spacing::Log => scale.lo * libm::exp10(share * libm::log10(scale.hi / scale.lo)),
        Spacing::Linear => scale.lo + share * (scale.hi - scale.lo),
    }
}

/// The point can be placed on the panel's axes, whatever their ranges.
fn has_place(panel: &Panel, mark: Mark, point: &Point) -> bool {
    let on = |axis: &Axis, value: f64| axis.spacing.admits(value);
    match mark {
        Mark::Level(_) => on(&panel.y, point.y),
        Mark::Upright(_) => on(&panel.x, point.x),
        Mark::Band => {
            on(&panel.x, point.x) && point.interval.is_some_and(|(lo, hi)| !lo.is_nan() && on(&panel.y, hi))
        }
        Mark::Line(..) | Mark::Points(_) => on(&panel.x, point.x) && on(&panel.y, point.y),
    }
}

pub(super) fn omitted(panel: &Panel) -> Omitted {
    let mut omitted = Omitted::default();
    let axes = lay_out(panel);
    for series in &panel.series {
        for point in &series.points {
            if !has_place(panel, series.mark, point) {
                omitted.without_place += 1;
            } else if matches!(series.mark, Mark::Points(_))
                && !(axes.x.contains(point.x) && axes.y.contains(point.y))
            {
                omitted.outside += 1;
            }
        }
    }
    omitted
}

fn draw_axes(scene: &mut Scene, axes: &Axes) {
    let frame = &axes.frame;
    for tick in axes.x_ticks.iter().filter(|tick| tick.label.is_some()) {
        let x = axes.x.pixel(tick.value);
        scene.line(vec![(x, frame.top), (x, frame.bottom)], Pen::solid(GRID, 0.8));
    }
    for tick in axes.y_ticks.iter().filter(|tick| tick.label.is_some()) {
        let y = axes.y.pixel(tick.value);
        scene.line(vec![(frame.left, y), (frame.right, y)], Pen::solid(GRID, 0.8));
    }
    let pen = Pen::solid(AXIS, 1.0);
    scene.line(vec![(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)], pen);
    for tick in &axes.x_ticks {
        let x = axes.x.pixel(tick.value);
        let length = tick_length(tick);
        scene.line(vec![(x, frame.bottom), (x, frame.bottom + length)], pen);
        if let Some(label) = &tick.label {
            let y = frame.bottom + TICK_LENGTH + TICK_SIZE * 1.1;
            scene.text((x, y), label.clone(), TICK_SIZE, Anchor::Middle);
        }
    }
    for tick in &axes.y_ticks {
        let y = axes.y.pixel(tick.value);
        let length = tick_length(tick);
        scene.line(vec![(frame.left - length, y), (frame.left, y)], pen);
        if let Some(label) = &tick.label {
            let at = (frame.left - TICK_LENGTH - 3.0, y + TICK_SIZE * 0.36);
            scene.text(at, label.clone(), TICK_SIZE, Anchor::End);
        }
    }
    draw_names(scene, axes);
}

fn tick_length(tick: &Tick) -> f64 {
    if tick.label.is_some() { TICK_LENGTH } else { TICK_LENGTH * 0.55 }
}

fn draw_names(scene: &mut Scene, axes: &Axes) {
    let frame = &axes.frame;
    let title_x =
        (2.0 * EDGE).max(frame.left.min(WIDTH - 2.0 * EDGE - widest(axes.title.iter(), TITLE_SIZE)));
    for (i, line) in axes.title.iter().enumerate() {
        let y = EDGE + TITLE_SIZE + i as f64 * TITLE_SIZE * LINE_HEIGHT;
        scene.text((title_x, y), line.clone(), TITLE_SIZE, Anchor::Start);
    }
    // Centred under the axis, moved where a long name would leave the panel.
    let half = widest(axes.x_label.iter(), LABEL_SIZE) / 2.0 + EDGE;
    let x = ((frame.left + frame.right) / 2.0).clamp(half, (WIDTH - half).max(half));
    for (i, line) in axes.x_label.iter().enumerate() {
        let lines_below = (axes.x_label.len() - 1 - i) as f64;
        let y = HEIGHT - EDGE - 3.0 - lines_below * LABEL_SIZE * LINE_HEIGHT;
        scene.text((x, y), line.clone(), LABEL_SIZE, Anchor::Middle);
    }
    for (i, line) in axes.y_label.iter().enumerate() {
        let x = EDGE + LABEL_SIZE + i as f64 * LABEL_SIZE * LINE_HEIGHT;
        scene.shapes.push(Shape::Text {
            at: (x, (frame.top + frame.bottom) / 2.0),
            text: line.clone(),
            size: LABEL_SIZE,
            colour: INK,
            anchor: Anchor::Middle,
            turn: Turn::Upwards,
        });
    }
}
