//! Every law that figures and claims share, fitted once.

use super::claims::Estimators;
use super::runs::{PaperRun, PaperRuns, RunSet};
use scalelaw_fit::chain::{ChainReport, Point, Section, Trunk, chain};
use scalelaw_fit::explain::{CountedRun, Explanation, explain};
use scalelaw_fit::laws::{KaplanNd, LogLine, PowerLaw};
use scalelaw_fit::presets::KaplanConstants;
use scalelaw_fit::{
    CurveStudy, Dataset, FitOptions, FittedLaw, IntervalChoice, Law, Measured, fit, foretell,
};

/// Resamples of the corrections: six accountings, each refitted this often.
const EXPLAIN_DRAWS: usize = 40;
/// Share of a curve that foretells the rest.
pub(super) const SEEN: f64 = 0.2;

/// A law and the points it was fitted to.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The law.
    pub law: FittedLaw,
    /// (x, loss, run).
    pub points: Vec<(f64, f64, String)>,
}

/// Everything fitted; what could not be says why.
#[derive(Clone, Debug)]
pub struct Fits {
    /// Standard deviation of ln L between seeds.
    pub noise: Result<Measured, String>,
    /// The chain over A's trunks and C's best runs.
    pub chain: Result<ChainReport, String>,
    /// The same without one-layer models.
    pub chain_deep: Result<ChainReport, String>,
    /// L(N) over the sizes that the rule takes.
    pub n: Result<Fitted, String>,
    /// The rival −a·ln(N/b) over the same.
    pub n_log: Result<Fitted, String>,
    /// L(N) over all sizes of two layers or more.
    pub n_all: Result<Fitted, String>,
    /// L(D) of B's largest size.
    pub d: Result<Fitted, String>,
    /// L(N, D) over B; `x` of its points is D.
    pub nd: Result<Fitted, String>,
    /// L(N, D) over all of B.
    pub nd_all: Result<Fitted, String>,
    /// The rest of A's trunks told from their first fifth.
    pub forecast: Result<CurveStudy, String>,
    /// The exponents in the counts of later papers.
    pub explanation: Result<Explanation, String>,
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
            n: one(&PowerLaw::N, "N", taken.clone()),
            n_log: one(&LogLine, "N", taken),
            n_all: one(&PowerLaw::N, "N", size_points(runs, estimators, false)),
            d: one(&PowerLaw::D, "D", data_points(runs)),
            nd: joint(&kept),
            nd_all: joint(&grid),
            forecast: forecast(runs, estimators),
            explanation: explanation(runs),
        }
    }

    /// What is doubtful about them: the chain's doubts, and the warnings of every law.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = Vec::new();
        match &self.chain {
            Ok(chain) => doubts.extend(chain.doubts.iter().map(|doubt| format!("Chain: {doubt}."))),
            Err(reason) => doubts.push(format!("Chain: not walked, {reason}.")),
        }
        let laws = [("L(N)", &self.n), ("L(D)", &self.d), ("L(N, D)", &self.nd)];
        for (name, fit) in laws {
            match fit {
                Ok(fit) => doubts.extend(fit.law.warnings.iter().map(|w| format!("{name}: {}.", w.message))),
                Err(reason) => doubts.push(format!("{name}: not fitted, {reason}.")),
            }
        }
        doubts
    }

    /// The range of losses in which B_crit(L) was measured, in words; beyond it S_min and C_min rest on a guess.
    pub(super) fn measured_range(&self) -> String {
        let levels = self.chain.as_ref().map_or(&[][..], |chain| &chain.levels[..]);
        let losses = || levels.iter().filter(|l| l.b_crit.is_some()).map(|l| l.loss);
        let (lo, hi) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
        if lo > hi {
            return String::new();
        }
        format!(
            " B_{{crit}}(L) was measured for losses of {lo:.2} to {hi:.2}; outside S_{{min}} and C_{{min}} rest on its \
             continuation."
        )
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

fn said(error: impl ToString) -> String {
    error.to_string()
}

/// A run's evaluations as the chain takes them.
pub(super) fn trunk(run: &PaperRun) -> Trunk {
    let points = run
        .curve
        .iter()
        .filter_map(|row| {
            Some(Point { step: row.step as f64, loss: row.test_loss?, noise_scale: row.noise_scale })
        })
        .collect();
    Trunk { run: run.row.run_id.clone(), n: run.n(), batch: run.batch(), points }
}

fn walk(runs: &[&PaperRun], estimators: &Estimators) -> Result<ChainReport, String> {
    let trunks: Vec<Trunk> = runs.iter().map(|run| trunk(run)).collect();
    if trunks.is_empty() {
        return Err("no run of A or C is finished".into());
    }
    chain(&trunks, &[], &estimators.chain.options()).map_err(said)
}

/// Standard deviation of ln L between the seeds of a size.
fn noise(runs: &PaperRuns) -> Result<Measured, String> {
    let mut sizes: Vec<(f64, Vec<f64>)> = Vec::new();
    for run in runs.of(RunSet::Seeds).filter(|run| run.loss() > 0.0) {
        match sizes.iter_mut().find(|(n, _)| *n == run.n()) {
            Some((_, losses)) => losses.push(libm::log(run.loss())),
            None => sizes.push((run.n(), vec![libm::log(run.loss())])),
        }
    }
    let groups: Vec<Vec<f64>> = sizes.into_iter().map(|(_, losses)| losses).collect();
    Measured::spread(&groups).ok_or_else(|| "no size of I has two finished seeds".into())
}

/// (N, loss, run) of converged runs on all data: A's longest branches and I.
fn size_points(runs: &PaperRuns, estimators: &Estimators, ample: bool) -> Vec<(f64, f64, String)> {
    let rule = estimators.size;
    let per_parameter = |run: &PaperRun| run.row.tokens.map_or(0.0, |t| t as f64) / run.n();
    runs.longest()
        .into_iter()
        .chain(runs.of(RunSet::Seeds))
        .filter(|run| run.layers() >= rule.layers_at_least && run.loss().is_finite())
        .filter(|run| !ample || per_parameter(run) >= rule.tokens_per_parameter_at_least)
        .map(|run| (run.n(), run.loss(), run.row.run_id.clone()))
        .collect()
}

/// (D, lowest loss, run) of B's largest size.
fn data_points(runs: &PaperRuns) -> Vec<(f64, f64, String)> {
    let largest = runs.of(RunSet::Data).map(PaperRun::n).fold(0.0, f64::max);
    let mut points: Vec<(f64, f64, String)> = runs
        .of(RunSet::Data)
        .filter(|run| run.n() == largest && run.lowest().is_finite())
        .map(|run| (unique(run), run.lowest(), run.row.run_id.clone()))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Distinct training tokens.
pub(super) fn unique(run: &PaperRun) -> f64 {
    run.row.d_unique.map_or(f64::NAN, |d| d as f64)
}

/// The runs without those of the `count` smallest amounts of data.
fn without_smallest<'a>(runs: &[&'a PaperRun], count: usize) -> Vec<&'a PaperRun> {
    let mut amounts: Vec<f64> = runs.iter().map(|run| unique(run)).collect();
    amounts.sort_by(f64::total_cmp);
    amounts.dedup();
    let from = amounts.get(count).copied().unwrap_or(f64::INFINITY);
    runs.iter().copied().filter(|run| unique(run) >= from).collect()
}

