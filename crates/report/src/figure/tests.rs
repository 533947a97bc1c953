//! Whole figures: bytes, hostile numbers, hostile text.

use super::*;
use proptest::prelude::*;

fn small() -> Figure {
    let line: Vec<Point> = (0..=4)
        .map(|i| {
            let n = 1e3 * 10f64.powi(i);
            let loss = 5.0 - 0.5 * f64::from(i);
            Point::at(n, loss).between(loss * 0.98, loss * 1.02)
        })
        .collect();
    let mut measured: Vec<Point> = line[..3].to_vec();
    measured[0].label = "run, \"a\"".to_owned();
    Figure {
        name: "small".to_owned(),
        title: "A small figure: L(N) < 10^{1}".into(),
        caption: "Bars: 95% of nothing.".into(),
        panels: vec![Panel {
            title: "Loss against size".into(),
            x: Axis::log("N, non-embedding parameters"),
            y: Axis::log("L, nats per token"),
            series: vec![
                Series::band("95% band", Ink::Hue(0), line.clone()),
                Series::line("fit", Ink::Hue(0), line),
                Series::points("runs", Marker::Disc, Ink::Data, measured),
            ],
        }],
        colour_bar: None,
    }
}

#[test]
fn svg_small_figure_equals_the_committed_file() {
    insta::assert_snapshot!(small().svg());
}

#[test]
fn csv_small_figure_is_tidy_and_quoted() {
    let csv = small().csv();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "panel,series,x,y,lo,hi,label");
    assert_eq!(rows[1], "Loss against size,95% band,1000.0,5.0,4.9,5.1,");
    assert_eq!(rows[11], "Loss against size,runs,1000.0,5.0,4.9,5.1,\"run, \"\"a\"\"\"");
    assert_eq!(rows.len(), 14);
}

#[test]
fn png_small_figure_is_not_blank_and_repeats_exactly() {
    let first = small().png(600).unwrap();
    assert_eq!(&first[1..4], b"PNG");
    assert!(first.len() > 5_000, "{} bytes", first.len());
    assert_eq!(first, small().png(600).unwrap());
}

#[test]
fn png_of_no_width_is_an_error() {
    assert!(matches!(small().png(0), Err(ReportError::PictureSize { .. })));
}

#[test]
fn omitted_points_without_a_place_are_counted_and_said() {
    let mut figure = small();
    let points = &mut figure.panels[0].series[2].points;
    points.push(Point::at(0.0, 3.0));
    points.push(Point::at(1e4, f64::NAN));
    points.push(Point::at(1e9, 3.0));
    figure.panels[0].x = Axis::log("N").from_to(1e3, 1e8);
    assert_eq!(figure.omitted(), Omitted { without_place: 2, outside: 1 });
    assert_eq!(
        figure.full_caption().to_plain(),
        "Bars: 95% of nothing. Not drawn: 2 points not finite, or not positive on a log axis. \
         Not drawn: 1 point outside the axes."
    );
}

#[test]
fn svg_without_any_point_says_so() {
    let mut figure = small();
    figure.panels[0].series.clear();
    assert!(figure.svg().contains(">no data</text>"));
}

#[test]
fn svg_text_of_users_is_escaped() {
    let mut figure = small();
    figure.title = RichText::plain("<script>alert(\"&\")</script>\u{0}");
    let svg = figure.svg();
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;") && !svg.contains('\u{0}'));
}

/// y of every level text with its font size and width, by reading the scene.
fn level_texts(figure: &Figure) -> Vec<(f64, f64, f64, f64)> {
    use super::scene::{Anchor, Shape, Turn};
    compose::whole(figure)
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text { at, text, size, anchor, turn: Turn::Level, .. } => {
                let wide = measure::width(text, *size);
                let left = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - wide / 2.0,
                    Anchor::End => at.0 - wide,
                };
                Some((left, at.1 - 0.7 * size, left + wide, at.1))
            }
            _ => None,
        })
        .collect()
}

fn crowded(names: &[String], values: &[f64]) -> Figure {
    let series = names
        .iter()
        .zip(values)
        .enumerate()
        .map(|(i, (name, value))| {
            let key = if i % 2 == 0 { Key::Direct } else { Key::Legend };
            let points = vec![Point::at(1.0, *value), Point::at(100.0, value * 0.9)];
            Series::line(RichText::plain(name), Ink::Value(*value), points).keyed(key)
        })
        .collect();
    let mut figure = small();
    figure.panels[0].series = series;
    figure.panels.push(figure.panels[0].clone());
    figure.colour_bar = Some(ColourBar {
        label: "N, non-embedding parameters".into(),
        spacing: Spacing::Log,
        lo: 1e2,
        hi: 1e6,
    });
    figure
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figure_any_names_and_values_has_no_overlapping_or_clipped_text(
        names in prop::collection::vec("[a-zA-Z0-9 ]{1,28}", 1..24),
        values in prop::collection::vec(0.5..50.0f64, 24),
    ) {
        let figure = crowded(&names, &values);
        let boxes = level_texts(&figure);
        let width = figure.width();
        for (i, a) in boxes.iter().enumerate() {
            prop_assert!(a.0 >= 0.0 && a.2 <= width, "clipped: {a:?}");
            for b in &boxes[..i] {
                let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
                prop_assert!(apart, "{a:?} over {b:?}");
            }
        }
    }

    #[test]
    fn svg_any_numbers_has_none_that_is_not_finite(
        numbers in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>(), any::<f64>()), 0..12),
        log in any::<bool>(),
    ) {
        let points: Vec<Point> = numbers
            .into_iter()
            .map(|(x, y, lo, hi)| Point::at(x, y).between(lo, hi))
            .collect();
        let mut figure = small();
        let axis = if log { Axis::log("x") } else { Axis::linear("x") };
        figure.panels[0].x = axis.clone();
        figure.panels[0].y = axis;
        for series in &mut figure.panels[0].series {
            series.points = points.clone();
        }
        let svg = figure.svg();
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
