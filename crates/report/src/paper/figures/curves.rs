//! Figure 2: learning curves. Figure 4: L(N, D) and L(N, S_min).

use super::{adjusted, missing};
use crate::figure::{Axis, Figure, Ink, Mark, Marker, Panel, Point, Series};
use crate::number::significant;
use crate::paper::parts::{
    DASHED, SIZE, THIN, at, bar, beside_chain, beside_law, compute_axis, loss_axis, named_once,
};
use scalelaw_lab::paper::kaplan2020::{EFFICIENT_EXCESS, L_N_D, TRAINING};
use scalelaw_lab::paper::{Line, PaperRun, PaperStudy, Places, RunSet, Section, StepsCurve, Stop};

pub(super) fn figure_2(study: &PaperStudy) -> Figure {
    let panel = |title: &str, axis: Axis, x: fn(&PaperRun, f64) -> f64, at_stop: fn(&Stop) -> f64| {
        let curves = study.runs.trunks().into_iter().map(|run| {
            let points = at(run.losses(1.0).map(|(step, loss)| (x(run, step), loss)));
            Series::line("learning curves, coloured by N", Ink::Value(run.n()), points).marked(THIN)
        });
        let mut series = named_once(curves.collect());
        let stops = &study.figures.curves.stops;
        if !stops.is_empty() {
            let star = |s: &Stop| Point::at(at_stop(s), s.loss).named(s.run_id.clone());
            series.push(Series::points(
                "compute-efficient stop",
                Marker::Star,
                Ink::Data,
                stops.iter().map(star).collect(),
            ));
        }
        Panel { title: title.into(), x: axis, y: loss_axis(), series }
    };
    let stop = study.figures.curves.efficient_excess.map_or_else(
        || "Where efficient training stops is not known without the batch scans.".into(),
        |f| format!("Stars: where compute-efficient training stops, {}% above the loss of endless training by L(N, S_{{min}}) (published: {}%); a size without a star did not get there.", significant(100.0 * f, 2), significant(100.0 * EFFICIENT_EXCESS, 2)),
    );
    Figure {
        name: "figure-02".into(),
        title: "Figure 2: learning curves against tokens and compute".into(),
        caption: format!(
            "Trunks of constant rate. {stop} The paper's axes: 10^{{7}} to 10^{{11}} tokens, 10^{{−9}} to 1 PF-days, N 10^{{3}} to 10^{{9}}.{}",
            missing(study, &[RunSet::Sizes, RunSet::Batches])
        )
        .into(),
        panels: vec![
            panel("Tokens", Axis::log("tokens processed"), |run, step| step * run.batch(), |stop| stop.tokens),
            panel("Compute", compute_axis(), |run, step| run.pf_days(step), |stop| stop.pf_days),
        ],
        colour_bar: bar(SIZE, study.runs.trunks().iter().map(|run| run.n())),
    }
}

pub(super) fn figure_4(study: &PaperStudy) -> Figure {
    let fits = &study.fits;
    let steps = Section::StepsLaw;
    let caption = format!(
        "Left: early-stopped loss of each size against its data (points) and equation 1.5 (lines; the smallest D is not \
         fitted): {}, {}. Right: trunks after the warm-up against S_{{min}} (equation 5.4 with B_{{crit}} \
         of these runs), thin, and equation 1.6, dashed: {}, {}. Scales N_{{c}}, D_{{c}}, S_{{c}} belong to the tokenizer.{}",
        beside_law("α_{N}", &fits.nd, "alpha_N", L_N_D.alpha_n),
        beside_law("α_{D}", &fits.nd, "alpha_D", L_N_D.alpha_d),
        beside_chain("α_{N}", fits, steps, "alpha_N", TRAINING.alpha_n),
        beside_chain("α_{S}", fits, steps, "alpha_S", TRAINING.alpha_s),
        adjusted(study, &[RunSet::Data, RunSet::Sizes, RunSet::Batches]),
    );
    let sizes = study.runs.trunks().into_iter().chain(study.runs.of(RunSet::Data)).map(PaperRun::n);
    Figure {
        name: "figure-04".into(),
        title: "Figure 4: L(N, D) and L(N, S_{min})".into(),
        caption: caption.into(),
        panels: vec![
            Panel {
                title: "L(N, D)".into(),
                x: Axis::log("D, unique tokens"),
                y: loss_axis(),
                series: by_data(study),
            },
            Panel {
                title: "L(N, S_{min})".into(),
                x: Axis::log("S_{min}, updates far above the critical batch"),
                y: loss_axis(),
                series: by_steps(study),
            },
        ],
        colour_bar: bar(SIZE, sizes),
    }
}

fn sizes_of<'a>(runs: impl Iterator<Item = &'a PaperRun>) -> Vec<f64> {
    let mut sizes: Vec<f64> = runs.map(PaperRun::n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes
}

fn by_data(study: &PaperStudy) -> Vec<Series> {
    let line =
        |l: &Line| Series::line("equation 1.5, fitted", Ink::Value(l.of), at(l.points.iter().copied()));
    let runs: Vec<&PaperRun> = study.runs.of(RunSet::Data).collect();
    let points = sizes_of(runs.iter().copied()).into_iter().map(|n| {
        let of = runs.iter().filter(|run| run.n() == n);
        let of = of.map(|run| Point::at(run.unique(), run.lowest()).named(run.row.run_id.clone())).collect();
        Series::points("runs, lowest test loss", Marker::Disc, Ink::Value(n), of)
    });
    let mut series = named_once(study.figures.curves.by_data.iter().map(line).collect());
    series.extend(named_once(points.collect()));
    series
}

fn by_steps(study: &PaperStudy) -> Vec<Series> {
    let drawn = |name: &str, mark: Mark, places: fn(&StepsCurve) -> &Places| -> Vec<Series> {
        let curves = study.figures.curves.by_steps.iter().filter(|c| !places(c).is_empty() || mark == THIN);
        let line =
            |c: &StepsCurve| Series::line(name, Ink::Value(c.n), at(places(c).iter().copied())).marked(mark);
        named_once(curves.map(line).collect())
    };
    let mut series = drawn("learning curves", THIN, |c| &c.measured);
    series.extend(drawn("equation 1.6, fitted", DASHED, |c| &c.fitted));
    series
}
