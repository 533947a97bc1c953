//! Further runs, those that most narrow the interval at a target, until it is narrow enough.
//!
//! Every round is an experiment of its own beside the file, `<out>/experiments/<name>-until-<round>.toml`, written
//! before its runs begin: the same request completes the rounds that exist and continues after them.

use super::run::{SweepEvent, SweepWatcher};
use super::study::{Study, read};
use super::{Request, SweepError};
use crate::execute::cost;
use scalelaw_core::RunSpec;
use scalelaw_core::number::short;
use scalelaw_core::units::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_experiment::{ExperimentFile, Facts, PlannedRun};
use scalelaw_files::write_atomically;
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::plan::{Basis, Goal, Request as PlanRequest, plan};
use scalelaw_fit::suggest::{Candidate, Request as SuggestRequest, suggest};
use scalelaw_fit::{Dataset, FitError, FitOptions, FittedLaw, IntervalChoice, fit};
use scalelaw_runs::{Outcome, finished_run};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Widths of blocks, relative to the widest of the experiment, that new runs may have.
const WIDTHS: [f64; 6] = [0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
/// Lengths of new runs: this many a doubling of the steps.
const LENGTHS_PER_DOUBLING: f64 = 2.0;
/// Runs that a design looks ahead; the first of them are made.
const LOOK_AHEAD: usize = 12;
/// What is counted here: parameters in matrix products, so that 6ND has the head that small models spend most on.
const CONVENTIONS: Conventions = Conventions {
    params: ParamConvention::Matmul,
    flops: FlopConvention::Matmul,
    data: DataConvention::Processed,
};

/// The loss at the optimum of so many FLOPs is to be known so well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Training FLOPs.
    pub flops: f64,
    /// Width of the law's 95% interval there, nats per token.
    pub width: f64,
}

/// How well the loss at a target is known.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// FLOPs at whose optimum the loss is wanted.
    pub target_flops: f64,
    /// The loss there, nats per token.
    pub loss: f64,
    /// Width of its 95% interval.
    pub width: f64,
    /// The width that was wanted.
    pub wanted: f64,
    /// Whether it is that narrow.
    pub reached: bool,
    /// Runs that the law was fitted to.
    pub runs: usize,
    /// FLOPs spent on the rounds, evaluations included.
    pub spent: f64,
    /// Why no more was run, where the target is not reached.
    #[serde(serialize_with = "as_text")]
    pub why: Option<Unreached>,
}

/// Why no more was run although a target is not reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreached {
    /// No run is long enough to count and cheap enough to pay.
    #[error("the remaining {} FLOPs are too few for any candidate run", short(*flops))]
    TooFewFlops {
        /// FLOPs left.
        flops: f64,
    },
    /// None of the candidate runs narrows the interval.
    #[error("no run within {} FLOPs narrows the interval", short(*flops))]
    NoneNarrows {
        /// FLOPs left.
        flops: f64,
    },
    /// The experiment has no run on fresh text, whose sizes and lengths new ones take.
    #[error("the experiment has no run on fresh text")]
    NoFreshText,
    /// No design of further runs can be computed.
    #[error("no design of further runs: {0}")]
    NoDesign(FitError),
    /// A round did not finish.
    #[error("a round did not finish")]
    RoundLeft,
}

fn as_text<S: serde::Serializer>(why: &Option<Unreached>, serializer: S) -> Result<S::Ok, S::Error> {
    why.as_ref().map(ToString::to_string).serialize(serializer)
}

/// A target, and what may be spent on runs beyond those of the experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pursuit {
    /// The target.
    pub target: Target,
    /// FLOPs.
    pub spend: f64,
}

/// The path of a round's experiment.
fn path_of(request: &Request, round: usize) -> PathBuf {
    let stem = request.experiment.file_stem().unwrap_or_default().to_string_lossy();
    request.out.join("experiments").join(format!("{stem}-until-{round}.toml"))
}

/// How many rounds there are.
fn rounds(request: &Request) -> usize {
    (1..).take_while(|round| path_of(request, *round).exists()).count()
}

/// Adds the runs of the rounds that an earlier request began.
///
/// # Errors
/// When a round's file cannot be read or resolved.
pub fn rejoin(study: &mut Study, request: &Request) -> Result<(), SweepError> {
    for round in 1..=rounds(request) {
        let path = path_of(request, round);
        let (text, round) = read(&path)?;
        study.add(runs_of(&round, &study.facts)?, &path, &text)?;
    }
    Ok(())
}

