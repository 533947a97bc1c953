//! What is doubtful about a usable fit: warnings that say what it is and what to do.

use crate::fit::FEWEST_RUNS;
use crate::fitted::{FitStatus, FittedLaw, IntervalMethod, ParamState, Warning};
use crate::law::Law;

/// Correlations above this size are named: two parameters that move together.
const STRONG_CORRELATION: f64 = 0.99;

/// Fills in the warnings and the status.
pub(crate) fn note(fitted: &mut FittedLaw, law: &dyn Law, converged: bool) {
    let mut status = FitStatus::Ok;
    let mut warnings = Vec::new();
    let mut add = |level: FitStatus, code: &str, message: String| {
        status = status.max(level);
        warnings.push(Warning { code: code.into(), message });
    };
    if !converged {
        add(
            FitStatus::NotConverged,
            "not_converged",
            "the minimiser stopped before it converged; the minimum may be lower".into(),
        );
    }
    if fitted.n_points == fitted.params.iter().filter(|(_, e)| e.state != ParamState::Fixed).count() {
        add(
            FitStatus::Remarks,
            "no_freedom",
            "there are as many points as constants: the law passes through all of them, so its error is unknown; add runs"
                .into(),
        );
    }
    for (name, [lo, hi]) in &fitted.ranges {
        if lo == hi {
            add(
                FitStatus::Unidentified,
                "constant_variable",
                format!(
                    "{name} is {lo:e} at every point, so its exponent and amplitude are not identifiable; vary {name}, or fix them"
                ),
            );
        }
    }
    for (name, estimate) in &fitted.params {
        match estimate.state {
            ParamState::AtBound => add(
                FitStatus::AtBound,
                "at_bound",
                format!(
                    "{name} is at its bound ({:.3e}): the law fits as well without this term; try a simpler law",
                    estimate.value
                ),
            ),
            ParamState::Unidentified => add(
                FitStatus::Unidentified,
                "unidentified",
                format!("{name} is not identifiable from these data: {}", open_or_rivals(fitted, name)),
            ),
            ParamState::Identified | ParamState::Fixed => {}
        }
    }
    let near = fitted.starts.rivals.iter().filter(|r| r.excess <= 0.02).count();
    if near > 0 {
        let widest = fitted.starts.rivals.iter().map(|r| r.prediction_gap).fold(0.0, f64::max);
        add(
            FitStatus::Rivals,
            "rival_minima",
            format!(
                "{near} other minima within 2% of the objective; their predictions differ by up to {widest:.2e}"
            ),
        );
    }
    if fitted.starts.agreeing <= 1 && fitted.starts.tried > 1 {
        add(
            FitStatus::Rivals,
            "lonely_minimum",
            format!(
                "only {} of {} starts found the best minimum",
                fitted.starts.agreeing, fitted.starts.tried
            ),
        );
    }
    for c in &fitted.diagnostics.correlations {
        // Amplitude and exponent of one term always move together; exponents of two variables should not.
        let variable = |name: &str| {
            let param = law.params().iter().find(|p| p.name == *name);
            param.and_then(|p| p.exponent_of.as_deref())
        };
        let (Some(of_a), Some(of_b)) = (variable(&c.a), variable(&c.b)) else { continue };
        if c.r.abs() > STRONG_CORRELATION && of_a != of_b {
            add(
                FitStatus::Unidentified,
                "correlated_exponents",
                format!(
                    "{} and {} are correlated at {:.4}: the data hardly separate them; vary {of_a} and {of_b} independently",
                    c.a, c.b, c.r
                ),
            );
        }
    }
    if fitted.n_runs < FEWEST_RUNS && fitted.n_runs < fitted.n_points {
        add(
            FitStatus::Remarks,
            "few_runs",
            format!(
                "all {} points belong to {} run(s), so the spread between runs is unknown; add runs, or name the \
                 column that identifies them",
                fitted.n_points, fitted.n_runs
            ),
        );
    } else if let (IntervalMethod::Bootstrap, true) = (fitted.intervals.method, fitted.n_runs < 20) {
        add(
            FitStatus::Remarks,
            "few_runs",
            format!(
                "{} runs are few for a bootstrap: percentile intervals cover too little (about .90 for .95 with nine)",
                fitted.n_runs
            ),
        );
    }
    if let Some(b) = &fitted.intervals.bootstrap
        && b.failed > 0
    {
        add(
            FitStatus::Remarks,
            "bootstrap_failures",
            format!("{} of {} bootstrap refits did not converge", b.failed, b.replicates),
        );
    }
    fitted.status = status;
    fitted.warnings = warnings;
}

fn open_or_rivals(fitted: &FittedLaw, name: &str) -> String {
    let values: Vec<String> = fitted
        .starts
        .rivals
        .iter()
        .filter(|r| r.within_interval)
        .filter_map(|r| r.params.iter().find(|(n, _)| n == name))
        .map(|(_, v)| scalelaw_core::number::constant(*v))
        .collect();
    if values.is_empty() {
        "its interval is open".into()
    } else {
        format!("other minima that the data cannot reject have it at {}", values.join(", "))
    }
}
