//! What marks and colours mean: the strip under the panels, outside the data.

use super::colour::{self, AXIS, PAPER, Rgb};
use super::direct::named_in_legend;
use super::measure::{LINE_HEIGHT, width, wrap};
use super::panel::{TICK_SIZE, colour_of};
use super::scale::Scale;
use super::scene::{Anchor, Dash, Pen, Place, Scene, Shape};
use super::series::{Ink, Mark, Marker, Series};
use super::ticks::{Direction, ticks};
use super::{ColourBar, Figure};
use crate::text::RichText;

pub(super) const BAND_OPACITY: f64 = 0.2;
const SIZE: f64 = 11.5;
const SWATCH: f64 = 26.0;
const GAP: f64 = 18.0;
const EDGE: f64 = 10.0;
const BAR_WIDTH: f64 = 230.0;
const BAR_HEIGHT: f64 = 11.0;
const BAR_STEPS: usize = 46;

/// The key at some width, or nothing where there is nothing to explain.
pub(super) fn draw(figure: &Figure, room: f64) -> Option<Scene> {
    let entries = entries(figure);
    if entries.is_empty() && figure.colour_bar.is_none() {
        return None;
    }
    let mut scene = Scene::new(room, 0.0);
    let mut y = 4.0;
    if let Some(bar) = &figure.colour_bar {
        y += draw_colour_bar(&mut scene, bar, y, room);
    }
    if !entries.is_empty() {
        y += draw_legend(&mut scene, &entries, figure.colour_bar.as_ref(), y, room);
    }
    scene.height = y + 4.0;
    Some(scene)
}

/// Named series, each once: the same name with the same mark and colour in two panels is one entry.
fn entries(figure: &Figure) -> Vec<&Series> {
    let mut entries: Vec<&Series> = Vec::new();
    for series in figure.panels.iter().flat_map(named_in_legend) {
        let known =
            entries.iter().any(|e| e.name == series.name && e.mark == series.mark && e.ink == series.ink);
        if !known && !series.name.is_empty() {
            entries.push(series);
        }
    }
    entries
}

fn draw_legend(scene: &mut Scene, entries: &[&Series], bar: Option<&ColourBar>, top: f64, room: f64) -> f64 {
    let line = SIZE * LINE_HEIGHT;
    let text_room = room - 2.0 * EDGE - SWATCH - 6.0;
    let (mut x, mut y) = (EDGE, top);
    let mut row_lines = 1;
    for series in entries {
        let lines: Vec<RichText> = wrap(&series.name, SIZE, text_room);
        let text_width = lines.iter().map(|l| width(l, SIZE)).fold(0.0, f64::max);
        let entry_width = SWATCH + 6.0 + text_width;
        if x > EDGE && x + entry_width > room - EDGE {
            x = EDGE;
            y += row_lines as f64 * line + 4.0;
            row_lines = 1;
        }
        row_lines = row_lines.max(lines.len());
        draw_swatch(scene, series, (x, y + line / 2.0), colour_of(series.ink, bar));
        for (i, text) in lines.into_iter().enumerate() {
            let baseline = y + line / 2.0 + SIZE * 0.36 + i as f64 * line;
            scene.text((x + SWATCH + 6.0, baseline), text, SIZE, Anchor::Start);
        }
        x += entry_width + GAP;
    }
    y + row_lines as f64 * line - top
}

fn draw_swatch(scene: &mut Scene, series: &Series, (x, y): Place, colour: Rgb) {
    let middle = (x + SWATCH / 2.0, y);
    let across = vec![(x, y), (x + SWATCH, y)];
    // A line whose colour says something is shown in several of the bar's colours.
    let many = matches!(series.ink, Ink::Value(_));
    match series.mark {
        Mark::Line(dash, weight) => {
            let width = weight.pixels().max(1.3);
            if many {
                // A piece is as short as a dash: of a dashed line each is one, with a gap behind it.
                let (share, dash) = if dash == Dash::Dashed { (0.6, Dash::Solid) } else { (1.0, dash) };
                for i in 0..4 {
                    let from = x + SWATCH / 4.0 * f64::from(i);
                    let pen = Pen { colour: colour::ramp(f64::from(i) / 3.0), width, dash };
                    scene.line(vec![(from, y), (from + share * SWATCH / 4.0, y)], pen);
                }
            } else {
                scene.line(across, Pen { colour, width, dash });
            }
        }
        Mark::Level(dash) => scene.line(across, Pen { colour, width: 1.2, dash }),
        Mark::Upright(dash) => {
            let upright = vec![(middle.0, y - 7.0), (middle.0, y + 7.0)];
            scene.line(upright, Pen { colour, width: 1.2, dash });
        }
        Mark::Band => scene.shapes.push(Shape::Area {
            places: rectangle(x, y - 5.0, SWATCH, 10.0),
            fill: colour,
            opacity: BAND_OPACITY,
            pen: None,
        }),
        Mark::Points(marker) if many => {
            for (i, share) in [0.0, 0.5, 1.0].into_iter().enumerate() {
                let at = (x + 4.0 + 9.0 * i as f64, y);
                draw_marker(scene, marker, at, colour::ramp(share));
            }
        }
        Mark::Points(marker) => draw_marker(scene, marker, middle, colour),
    }
}