/// Runs rounds by `complete` (which takes the index of the first new run) until the target is reached, the FLOPs
/// are spent, or nothing more can be run; `complete` returns whether to continue.
///
/// # Errors
/// When the finished runs determine no law, or a file cannot be written.
pub fn pursue(
    Pursuit { target, spend }: Pursuit,
    study: &mut Study,
    request: &Request,
    cores: usize,
    watcher: &dyn SweepWatcher,
    complete: &mut dyn FnMut(&Study, usize) -> Result<bool, SweepError>,
) -> Result<Standing, SweepError> {
    let mut round = rounds(request);
    loop {
        round += 1;
        let (law, optimum, mut standing) = stand(target, study)?;
        watcher.sweep_event(SweepEvent::Standing(&standing));
        if standing.reached {
            return Ok(standing);
        }
        let chosen = match choose(study, &law, optimum, spend - standing.spent, cores)? {
            Ok(chosen) => chosen,
            Err(why) => {
                standing.why = Some(why);
                return Ok(standing);
            }
        };
        let path = path_of(request, round);
        let experiment = experiment(study, target, &path, round, &chosen)?;
        let runs = runs_of(&experiment, &study.facts)?;
        write_atomically(&path, experiment.text().as_bytes())?;
        let first = study.runs.len();
        study.add(runs, &path, experiment.text())?;
        watcher.sweep_event(SweepEvent::Round { number: round, experiment: &path });
        if !complete(study, first)? {
            let (_, _, mut standing) = stand(target, study)?;
            standing.why = (!standing.reached).then_some(Unreached::RoundLeft);
            return Ok(standing);
        }
    }
}

/// The law of the runs there are, N and D of the target's optimum, and how well the loss is known there.
fn stand(target: Target, study: &Study) -> Result<(FittedLaw, (f64, f64), Standing), SweepError> {
    let (mut n, mut d, mut loss, mut spent) = (vec![], vec![], vec![], 0.0);
    for run in &study.runs {
        let Some(finished) = finished_run(&study.dir_of(run))? else { continue };
        if run.sets.iter().any(|set| set.starts_with(SET)) {
            spent += cost(&run.spec);
        }
        if let (Outcome::Completed, Some(final_loss), true) =
            (&finished.result.outcome, finished.result.loss, is_of_the_law(&run.spec))
        {
            n.push(finished.result.n_matmul as f64);
            d.push(finished.result.tokens as f64);
            loss.push(final_loss);
        }
    }
    let runs = loss.len();
    let dataset = Dataset::new(loss).with("N", n).with("D", d).counted(CONVENTIONS);
    let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
    let law = fit(&Chinchilla, &dataset, &options).map_err(|source| SweepError::NoLaw { runs, source })?;
    let basis = Basis::fitted("the sweep's own", law.clone())?;
    let best = plan(&PlanRequest {
        basis: &basis,
        goal: Goal::Compute(target.flops),
        hyper: &[],
        unique_tokens: None,
        inference_tokens: None,
        hardware: None,
    })?;
    let prediction = law.predict(&[("N", best.n), ("D", best.d)])?;
    let Some([low, high]) = prediction.ci95 else {
        return Err(SweepError::NoInterval { runs });
    };
    let width = high - low;
    let standing = Standing {
        target_flops: target.flops,
        loss: prediction.mean,
        width,
        wanted: target.width,
        reached: width < target.width,
        runs,
        spent,
        why: None,
    };
    Ok((law, (best.n, best.d), standing))
}

/// Whether a run counts for the law of what a budget buys: fresh text, to the end of its schedule, a Transformer with layers that
/// are used once.
fn is_of_the_law(spec: &RunSpec) -> bool {
    let fresh = spec.tokens() <= spec.data.train_tokens || spec.data.train_tokens == 0;
    let model = &spec.model;
    let plain = model.transformer().is_some_and(|blocks| blocks.reuse == 1) && model.n_layer > 0;
    fresh && plain && spec.training.branch_steps.is_empty()
}

/// A run to make.
#[derive(Clone, Copy)]
struct Chosen {
    n_layer: u32,
    d_model: u32,
    steps: u64,
}

