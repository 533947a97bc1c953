//! L(N), L(D), L(C), and how L(N, D) joins the first two.

use super::{Estimate, Outcome, View};
use crate::laws::frontier;
use crate::paper::Refusal;
use scalelaw_core::PF_DAY;
use scalelaw_fit::chain::{ChainReport, Section};
use scalelaw_fit::laws::Expression;
use scalelaw_fit::{Curve, Dataset, FitOptions, FittedLaw, IntervalChoice, Measured, Objective, fit};

/// What a constant lacks where more than a tenth of the resamples gave no value.
pub(super) const RESAMPLED: &str = "interval: more than a tenth of the resamples gave no value";
/// Resamples where the profile would take readings of one run as independent.
const DRAWS: usize = 200;

/// Change of the local exponent from one end of x to the other, as a share of the exponent in the middle.
fn straight(points: &[(f64, f64)], runs: Option<Vec<u32>>, what: &str) -> Outcome {
    let [lo, hi] = points.iter().fold([f64::INFINITY, 0.0f64], |[lo, hi], p| [lo.min(p.0), hi.max(p.0)]);
    let mut distinct: Vec<f64> = points.iter().map(|p| p.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 4 {
        return Err(Refusal::too_few(distinct.len(), format!("places of {what}"), 4));
    }
    let (centre, range) = ((lo * hi).sqrt(), libm::log(hi / lo));
    let form = format!("exp(a - m * (ln(x / {centre:e}) + s * ln(x / {centre:e})^2 / {:e}))", 2.0 * range);
    let real = (f64::NEG_INFINITY, f64::INFINITY);
    let bounds = ["a", "s"].map(|name| (name.to_owned(), real.0, real.1));
    let law = Expression::new(&form, &["x"], &bounds)?;
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
    let fitted = fit(&law, &data, &options)?;
    Estimate::constant(&fitted, "s", &format!("points over a factor of {:.0} in {what}", hi / lo))
}

pub(super) fn straight_in_n(view: &View<'_>) -> Outcome {
    let fitted = view.fits.n.as_ref().map_err(Refusal::clone)?;
    straight(&fitted.places(0), None, "N")
}

pub(super) fn straight_in_d(view: &View<'_>) -> Outcome {
    let fitted = view.fits.d.as_ref().map_err(Refusal::clone)?;
    straight(&fitted.places(0), None, "D")
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
    let read = frontier(&curves)?;
    let points: Vec<(f64, f64)> = read.iter().map(|p| (p.cost, p.loss)).collect();
    straight(&points, Some(read.iter().map(|p| p.curve as u32).collect()), "C")
}

pub(super) fn alpha_n(view: &View<'_>) -> Outcome {
    let fitted = view.fits.n.as_ref().map_err(Refusal::clone)?;
    let beside = view.fits.n_all.as_ref().ok().and_then(|all| all.law.param("alpha_N"));
    let beside = beside.map_or_else(String::new, |a| format!("{a:.4} over all sizes of two layers or more"));
    Ok(Estimate::constant(&fitted.law, "alpha_N", "runs")?.noting(&beside))
}

pub(super) fn alpha_d(view: &View<'_>) -> Outcome {
    let fitted = view.fits.d.as_ref().map_err(Refusal::clone)?;
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
    let chain = view.fits.chain.as_ref().map_err(Refusal::clone)?;
    let estimate = view.fits.of_chain(section, name)?;
    if estimate.ci95.iter().all(|end| end.is_infinite()) {
        return Err(Refusal::without(name, RESAMPLED));
    }
    let note = format!("{} curves", chain.n_curves);
    let deep = without_one_layer(view.fits.chain_deep.as_ref().ok(), section, name);
    Ok(Estimate { note, ..estimate }.noting(&deep))
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
    let fitted = view.fits.nd.as_ref().map_err(Refusal::clone)?;
    let ratio = ln_ratio(&fitted.law, "alpha_N", "alpha_D")
        .ok_or_else(|| Refusal::without("the fit", "covariance"))?;
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
