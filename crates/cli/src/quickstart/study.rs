//! The study as the report wants it: laws become sampled lines, and everything is said in words.

use super::findings::Findings;
use super::laws::{CONVENTIONS, Fitted, Point, QuickstartLaws, exponent};
use super::plan::{FACTOR, NextRun};
use super::text::{self, Origin};
use scalelaw_core::number::short;
use scalelaw_fit::{FittedLaw, FrontierPoint};
use scalelaw_report::study::{
    Corpus, FittedCurve, Forecast, JointFit, Laws, Observed, Plan, Provenance, Published, Study,
    published_constants,
};
use scalelaw_tokens::Dataset;

/// How far beyond the data a line is drawn, as a factor in x.
const BEYOND: f64 = 10.0;

/// The whole study; `facts` are added to how the page was made.
pub fn study(
    findings: &Findings,
    origin: &Origin,
    data: &Dataset,
    forecasts: Vec<Forecast>,
    facts: Vec<(String, String)>,
) -> Study {
    let mut notes = notes(findings);
    let laws = laws(&findings.laws, &mut notes);
    if let Err(error) = &findings.next {
        notes.push(format!("No plan: {error}."));
    }
    if let (Ok(next), Some(floor)) = (&findings.next, &findings.floor)
        && next.loss < floor.loss
    {
        notes.push(format!(
            "The loss predicted for the next run, {:.3}, is below the true source's {:.3}: a power law has no floor, \
             and this text has one that near.",
            next.loss, floor.loss
        ));
    }
    for (key, reason) in &findings.failed {
        notes.push(format!("Run {key} failed: {reason}."));
    }
    let spent = ("training compute, head and attention".into(), format!("{:.3e} FLOPs", findings.spent));
    Study {
        title: format!("Scaling laws of {}", origin.name()),
        corpus: Corpus { name: origin.name(), facts: text::facts(data) },
        conventions: CONVENTIONS,
        runs: findings.rows.clone(),
        curves: findings.curves.clone(),
        laws,
        plan: findings.next.as_ref().ok().map(|next| plan(next, findings.largest_run)),
        forecasts,
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

/// The laws as lines, and a note for each that could not be fitted or drawn.
fn laws(fitted: &QuickstartLaws, notes: &mut Vec<String>) -> Laws {
    let mut drawn = |law: &str, curve: Result<FittedCurve, String>| {
        curve.map_err(|error| notes.push(format!("{law} could not be fitted: {error}."))).ok()
    };
    let params = drawn("L(N)", curve(&fitted.params, "kaplan2020-n", |p| observed(p, p.n)));
    let data = drawn("L(D)", curve(&fitted.data, "kaplan2020-d", |p| observed(p, p.d)));
    let compute = drawn("L(C)", curve(&fitted.compute, "kaplan2020-c", frontier_point));
    let joint = match joint(&fitted.joint) {
        Ok(joint) => Some(joint),
        Err(error) => {
            notes.push(format!("L(N, D) could not be fitted: {error}."));
            None
        }
    };
    Laws { params, data, compute, joint }
}

fn observed(point: &Point, x: f64) -> Observed {
    Observed { run_id: point.run_id.clone(), x, loss: point.loss, loss_se: point.loss_se }
}

fn frontier_point(point: &FrontierPoint) -> Observed {
    Observed { run_id: point.run.clone(), x: point.cost, loss: point.loss, loss_se: None }
}

fn range(points: &[Observed]) -> (f64, f64) {
    points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p.x), high.max(p.x)))
}

fn curve<P>(
    fitted: &Fitted<P>,
    preset: &str,
    observed: impl Fn(&P) -> Observed,
) -> Result<FittedCurve, String> {
    let (law, points) = fitted.as_ref()?;
    let points: Vec<Observed> = points.iter().map(observed).collect();
    let (low, high) = range(&points);
    FittedCurve::of(law, (low, high * BEYOND), &points, Published::of_preset(preset))
        .map_err(|e| e.to_string())
}

fn joint(fitted: &Fitted<Point>) -> Result<JointFit, String> {
    let (law, points) = fitted.as_ref()?;
    let mut sizes: Vec<f64> = points.iter().map(|p| p.n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let of_size = |n: f64| points.iter().filter(|p| p.n == n).map(|p| observed(p, p.d)).collect();
    let runs: Vec<(f64, Vec<Observed>)> = sizes.into_iter().map(|n| (n, of_size(n))).collect();
    let reach = range(&points.iter().map(|p| observed(p, p.d)).collect::<Vec<_>>());
    JointFit::of(law, reach, &runs, published_constants("kaplan2020-nd")).map_err(|e| e.to_string())
}

/// The plan as the report shows it.
fn plan(next: &NextRun, largest_run: f64) -> Plan {
    Plan {
        budget: format!("{FACTOR:.0} times the compute of this whole study, in one run"),
        compute: next.compute,
        n_params: next.n_params,
        tokens: next.tokens,
        steps: next.steps,
        batch_tokens: next.batch_tokens,
        loss: next.loss,
        loss_interval: next.loss_pi95.map(|[low, high]| (low, high)),
        interval_of: "95% interval of one new run (delta method) if L(N, D) holds there, D being the tokens \
                      processed, fitted to the runs on fresh text: laws/nd-processed.json"
            .into(),
        largest_run,
    }
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
