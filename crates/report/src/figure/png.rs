//! A scene as PNG, without any font of the system.

use super::colour::{PAPER, Rgb};
use super::font::{self, Command};
use super::measure::{script_size, width};
use super::scene::{Anchor, Pen, Place, Scene, Shape, Turn};
use super::svg::baseline;
use crate::error::ReportError;
use crate::text::RichText;
use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

/// The scene at a width in pixels, height in proportion.
pub(super) fn write(scene: &Scene, pixels_wide: u32) -> Result<Vec<u8>, ReportError> {
    let scale = f64::from(pixels_wide) / scene.width;
    let pixels_high = (scene.height * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(pixels_wide, pixels_high)
        .ok_or(ReportError::PictureSize { width: pixels_wide, height: pixels_high })?;
    pixmap.fill(tiny_skia::Color::from_rgba8(PAPER.0, PAPER.1, PAPER.2, 255));
    let to_pixels = Transform::from_scale(scale as f32, scale as f32);
    for shape in &scene.shapes {
        draw(&mut pixmap, shape, to_pixels);
    }
    pixmap.encode_png().map_err(|source| ReportError::PictureEncoding { reason: source.to_string() })
}

fn draw(pixmap: &mut Pixmap, shape: &Shape, to_pixels: Transform) {
    match shape {
        Shape::Line { places, pen } => {
            if let Some(path) = polygon(places, false) {
                stroke(pixmap, &path, pen, to_pixels);
            }
        }
        Shape::Area { places, fill, opacity, pen } => {
            if let Some(path) = polygon(places, true) {
                fill_path(pixmap, &path, *fill, *opacity, to_pixels);
                if let Some(pen) = pen {
                    stroke(pixmap, &path, pen, to_pixels);
                }
            }
        }
        Shape::Disc { centre, radius, fill, pen } => {
            if let Some(path) = PathBuilder::from_circle(centre.0 as f32, centre.1 as f32, *radius as f32) {
                fill_path(pixmap, &path, *fill, 1.0, to_pixels);
                if let Some(pen) = pen {
                    stroke(pixmap, &path, pen, to_pixels);
                }
            }
        }
        Shape::Text { at, text, size, colour, anchor, turn } => {
            let turned = match turn {
                Turn::Level => to_pixels,
                Turn::Upwards => to_pixels.pre_rotate_at(-90.0, at.0 as f32, at.1 as f32),
            };
            if let Some(path) = outline(text, *size, *at, *anchor) {
                fill_path(pixmap, &path, *colour, 1.0, turned);
            }
        }
    }
}

fn polygon(places: &[Place], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, (x, y)) in places.iter().enumerate() {
        if i == 0 {
            builder.move_to(*x as f32, *y as f32);
        } else {
            builder.line_to(*x as f32, *y as f32);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// Outlines of a line of text, with the baseline at `at`; nothing for text of spaces.
fn outline(text: &RichText, size: f64, at: Place, anchor: Anchor) -> Option<Path> {
    let mut x = at.0
        - match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width(text, size) / 2.0,
            Anchor::End => width(text, size),
        };
    let mut builder = PathBuilder::new();
    for run in &text.runs {
        let em = size * script_size(run.script);
        let y = at.1 + baseline(run.script) * size;
        for character in run.text.chars() {
            let px = |ux: f64| (x + ux * em) as f32;
            let py = |uy: f64| (y - uy * em) as f32;
            for command in &font::glyph(character).outline {
                match *command {
                    Command::Move(ux, uy) => builder.move_to(px(ux), py(uy)),
                    Command::Line(ux, uy) => builder.line_to(px(ux), py(uy)),
                    Command::Quad(cx, cy, ux, uy) => builder.quad_to(px(cx), py(cy), px(ux), py(uy)),
                    Command::Close => builder.close(),
                }
            }
            x += font::advance(character) * em;
        }
    }
    builder.finish()
}

fn fill_path(pixmap: &mut Pixmap, path: &Path, colour: Rgb, opacity: f64, to_pixels: Transform) {
    pixmap.fill_path(path, &paint(colour, opacity), FillRule::Winding, to_pixels, None);
}

fn stroke(pixmap: &mut Pixmap, path: &Path, pen: &Pen, to_pixels: Transform) {
    let lengths: Vec<f32> = pen.dash.lengths(pen.width).iter().map(|l| *l as f32).collect();
    let stroke = Stroke {
        width: pen.width as f32,
        line_join: LineJoin::Round,
        dash: StrokeDash::new(lengths, 0.0),
        ..Stroke::default()
    };
    pixmap.stroke_path(path, &paint(pen.colour, 1.0), &stroke, to_pixels, None);
}

fn paint(colour: Rgb, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(colour.0, colour.1, colour.2, (opacity * 255.0).round() as u8);
    paint.anti_alias = true;
    paint
}
