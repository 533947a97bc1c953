//! The study as the report wants it: laws become sampled lines.

use super::findings::Findings;
use super::laws::{CONVENTIONS, QuickstartLaws};
use super::plan::{FACTOR, NextRun};
use super::text::{self, Origin};
use crate::laws::Fitted;
use crate::study::{
    Corpus, FittedCurve, Forecast, JointFit, Laws, Note, Plan, Provenance, Published, PublishedConstants,
    Study,
};
use scalelaw_fit::FitError;
use scalelaw_tokens::Dataset;

/// How far beyond the data a line is drawn, as a factor in x.
const BEYOND: f64 = 10.0;

/// The whole study; `command` is how it was asked for.
pub fn study(
    findings: &Findings,
    origin: &Origin,
    data: &Dataset,
    forecasts: Vec<Forecast>,
    command: &str,
) -> Study {
    let mut notes = notes(findings);
    let laws = laws(&findings.laws, &mut notes);
    if let Err(error) = &findings.next {
        notes.push(Note::NoPlan(error.to_string()));
    }
    if let (Ok(next), Some(floor)) = (&findings.next, &findings.floor)
        && next.loss < floor.loss
    {
        notes.push(Note::BelowFloor { loss: next.loss, floor: floor.loss });
    }
    for (run, reason) in &findings.failed {
        notes.push(Note::Failed { run: run.clone(), reason: reason.clone() });
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
            command: command.to_owned(),
            data_digest: data.digest(),
            experiment: "../experiment.toml".into(),
            facts: vec![spent],
        },
    }
}

/// The laws as lines, and a note for each that could not be fitted or drawn.
fn laws(fitted: &QuickstartLaws, notes: &mut Vec<Note>) -> Laws {
    let mut refused = |law, error: FitError| notes.push(Note::NotFitted { law, reason: error.to_string() });
    let mut curve = |law, fitted: &Result<Fitted, FitError>, preset| {
        let drawn = fitted
            .as_ref()
            .map_err(FitError::clone)
            .and_then(|fitted| FittedCurve::of(fitted, BEYOND, Published::of_preset(preset)));
        drawn.map_err(|error| refused(law, error)).ok()
    };
    let params = curve("L(N)", &fitted.params, "kaplan2020-n");
    let data = curve("L(D)", &fitted.data, "kaplan2020-d");
    let compute = curve("L(C)", &fitted.compute, "kaplan2020-c");
    let joint = fitted
        .joint
        .as_ref()
        .map_err(FitError::clone)
        .and_then(|fitted| JointFit::of(fitted, PublishedConstants::of_preset("kaplan2020-nd")));
    Laws { params, data, compute, joint: joint.map_err(|error| refused("L(N, D)", error)).ok() }
}

/// The plan as the report shows it.
fn plan(next: &NextRun, largest_run: f64) -> Plan {
    Plan {
        factor: FACTOR,
        compute: next.compute,
        n_params: next.n_params,
        tokens: next.tokens,
        steps: next.steps,
        batch_tokens: next.batch_tokens,
        loss: next.loss,
        loss_interval: next.loss_pi95.map(|[low, high]| (low, high)),
        of_any_form: next.of_any_form.map(|(loss, [low, high])| (loss, (low, high))),
        epochs: next.epochs,
        largest_run,
    }
}

/// The notes that every quickstart owes its reader.
fn notes(findings: &Findings) -> Vec<Note> {
    let Findings { head_share: (smallest, largest), repeats, laws, .. } = findings;
    let mut notes = vec![Note::HeadShare(*smallest, *largest)];
    notes.extend(laws.by_convention.iter().cloned());
    if *repeats > 1.05 {
        notes.push(Note::Repeats(*repeats));
    }
    notes
}
