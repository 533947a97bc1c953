//! The next runs within a budget that narrow the interval at a target most.

use crate::error::LabError;
use crate::law_source::LawSource;
use crate::valley::grid;
use scalelaw_core::{Conventions, ModelShape, ParamConvention, RunSpec};
use scalelaw_experiment::{DataSection, ExperimentFile, Facts};
use scalelaw_files::FileError;
use scalelaw_fit::plan::{Basis, Goal, Request as PlanRequest, plan};
use scalelaw_fit::suggest::{Candidate, Chosen, Request, Suggestion, suggest};
use scalelaw_fit::{FitStatus, FittedLaw, Forecaster};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Widths of blocks, relative to the base's, that new runs may have.
const WIDTHS: [f64; 9] = [0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// Which law, how much compute, and for which target.
#[derive(Clone, Debug)]
pub struct SuggestRequest {
    /// The file of a law of N and D fitted to the runs there are, or of a forecaster.
    pub law: String,
    /// FLOPs that may be spent on new runs.
    pub budget: f64,
    /// The budget, in FLOPs, at whose optimum the loss is wanted.
    pub target: f64,
    /// The most that one run may cost, FLOPs.
    pub largest: Option<f64>,
    /// Most runs.
    pub most_runs: usize,
    /// The experiment whose recipe, data and shapes the new runs share; without it N and D are free.
    pub base: Option<PathBuf>,
    /// Name of the experiment of the new runs, in its messages.
    pub name: String,
    /// Seed of the draws.
    pub seed: u64,
}

/// The suggestion. Serialises without the experiment.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct SuggestReport {
    /// The runs and how much they narrow the interval.
    pub suggestion: Suggestion,
    /// Whether the width is that of the forecast over several forms.
    #[serde(skip)]
    pub of_any_form: bool,
    /// What the loss is measured in, where that is not nats per token.
    #[serde(skip)]
    pub unit: Option<String>,
    /// The runs as the text of an experiment file, when there is a base.
    #[serde(skip)]
    pub experiment: Option<String>,
}

/// Chooses the runs.
///
/// # Errors
/// The law has no covariance, no run fits the budget, or the base cannot be read.
pub fn run(request: &SuggestRequest) -> Result<SuggestReport, LabError> {
    let known = Known::open(&request.law)?;
    let target = known.optimum(request.target)?;
    let counted = known.conventions().map_or(ParamConvention::NonEmbedding, |c| c.params);
    let base = request.base.as_deref().map(Base::read).transpose()?;
    let sizes: Vec<(f64, Option<Model>)> = match &base {
        Some(base) => models(base, counted),
        None => {
            let [lo, hi] = known.sizes().unwrap_or([1e5, 1e9]);
            grid(lo, 10.0 * hi, 16).into_iter().map(|n| (n, None)).collect()
        }
    };
    let most = request.largest.unwrap_or(f64::INFINITY);
    // Runs smaller than all that were fitted are farther from the target than what is known.
    let smallest = known.smallest();
    let below = |n: f64, d: f64| [n, d, 6.0 * n * d].iter().zip(smallest).any(|(v, lo)| *v < lo);
    let mut candidates = Vec::new();
    for (n, _) in &sizes {
        for k in 0..14 {
            let d = n * 2.0 * 2f64.powf(0.75 * f64::from(k));
            let cost = 6.0 * n * d;
            if cost <= most && !below(*n, d) {
                candidates.push(Candidate { n: *n, d, cost });
            }
        }
    }
    let mut suggestion = match &known {
        Known::Law(law) => suggest(&Request {
            law,
            candidates: &candidates,
            budget: request.budget,
            target,
            most_runs: request.most_runs,
            seed: request.seed,
        })?,
        Known::AnyForm(made, _) => made.suggest(&candidates, request.budget, target, request.most_runs)?,
    };
    if let Known::AnyForm(_, law) = known {
        suggestion.status = suggestion.status.max(law);
    }
    let experiment = base.map(|base| experiment(&request.name, &base, &suggestion, &sizes)).transpose()?;
    Ok(SuggestReport {
        suggestion,
        of_any_form: matches!(known, Known::AnyForm(..)),
        unit: known.unit(),
        experiment: experiment.map(|e| e.text().to_string()),
    })
}

/// What the runs there are say of the loss.
enum Known {
    /// One law, its form taken for true.
    Law(Box<FittedLaw>),
    /// Several forms, and the doubt about the law whose file they stand in.
    AnyForm(Box<Forecaster>, FitStatus),
}

impl Known {
    /// A forecaster's file, or a law's: the forecaster beside it where it has one.
    fn open(name: &str) -> Result<Self, LabError> {
        if let LawSource::Forecaster(_, made) = LawSource::open(name)? {
            return Ok(Self::AnyForm(made, FitStatus::Ok));
        }
        let law = LawSource::open(name)?.fitted()?;
        // What the law leaves open is no target, whoever says how wide its interval is.
        Basis::fitted(name, law.clone())?.decided()?;
        Ok(match law.forecaster {
            Some(made) if made.divides => Self::AnyForm(made, law.status),
            // Where several forms together divide no budget, the law stands alone.
            forecaster => Self::Law(Box::new(FittedLaw { forecaster, ..law })),
        })
    }

