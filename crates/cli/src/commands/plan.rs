//! `scalelaw plan`: what a budget buys, what a loss costs, and the run as a spec.

use super::law_source::LawSource;
use super::plan_text;
use crate::forecasts::register;
use crate::hints::Usage;
use crate::output;
use anyhow::{Context, bail};
use scalelaw_core::number;
use scalelaw_core::spec::DataSpec;
use scalelaw_core::{Head, ParamConvention, RunSpec};
use scalelaw_fit::plan::contradiction::sensitivity;
use scalelaw_fit::plan::spec::{DecayChoice, SHAPE_RULES, ShapeRule, SpecRequest, Surroundings, run_spec};
use scalelaw_fit::plan::{Goal, Hardware, Plan, Request, plan};
use scalelaw_fit::presets::{PRESETS, Preset};
use scalelaw_tokens::Dataset;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw plan`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  scalelaw plan --law besiroglu2024 --compute 1e21\n  scalelaw plan --law law.json \
    --loss 2.9 --peak 1e15 --mfu 0.4 --devices 8 --price 2.5\n  scalelaw plan --law kaplan2020 --compute 1PFd \
    --spec next.toml --data DATASET\n  scalelaw plan --list"
)]
pub struct Arguments {
    /// A law file (from fit or chain) or a preset; --list shows the presets
    #[arg(long, value_name = "FILE|PRESET")]
    law: Option<String>,
    /// The best run for so many training FLOPs, as 3e19 or 10PFd
    #[arg(long, value_name = "FLOPS", value_parser = number::parse, group = "goal")]
    compute: Option<f64>,
    /// The cheapest run to a loss in nats per token
    #[arg(long, value_name = "NATS", value_parser = number::parse, group = "goal")]
    loss: Option<f64>,
    /// The run for which so many parameters are optimal
    #[arg(long, value_name = "N", value_parser = number::parse, group = "goal")]
    params: Option<f64>,
    /// Distinct tokens there are: how much repetition, and what it costs
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    unique: Option<f64>,
    /// Tokens the model will serve: the cheapest run to train and serve
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    inference: Option<f64>,
    /// Presets that give learning rate and batch where the law does not, first come first served
    #[arg(long, value_name = "PRESET", value_delimiter = ',', default_value = "kaplan2020-lr,steplaw2025")]
    hyper: Vec<String>,
    /// Peak FLOP/s of one device: hours and money
    #[arg(long, value_name = "FLOP/S", value_parser = number::parse)]
    peak: Option<f64>,
    /// Share of the peak that training reaches
    #[arg(long, default_value_t = 0.4)]
    mfu: f64,
    /// Devices
    #[arg(long, default_value_t = 1.0)]
    devices: f64,
    /// Price of one device for an hour
    #[arg(long, default_value_t = 0.0)]
    price: f64,
    /// Write the predicted loss down as a forecast, for scalelaw score
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// Where Kaplan et al.'s own laws contradict each other, under every number they print
    #[arg(long)]
    contradiction: bool,
    /// List presets and shape rules
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    spec: SpecArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the spec of the planned run needs.
#[derive(clap::Args)]
#[command(next_help_heading = "The run as a spec")]
struct SpecArguments {
    /// Write the planned run here, for scalelaw train
    #[arg(long = "spec", value_name = "FILE")]
    file: Option<PathBuf>,
    /// How depth and width grow together; --list shows the rules
    #[arg(long, value_name = "RULE", default_value = "gpt")]
    shape: String,
    /// Dataset directory whose digest and vocabulary go into the spec; without it the spec is for another trainer
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Vocabulary, when no --data says it
    #[arg(long, default_value_t = 50_257)]
    vocab: u32,
    /// Context in tokens
    #[arg(long, default_value_t = 1024)]
    ctx: u32,
    /// A head of its own instead of the transposed embedding
    #[arg(long)]
    untied: bool,
    /// Peak learning rate instead of the rule's
    #[arg(long, value_parser = number::parse)]
    lr: Option<f64>,
    /// Batch in tokens instead of the rule's
    #[arg(long, value_name = "TOKENS", value_parser = number::parse)]
    batch: Option<f64>,
    /// How the learning rate ends
    #[arg(long, value_enum, default_value_t = DecayArg::Cooldown)]
    decay: DecayArg,
    /// Seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum DecayArg {
    /// Constant, then down to 0 over the last fifth
    Cooldown,
    /// Half a cosine to 0
    Cosine,
}

/// Answers the question.
///
/// # Errors
/// No law or goal given (the message lists the presets), or a law that cannot answer.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.list {
        return list(arguments.json);
    }
    if arguments.contradiction {
        let rows = sensitivity();
        if arguments.json {
            output::json(&rows)?;
        } else {
            output::print(&plan_text::contradiction(&rows))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(law) = &arguments.law else {
        return Err(Usage::error(
            "no law is given",
            format!(
                "--law FILE, written by `scalelaw fit --out` or `scalelaw chain --out`, or a preset:\n{}\
                 `scalelaw plan --list` shows their sources and ranges",
                plan_text::preset_names()
            ),
        ));
    };
    let goal = match (arguments.compute, arguments.loss, arguments.params) {
        (Some(c), None, None) => Goal::Compute(c),
        (None, Some(l), None) => Goal::Loss(l),
        (None, None, Some(n)) => Goal::Params(n),
        _ => {
            return Err(Usage::error("no target is given", "--compute FLOPS, --loss NATS or --params N"));
        }
    };
    let source = LawSource::open(law)?;
    let data_digest = source.data_digest();
    let basis = source.basis()?;
    let hyper = arguments.hyper.iter().map(|h| Preset::by_name(h)).collect::<Result<Vec<_>, _>>()?;
    let hardware = arguments.peak.map(|peak_flops| Hardware {
        peak_flops,
        mfu: arguments.mfu,
        devices: arguments.devices,
        price_per_hour: arguments.price,
    });
    let plan = plan(&Request {
        basis: &basis,
        goal,
        hyper: &hyper,
        unique_tokens: arguments.unique,
        inference_tokens: arguments.inference,
        hardware,
    })?;
    if let Some(file) = &arguments.spec.file {
        write_spec(file, &plan, &arguments.spec)?;
    }
    if let Some(file) = &arguments.register {
        let Some(loss) = plan.loss else { bail!("{} predicts no loss: nothing to register", plan.basis) };
        let at = [("C", plan.flops), ("N", plan.n), ("D", plan.d)];
        register(file, &plan.basis, data_digest, &at, loss, plan.loss_pi95)?;
    }
    if arguments.json {
        output::json(&plan)?;
        for warning in &plan.warnings {
            eprintln!("warning: {warning}");
        }
    } else {
        output::print(&plan_text::plan(&plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(PRESETS)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules: String = SHAPE_RULES.iter().map(|r| format!("  {:<10} {}\n", r.name, r.title)).collect();
    output::print(&format!("{}\nshape rules\n{rules}", plan_text::presets()))?;
    Ok(ExitCode::SUCCESS)
}

fn write_spec(file: &Path, plan: &Plan, arguments: &SpecArguments) -> anyhow::Result<()> {
    let spec = spec(plan, arguments)?;
    let n = spec.model.n_params(counted(plan)) as f64;
    std::fs::write(file, spec.to_toml()?).with_context(|| format!("cannot write {}", file.display()))?;
    eprintln!(
        "spec: {} ({} blocks of width {}, N {} for {} planned, {} steps of {} tokens)",
        file.display(),
        spec.model.n_layer,
        spec.model.d_model,
        number::short(n),
        number::short(plan.n),
        spec.steps,
        spec.batch_tokens()
    );
    if arguments.data.is_none() {
        eprintln!("no --data: the spec names no dataset that scalelaw train could open");
    }
    Ok(())
}

fn counted(plan: &Plan) -> ParamConvention {
    plan.conventions.map_or(ParamConvention::NonEmbedding, |c| c.params)
}

fn spec(plan: &Plan, arguments: &SpecArguments) -> anyhow::Result<RunSpec> {
    let (data, n_vocab) = match &arguments.data {
        Some(dir) => {
            let dataset = Dataset::open(dir)?;
            let manifest = dataset.manifest();
            let data = DataSpec {
                name: dir.file_name().map_or_else(|| "data".into(), |n| n.to_string_lossy().into_owned()),
                digest: dataset.digest(),
                train_tokens: manifest.splits.train.tokens,
                test_tokens: manifest.splits.test.tokens.min(1 << 20),
            };
            (data, manifest.n_vocab)
        }
        None => {
            let tokens = plan.d.clamp(1.0, 1e18) as u64;
            let data = DataSpec {
                name: "external".into(),
                digest: "external".into(),
                train_tokens: tokens,
                test_tokens: 1 << 20,
            };
            (data, arguments.vocab)
        }
    };
    let head = if arguments.untied { Head::Untied } else { Head::Tied };
    let around = Surroundings { n_ctx: arguments.ctx, n_vocab, head };
    let missing = |what: &str| format!("the law gives no {what} for this run; give --{what}");
    Ok(run_spec(&SpecRequest {
        model: ShapeRule::by_name(&arguments.shape)?.shape(plan.n, counted(plan), &around)?,
        tokens: plan.d,
        batch_tokens: arguments
            .batch
            .or(plan.batch_tokens.as_ref().map(|b| b.value))
            .with_context(|| missing("batch"))?,
        lr: arguments.lr.or(plan.lr.as_ref().map(|l| l.value)).with_context(|| missing("lr"))?,
        decay: match arguments.decay {
            DecayArg::Cooldown => DecayChoice::Cooldown,
            DecayArg::Cosine => DecayChoice::Cosine,
        },
        seed: arguments.seed,
        data,
    })?)
}
