//! Every law that figures and claims share, fitted once.

use super::Refusal;
use super::claims::{Estimate, Estimators};
use super::runs::{PaperRun, PaperRuns, RunSet};
use crate::laws::{Fitted, Observation, Settings, fit_observations};
use crate::lines::range;
use scalelaw_fit::chain::{ChainReport, Point, Section, Trunk, chain};
use scalelaw_fit::explain::{CountedRun, Explanation, explain};
use scalelaw_fit::laws::{KaplanNd, LogLine, PowerLaw};
use scalelaw_fit::presets::KaplanConstants;
use scalelaw_fit::{CurveStudy, Dataset, FitOptions, IntervalChoice, Law, Measured, forecast_curves};

/// Resamples of the corrections: six accountings, each refitted this often.
const EXPLAIN_DRAWS: usize = 40;
/// Share of a curve that the rest is forecast from.
const SEEN: f64 = 0.2;

/// Everything fitted; what could not be says why.
#[derive(Clone, Debug)]
pub struct Fits {
    /// Standard deviation of ln L between seeds.
    pub noise: Result<Measured, Refusal>,
    /// The chain over A's trunks and C's best runs.
    pub chain: Result<ChainReport, Refusal>,
    /// The same without one-layer models.
    pub chain_deep: Result<ChainReport, Refusal>,
    /// L(N) over the sizes that the rule takes.
    pub n: Result<Fitted, Refusal>,
    /// The rival −a·ln(N/b) over the same.
    pub n_log: Result<Fitted, Refusal>,
    /// L(N) over all sizes of two layers or more.
    pub n_all: Result<Fitted, Refusal>,
    /// L(D) of B's largest size.
    pub d: Result<Fitted, Refusal>,
    /// L(N, D) over B.
    pub nd: Result<Fitted, Refusal>,
    /// L(N, D) over all of B.
    pub nd_all: Result<Fitted, Refusal>,
    /// The rest of A's trunks, forecast from their first fifth.
    pub forecast: Result<CurveStudy, Refusal>,
    /// The exponents in the counts of later papers.
    pub explanation: Result<Explanation, Refusal>,
}

impl Fits {
    /// Fits everything.
    pub fn new(runs: &PaperRuns, estimators: &Estimators) -> Self {
        let taken = size_points(runs, estimators, true);
        let grid = runs.of(RunSet::Data).filter(|r| r.lowest().is_finite()).collect::<Vec<_>>();
        let kept = without_smallest(&grid, estimators.data.smallest_left_out);
        let trunks: Vec<&PaperRun> = runs.trunks().into_iter().chain(runs.batches()).collect();
        let deep: Vec<&PaperRun> = trunks.iter().copied().filter(|r| r.layers() > 1).collect();
        Self {
            noise: noise(runs),
            chain: walk(&trunks, estimators),
            chain_deep: walk(&deep, estimators),
            n: one(&PowerLaw::N, taken.clone()),
            n_log: one(&LogLine, taken),
            n_all: one(&PowerLaw::N, size_points(runs, estimators, false)),
            d: one(&PowerLaw::D, data_points(runs)),
            nd: joint(&kept),
            nd_all: joint(&grid),
            forecast: forecast(runs, estimators),
            explanation: explanation(runs),
        }
    }

    /// The range of losses at which a critical batch was measured; `None` without one. Beyond it S_min and C_min rest on
    /// the continuation of B_crit(L).
    pub fn measured_losses(&self) -> Option<(f64, f64)> {
        let levels = self.chain.as_ref().map_or(&[][..], |chain| &chain.levels[..]);
        range(levels.iter().filter(|l| l.b_crit.is_some()).map(|l| l.loss))
    }

    /// A constant of the chain with its interval, open where the resamples gave none.
    ///
    /// # Errors
    /// Why the chain, or this part of it, was not fitted.
    pub fn of_chain(&self, section: Section, name: &str) -> Result<Estimate, Refusal> {
        let chain = self.chain.as_ref().map_err(Refusal::clone)?;
        if let Some(reason) = chain.part(section).and_then(|part| part.refused.clone()) {
            return Err(Refusal::Chain(reason));
        }
        let constant = chain.constant(section, name).ok_or_else(|| Refusal::without("the chain", name))?;
        let ci95 = constant.ci95.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        Ok(Estimate { value: constant.value, ci95, note: String::new() })
    }

    /// A loss with 1.96 standard deviations between seeds to either side; `None` without seeds.
    pub fn between_seeds(&self, loss: f64) -> Option<(f64, f64)> {
        let half = 1.96 * self.noise.as_ref().ok()?.se * loss;
        Some((loss - half, loss + half))
    }

    /// Table 3 and B_crit(L) of these runs.
    pub fn constants(&self) -> Option<KaplanConstants> {
        let chain = self.chain.as_ref().ok()?;
        let get = |section, name: &str| chain.constant(section, name).map(|c| c.value);
        Some(KaplanConstants {
            n_c: get(Section::StepsLaw, "N_c")?,
            alpha_n: get(Section::StepsLaw, "alpha_N")?,
            s_c: get(Section::StepsLaw, "S_c")?,
            alpha_s: get(Section::StepsLaw, "alpha_S")?,
            b_star: get(Section::CriticalBatch, "B_star")?,
            alpha_b: get(Section::CriticalBatch, "alpha_B")?,
        })
    }
}

/// A run's evaluations as the chain takes them.
pub(super) fn trunk(run: &PaperRun) -> Trunk {
    let points = run
        .curve
        .iter()
        .filter_map(|row| {
            Some(Point { step: row.step? as f64, loss: row.test_loss?, noise_scale: row.noise_scale })
        })
        .collect();
    Trunk { run: run.row.run_id.clone(), n: run.n(), batch: run.batch(), points }
}