fn one(law: &dyn Law, x: &str, points: Vec<(f64, f64, String)>) -> Result<Fitted, String> {
    let mut distinct: Vec<f64> = points.iter().map(|p| p.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 3 {
        return Err(format!("{} values of {x}; 3 are needed", distinct.len()));
    }
    let data =
        Dataset::new(points.iter().map(|p| p.1).collect()).with(x, points.iter().map(|p| p.0).collect());
    let options = FitOptions { intervals: IntervalChoice::Profile, ..FitOptions::default() };
    fit(law, &data, &options).map(|law| Fitted { law, points }).map_err(said)
}

fn joint(runs: &[&PaperRun]) -> Result<Fitted, String> {
    if runs.len() < 6 {
        return Err(format!("{} runs of B; 6 are needed", runs.len()));
    }
    let data = Dataset::new(runs.iter().map(|run| run.lowest()).collect())
        .with("N", runs.iter().map(|run| run.n()).collect())
        .with("D", runs.iter().map(|run| unique(run)).collect());
    let options = FitOptions { intervals: IntervalChoice::Profile, ..FitOptions::default() };
    let points = runs.iter().map(|run| (unique(run), run.lowest(), run.row.run_id.clone())).collect();
    fit(&KaplanNd, &data, &options).map(|law| Fitted { law, points }).map_err(said)
}

fn forecast(runs: &PaperRuns, estimators: &Estimators) -> Result<CurveStudy, String> {
    let trunks = runs.trunks();
    if trunks.len() < 3 {
        return Err(format!("{} trunks of A; 3 are needed", trunks.len()));
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
    foretell(&data, &group, SEEN, &FitOptions::default()).map_err(said)
}

fn explanation(runs: &PaperRuns) -> Result<Explanation, String> {
    let counted: Vec<CountedRun> =
        runs.branches().into_iter().chain(runs.of(RunSet::IsoFlop)).filter_map(counted).collect();
    explain(&counted, EXPLAIN_DRAWS, 0).map_err(said)
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
