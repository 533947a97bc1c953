//! The laws of a quickstart, from its tables.

use crate::laws::{Fitted, Observation, Settings, fit_observations, frontier};
use crate::study::Note;
use scalelaw_core::Conventions;
use scalelaw_core::units::{DataConvention, FlopConvention, ParamConvention};
use scalelaw_experiment::PlannedRun;
use scalelaw_fit::laws::{KaplanNd, PowerLaw};
use scalelaw_fit::{Curve, FitError, FittedLaw, Law};
use scalelaw_table::{CurveRow, RunRow};

/// What a quickstart counts: Kaplan's N; compute with head and attention, for at this scale the head is
/// most of it; and distinct tokens.
pub const CONVENTIONS: Conventions = Conventions {
    params: ParamConvention::NonEmbedding,
    flops: FlopConvention::Full,
    data: DataConvention::Unique,
};

/// Part of a run after which its curve counts for the frontier: before it the loss is that of the warm-up.
const FRONTIER_FROM: f64 = 0.05;

/// All laws of a quickstart.
#[derive(Clone, Debug)]
pub struct QuickstartLaws {
    /// L(N) on the full data.
    pub params: Result<Fitted, FitError>,
    /// L(D) of the model that saw subsets.
    pub data: Result<Fitted, FitError>,
    /// L(C) on the envelope of the learning curves.
    pub compute: Result<Fitted, FitError>,
    /// L(N, D) with D distinct tokens, on full runs and subsets: what little text costs.
    pub joint: Result<Fitted, FitError>,
    /// L(N, D) with D the tokens processed, on full and short runs: what a budget buys.
    pub budget: Result<Fitted, FitError>,
    /// Exponents of L(N) and of L(C) under every convention.
    pub by_convention: Vec<Note>,
}

/// The finished runs by what they are for.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// Every size and seed on the full text.
    pub full: Vec<RunRow>,
    /// One size on subsets of the text, repeated.
    pub subsets: Vec<RunRow>,
    /// Some sizes on the full text, for fewer steps.
    pub short: Vec<RunRow>,
}

impl Groups {
    /// Sorts the completed runs by the experiment's sets; a diverged run enters no law.
    pub fn new(planned: &[PlannedRun], rows: &[RunRow]) -> Self {
        let mut groups = Self::default();
        for run in planned {
            let usable = |r: &&RunRow| r.run_id == run.key && r.status.as_deref() == Some("completed");
            let Some(row) = rows.iter().find(usable) else { continue };
            for set in &run.sets {
                let group = match set.as_str() {
                    "data" => &mut groups.subsets,
                    "short" => &mut groups.short,
                    _ => &mut groups.full,
                };
                group.push(row.clone());
            }
        }
        groups
    }
}

/// Fits every law.
pub fn fit_all(groups: &Groups, curves: &[CurveRow], digest: &str) -> QuickstartLaws {
    let Groups { full, subsets, short } = groups;
    let (both, fresh) = ([full.as_slice(), subsets].concat(), [full.as_slice(), short].concat());
    let (unique, processed) = (DataConvention::Unique, DataConvention::Processed);
    let n = |r: &RunRow| n_of(r, ParamConvention::NonEmbedding);
    let n_and = |r: &RunRow, data| Some(vec![n(r)?, d_of(r, data)?]);
    let counted = |data| settings(Conventions { data, ..CONVENTIONS }, digest);
    let fit = |law: &dyn Law, points, data| fit_observations(law, points, &counted(data));
    let beside = Settings { forecaster: true, ..counted(processed) };
    QuickstartLaws {
        params: fit(&PowerLaw::N, observed(full, |r| Some(vec![n(r)?])), unique),
        data: fit(&PowerLaw::D, observed(subsets, |r| Some(vec![d_of(r, unique)?])), unique),
        compute: fit_frontier(full, curves, FlopConvention::Full, digest),
        joint: fit(&KaplanNd, observed(&both, |r| n_and(r, unique)), unique),
        budget: fit_observations(&KaplanNd, observed(&fresh, |r| n_and(r, processed)), &beside),
        by_convention: by_convention(full, curves, digest),
    }
}

