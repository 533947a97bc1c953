//! Fitting: minima from a dense grid of starts, intervals, and what is doubtful about the result.

use crate::data::{Data, Dataset};
use crate::describe::describe;
use crate::error::FitError;
use crate::fitted::{FittedLaw, IntervalMethod};
use crate::identify;
use crate::influence;
use crate::law::Law;
use crate::minima::{self, Effort};
use crate::objective::{Objective, Space};
use crate::problem::Problem;

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
/// Refits of the default bootstrap, and from how many points on there are fewer: each takes long, and the intervals are
/// narrow.
const REFITS: usize = 1000;
const LARGE: usize = 20_000;
const FEWER_REFITS: usize = 200;
/// Fewer independent runs than this, each of several points, have no default interval.
pub(crate) const FEWEST_RUNS: usize = 3;

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
    // Whether the data identify a parameter does not depend on how its interval is found.
    let allowed =
        (method(options, &data).0 != IntervalMethod::None).then(|| identify::allowed(&problem, &mut minima));
    let outliers = match allowed {
        Some(_) => influence::outliers(&problem, &fixed, options.effort, &minima),
        None => vec![],
    };
    Ok(describe(&problem, &fixed, dataset, &minima, allowed.as_ref(), &outliers, options))
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
pub(crate) fn n_groups(data: &Data) -> usize {
    let mut groups = data.group.clone();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// The interval method that `options` mean for these data, and its number of refits.
pub(crate) fn method(options: &FitOptions, data: &Data) -> (IntervalMethod, usize) {
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
            match options.bootstrap_beside {
                0 if data.len() > LARGE => FEWER_REFITS,
                0 => REFITS,
                replicates => replicates,
            },
        ),
        IntervalChoice::Auto => (IntervalMethod::Profile, 0),
    }
}
