//! What a budget buys, what a loss costs, and the run as a spec.

mod spec;

pub use spec::DecayChoice;

use crate::error::LabError;
use crate::forecasts;
use crate::law_source::LawSource;
use scalelaw_core::spec::DataSpec;
use scalelaw_core::{Head, ParamConvention, RunSpec, Surroundings};
use scalelaw_fit::plan::shapes::NamedRule;
use scalelaw_fit::plan::{Goal, Hardware, Plan, Request, plan};
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
#[serde(transparent)]
pub struct PlanReport {
    /// The plan.
    pub plan: Plan,
    /// The planned run.
    #[serde(skip)]
    pub spec: Option<RunSpec>,
    /// What the loss is measured in, where that is not nats per token.
    #[serde(skip)]
    pub unit: Option<String>,
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
    let spec = request.spec.as_ref().map(|request| spec(&plan, request)).transpose()?;
    if let Some(path) = &request.register {
        let loss = plan.loss.ok_or_else(|| LabError::NoForecast { law: plan.basis.clone() })?;
        let at = [("C", plan.flops), ("N", plan.n), ("D", plan.d)].map(|(name, v)| (name.to_string(), v));
        forecasts::register(path, &plan.basis, data_digest, &at, loss, plan.loss_pi95)?;
    }
    Ok(PlanReport { plan, spec, unit })
}

fn counted(plan: &Plan) -> ParamConvention {
    plan.conventions.map_or(ParamConvention::NonEmbedding, |c| c.params)
}

fn spec(plan: &Plan, request: &RunRequest) -> Result<RunSpec, LabError> {
    let (data, n_vocab) = match &request.data {
        Some(dir) => dataset(dir)?,
        None => (external(plan), request.n_vocab),
    };
    let around = Surroundings { n_ctx: request.n_ctx, n_vocab, head: request.head };
    let batch_tokens = request.batch_tokens.or(plan.batch_tokens.as_ref().map(|b| b.value));
    let lr = request.lr.or(plan.lr.as_ref().map(|l| l.value));
    let missing = |setting| LabError::NoSetting { law: plan.basis.clone(), setting };
    run_spec(&SpecRequest {
        model: NamedRule::by_name(&request.shape)?.shape(plan.n, counted(plan), &around)?,
        tokens: plan.d,
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
fn external(plan: &Plan) -> DataSpec {
    DataSpec {
        name: "external".into(),
        digest: "external".into(),
        train_tokens: plan.d.clamp(1.0, 1e18) as u64,
        test_tokens: MOST_TEST_TOKENS,
    }
}
