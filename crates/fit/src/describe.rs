//! Everything there is to say about the minima of a fit: constants with their intervals and whether the data identify
//! them, rivals, and diagnostics.

use crate::data::{Data, Dataset};
use crate::design::{self, Design};
use crate::doubts::{self, Evidence};
use crate::fit::{FitOptions, method, n_groups};
use crate::fitted::{
    BootstrapSummary, Correlation, Diagnostics, Estimate, FORMAT, FitStatus, FittedLaw, IntervalMethod,
    Intervals, ObjectiveValue, ParamState, Rival, Starts,
};
use crate::identify::Allowed;
use crate::influence::Outlier;
use crate::intervals::bootstrap;
use crate::linalg::Matrix;
use crate::minima::{Minima, widest_gap};
use crate::objective::Space;
use crate::problem::Problem;
use crate::scale::{Scale, covariance, scale};
use crate::statistics::{quantile, quantile_error, standard_deviation, student_t};

/// Rival minima are listed up to this excess of the objective.
const RIVAL_EXCESS: f64 = 0.05;
const MOST_RIVALS: usize = 12;
/// Refits around a place that is no minimum: they take long, and what they show is that it is none.
const FEW_REFITS: usize = 100;

/// The fitted law. `fixed` holds a value for every parameter that is not fitted; `allowed` is what else the data do not
/// reject, where intervals were asked for, and `outliers` the points that the law
/// does not explain.
pub(crate) fn describe(
    problem: &Problem<'_>,
    fixed: &[Option<f64>],
    dataset: &Dataset,
    minima: &Minima,
    allowed: Option<&Allowed>,
    outliers: &[Outlier],
    options: &FitOptions,
) -> FittedLaw {
    let (law, data) = (problem.law, problem.data);
    let best = &minima.minima[0];
    let theta = &best.optimum.theta;
    let natural = problem.to_natural(theta);
    let noise = scale(problem, &best.residuals);
    let (covariance, condition) = covariance(problem, theta, noise);
    let covariance =
        covariance.filter(|c| data.len() > theta.len() && c.entries().iter().all(|v| v.is_finite()));
    let t = student_t(0.975, noise.freedom);
    let rivals = rivals(problem, minima, noise, t);
    let (method, replicates) = method(options, data);
    let mut replicates = replicates.max(options.bootstrap_beside);
    if !best.optimum.converged && !noise.exact {
        replicates = replicates.min(FEW_REFITS);
    }
    let summary = (replicates > 0).then(|| {
        let mut starts = vec![theta.clone()];
        if best.optimum.converged {
            let rivals = minima.minima[1..].iter().zip(&rivals).filter(|(_, r)| r.within_interval);
            starts.extend(rivals.take(3).map(|(m, _)| m.optimum.theta.clone()));
            starts.extend(problem.off_bounds(theta));
        }
        summarise(problem, fixed, &starts, replicates, options.seed, noise.kappa)
    });
    let design = Design::of(data);
    let states = states(problem, theta, &natural, &rivals, allowed, &design);
    let names: Vec<String> = problem.free.iter().map(|j| law.params()[*j].name.to_string()).collect();
    let drawn = |name: &str| {
        let summary = summary.as_ref()?;
        summary.params.iter().find(|(n, _)| n == name).map(|(_, drawn)| *drawn)
    };
    let mut params = Vec::new();
    for (j, param) in law.params().iter().enumerate() {
        let name = param.name.to_string();
        let own_domain = (law.name() == "expression").then_some(param.domain);
        let state = states[j];
        let Some(k) = problem.free.iter().position(|f| *f == j) else {
            let value = natural[j];
            params.push((name, Estimate { value, se: None, ci95: None, state, domain: own_domain }));
            continue;
        };
        let at = |internal: f64| param.domain.from_internal(internal).0;
        let slope = param.domain.from_internal(theta[k]).1;
        let sd = covariance.as_ref().map(|c| c[(k, k)].sqrt());
        let of_method = match method {
            IntervalMethod::None | IntervalMethod::Profile => None,
            IntervalMethod::Covariance => {
                sd.map(|sd| [Some(at(theta[k] - t * sd)), Some(at(theta[k] + t * sd))])
            }
            IntervalMethod::Bootstrap => drawn(&name).map(|[_, lo, hi]| [lo, hi]),
        };
        let reach = allowed.map(|a| a.ends[k].map(|end| end.map(at)));
        let others = || rivals.iter().filter(|r| r.within_interval).map(|r| r.params[j].1);
        let mut ci95 = match (of_method, reach) {
            (Some(own), Some(reach)) if state == ParamState::Unidentified => Some(hull(own, reach)),
            // One end is the bound itself, which no refit and no standard error reaches.
            (Some([_, hi]), Some([lo, _]))
                if state == ParamState::AtBound && lo == Some(at(f64::NEG_INFINITY)) =>
            {
                Some([lo, hi])
            }
            (Some([lo, _]), Some([_, hi])) if state == ParamState::AtBound => Some([lo, hi]),
            (own, reach) => own.or(reach),
        };
        if let Some([lo, hi]) = &mut ci95 {
            *lo = others().fold(*lo, |lo, other| lo.map(|lo| lo.min(other)));
            *hi = others().fold(*hi, |hi, other| hi.map(|hi| hi.max(other)));
        }
        let se = match method {
            IntervalMethod::Bootstrap => drawn(&name).and_then(|[se, ..]| se),
            _ => sd.map(|sd| sd * slope.abs()),
        };
        let se = se.filter(|se| se.is_finite());
        params.push((name, Estimate { value: natural[j], se, ci95, state, domain: own_domain }));
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
        unit: dataset.unit.clone(),
        ranges: data
            .variables
            .iter()
            .enumerate()
            .map(|(j, v)| (v.to_string(), data.range(j).into()))
            .collect(),
        hull: data.hull(),
        intervals,
        diagnostics: diagnostics(problem, &best.residuals, noise, condition, correlations, covariance),
        forecaster: None,
    };
    let elsewhere = allowed.map_or(vec![], |a| {
        let natural = |k: usize, place: &f64| law.params()[problem.free[k]].domain.from_internal(*place).0;
        let named = names.iter().zip(&a.elsewhere).enumerate();
        named
            .map(|(k, (name, places))| (name.clone(), places.iter().map(|p| natural(k, p)).collect()))
            .collect()
    });
    let evidence = Evidence {
        converged: best.optimum.converged || noise.exact,
        design,
        elsewhere,
        singular: !condition.is_finite(),
        outliers: outliers.to_vec(),
    };
    doubts::note(&mut fitted, law, data, &evidence);
    fitted
}

