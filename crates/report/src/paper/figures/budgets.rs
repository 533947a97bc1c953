//! Figures 11, 13 and 14: the best size for a budget, in compute as it was spent and as it could have been.

use super::Study;
use super::parts::{
    COMPUTE, DASHED, HEAVY, SIZE, THIN, at, bar, beside_chain, compute_axis, log_spaced, loss_axis,
    named_once, published_slope, range, size_axis,
};
use crate::figure::{Axis, Figure, Ink, Key, Marker, Panel, Point, Series};
use crate::number::count;
use crate::paper::fits::trunk;
use crate::paper::fixed_batch::{Trained, loss_of_run};
use crate::paper::runs::{PaperRun, RunSet};
use scalelaw_core::PF_DAY;
use scalelaw_fit::chain::{Section, smoothed};
use scalelaw_fit::plan::batch::{compute_min, steps_min};
use scalelaw_fit::presets::KaplanConstants;
use scalelaw_fit::presets::kaplan2020::{L_C, L_C_MIN, N_OPT, N_OPT_NAIVE, STEPS};
use scalelaw_fit::{Curve, Envelope, FrontierPoint, envelope, readings};

const CHAIN: [RunSet; 2] = [RunSet::Sizes, RunSet::Batches];
/// Budgets and numbers of updates that are drawn.
const CUTS: u32 = 6;
const PER_DECADE: usize = 8;

/// (run, smoothed curve) of A's trunks.
fn smooth<'a>(study: &Study<'a>) -> Vec<(&'a PaperRun, Vec<(f64, f64)>)> {
    let options = study.estimators.chain.options();
    study.runs.trunks().into_iter().map(|run| (run, smoothed(&trunk(run), &options))).collect()
}

/// Loss of a curve at an update, straight in logarithms; `None` outside.
fn read(curve: &[(f64, f64)], step: f64) -> Option<f64> {
    let after = curve.iter().position(|p| p.0 >= step)?;
    let (x1, y1) = curve[after];
    if x1 == step {
        return Some(y1);
    }
    let (x0, y0) = *curve.get(after.checked_sub(1)?)?;
    let share = libm::log(step / x0) / libm::log(x1 / x0);
    Some(y0 * libm::pow(y1 / y0, share))
}

