//! Figure 22: schedules of the learning rate.

use super::missing;
use crate::figure::{Axis, Dash, Figure, Ink, Key, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::parts::LOSS;
use scalelaw_lab::paper::kaplan2020::{LOSSES_FIGURE_22, SEED_SPREAD_FIGURE_22};
use scalelaw_lab::paper::{PaperRun, PaperStudy, RunSet};

const MARKERS: [Marker; 6] =
    [Marker::Disc, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Ring, Marker::Cross];

pub(super) fn figure_22(study: &PaperStudy) -> Figure {
    let mut runs: Vec<&PaperRun> = study.runs.of(RunSet::Schedules).collect();
    runs.sort_by(|a, b| a.row.schedule.cmp(&b.row.schedule).then(a.rate_sum.total_cmp(&b.rate_sum)));
    let noise = study.fits.noise.as_ref().ok().map(|m| m.se);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (i, run) in runs.iter().enumerate() {
        // Six hues and six marks: after six of both the marks are moved on by one.
        let dash = if i < 4 { Dash::Solid } else { Dash::Dashed };
        let name = name(run);
        let rates = run.rates.iter().map(|(step, rate)| Point::at(*step, *rate)).collect();
        left.push(
            Series::line(name.as_str(), Ink::Hue(i), rates)
                .marked(Mark::Line(dash, Weight::Normal))
                .keyed(Key::Hidden),
        );
        let point = Point::at(run.rate_sum, run.loss()).named(run.row.run_id.clone());
        let point = match study.fits.between_seeds(run.loss()) {
            Some((lo, hi)) => point.between(lo, hi),
            None => point,
        };
        // With its loss: two points of one place hide one another.
        right.push(Series::points(
            format!("{name}: {:.3}", run.loss()),
            MARKERS[(i + i / MARKERS.len()) % MARKERS.len()],
            Ink::Hue(i),
            vec![point],
        ));
    }
    let [lo, hi] = LOSSES_FIGURE_22;
    let n = runs.first().map_or_else(String::new, |r| format!(" of N = {}", crate::number::count(r.n())));
    Figure {
        name: "figure-22".into(),
        title: "Figure 22: schedules of the learning rate".into(),
        caption: format!(
            "One model{n}. Left: lines in the colours of the points, from the fifth name on dashed. Right: final loss against the sum of all learning rates; bars: ±1.96 standard deviations between \
             seeds{}. Schedules that end above a tenth of their highest rate are marked so. The paper's losses for a 3M model \
             lie between {lo:.2} and {hi:.2}, those that come down within the {SEED_SPREAD_FIGURE_22} that seeds differ by.{}",
            noise.map_or_else(|| ", not known".into(), |sd| format!(" ({} of ln L)", significant(sd, 2))),
            missing(study, &[RunSet::Schedules, RunSet::Seeds])
        )
        .into(),
        panels: vec![
            Panel {
                title: "Schedules".into(),
                x: Axis::linear("updates"),
                y: Axis::linear("learning rate"),
                series: left,
            },
            Panel {
                title: "Loss".into(),
                x: Axis::linear("sum of learning rates"),
                y: Axis::linear(LOSS),
                series: right,
            },
        ],
        colour_bar: None,
    }
}

/// `cosine to 10%`.
fn name(run: &PaperRun) -> String {
    let kind = run.row.schedule.as_deref().unwrap_or("schedule").replace('_', " ");
    let last = run.rates.last().map_or(f64::NAN, |(_, rate)| *rate) / run.row.lr.unwrap_or(f64::NAN);
    let end = if run.has_decayed() { "" } else { " (not come down)" };
    format!("{kind}, ends at {:.0}%{end}", 100.0 * last)
}
