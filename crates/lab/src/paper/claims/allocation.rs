//! Where compute goes, where the laws contradict each other, and what later papers' counts make of the same runs.

use super::power_laws::{RESAMPLED, alpha_c_min, alpha_d, of_chain};
use super::{Estimate, Outcome, View};
use crate::paper::Refusal;
use crate::paper::runs::RunSet;
use scalelaw_fit::Measured;
use scalelaw_fit::chain::Section;
use scalelaw_fit::explain::Step;
use scalelaw_fit::isoflop::{Profile, Valley, clusters, log_line, optima};

pub(super) fn adjusted(view: &View<'_>, name: &str) -> Outcome {
    of_chain(view, Section::AdjustedFrontier, name)
}

pub(super) fn naive(view: &View<'_>) -> Outcome {
    of_chain(view, Section::NaiveFrontier, "p_N")
}

/// α_C^min − p_D·α_D, the three taken as independent.
pub(super) fn contradiction(view: &View<'_>) -> Outcome {
    let of = |e: Estimate| Measured::from_interval(e.value, e.ci95);
    let (compute, data) = (of(alpha_c_min(view)?), of(adjusted(view, "p_D")?));
    let alpha_d = of(alpha_d(view)?);
    let (a, b) = (data.se * alpha_d.value, alpha_d.se * data.value);
    let product =
        Measured { value: data.value * alpha_d.value, se: (a * a + b * b).sqrt(), freedom: f64::INFINITY };
    Ok(Estimate::measured(compute.minus(product), "three fits"))
}

/// A step of the explanation, by the words its title begins with.
fn step<'a>(view: &View<'a>, title: &str) -> Result<&'a Step, Refusal> {
    let explanation = view.fits.explanation.as_ref().map_err(Refusal::clone)?;
    let found = explanation.steps.iter().find(|step| step.title.starts_with(title));
    found.ok_or_else(|| Refusal::without("the explanation", format!("step {title:?}")))
}

fn exponent(step: &Step) -> Outcome {
    let ci95 = step.ci95.ok_or_else(|| Refusal::without("the step", RESAMPLED))?;
    Ok(Estimate { value: step.n_opt_exponent, ci95, note: format!("{} runs", step.n_runs) })
}

fn change(from: &Step, to: &Step) -> Outcome {
    let of = |e: Estimate| Measured::from_interval(e.value, e.ci95);
    let note = format!("from {:.3} to {:.3}", from.n_opt_exponent, to.n_opt_exponent);
    Ok(Estimate::measured(of(exponent(to)?).minus(of(exponent(from)?)), note))
}

const FLOOR: &str = "with an irreducible loss";
const HEAD: &str = "Porian: N and C with the head";
const TOTAL: &str = "Chinchilla: N with everything";
const SEEN_WITHOUT: &str = "Pearce & Song";

pub(super) fn chinchilla(view: &View<'_>) -> Outcome {
    exponent(step(view, TOTAL)?)
}

pub(super) fn head(view: &View<'_>) -> Outcome {
    change(step(view, FLOOR)?, step(view, HEAD)?)
}

pub(super) fn counts(view: &View<'_>) -> Outcome {
    change(step(view, TOTAL)?, step(view, SEEN_WITHOUT)?)
}

/// Approach 2 of Chinchilla on J.
pub(super) fn isoflop(view: &View<'_>) -> Outcome {
    let (found, refused) = optima(&profiles(view.runs), Valley::Parabola);
    let (c, n): (Vec<f64>, Vec<f64>) = found.iter().map(|o| (o.budget, o.n)).unzip();
    let why: String = refused.iter().map(|r| format!("; {:.1e} FLOPs: {}", r.budget, r.reason)).collect();
    let line = log_line(&c, &n, &vec![1.0; c.len()]).ok().and_then(|line| Some((line, line.ci95?)));
    let Some((line, ci95)) = line else {
        return Err(Refusal::TooFew { found: c.len(), what: "budgets with a valley".into(), needed: 3, why });
    };
    Ok(Estimate { value: line.exponent, ci95, note: format!("{} budgets{why}", line.n) })
}

/// J's budgets: runs whose FLOPs agree to 5%.
fn profiles(runs: &crate::paper::PaperRuns) -> Vec<Profile> {
    let counted =
        runs.of(RunSet::IsoFlop).filter_map(|run| Some((run.row.flops_full?, (run.n_total(), run.loss()))));
    let (flops, points): (Vec<f64>, Vec<(f64, f64)>) = counted.unzip();
    let profile = |mut budget: Vec<usize>| {
        budget.sort_unstable();
        Profile { budget: flops[budget[0]], points: budget.iter().map(|i| points[*i]).collect() }
    };
    clusters(&flops, 1.05).into_iter().map(profile).collect()
}
