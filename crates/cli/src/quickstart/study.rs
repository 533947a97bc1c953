//! The study as the report wants it: laws become sampled lines, and everything is said in words.

use super::findings::Findings;
use super::laws::{CONVENTIONS, Fitted, Point, QuickstartLaws, exponent};
use super::plan::{FACTOR, NextRun};
use super::text::{self, Origin};
use scalelaw_core::number::short;
use scalelaw_fit::{FittedLaw, FrontierPoint, IntervalMethod};
use scalelaw_report::study::{
    Corpus, FittedCurve, JointFit, JointLine, LawPoint, Laws, Parameter, Plan, Provenance, Published, Sample,
    Study,
};
use scalelaw_tokens::Dataset;

/// Places on a drawn line.
const SAMPLES: usize = 60;
/// How far beyond the data a line is drawn, as a factor in x.
const BEYOND: f64 = 10.0;

/// The whole study; `facts` are added to how the page was made.
pub fn study(findings: &Findings, origin: &Origin, data: &Dataset, facts: Vec<(String, String)>) -> Study {
    let mut notes = notes(findings);
    let laws = laws(&findings.laws, &mut notes);
    if let Err(error) = &findings.next {
        notes.push(format!("No plan: {error}."));
    }
    for (key, reason) in &findings.failed {
        notes.push(format!("Run {key} failed: {reason}."));
    }
    let law_of_plan = findings.laws.budget.as_ref().map(|(law, _)| law);
    let spent = ("training compute, head and attention".into(), format!("{:.3e} FLOPs", findings.spent));
    Study {
        title: format!("Scaling laws of {}", origin.name()),
        corpus: Corpus { name: origin.name(), facts: text::facts(data) },
        conventions: CONVENTIONS,
        runs: findings.rows.clone(),
        curves: findings.curves.clone(),
        laws,
        plan: findings
            .next
            .as_ref()
            .ok()
            .zip(law_of_plan.ok())
            .map(|(next, law)| plan(next, law, findings.largest_run)),
        floor: findings.floor.clone(),
        notes,
        provenance: Provenance {
            program: format!("scalelaw {}", env!("CARGO_PKG_VERSION")),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            data_digest: data.digest(),
            experiment: "../experiment.toml".into(),
            facts: facts.into_iter().chain([spent]).collect(),
        },
    }
}

/// The laws as lines, and a note for each that could not be fitted.
fn laws(fitted: &QuickstartLaws, notes: &mut Vec<String>) -> Laws {
    let mut note = |law: &str, error: &String| notes.push(format!("{law} could not be fitted: {error}."));
    let params = curve(&fitted.params, "N", "alpha_N", |p| p.n, published("α_{N}")).unwrap_or_else(|e| {
        note("L(N)", e);
        None
    });
    let data = curve(&fitted.data, "D", "alpha_D", |p| p.d, published("α_{D}")).unwrap_or_else(|e| {
        note("L(D)", e);
        None
    });
    let compute = frontier(&fitted.compute).unwrap_or_else(|e| {
        note("L(C)", e);
        None
    });
    let joint = match &fitted.joint {
        Ok((law, points)) => Some(joint(law, points)),
        Err(e) => {
            note("L(N, D)", e);
            None
        }
    };
    Laws { params, data, compute, joint }
}

fn curve<'a>(
    fitted: &'a Fitted<Point>,
    variable: &str,
    exponent_name: &str,
    x: impl Fn(&Point) -> f64,
    published: Published,
) -> Result<Option<FittedCurve>, &'a String> {
    let (law, points) = fitted.as_ref()?;
    let points = points
        .iter()
        .map(|p| LawPoint {
            run_id: p.run_id.clone(),
            x: x(p),
            loss: p.loss,
            loss_se: p.loss_se,
            fitted: at(law, &[(variable, x(p))]),
        })
        .collect();
    Ok(fitted_curve(law, variable, exponent_name, points, published))
}

fn frontier(fitted: &Fitted<FrontierPoint>) -> Result<Option<FittedCurve>, &String> {
    let (law, points) = fitted.as_ref()?;
    let points = points
        .iter()
        .map(|p| LawPoint {
            run_id: p.run.clone(),
            x: p.cost,
            loss: p.loss,
            loss_se: None,
            fitted: at(law, &[("C", p.cost)]),
        })
        .collect();
    Ok(fitted_curve(law, "C", "alpha_C", points, published("α_{C}")))
}

fn fitted_curve(
    law: &FittedLaw,
    variable: &str,
    exponent_name: &str,
    points: Vec<LawPoint>,
    published: Published,
) -> Option<FittedCurve> {
    let (low, high) = points
        .iter()
        .map(|p: &LawPoint| p.x)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let (value, interval) = exponent(law, exponent_name)?;
    Some(FittedCurve {
        equation: format!("L = ({variable}_{{c}}/{variable})^{{α{variable}}}"),
        params: parameters(law),
        exponent: Parameter { symbol: symbol(exponent_name), value, interval },
        samples: samples(law, low, high * BEYOND, |x| vec![(variable, x)]),
        points,
        interval_of: format!("95% interval of the fitted line ({})", method(law)),
        doubts: doubts(law),
        published: Some(published),
    })
}