fn settings(conventions: Conventions, digest: &str) -> Settings {
    Settings { conventions: Some(conventions), data_digest: Some(digest.to_owned()), ..Settings::default() }
}

/// Lowest logged test losses of runs where a law's variables are known.
fn observed(runs: &[RunRow], at: impl Fn(&RunRow) -> Option<Vec<f64>>) -> Vec<Observation> {
    let observation = |r: &RunRow| {
        Some(Observation { run_id: r.run_id.clone(), at: at(r)?, loss: r.loss_min?, loss_se: r.loss_se })
    };
    runs.iter().filter_map(observation).collect()
}

fn n_of(run: &RunRow, convention: ParamConvention) -> Option<f64> {
    let n = match convention {
        ParamConvention::NonEmbedding => run.n_nonembed,
        ParamConvention::Matmul => run.n_matmul,
        ParamConvention::Total => run.n_total,
    };
    n.map(|n| n as f64)
}

fn d_of(run: &RunRow, convention: DataConvention) -> Option<f64> {
    let d = match convention {
        DataConvention::Unique => run.d_unique,
        DataConvention::Processed => run.tokens,
    };
    d.map(|d| d as f64)
}

fn flops_of(run: &RunRow, convention: FlopConvention) -> Option<f64> {
    match convention {
        FlopConvention::SixN => run.flops_6n,
        FlopConvention::Matmul => run.flops_matmul,
        FlopConvention::Full => run.flops_full,
    }
}

fn fit_frontier(
    runs: &[RunRow],
    curves: &[CurveRow],
    flops: FlopConvention,
    digest: &str,
) -> Result<Fitted, FitError> {
    let curve = |run: &RunRow| {
        let per_token = flops_of(run, flops)? / run.tokens? as f64;
        let steps = run.steps?;
        let points = curves
            .iter()
            .filter(|c| c.run_id == run.run_id)
            .filter(|c| c.step.is_some_and(|step| step as f64 >= FRONTIER_FROM * steps as f64))
            .filter_map(|c| Some((c.tokens? as f64 * per_token, c.test_loss?)))
            .collect();
        Some(Curve { run: run.run_id.clone(), points })
    };
    let curves: Vec<Curve> = runs.iter().filter_map(curve).collect();
    let points = frontier(&curves)?
        .into_iter()
        .map(|p| Observation { run_id: p.run, at: vec![p.cost], loss: p.loss, loss_se: None })
        .collect();
    fit_observations(&PowerLaw::C, points, &settings(Conventions { flops, ..CONVENTIONS }, digest))
}

fn by_convention(full: &[RunRow], curves: &[CurveRow], digest: &str) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut push = |convention: String, fitted: Result<Fitted, FitError>, name: &str| {
        let found = fitted.ok().and_then(|fitted| exponent(&fitted.law, name));
        notes.extend(found.map(|(value, interval)| Note::Exponent {
            name: name.to_owned(),
            convention,
            value,
            interval,
        }));
    };
    for convention in [ParamConvention::NonEmbedding, ParamConvention::Matmul, ParamConvention::Total] {
        let points = observed(full, |r| Some(vec![n_of(r, convention)?]));
        let fitted = fit_observations(&PowerLaw::N, points, &settings(CONVENTIONS, digest));
        push(convention.to_string(), fitted, "alpha_N");
    }
    for convention in [FlopConvention::SixN, FlopConvention::Matmul, FlopConvention::Full] {
        push(convention.to_string(), fit_frontier(full, curves, convention, digest), "alpha_C");
    }
    notes
}

/// A constant and its 95% interval; an open end is infinite.
pub fn exponent(law: &FittedLaw, name: &str) -> Option<(f64, Option<(f64, f64)>)> {
    let (_, estimate) = law.params.iter().find(|(n, _)| n == name)?;
    let interval =
        estimate.ci95.map(|[low, high]| (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)));
    Some((estimate.value, interval))
}
