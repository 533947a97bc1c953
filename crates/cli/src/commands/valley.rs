//! The valley along a parameter, as text and as a figure.

use scalelaw_fit::{ValleyPoint, short};
use scalelaw_report::figure::{Axis, Figure, Ink, Panel, Point, Series};
use scalelaw_report::write_figures;
use std::path::{Path, PathBuf};

/// `n` values evenly in the logarithm, or evenly where an end is not above 0.
pub fn grid(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let share = |i: usize| i as f64 / (n - 1) as f64;
    let at = |i| if lo > 0.0 { lo * (hi / lo).powf(share(i)) } else { lo + (hi - lo) * share(i) };
    (0..n).map(at).collect()
}

/// One line for every `step`-th point: the parameters and how far the objective lies above its lowest.
pub fn text(name: &str, valley: &[ValleyPoint], step: usize) -> String {
    const LONGEST: f64 = 60.0;
    let lowest = lowest(valley);
    let excess = |p: &ValleyPoint| p.objective / lowest - 1.0;
    let highest = valley.iter().map(excess).fold(f64::MIN_POSITIVE, f64::max);
    // A bar of 60 is the highest point, or a rise of 1.2% where the valley is flatter or steeper than that.
    let unit = highest.min(0.012) / LONGEST;
    let mut out =
        format!("the valley of {name}: the lowest objective at each value, above the lowest of all\n");
    for p in valley.iter().step_by(step) {
        let others: Vec<String> = p.others.iter().map(|(n, v)| format!("{n} {:>9}", short(*v))).collect();
        let bar = "#".repeat((excess(p) / unit).round().min(LONGEST) as usize);
        out += &format!(
            "  {name} {:>9}  {}  {:+.3}% {bar}\n",
            short(p.value),
            others.join("  "),
            100.0 * excess(p)
        );
    }
    out
}

/// Draws the valley with further series upon it.
///
/// # Errors
/// The folder cannot be written.
pub fn draw(
    dir: &Path,
    file: &str,
    texts: [&str; 2],
    axis: &str,
    valley: &[ValleyPoint],
    upon: Vec<Series>,
) -> anyhow::Result<Vec<PathBuf>> {
    let x = if valley.iter().all(|p| p.value > 0.0) { Axis::log(axis) } else { Axis::linear(axis) };
    let floor = valley.iter().map(|p| Point::at(p.value, p.objective)).collect();
    let mut series = vec![Series::line("lowest, the others free", Ink::Hue(0), floor)];
    series.extend(upon);
    let figure = Figure {
        name: file.into(),
        title: texts[0].into(),
        caption: texts[1].into(),
        panels: vec![Panel {
            title: "The valley".into(),
            x,
            y: Axis::linear("objective (sum over runs)"),
            series,
        }],
        colour_bar: None,
    };
    write_figures(&[figure], dir)?;
    Ok(["svg", "png", "csv"].iter().map(|extension| dir.join(format!("{file}.{extension}"))).collect())
}

/// Lowest objective of the valley.
fn lowest(valley: &[ValleyPoint]) -> f64 {
    valley.iter().map(|p| p.objective).fold(f64::INFINITY, f64::min)
}
