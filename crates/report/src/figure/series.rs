//! The data of a panel and how it is marked.

use super::scene::Dash;
use crate::text::RichText;

/// Points that are drawn alike.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the key and in the CSV.
    pub name: RichText,
    /// What is drawn.
    pub mark: Mark,
    /// In which colour.
    pub ink: Ink,
    /// Where its name is shown.
    pub key: Key,
    /// In the order that a line visits them.
    pub points: Vec<Point>,
}

/// One point with what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Place on the vertical axis.
    pub y: f64,
    /// Interval of y: the band at x, or the error bar.
    pub interval: Option<(f64, f64)>,
    /// What it is (a run, a subset), for the CSV.
    pub label: String,
}

impl Point {
    /// A place and nothing else.
    pub fn at(x: f64, y: f64) -> Self {
        Self { x, y, interval: None, label: String::new() }
    }

    /// The same point with an interval of y.
    #[must_use]
    pub fn between(self, lo: f64, hi: f64) -> Self {
        Self { interval: Some((lo, hi)), ..self }
    }

    /// The same point with a name.
    #[must_use]
    pub fn named(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// A line through the points.
    Line(Dash, Weight),
    /// The area between the intervals of the points.
    Band,
    /// A symbol at every point, with its interval as an error bar.
    Points(Marker),
    /// A level line across the panel at the y of every point.
    Level(Dash),
    /// An upright line across the panel at the x of every point.
    Upright(Dash),
}

/// How heavy a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One of many: a learning curve.
    Thin,
    /// A fit or a reference.
    Normal,
    /// What the panel is about.
    Heavy,
}

impl Weight {
    pub(super) fn pixels(self) -> f64 {
        match self {
            Self::Thin => 0.9,
            Self::Normal => 1.5,
            Self::Heavy => 2.1,
        }
    }
}

/// Symbol at a point; different in shape, so that colour is never needed to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A full circle.
    Disc,
    /// A circle.
    Ring,
    /// A full square.
    Square,
    /// A full triangle.
    Triangle,
    /// A full square on its corner.
    Diamond,
    /// Two crossed strokes.
    Cross,
    /// A five-pointed star, larger than the others: the one point that matters.
    Star,
}

/// Colour of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ink {
    /// Measured numbers: black.
    Data,
    /// The n-th colour for things without an order.
    Hue(usize),
    /// The place of this number on the figure's colour bar.
    Value(f64),
    /// Context: grey.
    Muted,
}

/// Where the name of a series is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// In the legend under the panels, once for all panels.
    Legend,
    /// At the right end of its line, outside the data; in the legend where there is no room, or where the line
    /// leaves the panel before it gets there.
    Direct,
    /// Nowhere: the colour bar or a series of the same name says it.
    Hidden,
}

impl Series {
    /// An unbroken line of normal weight, named in the legend.
    pub fn line(name: impl Into<RichText>, ink: Ink, points: Vec<Point>) -> Self {
        Self {
            name: name.into(),
            mark: Mark::Line(Dash::Solid, Weight::Normal),
            ink,
            key: Key::Legend,
            points,
        }
    }

    /// The area between the intervals, named in the legend.
    pub fn band(name: impl Into<RichText>, ink: Ink, points: Vec<Point>) -> Self {
        Self { mark: Mark::Band, ..Self::line(name, ink, points) }
    }

    /// Symbols, named in the legend.
    pub fn points(name: impl Into<RichText>, marker: Marker, ink: Ink, points: Vec<Point>) -> Self {
        Self { mark: Mark::Points(marker), ..Self::line(name, ink, points) }
    }

    /// The same series drawn otherwise.
    #[must_use]
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// The same series with its name elsewhere.
    #[must_use]
    pub fn keyed(self, key: Key) -> Self {
        Self { key, ..self }
    }
}
