//! Coverage of 95% intervals: laws are simulated from known constants and refitted, and the intervals counted.

use crate::data::Dataset;
use crate::error::FitError;
use crate::fit::{FitOptions, fit};
use crate::fitted::{FitStatus, ParamState};
use crate::law::{Law, value};
use crate::random::{generator, normal};
use rayon::prelude::*;
use serde::Serialize;

/// How often the intervals of one design held the truth.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// Law simulated and fitted.
    pub law: String,
    /// Points of the design, one run each.
    pub n_runs: usize,
    /// Simulated data sets.
    pub replicates: usize,
    /// Data sets without a fit.
    pub failed: usize,
    /// Data sets whose fit was doubtful (at a bound, unidentified, not converged).
    pub doubtful: usize,
    /// By parameter, and last the law's value at ten times the largest point in every variable.
    pub parameters: Vec<Counted>,
}

/// How often one interval held the truth.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// Parameter, or `prediction`.
    pub name: String,
    /// Intervals that held the truth. A data set without a fit counts as a miss.
    pub covered: usize,
    /// Intervals open at an end.
    pub open: usize,
    /// Data sets whose fit called it identified, and how many of their intervals held the truth. A prediction counts
    /// as identified where no parameter is doubtful.
    pub identified: usize,
    /// Of those, the intervals that held the truth.
    pub identified_covered: usize,
    /// Share covered.
    pub coverage: f64,
    /// Two-sided probability of so uneven a count were the coverage .95 (normal approximation).
    pub p_value: f64,
}

/// What one interval did in one data set.
struct Held {
    inside: bool,
    open: bool,
    identified: bool,
}

/// What the fit of one data set did: every parameter's interval, then the prediction's.
struct Outcome {
    held: Vec<Held>,
    doubtful: bool,
}

/// Simulates `replicates` data sets of `law` at `truth` on the `design` (one point a run, in the law's order of
/// variables), each loss times a log-normal error of size `noise`; fits each and counts.
///
/// # Errors
/// `truth` or `design` do not fit the law.
pub fn coverage(
    law: &dyn Law,
    truth: &[f64],
    design: &[Vec<f64>],
    noise: f64,
    replicates: usize,
    options: &FitOptions,
) -> Result<Coverage, FitError> {
    let n_params = law.params().len();
    if truth.len() != n_params || design.iter().any(|x| x.len() != law.variables().len()) {
        return Err(FitError::Design {
            law: law.name().into(),
            n_params,
            n_variables: law.variables().len(),
        });
    }
    let clean: Vec<f64> = design.iter().map(|x| value(law, x, truth)).collect();
    let far: Vec<f64> = (0..law.variables().len())
        .map(|j| 10.0 * design.iter().map(|x| x[j]).fold(f64::NEG_INFINITY, f64::max))
        .collect();
    let far_truth = value(law, &far, truth);
    let point: Vec<(&str, f64)> =
        law.variables().iter().map(AsRef::as_ref).zip(far.iter().copied()).collect();
    // `None` without a fit.
    let outcomes: Vec<Option<Outcome>> = (0..replicates)
        .into_par_iter()
        .map(|index| {
            let mut rng = generator(options.seed, index);
            let y = clean.iter().map(|y| y * libm::exp(noise * normal(&mut rng))).collect();
            let mut data = Dataset::new(y);
            for (j, name) in law.variables().iter().enumerate() {
                data = data.with(name, design.iter().map(|x| x[j]).collect());
            }
            let fitted = fit(law, &data, options).ok()?;
            let mut held: Vec<Held> = fitted
                .params
                .iter()
                .zip(truth)
                .map(|((_, e), truth)| {
                    let [lo, hi] = e.ci95.unwrap_or([Some(f64::NAN); 2]);
                    let inside = lo.is_none_or(|lo| lo <= *truth) && hi.is_none_or(|hi| *truth <= hi);
                    Held {
                        inside,
                        open: lo.is_none() || hi.is_none(),
                        identified: e.state == ParamState::Identified,
                    }
                })
                .collect();
            let predicted = fitted.predict(&point).ok().and_then(|p| p.ci95);
            let inside = predicted.is_some_and(|[lo, hi]| lo <= far_truth && far_truth <= hi);
            let doubtful = fitted.status >= FitStatus::AtBound;
            held.push(Held { inside, open: false, identified: !doubtful });
            Some(Outcome { held, doubtful })
        })
        .collect();
    let fits = || outcomes.iter().flatten();
    let names = law.params().iter().map(|p| p.name.to_string()).chain(["prediction".to_string()]);
    let parameters = names
        .enumerate()
        .map(|(k, name)| {
            let covered = fits().filter(|o| o.held[k].inside).count();
            let coverage = covered as f64 / replicates as f64;
            let z = (coverage - 0.95) / (0.95 * 0.05 / replicates as f64).sqrt();
            Counted {
                name,
                covered,
                open: fits().filter(|o| o.held[k].open).count(),
                identified: fits().filter(|o| o.held[k].identified).count(),
                identified_covered: fits().filter(|o| o.held[k].identified && o.held[k].inside).count(),
                coverage,
                p_value: statrs::function::erf::erfc(z.abs() / std::f64::consts::SQRT_2),
            }
        })
        .collect();
    Ok(Coverage {
        law: law.name().into(),
        n_runs: design.len(),
        replicates,
        failed: outcomes.iter().filter(|o| o.is_none()).count(),
        doubtful: fits().filter(|o| o.doubtful).count(),
        parameters,
    })
}

/// Holm's step-down correction: which of these p-values reject at `level`, the chance of any false rejection
/// staying below it.
pub fn holm(p_values: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &i) in order.iter().enumerate() {
        if p_values[i] > level / (p_values.len() - rank) as f64 {
            break;
        }
        rejected[i] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_of_a_textbook_family_rejects_in_steps() {
        // Bonferroni at .05/4 = .0125 would reject one; Holm goes on with .05/3 and stops at .05/2.
        assert_eq!(holm(&[0.03, 0.005, 0.015, 0.04], 0.05), [false, true, true, false]);
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
    }
}
