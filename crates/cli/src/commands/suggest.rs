//! `scalelaw suggest`: the next runs within a budget that shrink the interval at the target most.

use super::law_source::LawSource;
use crate::output;
use anyhow::{Context, bail};
use scalelaw_core::Experiment;
use scalelaw_core::experiment::{DataRung, RunSet, Rung};
use scalelaw_core::number::{self, short};
use scalelaw_core::units::ParamConvention;
use scalelaw_core::{Head, ModelShape};
use scalelaw_fit::plan::{Basis, Goal, Request as PlanRequest, plan};
use scalelaw_fit::suggest::{Candidate, Request, Suggestion, suggest};
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
    let base = arguments.base.as_deref().map(read).transpose()?;
    let sizes: Vec<(f64, Option<Rung>)> = match &base {
        Some(experiment) => rungs(experiment, counted),
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
        write(path, base, &suggestion, &sizes)?;
    }
    if arguments.json {
        output::json(&suggestion)?;
    } else {
        output::print(&text(&suggestion, arguments))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Experiment> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Experiment::from_toml(&text).with_context(|| path.display().to_string())
}

/// The base's shapes at other widths, the learning rate falling as the root of the width.
fn rungs(base: &Experiment, counted: ParamConvention) -> Vec<(f64, Option<Rung>)> {
    let Some(rung) = base.sets.iter().flat_map(|s| &s.models).max_by_key(|r| r.d_model) else {
        return vec![];
    };
    let mut found: Vec<(f64, Option<Rung>)> = Vec::new();
    for factor in WIDTHS {
        let d_model = ((f64::from(rung.d_model) * factor / 8.0).round() as u32 * 8).max(8);
        let n_head = (rung.n_head * d_model / rung.d_model).max(1);
        let n_head = (1..=n_head).rev().find(|h| d_model.is_multiple_of(*h)).unwrap_or(1);
        let lr = rung.lr * (f64::from(rung.d_model) / f64::from(d_model)).sqrt();
        let head: Head = base.recipe.head;
        let shape =
            ModelShape::standard(rung.n_layer, d_model, n_head, base.recipe.n_ctx, base.recipe.n_vocab, head);
        let n = shape.n_params(counted) as f64;
        found.push((n, Some(Rung { d_model, n_head, lr, ..*rung })));
    }
    found
}

fn write(
    path: &Path,
    mut base: Experiment,
    suggestion: &Suggestion,
    sizes: &[(f64, Option<Rung>)],
) -> anyhow::Result<()> {
    let batch = u64::from(base.recipe.batch.sequences) * u64::from(base.recipe.n_ctx);
    let most = base.sets.iter().flat_map(|s| &s.data).map(|d| d.train_tokens).max().unwrap_or(0);
    let seed = base.sets.iter().flat_map(|s| &s.seeds).max().map_or(0, |s| s + 1);
    base.question = format!("{} (runs that narrow the target's interval most)", base.question);
    base.sets = suggestion
        .runs
        .iter()
        .enumerate()
        .filter_map(|(i, chosen)| {
            let rung = sizes.iter().find(|(n, _)| *n == chosen.run.n)?.1?;
            let steps = (chosen.run.d / batch as f64).round().max(1.0) as u64;
            Some(RunSet {
                name: format!("suggested-{}", i + 1),
                models: vec![rung],
                data: vec![DataRung { train_tokens: most, steps }],
                // The same run twice is another seed of it.
                seeds: vec![seed + i as u64],
            })
        })
        .collect();
    base.specs()?;
    std::fs::write(path, base.to_toml()?).with_context(|| format!("cannot write {}", path.display()))?;
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
