//! `scalelaw suggest`: the next runs within a budget that shrink the interval at the target most.

use super::law_source::LawSource;
use crate::output;
use anyhow::{Context, bail};
use scalelaw_core::number::{self, short};
use scalelaw_core::units::ParamConvention;
use scalelaw_core::{ModelShape, RunSpec};
use scalelaw_experiment::{DataSection, ExperimentFile, Facts};
use scalelaw_fit::plan::{Basis, Goal, Request as PlanRequest, plan};
use scalelaw_fit::suggest::{Candidate, Chosen, Request, Suggestion, suggest};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `scalelaw suggest`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  scalelaw suggest --law law.json --budget 1e18 --target 1e20 --base experiment.toml --out next.toml"
)]
pub struct Arguments {
    /// A law of N and D fitted to the runs there are
    #[arg(long, value_name = "FILE")]
    law: String,
    /// FLOPs that may be spent on new runs
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    budget: f64,
    /// The budget at whose optimum the loss is wanted
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    target: f64,
    /// The most one run may cost
    #[arg(long, value_name = "FLOPS", value_parser = number::parse)]
    largest: Option<f64>,
    /// Measured FLOP/s: says how long the runs take
    #[arg(long, value_name = "FLOP/S", value_parser = number::parse)]
    speed: Option<f64>,
    /// Most runs
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// The experiment whose recipe, data and shapes the new runs share; without it N and D are free
    #[arg(long, value_name = "EXPERIMENT")]
    base: Option<PathBuf>,
    /// Write the runs here as an experiment (needs --base)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Widths of blocks, relative to the base's, that new runs may have.
const WIDTHS: [f64; 9] = [0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// Suggests.
///
/// # Errors
/// The law has no covariance, or no run fits the budget.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.out.is_some() && arguments.base.is_none() {
        bail!("--out writes an experiment and needs --base EXPERIMENT for its recipe and data");
    }
    let law = LawSource::open(&arguments.law)?.fitted()?;
    let basis = Basis::fitted(&arguments.law, law.clone())?;
    let target = plan(&PlanRequest {
        basis: &basis,
        goal: Goal::Compute(arguments.target),
        hyper: &[],
        unique_tokens: None,
        inference_tokens: None,
        hardware: None,
    })?;
    let counted = law.conventions.map_or(ParamConvention::NonEmbedding, |c| c.params);
    let base = arguments.base.as_deref().map(Base::read).transpose()?;
    let sizes: Vec<(f64, Option<Model>)> = match &base {
        Some(base) => models(base, counted),
        None => {
            let [lo, hi] = law.ranges.iter().find(|(v, _)| v == "N").map_or([1e5, 1e9], |(_, r)| *r);
            (0..16).map(|k| (lo * (10.0 * hi / lo).powf(f64::from(k) / 15.0), None)).collect()
        }
    };
    let most = arguments.largest.unwrap_or(arguments.budget);
    let mut candidates = Vec::new();
    for (n, _) in &sizes {
        for k in 0..14 {
            let d = n * 2.0 * 2f64.powf(0.75 * f64::from(k));
            let cost = 6.0 * n * d;
            if cost <= most {
                candidates.push(Candidate { n: *n, d, cost });
            }
        }
    }
    let suggestion = suggest(&Request {
        law: &law,
        candidates: &candidates,
        budget: arguments.budget,
        target: (target.n, target.d),
        most_runs: arguments.runs,
        seed: arguments.seed,
    })?;
    if let (Some(path), Some(base)) = (&arguments.out, base) {
        write(path, &base, &suggestion, &sizes)?;
    }
    if arguments.json {
        output::json(&suggestion)?;
    } else {
        output::print(&text(&suggestion, arguments))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The experiment whose recipe, data and shapes new runs share.
struct Base {
    experiment: ExperimentFile,
    facts: Facts,
    specs: Vec<RunSpec>,
}

impl Base {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
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

fn write(
    path: &Path,
    base: &Base,
    suggestion: &Suggestion,
    sizes: &[(f64, Option<Model>)],
) -> anyhow::Result<()> {
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
    let name = path.display().to_string();
    let experiment = base.experiment.with_sets(&name, &question, &base.facts, &sets)?;
    experiment.runs(&base.facts)?;
    std::fs::write(path, experiment.text()).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("experiment: {}", path.display());
    Ok(())
}

fn text(s: &Suggestion, arguments: &Arguments) -> String {
    let mut out = format!(
        "95% interval of the loss at the optimum of {} FLOPs: {:.4} nats wide now, {:.4} expected after {} runs\n{:>4} {:>10} {:>10} {:>10}  width after\n",
        short(arguments.target),
        s.width_now,
        s.width_after,
        s.runs.len(),
        "",
        "N",
        "D",
        "FLOPs"
    );
    for (i, c) in s.runs.iter().enumerate() {
        out.push_str(&format!(
            "{:>4} {:>10} {:>10} {:>10}  {:.4}\n",
            i + 1,
            short(c.run.n),
            short(c.run.d),
            short(c.run.cost),
            c.width_after
        ));
    }
    out.push_str(&format!("in all {} FLOPs", short(s.cost)));
    if let Some(speed) = arguments.speed {
        out.push_str(&format!(", {:.2} hours at {} FLOP/s", s.cost / speed / 3600.0, short(speed)));
    }
    out.push('\n');
    out
}
