//! What several figures draw alike.

use crate::figure::{Axis, ColourBar, Dash, Ink, Key, Mark, Point, Series, Spacing, Weight};
use crate::number::{interval, significant, within};
use scalelaw_core::number::short;
use scalelaw_lab::laws::{Fitted, Sample};
use scalelaw_lab::paper::{Estimate, Fits, Line, Refusal, Section};

pub(super) const LOSS: &str = "L, test loss (nats per token)";
pub(super) const SIZE: &str = "N, non-embedding parameters";
pub(super) const COMPUTE: &str = "C, 6N training FLOPs (PF-days)";
pub(super) const THIN: Mark = Mark::Line(Dash::Solid, Weight::Thin);
pub(super) const DASHED: Mark = Mark::Line(Dash::Dashed, Weight::Normal);
pub(super) const DOTTED: Mark = Mark::Line(Dash::Dotted, Weight::Normal);
pub(super) const HEAVY: Mark = Mark::Line(Dash::Solid, Weight::Heavy);

pub(super) fn size_axis() -> Axis {
    Axis::log(SIZE)
}

pub(super) fn loss_axis() -> Axis {
    Axis::log(LOSS)
}

pub(super) fn compute_axis() -> Axis {
    Axis::log(COMPUTE)
}

/// A logarithmic colour scale over some values; `None` without any.
pub(super) fn bar(label: &str, values: impl IntoIterator<Item = f64>) -> Option<ColourBar> {
    let (lo, hi) = values
        .into_iter()
        .filter(|v| *v > 0.0 && v.is_finite())
        .fold((f64::INFINITY, 0.0f64), |(lo, hi), v| (lo.min(v), hi.max(v)));
    (lo <= hi).then(|| ColourBar { label: label.into(), spacing: Spacing::Log, lo, hi: hi.max(lo * 1.15) })
}

/// A fitted line with the 95% interval of it.
pub(super) fn law_line(line: &[Sample], name: &str, ink: Ink) -> [Series; 2] {
    let points: Vec<Point> = line
        .iter()
        .map(|s| match s.interval {
            Some((lo, hi)) => Point::at(s.x, s.loss).between(lo, hi),
            None => Point::at(s.x, s.loss),
        })
        .collect();
    let band = Series::band("95% interval of the fitted line", ink, points.clone());
    [band, Series::line(name, ink, points).marked(HEAVY)]
}

/// A published slope through the centre of our points.
pub(super) fn published_slope(ends: Option<[(f64, f64); 2]>, name: &str) -> Option<Series> {
    Some(Series::line(name, Ink::Muted, at(ends?)).marked(DOTTED))
}

/// Lines in the colour of their N or D, which stands at their ends.
pub(super) fn lines_named_at_their_ends(lines: &[Line]) -> Vec<Series> {
    let line = |line: &Line| {
        let name = short(line.of);
        let points = line.points.iter().map(|(x, y)| Point::at(*x, *y).named(name.as_str())).collect();
        Series::line(name.as_str(), Ink::Value(line.of), points).keyed(Key::Direct)
    };
    lines.iter().map(line).collect()
}

/// Points and nothing else.
pub(super) fn at(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Point> {
    points.into_iter().map(|(x, y)| Point::at(x, y)).collect()
}

/// A series named only the first time: further ones differ in nothing that the key could say.
pub(super) fn named_once(series: Vec<Series>) -> Vec<Series> {
    series.into_iter().enumerate().map(|(i, s)| if i == 0 { s } else { s.keyed(Key::Hidden) }).collect()
}

/// `α_{N} 0.0691 (0.066 to 0.072; published 0.076)`.
pub(super) fn beside(symbol: &str, estimate: &Result<Estimate, Refusal>, published: f64) -> String {
    let published = significant(published, 2);
    match estimate {
        Ok(e) => {
            let ends = (e.ci95[0], e.ci95[1]);
            format!("{symbol} {} ({}; published {published})", within(e.value, ends), interval(ends))
        }
        Err(reason) => format!("{symbol} not found, {reason} (published {published})"),
    }
}

/// The same of a constant of a fitted law.
pub(super) fn beside_law(symbol: &str, fit: &Result<Fitted, Refusal>, name: &str, published: f64) -> String {
    let estimate =
        fit.as_ref().map_err(Refusal::clone).and_then(|fit| Estimate::constant(&fit.law, name, ""));
    beside(symbol, &estimate, published)
}

/// The same of a constant of the chain.
pub(super) fn beside_chain(
    symbol: &str,
    fits: &Fits,
    section: Section,
    name: &str,
    published: f64,
) -> String {
    beside(symbol, &fits.of_chain(section, name), published)
}
