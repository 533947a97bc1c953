//! What is doubtful about a usable fit: warnings that say what it is and what to do.

use crate::data::Data;
use crate::design::{Design, Tied};
use crate::fit::FEWEST_RUNS;
use crate::fitted::{Estimate, FitStatus, FittedLaw, IntervalMethod, ParamState, Warning};
use crate::influence::{Outlier, place};
use crate::law::{Domain, Law};
use scalelaw_core::number::constant;

/// Correlations above this size are named: two parameters that move together.
const STRONG_CORRELATION: f64 = 0.99;

/// From this share of refits that do not converge on, intervals from refits are not to be trusted.
const MANY_FAILURES: f64 = 0.1;

/// What was seen while fitting that the fitted law itself does not hold.
pub(crate) struct Evidence {
    /// Whether the minimiser converged.
    pub converged: bool,
    /// What the design leaves open.
    pub design: Design,
    /// Values of each free parameter outside of the minimum's own valley that the data do not reject.
    pub elsewhere: Vec<(String, Vec<f64>)>,
    /// Whether the information matrix has no inverse.
    pub singular: bool,
    /// Points that the law does not explain.
    pub outliers: Vec<Outlier>,
}

/// Fills in the warnings and the status.
pub(crate) fn note(fitted: &mut FittedLaw, law: &dyn Law, data: &Data, evidence: &Evidence) {
    let mut status = FitStatus::Ok;
    let mut warnings = Vec::new();
    let mut add = |level: FitStatus, code: &str, message: String| {
        status = status.max(level);
        warnings.push(Warning { code: code.into(), message });
    };
    for pair in &evidence.design.tied {
        add(FitStatus::Unidentified, "tied_variables", tied(data, *pair));
    }
    for outlier in &evidence.outliers {
        add(FitStatus::Remarks, "unexplained_point", unexplained(fitted, data, outlier));
    }
    if !evidence.converged {
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
    for variable in &evidence.design.narrow {
        let (name, (lo, hi)) = (&data.variables[*variable], data.range(*variable));
        add(
            FitStatus::Unidentified,
            "narrow_range",
            format!(
                "{name} spans a factor of {:.2} only, so its term is nearly a constant: neither its exponent and \
                 amplitude nor a floor is identifiable; add runs of other {name}",
                hi / lo
            ),
        );
    }
    if evidence.singular && evidence.design.tied.is_empty() {
        add(
            FitStatus::Unidentified,
            "singular",
            "the information matrix is singular: some combination of the constants changes no prediction"
                .into(),
        );
    }
    for (name, estimate) in &fitted.params {
        match estimate.state {
            ParamState::AtBound => add(FitStatus::AtBound, "at_bound", at_bound(law, name, estimate)),
            ParamState::Unidentified => add(
                FitStatus::Unidentified,
                "unidentified",
                format!(
                    "{name} is not identifiable from these data: {}",
                    open_or_rivals(fitted, name, evidence)
                ),
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
        let (level, so) = if b.failed as f64 > MANY_FAILURES * b.replicates as f64 {
            (
                FitStatus::Unidentified,
                ": these data do not hold the minimum in place, and intervals from refits are not to be trusted",
            )
        } else {
            (FitStatus::Remarks, "")
        };
        add(
            level,
            "bootstrap_failures",
            format!("{} of {} bootstrap refits did not converge{so}", b.failed, b.replicates),
        );
    }
    fitted.status = status;
    fitted.warnings = warnings;
}

/// A point that the law does not explain, and what the constants are without it.
fn unexplained(fitted: &FittedLaw, data: &Data, outlier: &Outlier) -> String {
    let Outlier { point, residual, sigmas, values } = outlier;
    let moved: Vec<String> = fitted
        .params
        .iter()
        .zip(values)
        .filter(|((_, e), v)| (e.value - **v).abs() > 0.02 * e.value.abs().max(v.abs()))
        .map(|((name, e), v)| format!("{name} {} instead of {}", constant(*v), constant(e.value)))
        .collect();
    let so = match moved.as_slice() {
        [] => "without it no constant moves by more than 2%".to_string(),
        moved => format!("without it {}", moved.join(", ")),
    };
    let side = if *residual < 0.0 { "above" } else { "below" };
    format!(
        "the point at {} with a response of {} lies {:.0} standard deviations {side} the law that fits the other points: {so}. \
         Look at that run, and leave its row out if it failed",
        place(&data.variables, data.vars(*point)),
        constant(data.y[*point]),
        sigmas.abs()
    )
}

/// Two variables that move together, and what to do.
fn tied(data: &Data, Tied { a, b, slope }: Tied) -> String {
    let (first, second) = (&data.variables[a], &data.variables[b]);
    let range = |f: &dyn Fn(f64, f64) -> f64| {
        let values = (0..data.len()).map(|i| f(data.vars(i).value[a], data.vars(i).value[b]));
        let (lo, hi) = values.fold((f64::INFINITY, 0.0f64), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if hi / lo < 1.0005 { constant(lo) } else { format!("{} to {}", constant(lo), constant(hi)) }
    };
    let how = if (slope - 1.0).abs() < 0.05 {
        format!("{second}/{first} is {} at every point", range(&|a, b| b / a))
    } else if (slope + 1.0).abs() < 0.05 {
        format!("{first}·{second} is {} at every point, so all runs have one budget", range(&|a, b| a * b))
    } else {
        format!("{second} follows {first} to the power {slope:.2}")
    };
    format!(
        "{first} and {second} move together: {how}. What either does alone is not identifiable, neither their exponents \
         nor their amplitudes; the law holds along this line only. Add runs off it"
    )
}

fn at_bound(law: &dyn Law, name: &str, estimate: &Estimate) -> String {
    let value = constant(estimate.value);
    match law.params().iter().find(|p| p.name == *name).map(|p| p.domain) {
        Some(Domain::Between(lo, hi)) => format!(
            "{name} is at its bound ({value}), and the minimum may lie beyond {} to {}; widen the bounds if it may be there",
            constant(lo),
            constant(hi)
        ),
        Some(Domain::Positive) if law.name() == "expression" => format!(
            "{name} is at its bound (0): the law fits as well without this term; try a simpler law, or, if {name} may be \
             negative, give it bounds: without them a parameter of an expression is above 0"
        ),
        _ => format!(
            "{name} is at its bound ({value}): the law fits as well without this term; try a simpler law"
        ),
    }
}

fn open_or_rivals(fitted: &FittedLaw, name: &str, evidence: &Evidence) -> String {
    let rivals = fitted.starts.rivals.iter().filter(|r| r.within_interval);
    let rivals = rivals.filter_map(|r| r.params.iter().find(|(n, _)| n == name)).map(|(_, v)| *v);
    let elsewhere =
        evidence.elsewhere.iter().filter(|(n, _)| n == name).flat_map(|(_, places)| places.clone());
    let mut values: Vec<f64> = rivals.chain(elsewhere).collect();
    values.sort_by(f64::total_cmp);
    let ends = values.first().zip(values.last()).map(|(lo, hi)| (constant(*lo), constant(*hi)));
    if let Some((lo, hi)) = ends {
        let at = if lo == hi { lo } else { format!("{lo} to {hi}") };
        format!("other answers that the data do not reject have it at {at}")
    } else if !evidence.design.tied.is_empty() || !evidence.design.narrow.is_empty() {
        "the runs do not vary what it depends on".into()
    } else {
        "its interval is open".into()
    }
}
