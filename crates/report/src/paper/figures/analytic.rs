//! Figures 3, 12 and 15: what follows from the constants, ours beside the published.

use super::Study;
use super::parts::at;
use crate::figure::{Axis, Dash, Figure, Ink, Mark, Marker, Panel, Point, Series, Weight};
use crate::number::significant;
use crate::paper::published::{log_spaced, loss_c_min, loss_d};
use crate::paper::runs::RunSet;
use crate::paper::{budget_rise, contradiction, wrong_size};
use scalelaw_fit::chain::Section;
use scalelaw_fit::plan::contradiction::Claims;

const CHAIN: [RunSet; 2] = [RunSet::Sizes, RunSet::Batches];

/// A constant of the adjusted frontier.
fn frontier(study: &Study<'_>, name: &str) -> Option<f64> {
    study.fits.chain.as_ref().ok()?.constant(Section::AdjustedFrontier, name).map(|c| c.value)
}

pub(super) fn figure_3(study: &Study<'_>) -> Figure {
    let mut figure = budget_rise::figure();
    let ours = ["p_S", "p_B", "p_N"].map(|name| frontier(study, name));
    let mut end = study.missing(&CHAIN);
    figure.title = "Figure 3: where a larger budget goes".into();
    figure.panels[0].title = "Published exponents".into();
    if let [Some(s), Some(b), Some(n)] = ours {
        figure.panels.push(budget_rise::panel("Exponents of these runs", [s, b, n], ", these runs"));
        end += &format!(
            " Right: N {}, B {}, S {} of the adjusted frontier of these runs, an extrapolation over nine decades that \
             they span only a part of.",
            significant(n, 2),
            significant(b, 2),
            significant(s, 2)
        );
    } else {
        end += " These runs have no adjusted frontier to put beside it.";
    }
    figure.caption = figure.caption.followed_by(&end);
    figure
}

pub(super) fn figure_12(study: &Study<'_>) -> Figure {
    let mut figure = wrong_size::figure();
    figure.title = "Figure 12: what a size beside the optimum costs".into();
    let Some(k) = study.fits.constants() else {
        let end = format!(" These runs have no L(N, S_{{min}}) to put beside it.{}", study.missing(&CHAIN));
        figure.caption = figure.caption.followed_by(&end);
        return figure;
    };
    let curve = |pick: fn(&scalelaw_fit::plan::WrongSize) -> f64| -> Vec<Point> {
        let wrong = log_spaced(k.smallest_size() * 1.001, 20.0, 200).filter_map(|x| k.wrong_size(x));
        wrong.map(|w| Point::at(w.x, pick(&w))).collect()
    };
    let dashed = Mark::Line(Dash::Dashed, Weight::Heavy);
    figure.panels[0].series.push(
        Series::line("compute, constants of these runs", Ink::Data, curve(|w| w.compute)).marked(dashed),
    );
    figure.panels[1]
        .series
        .push(Series::line("steps, constants of these runs", Ink::Data, curve(|w| w.steps)).marked(dashed));
    let sizes = k.sizes_costing(1.2).map_or_else(String::new, |[lo, hi]| {
        format!(
            " With the constants of these runs (dashed) 20% more compute pays for {} to {} times the optimal size.",
            significant(lo, 2),
            significant(hi, 2)
        )
    });
    figure.caption = figure.caption.followed_by(&(sizes + &study.missing(&CHAIN)));
    figure
}

pub(super) fn figure_15(study: &Study<'_>) -> Figure {
    let mut figure = contradiction::figure();
    let ours = || {
        let d = study.fits.d.as_ref().ok()?;
        Some(Claims {
            variant: "these runs",
            c_c: frontier(study, "C_c_min")?,
            alpha_c: frontier(study, "alpha_C_min")?,
            d_0: frontier(study, "D_e")?,
            p: frontier(study, "p_D")?,
            d_c: d.law.param("D_c")?,
            alpha_d: d.law.param("alpha_D")?,
            n_0: frontier(study, "N_e")?,
            p_n: frontier(study, "p_N")?,
        })
    };
    figure.title = "Figure 15: where L(C_{min}) and L(D) cross".into();
    figure.panels[0].title = "Published constants".into();
    let missing = study.missing(&[RunSet::Sizes, RunSet::Data, RunSet::Batches]);
    let end = match ours() {
        None => format!(" These runs have not the laws to put beside it.{missing}"),
        Some(claims) => {
            let crossing = claims.crossing().ok();
            figure.panels.push(crossing_panel(&claims, crossing.map(|c| (c.pf_days, c.loss))));
            let words = crossing.map_or_else(
                || " Right: with the constants of these runs the two lines never cross.".to_owned(),
                |c| {
                    format!(
                        " Right: with the constants of these runs they cross at {} PF-days, {} nats, N {}, {} tokens: a \
                         place as far from these runs as the paper's is from its own, and as uncertain.",
                        significant(c.pf_days, 2),
                        significant(c.loss, 3),
                        significant(c.n, 2),
                        significant(c.d, 2)
                    )
                },
            );
            words + &missing
        }
    };
    figure.caption = figure.caption.followed_by(&end);
    figure
}

fn crossing_panel(claims: &Claims, crossing: Option<(f64, f64)>) -> Panel {
    let (start, end) = crossing
        .map_or((1e-11, 1e7), |(c, _)| ((c / 100.0).clamp(1e-30, 1e-11), (c * 100.0).clamp(1e-6, 1e30)));
    let compute = at(log_spaced(start, end, 60).map(|c| (c, loss_c_min(c, claims.c_c, claims.alpha_c))));
    let data = at(log_spaced(start, end, 60).map(|c| {
        let d = claims.d_0 * libm::pow(c, claims.p);
        (c, loss_d(d, claims.d_c, claims.alpha_d))
    }));
    let mut series = vec![
        Series::line("L(C_{min})", Ink::Hue(0), compute),
        Series::line("L(D(C_{min}))", Ink::Hue(1), data).marked(Mark::Line(Dash::Solid, Weight::Heavy)),
    ];
    if let Some((c, loss)) = crossing {
        let point = vec![Point::at(c, loss).named("these runs")];
        series.push(Series::points("crossing, these runs", Marker::Star, Ink::Data, point));
    }
    Panel {
        title: "Constants of these runs".into(),
        x: Axis::log("C_{min} (PF-days, 6N FLOPs)"),
        y: Axis::linear("L, test loss (nats per token)"),
        series,
    }
}
