//! The loss-optimal size at each budget, beside the parametric answer.

use crate::error::LabError;
use crate::observations::{Observations, Reading, TableRequest};
use scalelaw_fit::isoflop::{LogLineFit, Optimum, Profile, Refused, Valley, log_line, noise_study, optima};
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::{Dataset, FitOptions, IntervalChoice, Objective, fit};
use serde::Serialize;

/// Fewest sizes of a budget that have a valley.
const FEWEST_SIZES: usize = 4;

/// Which runs, and what counts as one budget.
#[derive(Clone, Debug)]
pub struct IsoflopRequest {
    /// Finished runs with a loss and two of C, N and D.
    pub table: TableRequest,
    /// Budgets within this factor are one budget.
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
    /// Approach 2, by the way the valley is drawn.
    pub valleys: Vec<ByValley>,
    /// Approach 3: exponents β/(α+β) and α/(α+β) of the parametric law, with 95% intervals.
    pub parametric: Option<Parametric>,
    /// How the table was read.
    #[serde(skip)]
    pub reading: Reading,
}

/// The optima of one way to draw a valley.
#[derive(Clone, Debug, Serialize)]
pub struct ByValley {
    /// How the valley is drawn.
    pub valley: Valley,
    /// The optimum of each budget that has one.
    pub optima: Vec<Optimum>,
    /// Budgets without an interior minimum.
    pub refused: Vec<Refused>,
    /// N_opt = coefficient·C^exponent; with seed noise, optima weighted by 1/spread² under it.
    pub n_opt: Option<LogLineFit>,
    /// D_opt = C/(6·N_opt), where C = 6ND.
    pub d_opt: Option<LogLineFit>,
    /// 95% interval of the exponent under seed noise.
    pub noise_ci95: Option<[f64; 2]>,
}

/// What the parametric law gives.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parametric {
    /// β/(α+β).
    pub n_opt_exponent: f64,
    /// Its 95% interval.
    pub ci95: Option<[f64; 2]>,
    /// Exponent of N.
    pub alpha: f64,
    /// Exponent of D.
    pub beta: f64,
    /// Irreducible loss, nats per token.
    pub e: f64,
}

/// Finds the optima.
///
/// # Errors
/// The table cannot be read, or no budget has several sizes.
pub fn run(request: &IsoflopRequest) -> Result<IsoflopReport, LabError> {
    let observations = Observations::open(&request.table)?;
    let points = observations.points(&Chinchilla)?;
    let data = &points.dataset;
    let (n, d) = (points.variable("N")?, points.variable("D")?);
    let budgets: Vec<f64> = match observations.column_for("C") {
        Some(c) => points.table.numbers(&c)?.to_vec(),
        None => n.iter().zip(d).map(|(n, d)| 6.0 * n * d).collect(),
    };
    let profiles = profiles(&budgets, n, data.response(), request.within);
    if profiles.is_empty() {
        let (table, within) = (observations.table.source, request.within);
        return Err(LabError::NoIsoflopBudget { table, sizes: FEWEST_SIZES, within });
    }
    let valleys = [Valley::Parabola, Valley::Cubic, Valley::Akima];
    Ok(IsoflopReport {
        n_points: data.len(),
        valleys: valleys.into_iter().map(|valley| by_valley(&profiles, valley, request)).collect(),
        parametric: parametric(data),
        reading: points.reading,
    })
}

/// Points by budget: sorted budgets closer than `within` are one, at their geometric mean.
fn profiles(budgets: &[f64], n: &[f64], loss: &[f64], within: f64) -> Vec<Profile> {
    let mut order: Vec<usize> = (0..budgets.len()).collect();
    order.sort_by(|a, b| budgets[*a].total_cmp(&budgets[*b]));
    order
        .chunk_by(|a, b| budgets[*b] <= within * budgets[*a])
        .filter(|chunk| chunk.len() >= FEWEST_SIZES)
        .map(|chunk| Profile {
            budget: (chunk.iter().map(|i| budgets[*i].ln()).sum::<f64>() / chunk.len() as f64).exp(),
            points: chunk.iter().map(|i| (n[*i], loss[*i])).collect(),
        })
        .collect()
}

fn by_valley(profiles: &[Profile], valley: Valley, request: &IsoflopRequest) -> ByValley {
    let (optima, refused) = optima(profiles, valley);
    let c: Vec<f64> = optima.iter().map(|o| o.budget).collect();
    let n: Vec<f64> = optima.iter().map(|o| o.n).collect();
    let d: Vec<f64> = optima.iter().map(|o| o.budget / (6.0 * o.n)).collect();
    let even = vec![1.0; c.len()];
    // Under noise a budget counts by how well it determines its optimum; without it all budgets count alike.
    let study = request
        .noise
        .and_then(|noise| noise_study(profiles, valley, &|_| noise, request.replicates, request.seed).ok());
    ByValley {
        n_opt: study.as_ref().map(|s| s.line).or_else(|| log_line(&c, &n, &even).ok()),
        d_opt: log_line(&c, &d, &even).ok(),
        noise_ci95: study.map(|s| s.exponent_ci95),
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
    let a = beta / (alpha + beta);
    // Delta method in ln alpha, ln beta: da = a(1 − a)·(d ln beta − d ln alpha).
    let ci95 = law.diagnostics.covariance.as_ref().map(|c| {
        let variance = c[3 * 5 + 3] + c[4 * 5 + 4] - 2.0 * c[3 * 5 + 4];
        let half = 1.96 * a * (1.0 - a) * variance.max(0.0).sqrt();
        [a - half, a + half]
    });
    Some(Parametric { n_opt_exponent: a, ci95, alpha, beta, e: law.param("E")? })
}
