//! What is drawn, in pixels: the one list that the SVG and the PNG writer both read.

use super::colour::Rgb;
use crate::text::RichText;

/// A place in pixels, y downwards.
pub(super) type Place = (f64, f64);

/// A picture: shapes in the order they are drawn.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

/// Anything that can be drawn.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// An open line.
    Line { places: Vec<Place>, pen: Pen },
    /// A closed area.
    Area { places: Vec<Place>, fill: Rgb, opacity: f64, pen: Option<Pen> },
    /// A full circle.
    Disc { centre: Place, radius: f64, fill: Rgb, pen: Option<Pen> },
    /// One line of text whose baseline starts, centres or ends at `at`.
    Text { at: Place, text: RichText, size: f64, colour: Rgb, anchor: Anchor, turn: Turn },
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pen {
    pub(super) colour: Rgb,
    pub(super) width: f64,
    pub(super) dash: Dash,
}

impl Pen {
    pub(super) fn solid(colour: Rgb, width: f64) -> Self {
        Self { colour, width, dash: Dash::Solid }
    }
}

/// Pattern of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken: within the data.
    Solid,
    /// Broken: beyond the data, by convention of this crate.
    Dashed,
    /// Dotted: somebody else's numbers, by convention of this crate.
    Dotted,
}

impl Dash {
    /// Lengths of ink and gap for a line of some width; empty for an unbroken line.
    pub(super) fn lengths(self, width: f64) -> Vec<f64> {
        match self {
            Self::Solid => Vec::new(),
            Self::Dashed => vec![3.5 * width + 1.5, 2.0 * width + 1.5],
            Self::Dotted => vec![width, 1.8 * width + 0.8],
        }
    }
}

/// Which point of a line of text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Which way text runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Level,
    /// Upwards, as the name of a vertical axis.
    Upwards,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    pub(super) fn line(&mut self, places: Vec<Place>, pen: Pen) {
        self.shapes.push(Shape::Line { places, pen });
    }

    pub(super) fn text(&mut self, at: Place, text: RichText, size: f64, anchor: Anchor) {
        self.shapes.push(Shape::Text {
            at,
            text,
            size,
            colour: super::colour::INK,
            anchor,
            turn: Turn::Level,
        });
    }

    /// Puts another scene onto this one with its corner at (dx, dy).
    pub(super) fn place(&mut self, other: Self, dx: f64, dy: f64) {
        let moved = |(x, y): Place| (x + dx, y + dy);
        self.shapes.extend(other.shapes.into_iter().map(|mut shape| {
            match &mut shape {
                Shape::Line { places, .. } | Shape::Area { places, .. } => {
                    places.iter_mut().for_each(|place| *place = moved(*place));
                }
                Shape::Disc { centre: at, .. } | Shape::Text { at, .. } => *at = moved(*at),
            }
            shape
        }));
    }
}