/// One symbol; a thin rim of paper keeps neighbours apart.
pub(super) fn draw_marker(scene: &mut Scene, marker: Marker, centre: Place, fill: Rgb) {
    let rim = Some(Pen::solid(PAPER, 0.7));
    let corners = |corners: &[Place]| -> Vec<Place> {
        corners.iter().map(|(dx, dy)| (centre.0 + dx, centre.1 + dy)).collect()
    };
    let area = |places: Vec<Place>| Shape::Area { places, fill, opacity: 1.0, pen: rim };
    scene.shapes.push(match marker {
        Marker::Disc => Shape::Disc { centre, radius: 3.4, fill, pen: rim },
        Marker::Ring => Shape::Disc { centre, radius: 3.2, fill: PAPER, pen: Some(Pen::solid(fill, 1.4)) },
        Marker::Square => area(rectangle(centre.0 - 3.1, centre.1 - 3.1, 6.2, 6.2)),
        Marker::Triangle => area(corners(&[(0.0, -4.2), (4.0, 3.0), (-4.0, 3.0)])),
        Marker::Diamond => area(corners(&[(0.0, -4.4), (4.4, 0.0), (0.0, 4.4), (-4.4, 0.0)])),
        Marker::Cross => area(corners(&CROSS)),
        Marker::Star => area(corners(&star(7.2, 3.0))),
    });
}

/// An oblique cross.
const CROSS: [Place; 12] = [
    (0.0, -1.5),
    (2.4, -3.9),
    (3.9, -2.4),
    (1.5, 0.0),
    (3.9, 2.4),
    (2.4, 3.9),
    (0.0, 1.5),
    (-2.4, 3.9),
    (-3.9, 2.4),
    (-1.5, 0.0),
    (-3.9, -2.4),
    (-2.4, -3.9),
];

fn star(outer: f64, inner: f64) -> Vec<Place> {
    (0..10)
        .map(|i| {
            let radius = if i % 2 == 0 { outer } else { inner };
            let angle = std::f64::consts::PI * (f64::from(i) / 5.0 - 0.5);
            (radius * libm::cos(angle), radius * libm::sin(angle))
        })
        .collect()
}

fn rectangle(x: f64, y: f64, w: f64, h: f64) -> Vec<Place> {
    vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
}

/// Draws the bar with its ticks below and its name beside it, or above it where there is no room.
fn draw_colour_bar(scene: &mut Scene, bar: &ColourBar, top: f64, room: f64) -> f64 {
    let name_width = width(&bar.label, SIZE);
    let beside = EDGE + name_width + 12.0 + BAR_WIDTH + 30.0 <= room;
    let mut y = top;
    let left = if beside {
        scene.text((EDGE, y + BAR_HEIGHT * 0.9), bar.label.clone(), SIZE, Anchor::Start);
        (EDGE + name_width + 22.0).round()
    } else {
        for line in wrap(&bar.label, SIZE, room - 2.0 * EDGE) {
            scene.text((EDGE, y + SIZE), line, SIZE, Anchor::Start);
            y += SIZE * LINE_HEIGHT;
        }
        y += 3.0;
        EDGE + 12.0
    };
    let step = BAR_WIDTH / BAR_STEPS as f64;
    for i in 0..BAR_STEPS {
        // Half a pixel of overlap: no seams between the steps.
        let overlap = if i + 1 == BAR_STEPS { 0.0 } else { 0.5 };
        scene.shapes.push(Shape::Area {
            places: rectangle(left + i as f64 * step, y, step + overlap, BAR_HEIGHT),
            fill: colour::ramp((i as f64 + 0.5) / BAR_STEPS as f64),
            opacity: 1.0,
            pen: None,
        });
    }
    let scale = Scale::new(bar.spacing, (bar.lo, bar.hi), (left, left + BAR_WIDTH));
    let below = y + BAR_HEIGHT;
    for tick in ticks(&scale, Direction::Horizontal, TICK_SIZE) {
        let x = scale.pixel(tick.value);
        let length = if tick.label.is_some() { 4.0 } else { 2.0 };
        scene
            .line(vec![(x, below), (x, below + length)], Pen { colour: AXIS, width: 1.0, dash: Dash::Solid });
        if let Some(label) = tick.label {
            scene.text((x, below + 5.0 + TICK_SIZE), label, TICK_SIZE, Anchor::Middle);
        }
    }
    y - top + BAR_HEIGHT + TICK_SIZE * LINE_HEIGHT + 12.0
}
