//! The figure of how often intervals of each probability held what came.

use crate::figure::{Axis, Figure, Ink, Marker, Panel, Point, Series};
use scalelaw_lab::forecasts::History;

/// Share held against probability; the bars are what would be usual in 95% of such histories, were every interval right.
pub fn figure(history: &History) -> Figure {
    let share = |count: usize, of: usize| count as f64 / of as f64;
    let usual = history.reliability.iter().map(|r| {
        let [least, most] = r.usual.map(|count| share(count, r.of));
        Point::at(r.nominal, r.nominal).between(least, most)
    });
    let held = history.reliability.iter().map(|r| Point::at(r.nominal, share(r.held, r.of)));
    let right = vec![Point::at(0.45, 0.45), Point::at(1.0, 1.0)];
    let of = history.reliability.first().map_or(0, |r| r.of);
    Figure {
        name: "reliability".into(),
        title: "How often intervals held what came".into(),
        caption: format!(
            "{of} scored forecasts with an interval. On the line every interval holds as often as it says; the band is \
             where 95% of histories of this length lie, were all of them right."
        )
        .as_str()
        .into(),
        panels: vec![Panel {
            title: "Reliability".into(),
            x: Axis::linear("probability of the interval").from_to(0.45, 1.0),
            y: Axis::linear("share of forecasts that it held").from_to(0.0, 1.05),
            series: vec![
                Series::band("usual, were every interval right", Ink::Hue(1), usual.collect()),
                Series::line("as said", Ink::Muted, right),
                Series::points("these forecasts", Marker::Disc, Ink::Data, held.collect()),
            ],
        }],
        colour_bar: None,
    }
}
