//! The loss-optimal size at each budget, beside the parametric answer.

use crate::error::LabError;
use crate::observations::{Observations, Points, Reading, TableRequest, Wanted};
use scalelaw_core::FlopConvention;
use scalelaw_fit::interpolate::in_logs;
use scalelaw_fit::isoflop::{
    LogLineFit, ONE_SIZE, Optimum, Profile, Refused, Valley, clusters, exponents_without_each, log_line,
    noise_study, optima,
};
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::{Dataset, FitOptions, FitStatus, IntervalChoice, Objective, fit};
use scalelaw_table::{Counts, Role, counts};
use serde::Serialize;

/// Fewest sizes of a budget that have a valley.
pub const FEWEST_SIZES: usize = 4;

/// Which runs, and what counts as one budget.
#[derive(Clone, Debug)]
pub struct IsoflopRequest {
    /// Finished runs with a loss and two of C, N and D.
    pub table: TableRequest,
    /// The runs of one budget are within this factor.
    pub within: f64,
    /// Relative seed noise of a loss, for intervals by moving every loss that much.
    pub noise: Option<f64>,
    /// Noise replicates.
    pub replicates: usize,
    /// Seed of the noise.
    pub seed: u64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct IsoflopReport {
    /// Points of the table that were used.
    pub n_points: usize,
    /// What C is.
    pub cost: Cost,
    /// Budgets with sizes enough for a valley.
    pub budgets: Vec<Budget>,
    /// Budgets with too few: their runs are in no valley.
    pub left_out: Vec<Budget>,
    /// Rows without FLOPs.
    pub without_flops: Vec<u64>,
    /// Approach 2, by the way the valley is drawn.
    pub valleys: Vec<ByValley>,
    /// Approach 3: exponents β/(α+β) and α/(α+β) of the parametric law, with 95% intervals.
    pub parametric: Option<Parametric>,
    /// How the table was read.
    #[serde(skip)]
    pub reading: Reading,
}

/// The FLOPs that make budgets.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// The column; none where C = 6·N·D.
    pub column: Option<String>,
    /// What it counts, where its name says so.
    pub convention: Option<FlopConvention>,
}

/// Runs of about the same FLOPs.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    /// Geometric mean of the runs' FLOPs.
    pub flops: f64,
    /// Runs.
    pub runs: usize,
    /// Different sizes; of each the lowest loss counts.
    pub sizes: usize,
    /// Rows of the table.
    pub rows: Vec<u64>,
}

/// The optima of one way to draw a valley.
#[derive(Clone, Debug, Serialize)]
pub struct ByValley {
    /// How the valley is drawn.
    pub valley: Valley,
    /// The optimum of each budget that has one.
    pub optima: Vec<Optimal>,
    /// Budgets without an interior minimum.
    pub refused: Vec<Refused>,
    /// N_opt = coefficient·C^exponent; with seed noise, optima weighted by 1/spread² under it.
    pub n_opt: Option<LogLineFit>,
    /// D_opt = coefficient·C^exponent.
    pub d_opt: Option<LogLineFit>,
    /// 95% interval of N_opt's exponent under seed noise.
    pub noise_ci95: Option<[f64; 2]>,
    /// N_opt's exponent without the budget of each optimum in turn; empty below four.
    pub exponents_without: Vec<f64>,
}

/// The bottom of a valley, and the tokens that its budget trains there.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Optimal {
    /// The bottom.
    #[serde(flatten)]
    pub optimum: Optimum,
    /// Tokens: the budget over the FLOPs per token of that size.
    pub d: f64,
}

/// What the parametric law gives.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parametric {
    /// β/(α+β).
    pub n_opt_exponent: f64,
    /// Its 95% interval, between 0 and 1; none where the data leave it open.
    pub ci95: Option<[f64; 2]>,
    /// Exponent of N.
    pub alpha: f64,
    /// Exponent of D.
    pub beta: f64,
    /// Irreducible loss, nats per token.
    pub e: f64,
    /// The worst doubt about the fit.
    pub status: FitStatus,
}