pub(super) fn figure_11(study: &Study<'_>) -> Figure {
    let curves = smooth(study);
    let steps = range(curves.iter().flat_map(|(_, c)| c.iter().map(|p| p.0)));
    let compute = range(curves.iter().flat_map(|(run, c)| c.iter().map(|p| run.pf_days(p.0))));
    let constants = study.fits.constants();
    let (mut left, mut right, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    if let (Some((s_lo, s_hi)), Some((c_lo, c_hi))) = (steps, compute) {
        let cuts: Vec<f64> = log_spaced(c_lo * 8.0, c_hi / 3.0, CUTS).collect();
        left = cut(&curves, constants.as_ref(), &cuts, |run, c| c / run.pf_days(1.0), Ink::Value, None);
        shown = cuts;
        let cuts: Vec<f64> = log_spaced(s_lo * 1.05, s_hi, 5).collect();
        let colour = |s: f64| {
            let share = libm::log(s / s_lo) / libm::log(s_hi / s_lo);
            Ink::Value(shown[0] * libm::pow(shown[shown.len() - 1] / shown[0], share))
        };
        let name = |s: f64| format!("{} updates", count(s));
        right = cut(&curves, constants.as_ref(), &cuts, |_, s| s, colour, Some(&name));
    }
    Figure {
        name: "figure-11".into(),
        title: "Figure 11: loss against size at fixed compute and at fixed updates".into(),
        caption: format!(
            "Points: A's trunks at fixed compute (left, colour) and at fixed updates (right), read from their smoothed \
             curves. Lines: equation 5.6 with the constants of these runs through equations 5.4 and 5.5.{}",
            study.adjusted(&CHAIN)
        )
        .into(),
        panels: vec![
            Panel { title: "Fixed compute".into(), x: size_axis(), y: loss_axis(), series: left },
            Panel { title: "Fixed updates".into(), x: size_axis(), y: loss_axis(), series: right },
        ],
        colour_bar: bar(&format!("{COMPUTE}, left panel"), shown),
    }
}

/// Points of the curves where `at_update` of a run and a cut says, and the fitted line through them.
fn cut(
    curves: &[(&PaperRun, Vec<(f64, f64)>)],
    constants: Option<&KaplanConstants>,
    cuts: &[f64],
    at_update: impl Fn(&PaperRun, f64) -> f64,
    ink: impl Fn(f64) -> Ink,
    name: Option<&dyn Fn(f64) -> String>,
) -> Vec<Series> {
    let (mut points, mut lines) = (Vec::new(), Vec::new());
    for c in cuts {
        let reached: Vec<Point> = curves
            .iter()
            .filter_map(|(run, curve)| {
                Some(Point::at(run.n(), read(curve, at_update(run, *c))?).named(run.row.run_id.clone()))
            })
            .collect();
        if let (Some(k), Some((lo, hi)), Some((run, _))) =
            (constants, range(reached.iter().map(|p| p.x)), curves.first())
        {
            let trained =
                Trained { batch: run.batch(), vocabulary: run.row.n_vocab.map_or(f64::NAN, f64::from) };
            // Updates of a size that was not run: those of the first scaled by 6N at fixed compute.
            let updates = |n: f64| at_update(run, *c) * if name.is_some() { 1.0 } else { run.n() / n };
            let line = at(log_spaced(lo, hi, 40).map(|n| (n, loss_of_run(k, n, updates(n), trained))));
            let said = name.map_or_else(|| "equation 5.6, fitted".to_owned(), |name| name(*c));
            let line = Series::line(said, ink(*c), line);
            lines.push(if name.is_some() { line.keyed(Key::Direct) } else { line });
        }
        let drawn = Series::points("trunks of A", Marker::Disc, ink(*c), reached);
        points.push(if name.is_some() { drawn.keyed(Key::Hidden) } else { drawn });
    }
    let mut series = if name.is_some() { lines } else { named_once(lines) };
    series.extend(named_once(points));
    series
}

/// Lower envelope of A's trunks of two layers or more in a cost.
fn front(study: &Study<'_>, cost: impl Fn(&PaperRun, f64, f64) -> f64) -> Vec<FrontierPoint> {
    let layers = study.estimators.size.layers_at_least;
    let curves: Vec<Curve> = smooth(study)
        .into_iter()
        .filter(|(run, _)| run.layers() >= layers)
        .map(|(run, curve)| Curve {
            run: run.row.run_id.clone(),
            points: curve.into_iter().map(|(step, loss)| (cost(run, step, loss), loss)).collect(),
        })
        .collect();
    envelope(&curves, Envelope::RunningMinimum).map(|e| readings(&e, PER_DECADE)).unwrap_or_default()
}

fn spent(run: &PaperRun, step: f64, _: f64) -> f64 {
    run.pf_days(step)
}

fn least(k: &KaplanConstants) -> impl Fn(&PaperRun, f64, f64) -> f64 + '_ {
    |run, step, loss| compute_min(run.pf_days(step), run.batch(), k.b_crit(loss))
}

/// The chain's places of a frontier: (PF-days, best N, its loss).
fn places(study: &Study<'_>, section: Section) -> Vec<(f64, f64, f64)> {
    let chain = study.fits.chain.as_ref();
    let all = chain.map_or(&[][..], |chain| &chain.frontiers[..]);
    all.iter().filter(|p| p.section == section).map(|p| (p.pf_days, p.n, p.loss)).collect()
}

