//! Names at the right ends of lines, outside the data.

use super::clip;
use super::colour::{INK, Rgb};
use super::marks::stretches;
use super::measure::LINE_HEIGHT;
use super::panel::{Axes, HEIGHT, TICK_SIZE, colour_of, lay_out};
use super::scene::{Anchor, Pen, Scene, Shape, Turn};
use super::series::{Key, Mark, Series};
use super::{ColourBar, Panel};
use crate::text::RichText;

/// Names written at the ends of lines.
struct DirectLabel {
    text: RichText,
    colour: Rgb,
    /// Where the line ends, and where the name stands.
    line_y: f64,
    text_y: f64,
}

pub(super) fn draw(scene: &mut Scene, panel: &Panel, axes: &Axes, colour_bar: Option<&ColourBar>) {
    for label in labels(panel, axes, colour_bar) {
        let (from, to) = (axes.frame.right + 2.0, axes.frame.right + 9.0);
        scene.line(vec![(from, label.line_y), (to, label.text_y)], Pen::solid(label.colour, 0.8));
        scene.shapes.push(Shape::Text {
            at: (to + 3.0, label.text_y + TICK_SIZE * 0.36),
            text: label.text,
            size: TICK_SIZE,
            colour: INK,
            anchor: Anchor::Start,
            turn: Turn::Level,
        });
    }
}

/// Names at the ends of lines, moved apart where they would touch.
fn labels(panel: &Panel, axes: &Axes, colour_bar: Option<&ColourBar>) -> Vec<DirectLabel> {
    let mut labels: Vec<DirectLabel> = named_at_end(panel, axes)
        .map(|(series, y)| DirectLabel {
            text: series.name.clone(),
            colour: colour_of(series.ink, colour_bar),
            line_y: y,
            text_y: y,
        })
        .collect();
    labels.sort_by(|a, b| a.line_y.total_cmp(&b.line_y));
    let step = TICK_SIZE * LINE_HEIGHT;
    let (top, bottom) = (axes.frame.top + step / 2.0, axes.frame.bottom);
    for i in 0..labels.len() {
        let above = if i == 0 { top } else { labels[i - 1].text_y + step };
        labels[i].text_y = labels[i].text_y.max(above);
    }
    for i in (0..labels.len()).rev() {
        let below = if i + 1 == labels.len() { bottom } else { labels[i + 1].text_y - step };
        labels[i].text_y = labels[i].text_y.min(below);
    }
    labels
}

/// Series whose names stand at the ends of their lines, with the height of the end: as many as have room one above
/// the other, and only lines that end near the right edge: a name far from its line would seem another's.
fn named_at_end<'a>(panel: &'a Panel, axes: &'a Axes) -> impl Iterator<Item = (&'a Series, f64)> {
    let room = ((HEIGHT - 110.0) / (TICK_SIZE * LINE_HEIGHT)) as usize;
    let near = axes.frame.right - 0.25 * (axes.frame.right - axes.frame.left);
    panel
        .series
        .iter()
        .filter(|series| series.key == Key::Direct && matches!(series.mark, Mark::Line(..)))
        .filter_map(move |series| {
            let (x, y) = stretches(axes, series)
                .iter()
                .flat_map(|stretch| clip::line(stretch, &axes.frame))
                .filter_map(|piece| piece.last().copied())
                .max_by(|a, b| a.0.total_cmp(&b.0))?;
            (x >= near).then_some((series, y))
        })
        .take(room)
}

/// Series of the panel whose names belong into the legend.
pub(super) fn named_in_legend(panel: &Panel) -> Vec<&Series> {
    let axes = lay_out(panel);
    let direct: Vec<*const Series> =
        named_at_end(panel, &axes).map(|(series, _)| std::ptr::from_ref(series)).collect();
    panel
        .series
        .iter()
        .filter(|series| match series.key {
            Key::Legend => true,
            Key::Direct => !direct.contains(&std::ptr::from_ref(*series)),
            Key::Hidden => false,
        })
        .collect()
}