/// Finds the optima.
///
/// # Errors
/// The table cannot be read, or no budget has several sizes.
pub fn run(request: &IsoflopRequest) -> Result<IsoflopReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let points = observations.points(&Wanted { beside: &["C"], ..Wanted::law(&Chinchilla) })?;
    let (cost, flops) = cost(&observations, &points, request)?;
    let (n, d, loss) = (points.variable("N")?, points.variable("D")?, points.dataset.response());
    let (budgets, left_out): (Vec<_>, Vec<_>) = clusters(&flops, request.within)
        .into_iter()
        .map(|runs| {
            let budget = (runs.iter().map(|i| flops[*i].ln()).sum::<f64>() / runs.len() as f64).exp();
            let profile = Profile { budget, points: runs.iter().map(|i| (n[*i], loss[*i])).collect() };
            let rows = runs.iter().map(|i| points.table.row(*i)).collect();
            (Budget { flops: budget, runs: runs.len(), sizes: profile.n_sizes(), rows }, profile)
        })
        .partition(|(budget, _)| budget.sizes >= FEWEST_SIZES);
    let (budgets, profiles): (Vec<Budget>, Vec<Profile>) = budgets.into_iter().unzip();
    if profiles.is_empty() {
        let (table, within) = (observations.table.source, request.within);
        return Err(LabError::NoIsoflopBudget { table, sizes: FEWEST_SIZES, within });
    }
    let per_token = flops_per_token(n, d, &flops);
    let by_valley = |valley| by_valley(&profiles, valley, &per_token, request);
    Ok(IsoflopReport {
        n_points: loss.len(),
        cost,
        budgets,
        left_out: left_out.into_iter().map(|(budget, _)| budget).collect(),
        without_flops: (0..flops.len())
            .filter(|i| !(flops[*i].is_finite() && flops[*i] > 0.0))
            .map(|i| points.table.row(i))
            .collect(),
        valleys: [Valley::Parabola, Valley::Cubic, Valley::Akima].map(by_valley).into(),
        parametric: parametric(&points.dataset),
        reading: points.reading,
    })
}

/// A count of FLOPs is passed over for another that puts this much more of the runs into budgets.
const CLEARLY_MORE: f64 = 1.25;

/// The FLOPs of each point, in the first count of them that makes budgets: the assigned or recognised column, the
/// columns of the other counting conventions, 6·N·D.
fn cost(
    observations: &Observations,
    points: &Points,
    request: &IsoflopRequest,
) -> Result<(Cost, Vec<f64>), LabError> {
    let named = |name: String, flops: Vec<f64>| {
        let convention = match counts(&name) {
            Some(Counts::Flops(convention)) => Some(convention),
            _ => None,
        };
        (Cost { column: Some(name), convention }, flops)
    };
    let assigned =
        request.table.map.iter().find(|(symbol, _)| symbol == "C").map(|(_, column)| column.clone());
    let name = observations.column_for("C").or_else(|| assigned.clone());
    let mut choices: Vec<(Cost, Vec<f64>)> = Vec::new();
    if let (Some(name), Some(flops)) = (&name, observations.values("C", &points.table)?) {
        choices.push(named(name.clone(), flops));
        if assigned.is_some() {
            return Ok(choices.swap_remove(0));
        }
    }
    let counted = Role::C.counted_columns().iter().filter_map(|name| points.table.column(name).ok());
    for column in counted.filter(|column| name.as_ref() != Some(&column.name)) {
        choices.push(named(column.name.clone(), points.table.numbers(&column.name)?.to_vec()));
    }
    let (n, d) = (points.variable("N")?, points.variable("D")?);
    let six_nd = n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect();
    choices.push((Cost { column: None, convention: Some(FlopConvention::SixN) }, six_nd));
    let runs_in_budgets = |flops: &[f64]| -> usize {
        let sizes =
            |runs: &Vec<usize>| clusters(&runs.iter().map(|i| n[*i]).collect::<Vec<f64>>(), ONE_SIZE).len();
        let whole = clusters(flops, request.within).into_iter().filter(|runs| sizes(runs) >= FEWEST_SIZES);
        whole.map(|runs| runs.len()).sum()
    };
    let scores: Vec<usize> = choices.iter().map(|(_, flops)| runs_in_budgets(flops)).collect();
    let most = scores.iter().copied().max().unwrap_or(0);
    let best = scores.iter().position(|runs| CLEARLY_MORE * *runs as f64 >= most as f64).unwrap_or(0);
    Ok(choices.swap_remove(best))
}