/// A power law of the chain: coefficient·C^exponent from its names, over a range.
fn chain_line(
    study: &Study<'_>,
    section: Section,
    (scale, exponent): (&str, &str),
    form: impl Fn(f64, f64, f64) -> f64,
    (lo, hi): (f64, f64),
) -> Vec<Point> {
    let value =
        |name: &str| study.fits.chain.as_ref().ok().and_then(|c| c.constant(section, name)).map(|c| c.value);
    let (Some(scale), Some(exponent)) = (value(scale), value(exponent)) else { return vec![] };
    at(log_spaced(lo, hi, 20).map(|c| (c, form(c, scale, exponent))))
}

pub(super) fn figure_13(study: &Study<'_>) -> Figure {
    let curves = study.runs.trunks().into_iter().map(|run| {
        let points = at(run.losses(1.0).map(|(step, loss)| (run.pf_days(step), loss)));
        Series::line("learning curves, as spent", Ink::Muted, points).marked(THIN)
    });
    let mut series = named_once(curves.collect());
    let power = |c: f64, scale: f64, alpha: f64| libm::pow(scale / c, alpha);
    let mut fronts = vec![("as spent, batch of the runs", front(study, spent), 0, Section::NaiveFrontier)];
    if let Some(k) = &study.fits.constants() {
        fronts.push(("adjusted to C_{min}", front(study, least(k)), 1, Section::AdjustedFrontier));
    }
    for (name, front, hue, section) in fronts {
        let places: Vec<(f64, f64)> = front.iter().map(|p| (p.cost, p.loss)).collect();
        if places.is_empty() {
            continue;
        }
        let marker = if hue == 0 { Marker::Disc } else { Marker::Square };
        series.push(Series::points(
            format!("envelope, {name}"),
            marker,
            Ink::Hue(hue),
            at(places.iter().copied()),
        ));
        let (constants, published) = match section {
            Section::NaiveFrontier => (("C_c", "alpha_C"), L_C.exponent),
            _ => (("C_c_min", "alpha_C_min"), L_C_MIN.exponent),
        };
        let fitted = range(self::places(study, section).iter().map(|p| p.0));
        let line = fitted.map_or_else(Vec::new, |span| chain_line(study, section, constants, power, span));
        if !line.is_empty() {
            series.push(
                Series::line(format!("frontier of the chain, {name}"), Ink::Hue(hue), line).marked(HEAVY),
            );
        }
        series.extend(published_slope(&places, -published, "published slopes through the centres of ours"));
    }
    Figure {
        name: "figure-13".into(),
        title: "Figure 13: loss against compute, as spent and adjusted".into(),
        caption: format!(
            "Envelopes of A's trunks of two layers or more in 6NBS and in C_{{min}} = C/(1 + B/B_{{crit}}(L)); lines: the \
             chain's frontiers, over the compute at which the best size lies between two others. {}; {}. The paper's lump at 10^{{−5}} PF-days is the step from one layer to two.{}",
            beside_chain("α_{C}", &study.fits.chain, Section::NaiveFrontier, "alpha_C", L_C.exponent),
            beside_chain("α_{C,min}", &study.fits.chain, Section::AdjustedFrontier, "alpha_C_min", L_C_MIN.exponent),
            study.adjusted(&CHAIN)
        )
        .into(),
        panels: vec![Panel { title: "L(C)".into(), x: compute_axis(), y: loss_axis(), series }],
        colour_bar: None,
    }
}

