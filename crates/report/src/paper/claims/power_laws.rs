//! L(N), L(D), L(C), and how L(N, D) joins the first two.

use super::{Estimate, Outcome, View};
use scalelaw_core::PF_DAY;
use scalelaw_fit::chain::{ChainReport, Section};
use scalelaw_fit::laws::Expression;
use scalelaw_fit::plan::overfit;
use scalelaw_fit::{
    Curve, Dataset, Envelope, FitOptions, FittedLaw, IntervalChoice, Measured, Objective, envelope, fit,
    readings,
};

/// Readings of the envelope a decade of compute.
const PER_DECADE: usize = 8;
/// Resamples where the profile would take readings of one run as independent.
const DRAWS: usize = 200;

/// Change of the local exponent from one end of x to the other, as a share of the exponent in the middle.
fn straight(points: &[(f64, f64)], runs: Option<Vec<u32>>, what: &str) -> Outcome {
    let [lo, hi] = points.iter().fold([f64::INFINITY, 0.0f64], |[lo, hi], p| [lo.min(p.0), hi.max(p.0)]);
    let mut distinct: Vec<f64> = points.iter().map(|p| p.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 4 {
        return Err(format!("{} places of {what}; bending needs 4", distinct.len()));
    }
    let (centre, range) = ((lo * hi).sqrt(), libm::log(hi / lo));
    let form = format!("exp(a - m * (ln(x / {centre:e}) + s * ln(x / {centre:e})^2 / {:e}))", 2.0 * range);
    let real = (f64::NEG_INFINITY, f64::INFINITY);
    let bounds = ["a", "s"].map(|name| (name.to_owned(), real.0, real.1));
    let law = Expression::new(&form, &["x"], &bounds).map_err(|e| e.to_string())?;
    let middle = points.iter().map(|p| libm::log(p.1)).sum::<f64>() / points.len() as f64;
    let mut data =
        Dataset::new(points.iter().map(|p| p.1).collect()).with("x", points.iter().map(|p| p.0).collect());
    let mut intervals = IntervalChoice::Profile;
    if let Some(runs) = runs {
        data = data.grouped(runs);
        intervals = IntervalChoice::Bootstrap(DRAWS);
    }
    // The order of the parameters is that of their names in the expression.
    let starts = [0.02, 0.08, 0.2].map(|m| vec![middle, m, 0.0]).to_vec();
    let options = FitOptions {
        objective: Objective::LOG_LEAST_SQUARES,
        starts: Some(starts),
        intervals,
        ..FitOptions::default()
    };
    let fitted = fit(&law, &data, &options).map_err(|e| e.to_string())?;
    Estimate::constant(&fitted, "s", &format!("points over a factor of {:.0} in {what}", hi / lo))
}

pub(super) fn straight_in_n(view: &View<'_>) -> Outcome {
    let fitted = view.fits.n.as_ref().map_err(String::clone)?;
    straight(&places(&fitted.points), None, "N")
}

pub(super) fn straight_in_d(view: &View<'_>) -> Outcome {
    let fitted = view.fits.d.as_ref().map_err(String::clone)?;
    straight(&places(&fitted.points), None, "D")
}

fn places(points: &[(f64, f64, String)]) -> Vec<(f64, f64)> {
    points.iter().map(|p| (p.0, p.1)).collect()
}

pub(super) fn straight_in_c(view: &View<'_>) -> Outcome {
    let skip = view.estimators.chain.skip_steps;
    let curves: Vec<Curve> = view
        .runs
        .trunks()
        .iter()
        .filter(|run| run.layers() >= view.estimators.size.layers_at_least)
        .map(|run| Curve {
            run: run.row.run_id.clone(),
            points: run.losses(skip).map(|(step, loss)| (run.pf_days(step) * PF_DAY, loss)).collect(),
        })
        .collect();
    let front = envelope(&curves, Envelope::RunningMinimum).map_err(|e| e.to_string())?;
    let read = readings(&front, PER_DECADE);
    let points: Vec<(f64, f64)> = read.iter().map(|p| (p.cost, p.loss)).collect();
    straight(&points, Some(read.iter().map(|p| p.curve as u32).collect()), "C")
}

pub(super) fn alpha_n(view: &View<'_>) -> Outcome {
    let fitted = view.fits.n.as_ref().map_err(String::clone)?;
    let beside = view.fits.n_all.as_ref().ok().and_then(|all| all.law.param("alpha_N"));
    let beside = beside.map_or_else(String::new, |a| format!("{a:.4} over all sizes of two layers or more"));
    Ok(Estimate::constant(&fitted.law, "alpha_N", "runs")?.noting(&beside))
}

pub(super) fn alpha_d(view: &View<'_>) -> Outcome {
    let fitted = view.fits.d.as_ref().map_err(String::clone)?;
    Estimate::constant(&fitted.law, "alpha_D", "runs")
}

pub(super) fn alpha_c(view: &View<'_>) -> Outcome {
    of_chain(view, Section::NaiveFrontier, "alpha_C")
}

pub(super) fn alpha_c_min(view: &View<'_>) -> Outcome {
    of_chain(view, Section::AdjustedFrontier, "alpha_C_min")
}

/// A constant of the chain, with that of the chain without one-layer models beside it.
pub(super) fn of_chain(view: &View<'_>, section: Section, name: &str) -> Outcome {
    let chain = view.fits.chain.as_ref().map_err(String::clone)?;
    let part = chain.part(section).ok_or("the chain has no such part")?;
    if let Some(reason) = &part.refused {
        return Err(reason.clone());
    }
    let constant = chain.constant(section, name).ok_or_else(|| format!("the chain gives no {name}"))?;
    let ci95 = constant.ci95.ok_or("more than a tenth of the resamples gave no value")?;
    let note = format!("{} curves", chain.n_curves);
    let estimate = Estimate { value: constant.value, ci95, note };
    Ok(estimate.noting(&without_one_layer(view.fits.chain_deep.as_ref().ok(), section, name)))
}

fn without_one_layer(deep: Option<&ChainReport>, section: Section, name: &str) -> String {
    let constant = deep.and_then(|chain| chain.constant(section, name));
    constant.map_or_else(
        || "without one-layer models: no value".into(),
        |c| format!("without one-layer models {:.4}", c.value),
    )
}

pub(super) fn compute_for_a_per_cent(view: &View<'_>) -> Outcome {
    Ok(alpha_c_min(view)?.mapped(|alpha| libm::pow(1.01, 1.0 / alpha) - 1.0).turned())
}

/// 8^(α_N/α_D).
pub(super) fn overfit_ratio(view: &View<'_>) -> Outcome {
    let fitted = view.fits.nd.as_ref().map_err(String::clone)?;
    let ratio = ln_ratio(&fitted.law, "alpha_N", "alpha_D").ok_or("the fit has no covariance")?;
    let beside = view.fits.nd_all.as_ref().ok().and_then(|all| {
        let value = |name: &str| all.law.param(name);
        Some(format!("{:.2} with the smallest D", libm::pow(8.0, value("alpha_N")? / value("alpha_D")?)))
    });
    let note = format!("{} runs", fitted.law.n_points);
    let estimate = Estimate::measured(ratio, note).mapped(|ln| libm::pow(8.0, libm::exp(ln)));
    Ok(estimate.noting(&beside.unwrap_or_default()))
}

/// ln of the ratio of two positive constants, with the standard error from their covariance.
fn ln_ratio(law: &FittedLaw, above: &str, below: &str) -> Option<Measured> {
    let of = |name: &str| law.params.iter().find(|(n, _)| n == name).map(|(_, e)| *e);
    let (a, b) = (of(above)?, of(below)?);
    let correlation =
        |c: &&scalelaw_fit::Correlation| (c.a == above && c.b == below) || (c.a == below && c.b == above);
    let r = law.diagnostics.correlations.iter().find(correlation)?.r;
    // Standard errors of the logarithms: positive parameters are fitted as such.
    let (sa, sb) = (a.se? / a.value, b.se? / b.value);
    let variance = sa * sa + sb * sb - 2.0 * r * sa * sb;
    Some(Measured {
        value: libm::log(a.value / b.value),
        se: variance.max(0.0).sqrt(),
        freedom: law.diagnostics.degrees_of_freedom,
    })
}

/// Loss of L(N, D) at endless data: what D_c no longer adds to.
pub(in super::super) fn endless(law: &FittedLaw, n: f64) -> f64 {
    let p = law.values();
    let loss = |n: f64, d: f64| scalelaw_fit::value(&scalelaw_fit::laws::KaplanNd, &[n, d], &p);
    let d = law.ranges.iter().find(|(name, _)| name == "D").map_or(1.0, |(_, [_, hi])| *hi);
    loss(n, d) / (1.0 + overfit(&loss, n, d))
}
