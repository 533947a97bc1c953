//! The chain's result: every constant with its interval, every level, everything refused.

use super::curve::{Curve, Trunk};
use super::estimate::{Estimate, Named, Prepared, Range, Section, Starts};
use super::scan::{self, Level};
use super::{ChainOptions, GridRun};
use crate::error::FitError;
use crate::plan::{Basis, Missing, PlanError};
use crate::presets::KaplanConstants;
use crate::random::{exponential, generator};
use crate::statistics::{quantile, student_t};
use rayon::prelude::*;
use scalelaw_core::{Conventions, PF_DAY};
use serde::{Deserialize, Serialize};

/// Format written by this version.
pub const FORMAT: &str = "scalelaw-chain/1";

/// A constant and its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// The paper's symbol.
    pub name: String,
    /// Value. C in PF-days, B and D in tokens.
    pub value: f64,
    /// 95% interval by the bootstrap over trunks; `null` when too many resamples gave no value.
    pub ci95: Option<[f64; 2]>,
}

/// One part of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub section: Section,
    /// Its constants; empty when refused.
    pub constants: Vec<Constant>,
    /// Why there are none.
    pub refused: Option<String>,
}

/// A place of a frontier: at this compute the best size lies between two that were run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontierPlace {
    /// Of which frontier.
    pub section: Section,
    /// C, or C_min, in PF-days.
    pub pf_days: f64,
    /// Best size.
    pub n: f64,
    /// Its loss, nats per token.
    pub loss: f64,
}

/// Everything the curves gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainReport {
    /// File format: [`FORMAT`].
    pub format: String,
    /// What N, C and D count.
    pub conventions: Conventions,
    /// Curves used.
    pub n_curves: usize,
    /// Curves with too few points.
    pub left_out: Vec<String>,
    /// Batch scans level by level.
    pub levels: Vec<Level>,
    /// Places of the frontiers, cheapest first; none in files of earlier versions.
    #[serde(default)]
    pub frontiers: Vec<FrontierPlace>,
    /// The parts.
    pub parts: Vec<Part>,
    /// What a reader must know.
    pub doubts: Vec<String>,
    /// Resamples.
    pub bootstrap: usize,
    /// Seed of the resampling.
    pub seed: u64,
}

impl ChainReport {
    /// A part.
    pub fn part(&self, section: Section) -> Option<&Part> {
        self.parts.iter().find(|p| p.section == section)
    }

    /// A constant of a part.
    pub fn constant(&self, section: Section, name: &str) -> Option<&Constant> {
        self.part(section)?.constants.iter().find(|c| c.name == name)
    }

    /// What the planner needs.
    ///
    /// # Errors
    /// L(N, S_min) or B_crit(L) was refused.
    pub fn basis(&self, name: &str) -> Result<Basis, PlanError> {
        let get = |section, constant: &str| {
            self.constant(section, constant)
                .map(|c| c.value)
                .ok_or_else(|| PlanError::CannotPlan { name: name.into(), missing: Missing::TrainingLaw })
        };
        let constants = KaplanConstants {
            n_c: get(Section::StepsLaw, "N_c")?,
            alpha_n: get(Section::StepsLaw, "alpha_N")?,
            s_c: get(Section::StepsLaw, "S_c")?,
            alpha_s: get(Section::StepsLaw, "alpha_S")?,
            b_star: get(Section::CriticalBatch, "B_star")?,
            alpha_b: get(Section::CriticalBatch, "alpha_B")?,
        };
        Ok(Basis::chain(name, constants, self.conventions, self.doubts.clone()))
    }
}

/// Walks the chain.
///
/// Intervals are percentiles of refits to trunks with random weights (the Bayesian bootstrap, Rubin 1981):
/// unlike drawing with replacement it never takes a batch out of a scan; widened for few trunks.
///
/// # Errors
/// No curve has three usable points.
pub fn chain(trunks: &[Trunk], grid: &[GridRun], options: &ChainOptions) -> Result<ChainReport, FitError> {
    let mut left_out = Vec::new();
    let mut curves = Vec::new();
    for trunk in trunks {
        match Curve::new(trunk, options) {
            Some(curve) => curves.push(curve),
            None => {
                left_out.push(format!("{}: fewer than 3 points after step {}", trunk.run, options.skip_steps))
            }
        }
    }
    if curves.is_empty() {
        return Err(FitError::ShortCurves { curves: trunks.len(), skip_steps: options.skip_steps });
    }
    let scans = scan::scans(&curves);
    let levels = scans
        .iter()
        .enumerate()
        .flat_map(|(s, members)| scan::levels(&curves, members, options).into_iter().map(move |l| (s, l)))
        .collect();
    let prepared = Prepared { curves, scans, levels, grid, options };
    let ones = vec![1.0; prepared.curves.len()];
    let grid_ones = vec![1.0; grid.len()];
    let values = prepared.estimate(&ones, &grid_ones, &Starts::default());
    let starts = Starts {
        steps_law: outcome(&values, Section::StepsLaw),
        data_law: outcome(&values, Section::DataLaw),
    };
    let draws: Vec<Estimate> = (0..options.bootstrap)
        .into_par_iter()
        .map(|index| {
            let mut rng = generator(options.seed, index);
            let weights = ones.iter().map(|_| exponential(&mut rng)).collect::<Vec<_>>();
            let grid_weights = grid_ones.iter().map(|_| exponential(&mut rng)).collect::<Vec<_>>();
            prepared.estimate(&weights, &grid_weights, &starts)
        })
        .collect();
    Ok(describe(&prepared, values, &draws, left_out))
}