pub(super) fn figure_14(study: &Study<'_>) -> Figure {
    let constants = study.fits.constants();
    let monomial = |c: f64, scale: f64, p: f64| scale * libm::pow(c, p);
    let adjusted = constants.as_ref().map(|k| front(study, least(k)));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let runs = study.runs.trunks();
    let on_envelope = front(study, spent).into_iter().filter_map(|p| {
        let n = runs.iter().find(|r| r.row.run_id == p.run)?.n();
        Some((p.cost, n))
    });
    let on_envelope = at(on_envelope);
    if !on_envelope.is_empty() {
        left.push(Series::points("size on the envelope, as spent", Marker::Ring, Ink::Muted, on_envelope));
    }
    let sections = [
        ("as spent", Marker::Disc, Section::NaiveFrontier, N_OPT_NAIVE.c),
        ("adjusted", Marker::Square, Section::AdjustedFrontier, N_OPT.c),
    ];
    for (hue, (name, marker, section, published)) in sections.into_iter().enumerate() {
        let places: Vec<(f64, f64)> = places(study, section).into_iter().map(|p| (p.0, p.1)).collect();
        let Some(span) = range(places.iter().map(|p| p.0)) else { continue };
        let line = chain_line(study, section, ("N_e", "p_N"), monomial, span);
        left.push(Series::points(
            format!("N_{{opt}}, {name}"),
            marker,
            Ink::Hue(hue),
            at(places.iter().copied()),
        ));
        left.push(Series::line(format!("its power law, {name}"), Ink::Hue(hue), line).marked(HEAVY));
        left.extend(published_slope(&places, published, "published slopes through the centres of ours"));
    }
    if let (Some(k), Some(front)) = (&constants, &adjusted) {
        let stepped = |p: &FrontierPoint| {
            let run = runs.iter().find(|r| r.row.run_id == p.run)?;
            // C_min = C/(1 + B/B_crit) turned round, then the updates of that compute.
            let b = k.b_crit(p.loss);
            let updates = p.cost * (1.0 + run.batch() / b) * PF_DAY / (6.0 * run.n() * run.batch());
            Some((p.cost, updates, steps_min(updates, run.batch(), b)))
        };
        let stepped: Vec<(f64, f64, f64)> = front.iter().filter_map(stepped).collect();
        right.push(Series::points(
            "updates at the batch of the runs",
            Marker::Disc,
            Ink::Hue(0),
            at(stepped.iter().map(|p| (p.0, p.1))),
        ));
        let least: Vec<(f64, f64)> = stepped.iter().map(|p| (p.0, p.2)).collect();
        right.push(Series::points("S_{min}", Marker::Square, Ink::Hue(1), at(least.iter().copied())));
        let fitted = places(study, Section::AdjustedFrontier);
        if let Some(span) = range(fitted.iter().map(|p| p.0)) {
            let line = chain_line(study, Section::AdjustedFrontier, ("S_e", "p_S"), monomial, span);
            if !line.is_empty() {
                right.push(Series::line("S_{min} of the chain", Ink::Hue(1), line).marked(DASHED));
            }
        }
        right.extend(published_slope(
            &least,
            STEPS.c,
            "published slope of S_{min} through the centre of ours",
        ));
    }
    Figure {
        name: "figure-14".into(),
        title: "Figure 14: best size and steps against compute".into(),
        caption: format!(
            "Left: the chain's N_{{opt}}, by parabolas through neighbouring sizes, where the best size lies between two others \
             (rings: which of A's sizes is on the envelope): {}, {}. Right: updates on the adjusted envelope; {}.{}",
            beside_chain("N ∝ C_{min} to the", &study.fits.chain, Section::AdjustedFrontier, "p_N", N_OPT.c),
            beside_chain("as spent", &study.fits.chain, Section::NaiveFrontier, "p_N", N_OPT_NAIVE.c),
            beside_chain("S_{min} ∝ C_{min} to the", &study.fits.chain, Section::AdjustedFrontier, "p_S", STEPS.c),
            study.adjusted(&CHAIN)
        )
        .into(),
        panels: vec![
            Panel {
                title: "Size".into(),
                x: compute_axis(),
                y: Axis::log(format!("{SIZE}, best")),
                series: left,
            },
            Panel {
                title: "Steps".into(),
                x: Axis::log("C_{min}, 6N FLOPs (PF-days)"),
                y: Axis::log("updates"),
                series: right,
            },
        ],
        colour_bar: None,
    }
}