fn joint(law: &FittedLaw, points: &[Point]) -> JointFit {
    let mut sizes: Vec<f64> = points.iter().map(|p| p.n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let (low, high) =
        points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.d), b.max(p.d)));
    let lines = sizes
        .into_iter()
        .map(|n| JointLine {
            n_params: n,
            samples: samples(law, low, high, |d| vec![("N", n), ("D", d)]),
            points: points
                .iter()
                .filter(|p| p.n == n)
                .map(|p| LawPoint {
                    run_id: p.run_id.clone(),
                    x: p.d,
                    loss: p.loss,
                    loss_se: p.loss_se,
                    fitted: at(law, &[("N", p.n), ("D", p.d)]),
                })
                .collect(),
        })
        .collect();
    JointFit {
        equation: "L = [(N_{c}/N)^{αN/αD} + D_{c}/D]^{αD}".into(),
        params: parameters(law),
        lines,
        doubts: doubts(law),
        published: Some(
            "Kaplan et al. 2020, Table 2: α_{N} = 0.076, α_{D} = 0.103, N_{c} = 6.4×10^{13}, D_{c} = \
             1.8×10^{13}"
                .into(),
        ),
    }
}

/// The plan as the report shows it.
fn plan(next: &NextRun, law: &FittedLaw, largest_run: f64) -> Plan {
    let constants: Vec<String> =
        parameters(law).iter().map(|p| format!("{} = {}", p.symbol, digits(p.value))).collect();
    Plan {
        budget: format!("{FACTOR:.0} times the compute of this whole study, in one run"),
        compute: next.compute,
        n_params: next.n_params,
        tokens: next.tokens,
        steps: next.steps,
        batch_tokens: next.batch_tokens,
        loss: next.loss,
        loss_interval: next.loss_pi95.map(|[low, high]| (low, high)),
        interval_of: format!(
            "95% interval of one new run (delta method) if L(N, D) holds there, D being the tokens processed: fitted \
             to the runs on fresh text, {}",
            constants.join(", ")
        ),
        largest_run,
    }
}

fn at(law: &FittedLaw, point: &[(&str, f64)]) -> f64 {
    law.predict(point).map_or(f64::NAN, |p| p.mean)
}

fn samples<'a>(
    law: &FittedLaw,
    low: f64,
    high: f64,
    point: impl Fn(f64) -> Vec<(&'a str, f64)>,
) -> Vec<Sample> {
    (0..SAMPLES)
        .map(|i| low * (high / low).powf(i as f64 / (SAMPLES - 1) as f64))
        .filter_map(|x| {
            let p = law.predict(&point(x)).ok()?;
            Some(Sample { x, loss: p.mean, interval: p.ci95.map(|[low, high]| (low, high)) })
        })
        .collect()
}

fn parameters(law: &FittedLaw) -> Vec<Parameter> {
    law.params
        .iter()
        .filter_map(|(name, _)| {
            let (value, interval) = exponent(law, name)?;
            Some(Parameter { symbol: symbol(name), value, interval })
        })
        .collect()
}

/// `alpha_N` as `α_{N}`.
fn symbol(name: &str) -> String {
    let greek = name.replace("alpha", "α").replace("beta", "β");
    match greek.split_once('_') {
        Some((base, index)) => format!("{base}_{{{index}}}"),
        None => greek,
    }
}

fn method(law: &FittedLaw) -> &'static str {
    // Lines are drawn from the covariance whatever the constants' own intervals come from.
    match law.intervals.method {
        IntervalMethod::None => "no interval",
        _ => "delta method, Student's t",
    }
}

fn doubts(law: &FittedLaw) -> Vec<String> {
    law.warnings.iter().map(|w| w.message.clone()).collect()
}

/// Kaplan et al. 2020, Table 5 (and equation 3.3 for compute at a fixed batch).
fn published(symbol: &str) -> Published {
    let (exponent, equation) = match symbol {
        "α_{N}" => (0.076, "L = (8.8×10^{13}/N)^{0.076}"),
        "α_{D}" => (0.095, "L = (5.4×10^{13}/D)^{0.095}"),
        _ => (0.057, "L = (1.6×10^{7} PF-days/C)^{0.057}"),
    };
    Published { source: "Kaplan et al. 2020".into(), equation: equation.into(), exponent }
}

/// The notes that every quickstart owes its reader.
fn notes(findings: &Findings) -> Vec<String> {
    let Findings { head_share, repeats, laws, .. } = findings;
    let mut notes = vec![format!(
        "N is {}, C is {}, D is {}. At this scale the convention decides the answer: the head takes {:.0}% of \
         the smallest model's FLOPs and {:.0}% of the largest's.",
        CONVENTIONS.params,
        CONVENTIONS.flops,
        CONVENTIONS.data,
        100.0 * head_share.0,
        100.0 * head_share.1
    )];
    for e in &laws.by_convention {
        let interval = e.interval.map_or(String::new(), |(l, h)| format!(" ({l:.4} to {h:.4})"));
        notes.push(format!("{} over {}: {:.4}{interval}.", e.symbol, e.convention, e.value));
    }
    if *repeats > 1.05 {
        notes.push(format!(
            "The text is short: a full run sees it {repeats:.1} times, so the larger models' losses are a \
             little higher than on fresh text."
        ));
    }
    notes
}

/// `0.0691 (0.0661 to 0.0722)` for the terminal.
pub fn with_interval(law: &FittedLaw, name: &str) -> String {
    match exponent(law, name) {
        Some((value, Some((low, high)))) => {
            format!("{} ({} to {})", digits(value), digits(low), digits(high))
        }
        Some((value, None)) => digits(value),
        None => "-".into(),
    }
}

fn digits(value: f64) -> String {
    if value.abs() < 1000.0 { format!("{value:.4}") } else { short(value) }
}