/// (N, FLOPs per token), by N.
fn flops_per_token(n: &[f64], d: &[f64], flops: &[f64]) -> Vec<(f64, f64)> {
    let mut per_token: Vec<(f64, f64)> = (0..n.len()).map(|i| (n[i], flops[i] / d[i])).collect();
    per_token.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    per_token.dedup_by(|later, kept| later.0 == kept.0);
    per_token
}

fn by_valley(
    profiles: &[Profile],
    valley: Valley,
    per_token: &[(f64, f64)],
    request: &IsoflopRequest,
) -> ByValley {
    let (found, refused) = optima(profiles, valley);
    let tokens = |o: &Optimum| o.budget / in_logs(per_token, o.n).unwrap_or(6.0 * o.n);
    let optima: Vec<Optimal> =
        found.iter().map(|optimum| Optimal { optimum: *optimum, d: tokens(optimum) }).collect();
    let c: Vec<f64> = optima.iter().map(|o| o.optimum.budget).collect();
    let n: Vec<f64> = optima.iter().map(|o| o.optimum.n).collect();
    let d: Vec<f64> = optima.iter().map(|o| o.d).collect();
    let even = vec![1.0; c.len()];
    // Under noise a budget counts by how well it determines its optimum; without it all budgets count alike.
    let with_optimum: Vec<Profile> = profiles.iter().filter(|p| c.contains(&p.budget)).cloned().collect();
    let study = request.noise.and_then(|noise| {
        noise_study(&with_optimum, valley, &|_| noise, request.replicates, request.seed).ok()
    });
    ByValley {
        n_opt: study.as_ref().map(|s| s.line).or_else(|| log_line(&c, &n, &even).ok()),
        d_opt: log_line(&c, &d, &even).ok(),
        noise_ci95: study.map(|s| s.exponent_ci95),
        exponents_without: exponents_without_each(&c, &n, &even),
        valley,
        optima,
        refused,
    }
}

fn parametric(data: &Dataset) -> Option<Parametric> {
    let options = FitOptions {
        objective: Objective::CHINCHILLA,
        intervals: IntervalChoice::Covariance,
        ..FitOptions::default()
    };
    let law = fit(&Chinchilla, data, &options).ok()?;
    let (alpha, beta) = (law.param("alpha")?, law.param("beta")?);
    // a = β/(α + β) is the logistic function of ln β − ln α, whose variance the covariance in logarithms gives.
    let logit = (beta / alpha).ln();
    let place = |x: f64| 1.0 / (1.0 + (-x).exp());
    let interval = |c: &Vec<f64>| {
        let variance = c[3 * 5 + 3] + c[4 * 5 + 4] - 2.0 * c[3 * 5 + 4];
        let half = law.diagnostics.t95() * variance.max(0.0).sqrt();
        let ends = [place(logit - half), place(logit + half)];
        (ends[1] - ends[0] < WIDEST).then_some(ends)
    };
    Some(Parametric {
        n_opt_exponent: place(logit),
        ci95: law.diagnostics.covariance.as_ref().and_then(interval),
        alpha,
        beta,
        e: law.param("E")?,
        status: law.status,
    })
}

/// An exponent between 0 and 1 whose interval is this wide is not known.
const WIDEST: f64 = 0.95;
