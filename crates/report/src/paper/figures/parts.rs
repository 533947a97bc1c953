//! What several figures draw alike.

use crate::figure::{Axis, ColourBar, Dash, Ink, Key, Mark, Point, Series, Spacing, Weight};
use crate::number::{interval, significant, within};
use crate::paper::claims::Estimate;
use scalelaw_fit::FittedLaw;
use scalelaw_fit::chain::{ChainReport, Section};

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

/// `count` numbers at equal ratios over a range.
pub(super) use crate::paper::published::log_spaced;

/// Smallest and largest.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let (lo, hi) =
        values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    (lo <= hi).then_some((lo, hi))
}

/// A fitted law of one variable over a range, with the 95% interval of its line.
pub(super) fn law_line(
    law: &FittedLaw,
    variable: &str,
    (lo, hi): (f64, f64),
    name: &str,
    ink: Ink,
) -> Vec<Series> {
    let read = |x: f64| {
        let p = law.predict(&[(variable, x)]).ok()?;
        let point = Point::at(x, p.mean);
        Some(p.ci95.map_or(point.clone(), |[lo, hi]| point.between(lo, hi)))
    };
    let points: Vec<Point> = log_spaced(lo, hi, 40).filter_map(read).collect();
    let band = Series::band("95% interval of the fitted line", ink, points.clone());
    vec![band, Series::line(name, ink, points).marked(HEAVY)]
}

/// The published exponent as a line through the centre of our points: text and tokens differ, so that its height would
/// mean nothing here; its slope does.
pub(super) fn published_slope(points: &[(f64, f64)], exponent: f64, name: &str) -> Option<Series> {
    let (lo, hi) = range(points.iter().map(|p| p.0))?;
    let n = points.len() as f64;
    let centre = |f: fn(&(f64, f64)) -> f64| points.iter().map(|p| libm::log(f(p))).sum::<f64>() / n;
    let (x0, y0) = (centre(|p| p.0), centre(|p| p.1));
    let line = [lo, hi].map(|x| Point::at(x, libm::exp(y0 + exponent * (libm::log(x) - x0))));
    Some(Series::line(name, Ink::Muted, line.to_vec()).marked(DOTTED))
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
pub(super) fn beside(symbol: &str, estimate: &Result<Estimate, String>, published: f64) -> String {
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
pub(super) fn beside_law(
    symbol: &str,
    law: &Result<FittedLaw, String>,
    name: &str,
    published: f64,
) -> String {
    let estimate = law.as_ref().map_err(String::clone).and_then(|law| Estimate::constant(law, name, ""));
    beside(symbol, &estimate, published)
}

/// The same of a constant of the chain.
pub(super) fn beside_chain(
    symbol: &str,
    chain: &Result<ChainReport, String>,
    section: Section,
    name: &str,
    published: f64,
) -> String {
    let estimate = chain.as_ref().map_err(String::clone).and_then(|chain| {
        let part = chain.part(section).ok_or("not in the chain")?;
        match (&part.refused, chain.constant(section, name)) {
            (Some(reason), _) => Err(reason.clone()),
            (None, Some(c)) => {
                let ci95 = c.ci95.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
                Ok(Estimate { value: c.value, ci95, note: String::new() })
            }
            (None, None) => Err("not in the chain".into()),
        }
    });
    beside(symbol, &estimate, published)
}