/// Whether the data identify each parameter: by the design, by the other places that the data do not reject, and for an
/// amplitude by the exponent in its term.
fn states(
    problem: &Problem<'_>,
    theta: &[f64],
    natural: &[f64],
    rivals: &[Rival],
    allowed: Option<&Allowed>,
    design: &Design,
) -> Vec<ParamState> {
    let (law, data) = (problem.law, problem.data);
    let vanished = problem.vanished(theta);
    let open_by_design = design.leaves_open(law, data, natural);
    let mut states = vec![ParamState::Fixed; natural.len()];
    for (k, &j) in problem.free.iter().enumerate() {
        let domain = law.params()[j].domain;
        // A quarter apart, and the data reject neither: two answers, not one with an error.
        let apart = |other: f64| (other - natural[j]).abs() > 0.25 * natural[j].abs().max(other.abs());
        let open = allowed.is_some_and(|a| {
            a.ends[k].contains(&None)
                || a.elsewhere[k].iter().any(|place| apart(domain.from_internal(*place).0))
        });
        let rival = rivals.iter().any(|r| r.within_interval && apart(r.params[j].1));
        states[j] = if vanished[k] {
            ParamState::AtBound
        } else if open || rival || open_by_design[j] {
            ParamState::Unidentified
        } else {
            ParamState::Identified
        };
    }
    let lost: Vec<&str> = law
        .params()
        .iter()
        .zip(&states)
        .filter(|(_, state)| **state == ParamState::Unidentified)
        .filter_map(|(p, _)| p.exponent_of.as_deref())
        .collect();
    for (j, param) in law.params().iter().enumerate() {
        let of_lost =
            || design::term_of(law, data, natural, j).iter().any(|v| lost.contains(&&*data.variables[*v]));
        if states[j] == ParamState::Identified && param.linear && !lost.is_empty() && of_lost() {
            states[j] = ParamState::Unidentified;
        }
    }
    states
}

/// The smallest interval that holds both; open where one is.
fn hull(a: [Option<f64>; 2], b: [Option<f64>; 2]) -> [Option<f64>; 2] {
    let end = |side: usize, wider: fn(f64, f64) -> f64| Some(wider(a[side]?, b[side]?));
    [end(0, f64::min), end(1, f64::max)]
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
            excess: if m.optimum.value > best.optimum.value {
                m.optimum.value / best.optimum.value - 1.0
            } else {
                0.0
            },
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
    kappa: f64,
) -> BootstrapSummary {
    let draws = bootstrap::bootstrap(problem, fixed, starts, replicates, seed, kappa);
    let (mut params, mut percentile_errors) = (Vec::new(), Vec::new());
    for &j in &problem.free {
        let mut values: Vec<f64> =
            draws.iter().filter_map(|d| d.values.get(j).copied()).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let sd = standard_deviation(&values);
        let name = problem.law.params()[j].name.to_string();
        let ends = [0.025, 0.975];
        let [lo, hi] = ends.map(|p| quantile(&values, p));
        params.push((name.clone(), [sd, lo, hi].map(finite)));
        percentile_errors.push((name, ends.map(|p| finite(quantile_error(&values, p)))));
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

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
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
        .filter(|c| c.r.is_finite())
        .collect()
}

/// Degrees of freedom of intervals: where runs have several points, as many as runs less one.
fn freedom(data: &Data, noise: Scale) -> f64 {
    let runs = n_groups(data);
    if runs < data.len() { noise.freedom.min(runs as f64 - 1.0).max(1.0) } else { noise.freedom }
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
        degrees_of_freedom: freedom(data, noise),
        aicc,
        condition_number: condition.is_finite().then_some(condition),
        correlations,
        covariance: covariance.map(Matrix::into_entries),
    }
}
