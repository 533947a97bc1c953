//! Fitting: minima from a dense grid of starts, intervals, and what is doubtful about the result.

use crate::data::{Data, Dataset};
use crate::error::FitError;
use crate::fitted::{
    BootstrapSummary, Correlation, Diagnostics, Estimate, FORMAT, FitStatus, FittedLaw, IntervalMethod,
    Intervals, ObjectiveValue, ParamState, Rival, Starts,
};
use crate::intervals::{bootstrap, profile};
use crate::law::Law;
use crate::linalg::Matrix;
use crate::minima::{self, Effort, Minima, widest_gap};
use crate::minimise::polish;
use crate::objective::{Objective, Space};
use crate::problem::Problem;
use crate::scale::{Scale, covariance, scale};
use crate::statistics::{quantile, quantile_error, standard_deviation, student_t};

/// Which intervals to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalChoice {
    /// Profile below 50 independent runs, bootstrap from there, or where runs have several points.
    Auto,
    /// Profile of the objective.
    Profile,
    /// Percentiles of this many refits to resampled runs.
    Bootstrap(usize),
    /// Value ± t·standard error.
    Covariance,
    /// None: the minimum only.
    None,
}

/// How to fit.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// What to minimise.
    pub objective: Objective,
    /// Parameters held at a value.
    pub fixed: Vec<(String, f64)>,
    /// How many starts.
    pub effort: Effort,
    /// Starts of the caller's instead of the law's grid, all parameters in the law's order.
    pub starts: Option<Vec<Vec<f64>>>,
    /// Which intervals.
    pub intervals: IntervalChoice,
    /// Bootstrap refits to show beside other intervals; 0 for none.
    pub bootstrap_beside: usize,
    /// Seed of all resampling.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            objective: Objective::LOG_LEAST_SQUARES,
            fixed: vec![],
            effort: Effort::default(),
            starts: None,
            intervals: IntervalChoice::Auto,
            bootstrap_beside: 0,
            seed: 0,
        }
    }
}

/// From this many independent runs the percentile bootstrap is the default interval.
const MANY_RUNS: usize = 50;
/// Fewer independent runs than this, each of several points, have no default interval.
pub(crate) const FEWEST_RUNS: usize = 3;
/// Rival minima are listed up to this excess of the objective.
const RIVAL_EXCESS: f64 = 0.05;
const MOST_RIVALS: usize = 12;

/// Fits `law` to `dataset`: all minima from the law's grid of starts, intervals, and warnings about the result.
///
/// # Units
/// Those of the columns: parameters, tokens and FLOPs as counted, losses in nats per token.
///
/// # Errors
/// Bad input, too few points, or no start with a finite objective. A doubtful fit is not an error:
/// see [`FittedLaw::status`].
///
/// # Example
/// ```
/// use scalelaw_fit::{Dataset, FitOptions, fit, laws::PowerLaw};
/// let n: Vec<f64> = (0..8).map(|k| 1e4 * 4f64.powi(k)).collect();
/// let loss = n.iter().map(|n| (8.8e13 / n).powf(0.076)).collect();
/// let law = fit(&PowerLaw::N, &Dataset::new(loss).with("N", n), &FitOptions::default())?;
/// assert!((law.param("alpha_N").unwrap() - 0.076).abs() < 1e-9);
/// # Ok::<(), scalelaw_fit::FitError>(())
/// ```
pub fn fit(law: &dyn Law, dataset: &Dataset, options: &FitOptions) -> Result<FittedLaw, FitError> {
    options.objective.validate()?;
    let data = dataset.for_law(law)?;
    let fixed = fixed_values(law, &options.fixed)?;
    let n_free = fixed.iter().filter(|f| f.is_none()).count();
    if data.len() < n_free {
        return Err(FitError::TooFewPoints { law: law.name().into(), n_points: data.len(), n_free });
    }
    if options.objective.space == Space::Log
        && let Some(row) = data.y.iter().position(|y| *y <= 0.0)
    {
        return Err(FitError::LogOfResponse { row: row + 1, value: data.y[row] });
    }
    // As many points as constants: the law passes through all of them, and nothing says how far off it is.
    let unscattered;
    let options = if data.len() == n_free {
        unscattered = FitOptions { intervals: IntervalChoice::None, bootstrap_beside: 0, ..options.clone() };
        &unscattered
    } else {
        options
    };
    let problem = Problem::new(law, &data, options.objective, &fixed);
    let mut minima = minima::find(&problem, &fixed, options.effort, options.starts.as_deref())?;
    let ends = profile_ends(&problem, &mut minima, options, &data);
    Ok(describe(&problem, &fixed, dataset, &minima, ends, options))
}

