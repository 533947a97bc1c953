//! `scalelaw sweep --until`: what narrows the interval at a target most, run until it is narrow enough.
//!
//! Every round is an experiment of its own beside the file, `<out>/experiments/<name>-until-<round>.toml`, kept
//! before its runs begin: the same command takes up the rounds that are there and goes on after them.

use super::RunArguments;
use super::study::{Study, cost, read};
use crate::progress::Display;
use anyhow::{Context, bail};
use scalelaw_core::RunSpec;
use scalelaw_core::number::{self, short};
use scalelaw_core::units::{Conventions, DataConvention, FlopConvention, ParamConvention};
use scalelaw_experiment::{ExperimentFile, Facts, PlannedRun};
use scalelaw_fit::laws::Chinchilla;
use scalelaw_fit::plan::{Basis, Goal as PlanGoal, Request as PlanRequest, plan};
use scalelaw_fit::suggest::{Candidate, Request, suggest};
use scalelaw_fit::{Dataset, FitOptions, FittedLaw, IntervalChoice, fit};
use scalelaw_runs::{Outcome, finished_run, write_atomically};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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

/// `ci95(loss@1e20) < 0.02`: the loss at the optimum of so many FLOPs is to be known so well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Training FLOPs.
    pub flops: f64,
    /// Width of the law's 95% interval there, nats per token.
    pub width: f64,
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("{text:?}: expected such as 'ci95(loss@1e20) < 0.02', a width in nats per token");
        let squeezed: String = text.split_whitespace().collect();
        let inner = squeezed.strip_prefix("ci95(loss@").ok_or_else(expected)?;
        let (flops, width) = inner.split_once(")<").ok_or_else(expected)?;
        let positive = |text: &str| number::parse(text).ok().filter(|x| *x > 0.0 && x.is_finite());
        let (flops, width) = positive(flops).zip(positive(width)).ok_or_else(expected)?;
        Ok(Self { flops, width })
    }
}

/// Where the pursuit of a goal came to an end.
#[derive(Clone, Debug, Serialize)]
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
    /// Why no more was run, where the goal is not reached.
    pub why: Option<String>,
}

/// The path of a round's experiment.
fn path_of(arguments: &RunArguments, round: usize) -> PathBuf {
    let stem = arguments.file.file_stem().unwrap_or_default().to_string_lossy();
    arguments.out.join("experiments").join(format!("{stem}-until-{round}.toml"))
}

/// How many rounds there are.
fn rounds(arguments: &RunArguments) -> usize {
    (1..).take_while(|round| path_of(arguments, *round).exists()).count()
}

/// Adds the runs of the rounds that an earlier call began.
///
/// # Errors
/// When a round's file cannot be read or resolved.
pub fn rejoin(study: &mut Study, arguments: &RunArguments) -> anyhow::Result<()> {
    for round in 1..=rounds(arguments) {
        let path = path_of(arguments, round);
        let (text, round) = read(&path)?;
        study.add(runs_of(&round, &study.facts)?, &path, &text)?;
    }
    Ok(())
}

/// Runs rounds by `bring` (which takes the index of the first new run) until the goal is reached, the FLOPs are
/// spent, or nothing more can be run; `bring` returns whether to go on.
///
/// # Errors
/// When the runs there are determine no law, or a file cannot be written.
pub fn pursue(
    goal: Goal,
    spend: f64,
    study: &mut Study,
    arguments: &RunArguments,
    display: &Display,
    bring: &mut dyn FnMut(&Study, usize) -> anyhow::Result<bool>,
) -> anyhow::Result<Standing> {
    for round in rounds(arguments) + 1.. {
        let (law, target, mut standing) = stand(goal, study)?;
        display.say(&format!(
            "loss at the optimum of {} FLOPs: {:.4}, 95% interval {:.4} wide by {} runs; wanted {:.4}",
            short(goal.flops),
            standing.loss,
            standing.width,
            standing.runs,
            goal.width
        ));
        if standing.reached {
            return Ok(standing);
        }
        let left = spend - standing.spent;
        let chosen = match choose(study, &law, target, left, arguments.workers.max(1)) {
            Ok(chosen) => chosen,
            Err(why) => {
                standing.why = Some(format!("{why:#}"));
                return Ok(standing);
            }
        };
        let path = path_of(arguments, round);
        let experiment = experiment(study, goal, &path, round, &chosen)?;
        let runs = runs_of(&experiment, &study.facts)?;
        write_atomically(&path, experiment.text().as_bytes())?;
        let first = study.runs.len();
        study.add(runs, &path, experiment.text())?;
        display.say(&format!("round {round}: {}", path.display()));
        if !bring(study, first)? {
            let (_, _, mut standing) = stand(goal, study)?;
            standing.why = (!standing.reached).then(|| "a round did not finish".to_owned());
            return Ok(standing);
        }
    }
    bail!("there are no more rounds")
}

