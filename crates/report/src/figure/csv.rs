//! The numbers of a figure as CSV.

use super::Figure;

/// Tidy: one row a point. Numbers are the shortest text that reads back as the same f64.
pub(super) fn write(figure: &Figure) -> String {
    let mut out = String::from("panel,series,x,y,lo,hi,label\n");
    for panel in &figure.panels {
        for series in &panel.series {
            for point in &series.points {
                let (lo, hi) = point
                    .interval
                    .map_or((String::new(), String::new()), |(lo, hi)| (number(lo), number(hi)));
                let row = [
                    field(&panel.title.to_plain()),
                    field(&series.name.to_plain()),
                    number(point.x),
                    number(point.y),
                    lo,
                    hi,
                    field(&point.label),
                ];
                out.push_str(&row.join(","));
                out.push('\n');
            }
        }
    }
    out
}

/// Empty where there is no number, as the x of a level line.
fn number(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}

/// A field, quoted where it must be.
pub(crate) fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