/// A value for each parameter that is held.
fn fixed_values(law: &dyn Law, fixed: &[(String, f64)]) -> Result<Vec<Option<f64>>, FitError> {
    let params = law.params();
    let mut values = vec![None; params.len()];
    for (name, value) in fixed {
        let j = params.iter().position(|p| p.name == *name).ok_or_else(|| FitError::UnknownParameter {
            law: law.name().into(),
            name: name.clone(),
            known: params.iter().map(|p| p.name.to_string()).collect(),
        })?;
        if !params[j].domain.contains(*value) {
            let domain = params[j].domain;
            return Err(FitError::OutOfDomain { name: name.clone(), value: *value, domain });
        }
        values[j] = Some(*value);
    }
    Ok(values)
}

/// Number of independent units: runs, or points when each is its own.
fn n_groups(data: &Data) -> usize {
    let mut groups = data.group.clone();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// The interval method that `options` mean for these data, and its number of refits.
fn method(options: &FitOptions, data: &Data) -> (IntervalMethod, usize) {
    let groups = n_groups(data);
    match options.intervals {
        IntervalChoice::Profile => (IntervalMethod::Profile, 0),
        IntervalChoice::Bootstrap(replicates) => (IntervalMethod::Bootstrap, replicates),
        IntervalChoice::Covariance => (IntervalMethod::Covariance, 0),
        IntervalChoice::None => (IntervalMethod::None, 0),
        // One or two runs do not show how runs differ.
        IntervalChoice::Auto if groups < FEWEST_RUNS && groups < data.len() => (IntervalMethod::None, 0),
        IntervalChoice::Auto if groups >= MANY_RUNS || groups < data.len() => (
            IntervalMethod::Bootstrap,
            if options.bootstrap_beside > 0 { options.bootstrap_beside } else { 1000 },
        ),
        IntervalChoice::Auto => (IntervalMethod::Profile, 0),
    }
}

type Ends = Vec<[Option<f64>; 2]>;

/// Profiles every free parameter; a lower minimum met on the way replaces the best and profiling begins again.
fn profile_ends(
    problem: &Problem<'_>,
    minima: &mut Minima,
    options: &FitOptions,
    data: &Data,
) -> Option<Ends> {
    if method(options, data).0 != IntervalMethod::Profile {
        return None;
    }
    'again: for attempt in 0..4 {
        let best = &minima.minima[0];
        let (theta, minimum) = (best.optimum.theta.clone(), best.optimum.value);
        let scale = scale(problem, &best.residuals);
        let t = student_t(0.975, scale.freedom);
        let (covariance, _) = covariance(problem, &theta, scale);
        let m = theta.len();
        let mut ends = Vec::with_capacity(m);
        for k in 0..m {
            let step = covariance.as_ref().map_or(0.1, |c| c[(k, k)].sqrt()).clamp(1e-9, 2.0);
            let found = profile::profile(problem, &theta, minimum, k, step, scale, t);
            if let Some(better) = found.better
                && attempt < 3
            {
                minima::collect(&mut minima.minima, problem, polish(problem, &better), 0);
                if minima.minima[0].optimum.value < minimum {
                    continue 'again;
                }
            }
            ends.push(found.ends);
        }
        return Some(ends);
    }
    None
}