/// The law of the runs there are, N and D of the target's optimum, and how well the loss is known there.
fn stand(goal: Goal, study: &Study) -> anyhow::Result<(FittedLaw, (f64, f64), Standing)> {
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
    let more = "give the experiment more sizes and lengths to begin with";
    let law = fit(&Chinchilla, &dataset, &options)
        .with_context(|| format!("{runs} finished runs on fresh text give no law of N and D: {more}"))?;
    let basis = Basis::fitted("the sweep's own", law.clone())?;
    let best = plan(&PlanRequest {
        basis: &basis,
        goal: PlanGoal::Compute(goal.flops),
        hyper: &[],
        unique_tokens: None,
        inference_tokens: None,
        hardware: None,
    })?;
    let prediction = law.predict(&[("N", best.n), ("D", best.d)])?;
    let Some([low, high]) = prediction.ci95 else {
        bail!("{runs} finished runs do not determine L(N, D): {more}");
    };
    let width = high - low;
    let standing = Standing {
        target_flops: goal.flops,
        loss: prediction.mean,
        width,
        wanted: goal.width,
        reached: width < goal.width,
        runs,
        spent,
        why: None,
    };
    Ok((law, (best.n, best.d), standing))
}

/// Whether a run says what a budget buys: fresh text, to the end of its schedule, a Transformer with layers that
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

/// The first `count` runs of the best design for the FLOPs that are left.
fn choose(
    study: &Study,
    law: &FittedLaw,
    target: (f64, f64),
    left: f64,
    count: usize,
) -> anyhow::Result<Vec<Chosen>> {
    // Shorter runs than the experiment's own would tell of their warm-up.
    let of_the_law = study.runs.iter().filter(|run| is_of_the_law(&run.spec));
    let shortest = of_the_law.map(|run| run.spec.steps).min().context("no run on fresh text")? as f64;
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
        bail!("{} FLOPs are left and buy no run", short(left.max(0.0)));
    }
    let suggestion = suggest(&Request {
        law,
        candidates: &candidates,
        budget: left,
        target,
        most_runs: LOOK_AHEAD,
        seed: 0,
    })?;
    if suggestion.runs.is_empty() {
        bail!("no run within {} FLOPs narrows the interval", short(left));
    }
    let spec_of = |run: &Candidate| candidates.iter().position(|c| c == run).map(|i| &specs[i]);
    Ok(suggestion
        .runs
        .iter()
        .take(count)
        .filter_map(|chosen| spec_of(&chosen.run))
        .map(|spec| Chosen { n_layer: spec.model.n_layer, d_model: spec.model.d_model, steps: spec.steps })
        .collect())
}

/// Sizes that new runs may have: those of the experiment, and its widest model at other widths.
fn sizes(study: &Study) -> anyhow::Result<Vec<RunSpec>> {
    let mut shapes: Vec<(u32, u32)> = study
        .runs
        .iter()
        .filter(|run| is_of_the_law(&run.spec))
        .map(|run| (run.spec.model.n_layer, run.spec.model.d_model))
        .collect();
    let widest = shapes.iter().copied().max_by_key(|(n_layer, d_model)| (*d_model, *n_layer));
    let (n_layer, d_model) = widest.context("no run on fresh text")?;
    shapes.extend(
        WIDTHS.iter().map(|width| (n_layer, ((f64::from(d_model) * width / 8.0).round() as u32 * 8).max(8))),
    );
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
    goal: Goal,
    path: &Path,
    round: usize,
    chosen: &[Chosen],
) -> anyhow::Result<ExperimentFile> {
    let set =
        |(i, run): (usize, &Chosen)| Set::new(format!("{SET}{round}-{}", i + 1), *run, round * 1000 + i);
    let sets: Vec<Set> = chosen.iter().enumerate().map(set).collect();
    let question =
        format!("What is the loss at {} FLOPs? (to {} nats, round {round})", short(goal.flops), goal.width);
    Ok(study.file.with_sets(&path.display().to_string(), &question, &study.facts, &sets)?)
}

/// The runs of an experiment on the study's data; rounds measure no further sets.
fn runs_of(experiment: &ExperimentFile, facts: &Facts) -> anyhow::Result<Vec<PlannedRun>> {
    Ok(experiment.runs(&Facts { evals: vec![], ..facts.clone() })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_is_read_with_any_spaces_and_anything_else_is_shown_an_example() {
        let goal: Goal = " ci95( loss@1e20 ) <0.02".parse().unwrap();
        assert_eq!(goal, Goal { flops: 1e20, width: 0.02 });
        for wrong in [
            "",
            "loss@1e20 < 0.02",
            "ci95(loss@1e20)",
            "ci95(loss@x) < 1",
            "ci95(loss@1) < -1",
            "ci95(loss@1e999)<1",
        ] {
            let error = wrong.parse::<Goal>().unwrap_err();
            assert!(error.contains("ci95(loss@1e20) < 0.02"), "{error}");
        }
    }
}
