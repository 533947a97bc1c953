//! A plan as a run: a shape that hits N by a named rule, and a resolved spec.

use super::error::{PlanError, positive};
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Optimizer, Precision, SpecError, TRAINER,
    Training,
};
use scalelaw_core::{Head, ModelShape, ParamConvention, RunSpec};

/// How depth and width grow together. d_attn = d_model and d_ff = 4·d_model always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeRule {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// What is held.
    pub held: Held,
    /// Width of a head, about; models narrower than two heads have one.
    pub d_head: u32,
}

/// What a shape rule holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// d_model/n_layer near this.
    Aspect(f64),
    /// This many blocks.
    Depth(u32),
}

/// Every shape rule.
pub const SHAPE_RULES: &[ShapeRule] = &[
    ShapeRule {
        name: "gpt",
        title: "d_model = 64 n_layer, heads of 64 (GPT-2 small)",
        held: Held::Aspect(64.0),
        d_head: 64,
    },
    ShapeRule {
        name: "wide",
        title: "d_model = 128 n_layer, heads of 128",
        held: Held::Aspect(128.0),
        d_head: 128,
    },
    ShapeRule {
        name: "pearce",
        title: "d_model = 39.2 n_layer, heads of 64 (Pearce & Song 2024)",
        held: Held::Aspect(39.2),
        d_head: 64,
    },
    ShapeRule {
        name: "two-layer",
        title: "2 blocks, heads of 16 (the quickstart's ladder)",
        held: Held::Depth(2),
        d_head: 16,
    },
];

impl ShapeRule {
    /// The rule called `name`.
    ///
    /// # Errors
    /// Lists the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self, PlanError> {
        SHAPE_RULES.iter().find(|r| r.name == name).ok_or_else(|| {
            let known = SHAPE_RULES.iter().map(|r| r.name).collect();
            PlanError::UnknownShapeRule { name: name.into(), known }
        })
    }

    /// The shape whose N is closest to `n`, the aspect within a factor of 1.5 of the rule's where it can be.
    ///
    /// # Errors
    /// When no shape of at most 2^20 width comes within 30% of N.
    pub fn shape(
        &self,
        n: f64,
        counted: ParamConvention,
        around: &Surroundings,
    ) -> Result<ModelShape, PlanError> {
        positive("N", n)?;
        let depths = match self.held {
            Held::Depth(depth) => depth..=depth,
            Held::Aspect(_) => 1..=200,
        };
        // Multiples of 8 where they matter, whole heads in wide models.
        let narrow = (1..self.d_head).map(|k| 8 * k).filter(|d| d.is_multiple_of((d / self.d_head).max(1)));
        let widths: Vec<u32> = narrow.chain((8..=(1 << 14)).map(|k| k * self.d_head)).collect();
        let best = depths
            .filter_map(|n_layer| self.of_depth(n_layer, n, counted, around, &widths))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((_, miss, shape)) if miss < 0.3 => Ok(shape),
            _ => Err(PlanError::NoShape { rule: self.name, n, n_vocab: around.n_vocab, n_ctx: around.n_ctx }),
        }
    }

    /// The closest width at a depth: its penalty, how far N is off (in ln N), and the shape.
    fn of_depth(
        &self,
        n_layer: u32,
        n: f64,
        counted: ParamConvention,
        around: &Surroundings,
        widths: &[u32],
    ) -> Option<(f64, f64, ModelShape)> {
        let shape = |d_model: u32| {
            let n_head = (d_model / self.d_head).max(1);
            ModelShape::standard(n_layer, d_model, n_head, around.n_ctx, around.n_vocab, around.head)
        };
        let miss = |d_model: u32| libm::fabs(libm::log(shape(d_model).n_params(counted) as f64 / n));
        // Counts grow with the width: the closest is one of the two around N.
        let above = widths.partition_point(|d| (shape(*d).n_params(counted) as f64) < n);
        let around_n = &widths[above.saturating_sub(1)..(above + 1).min(widths.len())];
        let d_model = around_n.iter().copied().min_by(|a, b| miss(*a).total_cmp(&miss(*b)))?;
        let bent = match self.held {
            Held::Depth(_) => 0.0,
            Held::Aspect(aspect) => {
                let ratio = libm::fabs(libm::log(f64::from(d_model) / f64::from(n_layer) / aspect));
                // Within a factor of 1.5 the aspect hardly matters (Kaplan et al. 2020, Figure 5).
                0.02 * ratio + (ratio - libm::log(1.5)).max(0.0)
            }
        };
        Some((miss(d_model) + bent, miss(d_model), shape(d_model)))
    }
}

/// What a shape needs beside N.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// Context in tokens.
    pub n_ctx: u32,
    /// Vocabulary.
    pub n_vocab: u32,
    /// Tied or untied head.
    pub head: Head,
}