/// Everything there is to say about the minima.
fn describe(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    dataset: &Dataset,
    minima: &Minima,
    ends: Option<Ends>,
    options: &FitOptions,
) -> FittedLaw {
    let (law, data) = (problem.law, problem.data);
    let best = &minima.minima[0];
    let theta = &best.optimum.theta;
    let natural = problem.to_natural(theta);
    let noise = scale(problem, &best.residuals);
    let (covariance, condition) = covariance(problem, theta, noise);
    let covariance = covariance.filter(|_| data.len() > theta.len());
    let t = student_t(0.975, noise.freedom);
    let rivals = rivals(problem, minima, noise, t);
    let (method, replicates) = method(options, data);
    let replicates = replicates.max(options.bootstrap_beside);
    let summary = (replicates > 0).then(|| {
        let starts: Vec<Vec<f64>> = std::iter::once(theta.clone())
            .chain(
                minima.minima[1..]
                    .iter()
                    .zip(&rivals)
                    .filter(|(_, r)| r.within_interval)
                    .take(3)
                    .map(|(m, _)| m.optimum.theta.clone()),
            )
            .collect();
        summarise(problem, fixed, &starts, replicates, options.seed)
    });
    let vanished = vanished(problem, theta);
    let names: Vec<String> = problem.free.iter().map(|j| law.params()[*j].name.to_string()).collect();
    let mut params = Vec::new();
    for (j, param) in law.params().iter().enumerate() {
        let name = param.name.to_string();
        let Some(k) = problem.free.iter().position(|f| *f == j) else {
            params
                .push((name, Estimate { value: natural[j], se: None, ci95: None, state: ParamState::Fixed }));
            continue;
        };
        let slope = param.domain.from_internal(theta[k]).1;
        let sd = covariance.as_ref().map(|c| c[(k, k)].sqrt());
        let at = |internal: f64| param.domain.from_internal(internal).0;
        let drawn = summary.as_ref().and_then(|s| s.params.iter().find(|(n, _)| *n == name)).map(|(_, v)| *v);
        let ci95 = match method {
            IntervalMethod::None => None,
            IntervalMethod::Covariance => {
                sd.map(|sd| [Some(at(theta[k] - t * sd)), Some(at(theta[k] + t * sd))])
            }
            IntervalMethod::Bootstrap => drawn.map(|[_, lo, hi]| [Some(lo), Some(hi)]),
            IntervalMethod::Profile => ends.as_ref().map(|e| e[k].map(|end| end.map(at))),
        };
        let mut ci95 = ci95;
        let mut state = ParamState::Identified;
        if vanished[k] {
            state = ParamState::AtBound;
        } else if method == IntervalMethod::Profile && ci95.is_none_or(|c| c.contains(&None)) {
            state = ParamState::Unidentified;
        }
        for rival in rivals.iter().filter(|r| r.within_interval) {
            let other = rival.params[j].1;
            if let Some([lo, hi]) = &mut ci95 {
                *lo = lo.map(|v| v.min(other));
                *hi = hi.map(|v| v.max(other));
            }
            // A quarter apart, and the data reject neither: two answers, not one with an error.
            let apart = (other - natural[j]).abs() > 0.25 * natural[j].abs().max(other.abs());
            if apart && state == ParamState::Identified {
                state = ParamState::Unidentified;
            }
        }
        let se = match method {
            IntervalMethod::Bootstrap => drawn.map(|[se, ..]| se),
            _ => sd.map(|sd| sd * slope.abs()),
        };
        params.push((name, Estimate { value: natural[j], se, ci95, state }));
    }
    let correlations = correlations(&names, covariance.as_ref());
    let intervals = Intervals { method, bootstrap: summary };
    let mut fitted = FittedLaw {
        format: FORMAT.into(),
        law: law.name().into(),
        equation: law.equation(),
        source: law.source().into(),
        params,
        objective: ObjectiveValue { objective: problem.objective, value: best.optimum.value },
        status: FitStatus::Ok,
        warnings: vec![],
        starts: Starts { screened: minima.screened, tried: minima.tried, agreeing: best.agreeing, rivals },
        n_points: data.len(),
        n_runs: n_groups(data),
        conventions: dataset.conventions,
        data_digest: dataset.digest.clone(),
        ranges: data
            .variables
            .iter()
            .enumerate()
            .map(|(j, v)| (v.to_string(), data.range(j).into()))
            .collect(),
        intervals,
        diagnostics: diagnostics(problem, &best.residuals, noise, condition, correlations, covariance),
    };
    crate::doubts::note(&mut fitted, law, best.optimum.converged);
    fitted
}

/// Whether moving each free coordinate by one changes no prediction: its term has vanished.
fn vanished(problem: &Problem<'_>, theta: &[f64]) -> Vec<bool> {
    let m = theta.len();
    let jacobian = problem.jacobian(theta);
    let typical = match problem.objective.space {
        Space::Log => 1.0,
        Space::Linear => problem.data.y.iter().fold(0.0, |m: f64, y| m.max(y.abs())),
    };
    (0..m)
        .map(|k| {
            let positive = problem.law.params()[problem.free[k]].domain != crate::law::Domain::Real;
            positive && (0..jacobian.rows()).all(|i| jacobian[(i, k)].abs() < 1e-6 * typical)
        })
        .collect()
}

