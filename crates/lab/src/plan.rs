//! What a budget buys, what a loss costs, and the run as a spec.

mod spec;

pub use spec::DecayChoice;

use crate::error::LabError;
use crate::forecasts::{self, Forecast};
use crate::law_source::LawSource;
use scalelaw_core::spec::DataSpec;
use scalelaw_core::{Head, ParamConvention, RunSpec, Surroundings};
use scalelaw_fit::BestDivision;
use scalelaw_fit::plan::shapes::NamedRule;
use scalelaw_fit::plan::{Allocation, Basis, Goal, Hardware, Plan, Request, plan};
use scalelaw_fit::presets::Preset;
use scalelaw_tokens::Dataset;
use serde::Serialize;
use spec::{SpecRequest, run_spec};
use std::path::{Path, PathBuf};

/// A question to a law.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// A preset, or a file that a fit or a chain wrote.
    pub law: String,
    /// What is asked for.
    pub goal: Goal,
    /// Presets that give learning rate and batch where the law does not, first come first served.
    pub hyper: Vec<String>,
    /// Distinct tokens there are, when limited.
    pub unique_tokens: Option<f64>,
    /// Tokens the model will serve.
    pub inference_tokens: Option<f64>,
    /// What it runs on.
    pub hardware: Option<Hardware>,
    /// What the planned run's spec needs, when that is wanted.
    pub spec: Option<RunRequest>,
    /// Where the forecast of the loss is written down.
    pub register: Option<PathBuf>,
}

/// What the spec of the planned run needs.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Name of the shape rule.
    pub shape: String,
    /// Dataset directory whose digest and vocabulary go into the spec; without it the spec is for another trainer.
    pub data: Option<PathBuf>,
    /// Vocabulary, when no dataset says it.
    pub n_vocab: u32,
    /// Context in tokens.
    pub n_ctx: u32,
    /// Tied or untied head.
    pub head: Head,
    /// Peak learning rate instead of the rule's.
    pub lr: Option<f64>,
    /// Batch in tokens instead of the rule's.
    pub batch_tokens: Option<f64>,
    /// How the learning rate ends.
    pub decay: DecayChoice,
    /// Seed.
    pub seed: u64,
}

/// The plan. Serialises without the spec.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// The planned run.
    #[serde(skip)]
    pub spec: Option<RunSpec>,
    /// What the loss is measured in, where that is not nats per token.
    #[serde(skip)]
    pub unit: Option<String>,
    /// The division of the same budget by the forecaster in the law's file, which does not take the form for true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_any_form: Option<BestDivision>,
}

impl PlanReport {
    /// What the plan's N counts.
    pub fn counted(&self) -> ParamConvention {
        counted(&self.plan)
    }
}

/// Answers the question.
///
/// # Errors
/// The law cannot be read or cannot answer, no shape has the size, or the forecast's file exists.
pub fn run(request: &PlanRequest) -> Result<PlanReport, LabError> {
    let source = LawSource::open(&request.law)?;
    let (data_digest, unit) = (source.data_digest(), source.unit());
    let forecaster = match &source {
        LawSource::Fitted(_, fitted) => fitted.forecaster.clone(),
        LawSource::Preset(_) | LawSource::Chain(..) | LawSource::Forecaster(..) => None,
    };
    let basis = source.basis()?;
    let hyper = request.hyper.iter().map(|h| Preset::by_name(h)).collect::<Result<Vec<_>, _>>()?;
    let plan = plan(&Request {
        basis: &basis,
        goal: request.goal,
        hyper: &hyper,
        unique_tokens: request.unique_tokens,
        inference_tokens: request.inference_tokens,
        hardware: request.hardware,
    })?;
    let advised = Advised::of(&plan, &basis);
    let spec = request.spec.as_ref().map(|request| spec(&plan, advised, request)).transpose()?;
    if let Some(path) = &request.register {
        let loss = advised.loss.ok_or_else(|| LabError::NoForecast { law: plan.basis.clone() })?;
        let at = [("C", advised.flops), ("N", advised.n), ("D", advised.d)];
        let at = at.map(|(name, v)| (name.to_string(), v));
        let made = Forecast {
            data_digest,
            loss_pi95: advised.loss_pi95,
            unit: unit.clone(),
            status: plan.status,
            extrapolation_decades: plan.extrapolation_decades,
            ..Forecast::now(&plan.basis, &at, loss)
        };
        forecasts::register(path, &made)?;
    }
    // Where several forms together have no best division, the law's own stands alone.
    let of_any_form = forecaster.and_then(|made| made.best_division(plan.flops).ok());
    Ok(PlanReport { plan, spec, unit, of_any_form })
}