/// The first `count` runs of the best design for the FLOPs that are left, or why there is none.
fn choose(
    study: &Study,
    law: &FittedLaw,
    optimum: (f64, f64),
    left: f64,
    count: usize,
) -> Result<Result<Vec<Chosen>, Unreached>, SweepError> {
    // Runs shorter than the experiment's own would measure their warm-up.
    let of_the_law = study.runs.iter().filter(|run| is_of_the_law(&run.spec));
    let Some(shortest) = of_the_law.map(|run| run.spec.steps).min() else {
        return Ok(Err(Unreached::NoFreshText));
    };
    let shortest = shortest as f64;
    let mut candidates = Vec::new();
    let mut specs = Vec::new();
    for spec in sizes(study)? {
        let n = spec.model.n_params(CONVENTIONS.params) as f64;
        let mut k = 0;
        loop {
            let steps = (shortest * 2f64.powf(f64::from(k) / LENGTHS_PER_DOUBLING)).round() as u64;
            k += 1;
            let long = RunSpec { steps, ..spec.clone() };
            let cost = cost(&long);
            if !is_of_the_law(&long) || cost > left {
                break;
            }
            candidates.push(Candidate { n, d: long.tokens() as f64, cost });
            specs.push(long);
        }
    }
    if candidates.is_empty() {
        return Ok(Err(Unreached::TooFewFlops { flops: left.max(0.0) }));
    }
    let suggestion = suggest(&SuggestRequest {
        law,
        candidates: &candidates,
        budget: left,
        target: optimum,
        most_runs: LOOK_AHEAD,
        seed: 0,
    });
    let suggestion = match suggestion {
        Ok(suggestion) if suggestion.runs.is_empty() => {
            return Ok(Err(Unreached::NoneNarrows { flops: left }));
        }
        Ok(suggestion) => suggestion,
        Err(error) => return Ok(Err(Unreached::NoDesign(error))),
    };
    let spec_of = |run: &Candidate| candidates.iter().position(|c| c == run).map(|i| &specs[i]);
    let runs = suggestion
        .runs
        .iter()
        .take(count)
        .filter_map(|chosen| spec_of(&chosen.run))
        .map(|spec| Chosen { n_layer: spec.model.n_layer, d_model: spec.model.d_model, steps: spec.steps });
    Ok(Ok(runs.collect()))
}

/// Sizes that new runs may have: those of the experiment, and its widest model at other widths.
fn sizes(study: &Study) -> Result<Vec<RunSpec>, SweepError> {
    let mut shapes: Vec<(u32, u32)> = study
        .runs
        .iter()
        .filter(|run| is_of_the_law(&run.spec))
        .map(|run| (run.spec.model.n_layer, run.spec.model.d_model))
        .collect();
    let widest = shapes.iter().copied().max_by_key(|(n_layer, d_model)| (*d_model, *n_layer));
    if let Some((n_layer, d_model)) = widest {
        let scaled = |width: &f64| ((f64::from(d_model) * width / 8.0).round() as u32 * 8).max(8);
        shapes.extend(WIDTHS.iter().map(|width| (n_layer, scaled(width))));
    }
    shapes.sort_unstable();
    shapes.dedup();
    let sets: Vec<Set> = shapes
        .into_iter()
        .map(|(n_layer, d_model)| {
            Set::new(format!("{n_layer} {d_model}"), Chosen { n_layer, d_model, steps: 100 }, 0)
        })
        .collect();
    let sizes = study.file.with_sets("sizes", "sizes", &study.facts, &sets)?;
    Ok(runs_of(&sizes, &study.facts)?.into_iter().map(|run| run.spec).collect())
}

/// How the names of the rounds' sets begin.
const SET: &str = "until-";

/// A set of one run.
#[derive(Serialize)]
struct Set {
    name: String,
    n_layer: u32,
    d_model: u32,
    steps: u64,
    seed: usize,
}

impl Set {
    fn new(name: String, chosen: Chosen, seed: usize) -> Self {
        let Chosen { n_layer, d_model, steps } = chosen;
        Self { name, n_layer, d_model, steps, seed }
    }
}

/// The experiment of a round; the same run in another round is another seed of it.
fn experiment(
    study: &Study,
    target: Target,
    path: &Path,
    round: usize,
    chosen: &[Chosen],
) -> Result<ExperimentFile, SweepError> {
    let set =
        |(i, run): (usize, &Chosen)| Set::new(format!("{SET}{round}-{}", i + 1), *run, round * 1000 + i);
    let sets: Vec<Set> = chosen.iter().enumerate().map(set).collect();
    let question = format!(
        "What is the loss at {} FLOPs? (to {} nats, round {round})",
        short(target.flops),
        target.width
    );
    Ok(study.file.with_sets(&path.display().to_string(), &question, &study.facts, &sets)?)
}

/// The runs of an experiment on the study's data; rounds measure no further sets.
fn runs_of(experiment: &ExperimentFile, facts: &Facts) -> Result<Vec<PlannedRun>, SweepError> {
    Ok(experiment.runs(&Facts { evals: vec![], ..facts.clone() })?)
}
