//! The planned run as a resolved spec: the recipe `plan-1` with what the plan says.

use crate::error::LabError;
use scalelaw_core::schedule::Decay;
use scalelaw_core::spec::DataSpec;
use scalelaw_core::{ModelShape, ParamConvention, RunSpec};
use scalelaw_experiment::{ComposedData, ExperimentFile, Facts};
use scalelaw_fit::presets::porian2024::{BETA2_LARGE, SMALL_MODEL};
use serde::Serialize;

/// The recipe of planned runs.
const RECIPE: &str = "plan-1";
/// Batches of more sequences than this are whole multiples of it: the recipe's micro-batches have as many.
const MICRO_SEQUENCES: u32 = 8;
/// The share of the steps that a warm-up and a cooldown last at most: one part in so many.
const WARMUP_PART: u64 = 10;
const COOLDOWN_PART: u64 = 5;

/// What a spec needs beside its recipe.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SpecRequest {
    /// Shape.
    pub model: ModelShape,
    /// Training tokens to process.
    pub tokens: f64,
    /// Tokens per update.
    pub batch_tokens: f64,
    /// Peak learning rate.
    pub lr: f64,
    /// How the learning rate ends.
    pub decay: DecayChoice,
    /// Seed.
    pub seed: u64,
    /// Data.
    pub data: DataSpec,
}

/// How the learning rate ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecayChoice {
    /// Half a cosine over the whole run.
    Cosine,
    /// Constant, then a linear cooldown over the last 20% of the steps (Hägele et al. 2024).
    Cooldown,
}

/// The settings of the planned run, as an experiment has them.
#[derive(Serialize)]
struct Planned {
    name: &'static str,
    seed: u64,
    steps: u64,
    sequences: u32,
    lr: f64,
    warmup_steps: u64,
    #[serde(rename = "optimizer.beta2", skip_serializing_if = "Option::is_none")]
    beta2: Option<f64>,
    decay: Decay,
    model: ModelShape,
}

/// The resolved spec of a planned run. Warm-up lasts N tokens (Porian et al. 2024), at most a tenth of the run.
///
/// # Errors
/// When a value is out of range for a spec.
pub(super) fn run_spec(request: &SpecRequest) -> Result<RunSpec, LabError> {
    let SpecRequest { model, tokens, batch_tokens, lr, decay, seed, data } = request;
    let n = model.n_params(ParamConvention::Matmul);
    let n_ctx = f64::from(model.n_ctx);
    let sequences = sequences(batch_tokens / n_ctx);
    let batch = f64::from(sequences) * n_ctx;
    let steps = libm::round(tokens / batch).max(1.0) as u64;
    let planned = Planned {
        name: "plan",
        seed: *seed,
        steps,
        sequences,
        lr: *lr,
        warmup_steps: (libm::ceil(n as f64 / batch) as u64).min(steps / WARMUP_PART),
        beta2: (n > SMALL_MODEL).then_some(BETA2_LARGE),
        decay: match decay {
            DecayChoice::Cosine => Decay::Cosine { final_fraction: 0.0 },
            DecayChoice::Cooldown => {
                Decay::Constant { cooldown_steps: steps / COOLDOWN_PART, final_fraction: 0.0 }
            }
        },
        model: *model,
    };
    let DataSpec { name, digest, train_tokens, test_tokens } = data.clone();
    let here = ComposedData { name: name.clone(), digest: digest.clone(), test_tokens };
    let question = "What does the plan come to?";
    let file = ExperimentFile::compose("the planned run", question, RECIPE, &here, &[planned])?;
    let n_vocab = model.n_vocab;
    let mut runs = file.runs(&Facts { name, digest, n_vocab, train_tokens, test_tokens, evals: vec![] })?;
    // One set without lists is one run.
    Ok(runs.swap_remove(0).spec)
}

/// Whole sequences of a batch, and whole micro-batches of more than [`MICRO_SEQUENCES`].
fn sequences(wanted: f64) -> u32 {
    let micro = f64::from(MICRO_SEQUENCES);
    let sequences = libm::round(wanted).clamp(1.0, f64::from(u32::MAX / 2));
    if sequences > micro { MICRO_SEQUENCES * libm::round(sequences / micro) as u32 } else { sequences as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_core::Head;

    fn request(n_layer: u32, d_model: u32) -> SpecRequest {
        SpecRequest {
            model: ModelShape::standard(n_layer, d_model, d_model / 16, 64, 512, Head::Untied),
            tokens: 2e6,
            batch_tokens: 2100.0,
            lr: 0.003,
            decay: DecayChoice::Cooldown,
            seed: 1,
            data: DataSpec {
                name: "toy".into(),
                digest: "d".into(),
                train_tokens: 1_000_000,
                test_tokens: 10_000,
            },
        }
    }

    #[test]
    fn planned_run_is_written_out_as_before() {
        let written = "recipe = \"plan-1\"\nseed = 1\nsteps = 977\ninit_std = 0.02\n\n\
            [model]\nn_layer = 2\nd_model = 64\nd_ff = 256\nd_attn = 64\nn_head = 4\nn_ctx = 64\nn_vocab = 512\n\
            head = \"untied\"\n\n\
            [data]\nname = \"toy\"\ndigest = \"d\"\ntrain_tokens = 1000000\ntest_tokens = 10000\n\n\
            [batch]\nsequences = 32\nmicro_sequences = 8\n\n\
            [schedule]\nlr = 0.003\nwarmup_steps = 64\n\n\
            [schedule.decay]\nkind = \"constant\"\ncooldown_steps = 195\nfinal_fraction = 0.0\n\n\
            [optimizer]\nkind = \"adam\"\nbeta1 = 0.9\nbeta2 = 0.99\neps = 0.00000001\n\n\
            [evaluation]\nfirst_step = 20\nper_decade = 8\npatience = 0\n";
        let spec = run_spec(&request(2, 64)).unwrap();
        assert_eq!(RunSpec::from_toml(written).unwrap(), spec);
        assert_eq!(RunSpec::from_toml(&spec.to_toml().unwrap()).unwrap(), spec);
    }

    #[test]
    fn short_run_of_a_large_model_keeps_to_its_steps_and_has_the_smaller_beta2() {
        let request = SpecRequest {
            tokens: 4000.0,
            batch_tokens: 300.0,
            decay: DecayChoice::Cosine,
            ..request(20, 1024)
        };
        let spec = run_spec(&request).unwrap();
        let RunSpec { steps, batch, schedule, optimizer, evaluation, .. } = spec;
        assert_eq!((batch.sequences, batch.micro_sequences), (5, 5));
        assert_eq!((steps, schedule.warmup_steps, evaluation.first_step), (13, 1, 13));
        assert_eq!(schedule.decay, Decay::Cosine { final_fraction: 0.0 });
        assert_eq!(
            optimizer,
            scalelaw_core::spec::Optimizer::Adam { beta1: 0.9, beta2: BETA2_LARGE, eps: 1e-8 }
        );
    }

    #[test]
    fn impossible_rate_is_refused_with_its_line() {
        let error = run_spec(&SpecRequest { lr: -1.0, ..request(2, 64) }).unwrap_err().to_string();
        assert!(error.contains("schedule.lr = -1") && error.contains("lr = -1.0"), "{error}");
    }
}