    /// N and D with the lowest loss at a budget.
    fn optimum(&self, flops: f64) -> Result<(f64, f64), LabError> {
        Ok(match self {
            Self::AnyForm(made, _) => {
                let best = made.best_division(flops)?.optimum;
                (best.n, best.d)
            }
            Self::Law(law) => {
                let best = plan(&PlanRequest {
                    basis: &Basis::fitted("law", (**law).clone())?.decided()?,
                    goal: Goal::Compute(flops),
                    hyper: &[],
                    unique_tokens: None,
                    inference_tokens: None,
                    hardware: None,
                })?;
                (best.n, best.d)
            }
        })
    }

    fn unit(&self) -> Option<String> {
        match self {
            Self::Law(law) => law.unit.clone(),
            Self::AnyForm(made, _) => made.unit.clone(),
        }
    }

    fn conventions(&self) -> Option<Conventions> {
        match self {
            Self::Law(law) => law.conventions,
            Self::AnyForm(made, _) => made.conventions,
        }
    }

    /// Smallest and largest N of the runs.
    fn sizes(&self) -> Option<[f64; 2]> {
        match self {
            Self::Law(law) => law.range("N"),
            Self::AnyForm(made, _) => made.range(0),
        }
    }

    /// Smallest N, D and compute of the runs, less what rounding makes.
    fn smallest(&self) -> [f64; 3] {
        let ranges = match self {
            Self::Law(law) => [law.range("N"), law.range("D"), law.flops_range()],
            Self::AnyForm(made, _) => [made.range(0), made.range(1), Some(made.flops)],
        };
        ranges.map(|range| range.map_or(0.0, |[lo, _]| lo * (1.0 - 1e-9)))
    }
}

/// The experiment whose recipe, data and shapes new runs share.
struct Base {
    experiment: ExperimentFile,
    facts: Facts,
    specs: Vec<RunSpec>,
}

impl Base {
    fn read(path: &Path) -> Result<Self, LabError> {
        let text = std::fs::read_to_string(path).map_err(FileError::new(path, "read"))?;
        let experiment = ExperimentFile::parse(&path.display().to_string(), &text)?;
        let DataSection { name, digest, .. } = experiment.data.clone();
        let facts = Facts {
            name: name.unwrap_or_default(),
            digest: digest.unwrap_or_default(),
            n_vocab: experiment.n_vocab().unwrap_or(0),
            ..Facts::default()
        };
        let specs = experiment.runs(&facts)?.into_iter().map(|run| run.spec).collect();
        Ok(Self { experiment, facts, specs })
    }
}

/// A model that new runs may have.
#[derive(Clone, Copy, Serialize)]
struct Model {
    n_layer: u32,
    d_model: u32,
    n_head: u32,
    lr: f64,
    init_std: f64,
}

/// The base's widest model at other widths, each with its N, the learning rate falling as the root of the width.
fn models(base: &Base, counted: ParamConvention) -> Vec<(f64, Option<Model>)> {
    let transformers = base.specs.iter().filter_map(|spec| Some((spec, spec.model.transformer()?)));
    let Some((spec, blocks)) = transformers.max_by_key(|(spec, _)| spec.model.d_model) else {
        return vec![];
    };
    let ModelShape { n_layer, d_model: widest, n_ctx, n_vocab, head, .. } = spec.model;
    let of_width = |factor: f64| {
        let d_model = ((f64::from(widest) * factor / 8.0).round() as u32 * 8).max(8);
        let n_head = (blocks.n_head * d_model / widest).max(1);
        let n_head = (1..=n_head).rev().find(|h| d_model.is_multiple_of(*h)).unwrap_or(1);
        let lr = spec.schedule.lr * (f64::from(widest) / f64::from(d_model)).sqrt();
        let shape = ModelShape::standard(n_layer, d_model, n_head, n_ctx, n_vocab, head);
        let model = Model { n_layer, d_model, n_head, lr, init_std: spec.init_std };
        (shape.n_params(counted) as f64, Some(model))
    };
    WIDTHS.map(of_width).to_vec()
}

/// The suggested runs as an experiment that shares the base's recipe and data.
fn experiment(
    name: &str,
    base: &Base,
    suggestion: &Suggestion,
    sizes: &[(f64, Option<Model>)],
) -> Result<ExperimentFile, LabError> {
    #[derive(Serialize)]
    struct Set {
        name: String,
        models: Model,
        train_tokens: u64,
        steps: u64,
        seed: u64,
    }
    let batch = base.specs.first().map_or(1, RunSpec::batch_tokens);
    let train_tokens = base.specs.iter().map(|spec| spec.data.train_tokens).max().unwrap_or(0);
    let seed = base.specs.iter().map(|spec| spec.seed).max().map_or(0, |seed| seed + 1);
    let question = format!("{} (runs that narrow the target's interval most)", base.experiment.question);
    let set = |(i, chosen): (usize, &Chosen)| {
        let models = sizes.iter().find(|(n, _)| *n == chosen.run.n)?.1?;
        let steps = (chosen.run.d / batch as f64).round().max(1.0) as u64;
        // The same run twice is another seed of it.
        Some(Set { name: format!("suggested-{}", i + 1), models, train_tokens, steps, seed: seed + i as u64 })
    };
    let sets: Vec<Set> = suggestion.runs.iter().enumerate().filter_map(set).collect();
    let experiment = base.experiment.with_sets(name, &question, &base.facts, &sets)?;
    experiment.runs(&base.facts)?;
    Ok(experiment)
}