/// What a spec needs beside its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecRequest {
    /// Shape.
    pub model: ModelShape,
    /// Training tokens to process.
    pub tokens: f64,
    /// Tokens per update.
    pub batch_tokens: f64,
    /// Peak learning rate.
    pub lr: f64,
    /// Cosine to 0, or constant with a linear cooldown over the last fifth (Hägele et al. 2024).
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
    /// Constant, then a cooldown over the last 20% of the steps.
    Cooldown,
}

/// Porian et al. 2024: β₂ by size.
const BETA2_SMALL: f64 = 0.99;
const BETA2_LARGE: f64 = 0.95;
const SMALL_MODEL: u64 = 220_000_000;

/// The resolved spec of a planned run. Warm-up lasts N tokens (Porian et al. 2024), at most a tenth of the run.
///
/// # Errors
/// When a value is out of range for a spec.
pub fn run_spec(request: &SpecRequest) -> Result<RunSpec, SpecError> {
    let model = request.model;
    let n = model.n_params(ParamConvention::Matmul);
    let n_ctx = f64::from(model.n_ctx);
    let sequences = libm::round(request.batch_tokens / n_ctx).clamp(1.0, f64::from(u32::MAX / 2));
    // Micro-batches of up to 8 sequences divide the batch evenly.
    let sequences = if sequences > 8.0 { 8 * libm::round(sequences / 8.0) as u32 } else { sequences as u32 };
    let batch = f64::from(sequences) * n_ctx;
    let steps = libm::round(request.tokens / batch).max(1.0) as u64;
    let warmup_steps = (libm::ceil(n as f64 / batch) as u64).min(steps / 10);
    let spec = RunSpec {
        recipe: "plan-1".into(),
        seed: request.seed,
        steps,
        init_std: 0.02,
        trainer: TRAINER.into(),
        device: DeviceClass::Cpu,
        precision: Precision::F32,
        numerics: NUMERICS,
        model,
        data: request.data.clone(),
        batch: Batch { sequences, micro_sequences: sequences.min(8) },
        schedule: Schedule {
            lr: request.lr,
            warmup_steps,
            decay: match request.decay {
                DecayChoice::Cosine => Decay::Cosine { final_fraction: 0.0 },
                DecayChoice::Cooldown => Decay::Constant { cooldown_steps: steps / 5, final_fraction: 0.0 },
            },
        },
        optimizer: Optimizer::Adam {
            beta1: 0.9,
            beta2: if n <= SMALL_MODEL { BETA2_SMALL } else { BETA2_LARGE },
            eps: 1e-8,
        },
        evaluation: Evaluation { first_step: 20.min(steps), per_decade: 8, patience: 0 },
        training: Training::default(),
        measure: Measure::default(),
    };
    spec.validate()?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPT2: Surroundings = Surroundings { n_ctx: 1024, n_vocab: 50_257, head: Head::Tied };

    #[test]
    fn shape_rules_hit_n_within_a_few_per_cent_over_eight_decades() {
        for rule in SHAPE_RULES {
            for exponent in [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0] {
                let n = 3.0 * libm::pow(10.0, exponent);
                if rule.name == "two-layer" && exponent > 8.0 {
                    continue;
                }
                let shape = rule.shape(n, ParamConvention::NonEmbedding, &GPT2).unwrap();
                let off = shape.n_params(ParamConvention::NonEmbedding) as f64 / n - 1.0;
                // Widths are multiples of 8: coarse where the width is 32.
                let allowed = if exponent < 5.5 { 0.2 } else { 0.05 };
                assert!(off.abs() < allowed, "{} at {n:e}: off by {off:.3}, {shape:?}", rule.name);
                shape.validate().unwrap();
            }
        }
    }

    #[test]
    fn gpt_rule_gives_gpt2_small_its_own_shape() {
        let shape = ShapeRule::by_name("gpt")
            .unwrap()
            .shape(84_934_656.0, ParamConvention::NonEmbedding, &GPT2)
            .unwrap();
        assert_eq!(shape, ModelShape::standard(12, 768, 12, 1024, 50_257, Head::Tied));
    }

    #[test]
    fn run_spec_of_a_plan_is_valid_toml_and_processes_the_tokens() {
        let around = Surroundings { n_ctx: 64, n_vocab: 512, head: Head::Untied };
        let model = ShapeRule::by_name("two-layer")
            .unwrap()
            .shape(1e5, ParamConvention::NonEmbedding, &around)
            .unwrap();
        let spec = run_spec(&SpecRequest {
            model,
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
        })
        .unwrap();
        assert_eq!(RunSpec::from_toml(&spec.to_toml().unwrap()).unwrap(), spec);
        assert!((spec.tokens() as f64 / 2e6 - 1.0).abs() < 0.01);
        assert!(spec.schedule.warmup_steps * 10 <= spec.steps);
    }

    #[test]
    fn unreachable_size_is_refused_with_the_rule() {
        let error =
            ShapeRule::by_name("wide").unwrap().shape(10.0, ParamConvention::Total, &GPT2).unwrap_err();
        assert!(error.to_string().contains("wide"));
    }
}