fn walk(runs: &[&PaperRun], estimators: &Estimators) -> Result<ChainReport, Refusal> {
    let trunks: Vec<Trunk> = runs.iter().map(|run| trunk(run)).collect();
    if trunks.is_empty() {
        return Err(Refusal::Nothing("run of A or C is finished".into()));
    }
    Ok(chain(&trunks, &[], &estimators.chain.options())?)
}

/// Standard deviation of ln L between the seeds of a size.
fn noise(runs: &PaperRuns) -> Result<Measured, Refusal> {
    let mut sizes: Vec<(f64, Vec<f64>)> = Vec::new();
    for run in runs.of(RunSet::Seeds).filter(|run| run.loss() > 0.0) {
        match sizes.iter_mut().find(|(n, _)| *n == run.n()) {
            Some((_, losses)) => losses.push(libm::log(run.loss())),
            None => sizes.push((run.n(), vec![libm::log(run.loss())])),
        }
    }
    let groups: Vec<Vec<f64>> = sizes.into_iter().map(|(_, losses)| losses).collect();
    Measured::spread(&groups).ok_or_else(|| Refusal::Nothing("size of I has two finished seeds".into()))
}

/// Converged runs on all data: A's longest branches and I.
fn size_points(runs: &PaperRuns, estimators: &Estimators, ample: bool) -> Vec<Observation> {
    let rule = estimators.size;
    let per_parameter = |run: &PaperRun| run.row.tokens.map_or(0.0, |t| t as f64) / run.n();
    runs.longest()
        .into_iter()
        .chain(runs.of(RunSet::Seeds))
        .filter(|run| run.layers() >= rule.layers_at_least && run.loss().is_finite())
        .filter(|run| !ample || per_parameter(run) >= rule.tokens_per_parameter_at_least)
        .map(|run| observation(run, vec![run.n()], run.loss()))
        .collect()
}

/// B's largest size at its lowest losses, smallest D first.
fn data_points(runs: &PaperRuns) -> Vec<Observation> {
    let largest = runs.of(RunSet::Data).map(PaperRun::n).fold(0.0, f64::max);
    let mut points: Vec<Observation> = runs
        .of(RunSet::Data)
        .filter(|run| run.n() == largest && run.lowest().is_finite())
        .map(|run| observation(run, vec![run.unique()], run.lowest()))
        .collect();
    points.sort_by(|a, b| a.at[0].total_cmp(&b.at[0]));
    points
}

fn observation(run: &PaperRun, at: Vec<f64>, loss: f64) -> Observation {
    Observation { run_id: run.row.run_id.clone(), at, loss, loss_se: None }
}

/// The runs without those of the `count` smallest amounts of data.
fn without_smallest<'a>(runs: &[&'a PaperRun], count: usize) -> Vec<&'a PaperRun> {
    let mut amounts: Vec<f64> = runs.iter().map(|run| run.unique()).collect();
    amounts.sort_by(f64::total_cmp);
    amounts.dedup();
    let from = amounts.get(count).copied().unwrap_or(f64::INFINITY);
    runs.iter().copied().filter(|run| run.unique() >= from).collect()
}

fn settings() -> Settings {
    Settings { intervals: IntervalChoice::Profile, ..Settings::default() }
}

fn one(law: &dyn Law, points: Vec<Observation>) -> Result<Fitted, Refusal> {
    let mut distinct: Vec<f64> = points.iter().map(|p| p.at[0]).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 3 {
        return Err(Refusal::too_few(distinct.len(), format!("values of {}", law.variables()[0]), 3));
    }
    Ok(fit_observations(law, points, &settings())?)
}

fn joint(runs: &[&PaperRun]) -> Result<Fitted, Refusal> {
    if runs.len() < 6 {
        return Err(Refusal::too_few(runs.len(), "runs of B", 6));
    }
    let points = runs.iter().map(|run| observation(run, vec![run.n(), run.unique()], run.lowest())).collect();
    Ok(fit_observations(&KaplanNd, points, &settings())?)
}

fn forecast(runs: &PaperRuns, estimators: &Estimators) -> Result<CurveStudy, Refusal> {
    let trunks = runs.trunks();
    if trunks.len() < 3 {
        return Err(Refusal::too_few(trunks.len(), "trunks of A", 3));
    }
    let (mut n, mut s, mut loss, mut group) = (vec![], vec![], vec![], vec![]);
    for (i, run) in trunks.iter().enumerate() {
        for (step, at) in run.losses(estimators.chain.skip_steps) {
            n.push(run.n());
            s.push(step);
            loss.push(at);
            group.push(i as u32);
        }
    }
    let data = Dataset::new(loss).with("N", n).with("S", s).grouped(group.clone());
    Ok(forecast_curves(&data, &group, SEEN, &FitOptions::default())?)
}

fn explanation(runs: &PaperRuns) -> Result<Explanation, Refusal> {
    let counted: Vec<CountedRun> =
        runs.branches().into_iter().chain(runs.of(RunSet::IsoFlop)).filter_map(counted).collect();
    Ok(explain(&counted, EXPLAIN_DRAWS, 0)?)
}

fn counted(run: &PaperRun) -> Option<CountedRun> {
    let row = &run.row;
    let tokens = row.tokens? as f64;
    Some(CountedRun {
        n_nonembed: run.n(),
        n_matmul: row.n_matmul? as f64,
        n_total: run.n_total(),
        tokens,
        flops_per_token: [row.flops_6n? / tokens, row.flops_matmul? / tokens, row.flops_full? / tokens],
        loss: row.loss?,
        warmup_tokens: row.warmup_tokens.map(|w| w as f64),
        annealed: Some(true),
    })
}