fn rivals(problem: &Problem<'_>, minima: &Minima, noise: Scale, t: f64) -> Vec<Rival> {
    let best = &minima.minima[0];
    let names = problem.law.params();
    minima.minima[1..]
        .iter()
        .map(|m| Rival {
            params: names
                .iter()
                .map(|p| p.name.to_string())
                .zip(problem.to_natural(&m.optimum.theta))
                .collect(),
            objective: m.optimum.value,
            excess: m.optimum.value / best.optimum.value - 1.0,
            prediction_gap: widest_gap(&m.residuals, &best.residuals),
            within_interval: 2.0 * (m.optimum.value - best.optimum.value) / noise.kappa <= t * t,
            agreeing: m.agreeing,
        })
        .filter(|r| r.excess <= RIVAL_EXCESS && r.excess.is_finite())
        .take(MOST_RIVALS)
        .collect()
}

fn summarise(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    starts: &[Vec<f64>],
    replicates: usize,
    seed: u64,
) -> BootstrapSummary {
    let draws = bootstrap::bootstrap(problem, fixed, starts, replicates, seed);
    let (mut params, mut percentile_errors) = (Vec::new(), Vec::new());
    for &j in &problem.free {
        let mut values: Vec<f64> =
            draws.iter().filter_map(|d| d.values.get(j).copied()).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let sd = standard_deviation(&values);
        let name = problem.law.params()[j].name.to_string();
        let ends = [0.025, 0.975];
        let [lo, hi] = ends.map(|p| quantile(&values, p));
        params.push((name.clone(), [sd, lo, hi]));
        percentile_errors.push((name, ends.map(|p| quantile_error(&values, p))));
    }
    BootstrapSummary {
        replicates,
        failed: draws.iter().filter(|d| !d.converged).count(),
        seed,
        unit: if n_groups(problem.data) < problem.data.len() { "runs".into() } else { "points".into() },
        params,
        percentile_errors,
    }
}

fn correlations(names: &[String], covariance: Option<&Matrix>) -> Vec<Correlation> {
    let m = names.len();
    let Some(c) = covariance else { return vec![] };
    (0..m)
        .flat_map(|a| (a + 1..m).map(move |b| (a, b)))
        .map(|(a, b)| Correlation {
            a: names[a].clone(),
            b: names[b].clone(),
            r: c[(a, b)] / (c[(a, a)] * c[(b, b)]).sqrt(),
        })
        .collect()
}

fn diagnostics(
    problem: &Problem<'_>,
    residuals: &[f64],
    noise: Scale,
    condition: f64,
    correlations: Vec<Correlation>,
    covariance: Option<Matrix>,
) -> Diagnostics {
    let data = problem.data;
    let n = residuals.len() as f64;
    let rms = |values: &mut dyn Iterator<Item = f64>| (values.map(|v| v * v).sum::<f64>() / n).sqrt();
    let pairs = || residuals.iter().zip(&data.y);
    let (rms_log, rms_loss) = match problem.objective.space {
        Space::Log => {
            (rms(&mut residuals.iter().copied()), rms(&mut pairs().map(|(r, y)| y * libm::expm1(*r))))
        }
        Space::Linear => {
            (rms(&mut pairs().map(|(r, y)| libm::log1p(r / y))), rms(&mut residuals.iter().copied()))
        }
    };
    // p counts the noise variance too (Burnham & Anderson 2002, section 2.4).
    let p = problem.free.len() as f64 + 1.0;
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let aicc = (n > p + 1.0 && squares > 0.0)
        .then(|| n * libm::log(squares / n) + 2.0 * p + 2.0 * p * (p + 1.0) / (n - p - 1.0));
    Diagnostics {
        rms_log,
        rms_loss,
        max_residual: residuals.iter().fold(0.0, |m, r| m.max(r.abs())),
        sigma: noise.sigma,
        degrees_of_freedom: noise.freedom,
        aicc,
        condition_number: condition.is_finite().then_some(condition),
        correlations,
        covariance: covariance.map(Matrix::into_entries),
    }
}
