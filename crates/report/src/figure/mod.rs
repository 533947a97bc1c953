//! Figures: said what they show, drawn as SVG and PNG, with their numbers as CSV.
//!
//! A [`Figure`] is panels side by side that share one key (legend and colour bar) under them. Nothing in it is a
//! pixel: ticks, margins, line breaks and the places of labels follow from measured text, so nothing overlaps.
//! The same figure gives the same bytes anywhere.

mod clip;
mod colour;
mod compose;
mod csv;
mod decimal;
mod direct;
mod font;
mod key;
mod marks;
mod measure;
mod panel;
mod png;
mod scale;
mod scene;
mod series;
mod svg;
mod ticks;

use crate::error::ReportError;
use crate::text::RichText;

pub(crate) use csv::field as csv_field;
pub use scale::Spacing;
pub use scene::Dash;
pub use series::{Ink, Key, Mark, Marker, Point, Series, Weight};

/// Panels side by side under one title, with one key.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Stem of its files: lower-case letters, digits and hyphens.
    pub name: String,
    /// One line that says what is seen; it is wrapped where it is longer.
    pub title: RichText,
    /// What the marks are, of what the intervals are, which conventions count; shown under the figure.
    pub caption: RichText,
    /// From left to right.
    pub panels: Vec<Panel>,
    /// The scale of [`Ink::Value`].
    pub colour_bar: Option<ColourBar>,
}

/// One pair of axes with its data.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What this panel shows.
    pub title: RichText,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// In the order they are drawn: later ones lie on top.
    pub series: Vec<Series>,
}

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The quantity, its unit and its counting convention.
    pub label: RichText,
    /// Logarithmic or linear.
    pub spacing: Spacing,
    /// What part of it is seen.
    pub range: Range,
    /// Which way its numbers run.
    pub order: Order,
}

/// Which way the numbers of an axis run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Larger to the right, or upwards.
    Rising,
    /// Larger to the left, or downwards: a loss as training goes on.
    Falling,
}

/// What part of an axis is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// All data, with a little room; error bars may widen it by its length on either side, bands by a third.
    Auto,
    /// From one number to another.
    Fixed {
        /// Left or lower end.
        lo: f64,
        /// Right or upper end.
        hi: f64,
    },
}

/// An ordered colour scale for [`Ink::Value`].
#[derive(Clone, Debug)]
pub struct ColourBar {
    /// The quantity, its unit and its counting convention.
    pub label: RichText,
    /// Logarithmic or linear.
    pub spacing: Spacing,
    /// The number with the first colour.
    pub lo: f64,
    /// The number with the last colour.
    pub hi: f64,
}

impl Axis {
    /// A logarithmic axis over all data.
    pub fn log(label: impl Into<RichText>) -> Self {
        Self { label: label.into(), spacing: Spacing::Log, range: Range::Auto, order: Order::Rising }
    }

    /// A linear axis over all data.
    pub fn linear(label: impl Into<RichText>) -> Self {
        Self { label: label.into(), spacing: Spacing::Linear, range: Range::Auto, order: Order::Rising }
    }

    /// The same axis from `lo` to `hi`.
    #[must_use]
    pub fn from_to(self, lo: f64, hi: f64) -> Self {
        Self { range: Range::Fixed { lo, hi }, ..self }
    }

    /// The same axis with its numbers falling.
    #[must_use]
    pub fn falling(self) -> Self {
        Self { order: Order::Falling, ..self }
    }
}

/// A figure in pieces, for a page whose width is not known: panels that may wrap, and the key.
#[derive(Clone, Debug)]
pub struct SvgPieces {
    /// One `<svg>` a panel.
    pub panels: Vec<String>,
    /// Legend and colour bar, if there is anything to say.
    pub key: Option<String>,
}

impl Figure {
    /// The whole figure as one SVG document.
    pub fn svg(&self) -> String {
        svg::write(&compose::whole(self), &self.title.to_plain(), &self.full_caption().to_plain())
    }

    /// The figure as separate SVG elements, for a page that lays them out itself.
    pub fn svg_pieces(&self) -> SvgPieces {
        let panels = self
            .panels
            .iter()
            .map(|panel| {
                let title = format!("{}: {}", self.title.to_plain(), panel.title.to_plain());
                let axes = format!("{} against {}", panel.y.label.to_plain(), panel.x.label.to_plain());
                svg::write(&panel::draw(panel, self.colour_bar.as_ref()), &title, &axes)
            })
            .collect();
        let key = key::draw(self, panel::WIDTH)
            .map(|scene| svg::write(&scene, "Key", "What the marks and colours mean"));
        SvgPieces { panels, key }
    }

    /// The whole figure as PNG, `pixels_wide` pixels wide.
    ///
    /// # Errors
    /// A width of zero, or one that memory does not hold.
    pub fn png(&self, pixels_wide: u32) -> Result<Vec<u8>, ReportError> {
        png::write(&compose::whole(self), pixels_wide)
    }

    /// Width of the whole figure in its own pixels (CSS pixels, 96 an inch).
    pub fn width(&self) -> f64 {
        compose::whole(self).width
    }

    /// Every number of the figure, tidy: `panel,series,x,y,lo,hi,label`, drawn or not.
    pub fn csv(&self) -> String {
        csv::write(self)
    }

    /// How many points are not seen, and why.
    pub fn omitted(&self) -> Omitted {
        self.panels.iter().map(panel::omitted).fold(Omitted::default(), |a, b| Omitted {
            without_place: a.without_place + b.without_place,
            outside: a.outside + b.outside,
        })
    }

    /// The caption, and what was left out of the picture if anything was.
    pub fn full_caption(&self) -> RichText {
        let mut caption = self.caption.clone();
        let Omitted { without_place, outside } = self.omitted();
        let mut say = |n: usize, what: &str| {
            if n > 0 {
                let points = if n == 1 { "point" } else { "points" };
                caption.push(crate::text::Script::Normal, &format!(" Not drawn: {n} {points} {what}."));
            }
        };
        say(without_place, "not finite, or not positive on a log axis");
        say(outside, "outside the axes");
        caption
    }
}

/// Points of a figure that are not seen. They are in its CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    /// Not a finite number, or zero or negative on a log axis.
    pub without_place: usize,
    /// Marks beyond an axis of fixed range (lines are cut there instead).
    pub outside: usize,
}

#[cfg(test)]
mod tests;