/// Constants of a section in the order their law has them.
fn outcome(estimate: &Estimate, section: Section) -> Option<Vec<f64>> {
    let (_, outcome) = estimate.sections.iter().find(|(s, _)| *s == section)?;
    outcome.as_ref().ok().map(|constants| constants.0.iter().map(|c| c.value).collect())
}

fn describe(
    prepared: &Prepared<'_>,
    values: Estimate,
    draws: &[Estimate],
    left_out: Vec<String>,
) -> ChainReport {
    let n_scan: usize = prepared.scans.iter().map(Vec::len).sum();
    let interval =
        |range: Range, (units, fitted): (usize, usize), at: f64, of: &dyn Fn(&Estimate) -> Option<f64>| {
            let mut sorted: Vec<f64> = draws.iter().filter_map(of).filter(|v| v.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            // A tenth of the resamples without a value would make the percentiles those of the lucky ones.
            (!sorted.is_empty() && sorted.len() * 10 >= draws.len() * 9).then(|| {
                let factor = widening(units, fitted);
                let ends = [quantile(&sorted, 0.025), quantile(&sorted, 0.975)];
                match range {
                    Range::Any => ends.map(|end| at + (end - at) * factor),
                    Range::Positive => ends.map(|end| at * libm::pow(end / at, factor)),
                }
            })
        };
    let units = |section: Section| match section {
        Section::CriticalBatch => (n_scan, 2 * prepared.scans.len()),
        Section::DataLaw => (prepared.grid.len(), 4),
        _ => (prepared.curves.len(), 4),
    };
    let mut parts: Vec<Part> = values
        .sections
        .iter()
        .enumerate()
        .map(|(s, (section, outcome))| match outcome {
            Err(reason) => Part { section: *section, constants: vec![], refused: Some(reason.to_string()) },
            Ok(constants) => Part {
                section: *section,
                refused: None,
                constants: constants
                    .0
                    .iter()
                    .map(|&Named { name, value, range }| Constant {
                        name: name.to_string(),
                        value,
                        ci95: interval(range, units(*section), value, &|e| {
                            e.sections[s].1.as_ref().ok().map(|constants| constants.get(name))
                        }),
                    })
                    .collect(),
            },
        })
        .collect();
    parts.sort_by_key(|p| p.section);
    let levels: Vec<Level> = values
        .levels
        .into_iter()
        .enumerate()
        .map(|(i, level)| Level {
            b_crit_ci95: level.b_crit.and_then(|at| {
                interval(Range::Positive, (level.batches.len(), 2), at, &|e: &Estimate| e.levels[i].b_crit)
            }),
            ..level
        })
        .collect();
    let frontiers = values
        .frontiers
        .iter()
        .flat_map(|(section, places)| {
            places.iter().map(|best| FrontierPlace {
                section: *section,
                pf_days: libm::exp(best.ln_cost) / PF_DAY,
                n: libm::exp(best.ln_n),
                loss: libm::exp(best.ln_loss),
            })
        })
        .collect();
    let doubts = doubts(prepared, &levels, &parts);
    ChainReport {
        format: FORMAT.into(),
        conventions: prepared.options.conventions,
        n_curves: prepared.curves.len(),
        left_out,
        levels,
        frontiers,
        parts,
        doubts,
        bootstrap: draws.len(),
        seed: prepared.options.seed,
    }
}

/// How much further from the value the ends of a percentile interval lie for few units: √(n/(n − p))·t/z, the
/// expanded percentile interval of Hesterberg 2015, section 4.
fn widening(units: usize, fitted: usize) -> f64 {
    let freedom = units.saturating_sub(fitted).max(1) as f64;
    (units as f64 / freedom).sqrt() * student_t(0.975, freedom) / student_t(0.975, 1e6)
}

fn doubts(prepared: &Prepared<'_>, levels: &[Level], parts: &[Part]) -> Vec<String> {
    let mut doubts = Vec::new();
    let refused = |section| parts.iter().any(|p| p.section == section && p.refused.is_some());
    if refused(Section::CriticalBatch) {
        doubts.push("without B_crit(L), L(N, S) is fitted to steps as they are, not to S_min".into());
    } else {
        let measured = levels.iter().filter(|l| l.b_crit.is_some()).map(|l| l.loss);
        let [lo, hi] = measured.fold([f64::INFINITY, 0.0f64], |[lo, hi], l| [lo.min(l), hi.max(l)]);
        let all: Vec<f64> =
            prepared.curves.iter().flat_map(|c| c.smooth.iter().map(|p| libm::exp(p.1))).collect();
        let outside = all.iter().filter(|l| **l < lo || **l > hi).count();
        if outside > 0 {
            doubts.push(format!(
                "B_crit(L) was measured for losses of {lo:.2} to {hi:.2}; {:.0}% of the points adjusted lie outside",
                100.0 * outside as f64 / all.len() as f64
            ));
        }
    }
    let without = levels.iter().filter(|l| l.refused.is_some()).count();
    if without > 0 {
        doubts
            .push(format!("{without} of {} loss levels gave no critical batch; each says why", levels.len()));
    }
    doubts
}