/// The run that a plan advises: the best one with the distinct tokens there are, or to train and serve, where one of
/// these was asked for.
#[derive(Clone, Copy)]
struct Advised {
    flops: f64,
    n: f64,
    d: f64,
    loss: Option<f64>,
    loss_pi95: Option<[f64; 2]>,
}

impl Advised {
    fn of(plan: &Plan, basis: &Basis) -> Self {
        if let Some(repeated) = plan.repeated {
            let Allocation { n, d, loss } = repeated.allocation;
            // What a law of fresh text says is no interval where text is repeated.
            return Self { flops: plan.flops, n, d, loss: Some(loss), loss_pi95: None };
        }
        if let Some(served) = plan.served {
            let prediction = basis.prediction(served.n, served.d);
            return Self {
                flops: served.training_flops,
                n: served.n,
                d: served.d,
                loss: plan.loss,
                loss_pi95: prediction.and_then(|p| p.pi95),
            };
        }
        Self { flops: plan.flops, n: plan.n, d: plan.d, loss: plan.loss, loss_pi95: plan.loss_pi95 }
    }
}

fn counted(plan: &Plan) -> ParamConvention {
    plan.conventions.map_or(ParamConvention::NonEmbedding, |c| c.params)
}

fn spec(plan: &Plan, advised: Advised, request: &RunRequest) -> Result<RunSpec, LabError> {
    let (data, n_vocab) = match &request.data {
        Some(dir) => dataset(dir)?,
        None => (external(plan, advised), request.n_vocab),
    };
    let around = Surroundings { n_ctx: request.n_ctx, n_vocab, head: request.head };
    let batch_tokens = request.batch_tokens.or(plan.batch_tokens.as_ref().map(|b| b.value));
    let lr = request.lr.or(plan.lr.as_ref().map(|l| l.value));
    let missing = |setting| LabError::NoSetting { law: plan.basis.clone(), setting };
    run_spec(&SpecRequest {
        model: NamedRule::by_name(&request.shape)?.shape(advised.n, counted(plan), &around)?,
        tokens: advised.d,
        batch_tokens: batch_tokens.ok_or_else(|| missing("batch"))?,
        lr: lr.ok_or_else(|| missing("lr"))?,
        decay: request.decay,
        seed: request.seed,
        data,
    })
}

/// A dataset as a spec names it, and its vocabulary.
fn dataset(dir: &Path) -> Result<(DataSpec, u32), LabError> {
    let dataset = Dataset::open(dir)?;
    let manifest = dataset.manifest();
    let data = DataSpec {
        name: dir.file_name().map_or_else(|| "data".into(), |n| n.to_string_lossy().into_owned()),
        digest: dataset.digest(),
        train_tokens: manifest.splits.train.tokens,
        test_tokens: manifest.splits.test.tokens.min(MOST_TEST_TOKENS),
    };
    Ok((data, manifest.n_vocab))
}

/// Most test tokens that a planned run is evaluated on.
const MOST_TEST_TOKENS: u64 = 1 << 20;

/// The data of another trainer's run: as many tokens as it processes.
fn external(plan: &Plan, advised: Advised) -> DataSpec {
    let distinct = plan.repeated.map_or(advised.d, |repeated| repeated.unique.min(advised.d));
    DataSpec {
        name: "external".into(),
        digest: "external".into(),
        train_tokens: distinct.clamp(1.0, 1e18) as u64,
        test_tokens: MOST_TEST_TOKENS,
    }
}
