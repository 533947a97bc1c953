//! A fully resolved run: no field is optional, and there are no hidden defaults.

pub use crate::device::{DeviceClass, Precision};
pub use crate::error::SpecError;
use crate::identity::Identity;
pub use crate::measure::{EvaluationSet, Measure};
pub use crate::optimizer::{Optimizer, StepSize};
use crate::schedule::{Decay, Schedule, log_spaced_steps};
use crate::shape::ModelShape;
use crate::spelling::{meant, unquoted};
pub use crate::training::{Init, Repeats, Training};
use crate::units::ParamConvention;
use serde::{Deserialize, Serialize};

/// Version of the arithmetic. It is raised when the same spec would give other bytes.
pub const NUMERICS: u32 = 1;

/// The version of a spec that names none, because the first specs had no such field.
const FIRST_NUMERICS: u32 = 1;

fn first_numerics() -> u32 {
    FIRST_NUMERICS
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_first_numerics(numerics: &u32) -> bool {
    *numerics == FIRST_NUMERICS
}

/// The trainer of this program.
pub const TRAINER: &str = "scalelaw";

fn this_trainer() -> String {
    TRAINER.to_owned()
}

fn is_this_trainer(trainer: &str) -> bool {
    trainer == TRAINER
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// A name for people; not part of the identity.
    pub name: String,
    /// Digest of the token files and of the tokenizer.
    pub digest: String,
    /// Training tokens that are available (D, unique): a prefix of the shuffled training split.
    pub train_tokens: u64,
    /// Test tokens used for every evaluation.
    pub test_tokens: u64,
}

/// Batch in sequences of n_ctx tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Sequences per step.
    pub sequences: u32,
    /// Sequences per micro-batch. The micro-batch is the unit of parallelism, the leaf of the gradient sum and B_small of the
    /// noise scale. It is part of the identity.
    pub micro_sequences: u32,
}

/// When to measure the test loss, and when to stop early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// First evaluated step.
    pub first_step: u64,
    /// Evaluations per decade of steps.
    pub per_decade: u32,
    /// The run stops after this many consecutive evaluations above the best one; with 0 it trains to the end.
    pub patience: u32,
}

/// Everything that decides the bytes of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The frozen recipe that made this spec; not part of the identity.
    pub recipe: String,
    /// Seed of initialisation and data order.
    pub seed: u64,
    /// Optimiser steps, S.
    pub steps: u64,
    /// Standard deviation of the initial weights; [`Init`] says which weights it applies to.
    pub init_std: f64,
    /// The trainer: [`TRAINER`], or the name and version of the user's own.
    #[serde(default = "this_trainer", skip_serializing_if = "is_this_trainer")]
    pub trainer: String,
    /// The class of device that trains it.
    #[serde(default, skip_serializing_if = "DeviceClass::is_default")]
    pub device: DeviceClass,
    /// The precision of the arithmetic.
    #[serde(default, skip_serializing_if = "Precision::is_default")]
    pub precision: Precision,
    /// Version of the arithmetic: [`NUMERICS`].
    #[serde(default = "first_numerics", skip_serializing_if = "is_first_numerics")]
    pub numerics: u32,
    /// The model.
    pub model: ModelShape,
    /// The data.
    pub data: DataSpec,
    /// Batch.
    pub batch: Batch,
    /// Learning rate.
    pub schedule: Schedule,
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Measurements.
    pub evaluation: Evaluation,
    /// Settings that most runs leave alone.
    #[serde(default, skip_serializing_if = "Training::is_default")]
    pub training: Training,
    /// What is measured besides the test loss.
    #[serde(default, skip_serializing_if = "Measure::is_default")]
    pub measure: Measure,
}

impl RunSpec {
    /// Reads a resolved spec.
    ///
    /// # Errors
    /// Unknown or missing keys (with line and caret) and impossible values.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text).map_err(|e| {
            let meant = meant(e.message()).map(|near| format!("did you mean `{near}`?"));
            let quotes =
                || unquoted(text, e.span()?.start).map(|line| format!("a text needs quotes: {line}"));
            SpecError::Toml(format!("{e}{}", meant.or_else(quotes).unwrap_or_default()).trim_end().to_owned())
        })?;
        spec.validate()?;
        Ok(spec)
    }

    /// Writes the spec as TOML; [`Self::from_toml`] reads it back equal.
    ///
    /// # Errors
    /// When a value has no TOML form (an integer above 2^63).
    pub fn to_toml(&self) -> Result<String, SpecError> {
        toml::to_string(self).map_err(|e| SpecError::Toml(e.to_string()))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first key that is out of range.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.model.validate()?;
        let value = |key, value: String, expected| Err(SpecError::Value { key, value, expected });
        if self.steps == 0 || self.steps > 1 << 40 {
            return value("steps", self.steps.to_string(), "1 to 2^40");
        }
        if self.seed > i64::MAX as u64 {
            return value("seed", self.seed.to_string(), "at most 2^63 - 1");
        }
        if !(self.init_std.is_finite() && self.init_std > 0.0) {
            return value("init_std", self.init_std.to_string(), "a positive number");
        }
        if self.numerics != NUMERICS {
            return value(
                "numerics",
                self.numerics.to_string(),
                "1, the version of this program's arithmetic",
            );
        }
        if self.batch.micro_sequences == 0 {
            return value("batch.micro_sequences", "0".into(), "at least 1");
        }
        if self.batch.sequences == 0 || !self.batch.sequences.is_multiple_of(self.batch.micro_sequences) {
            return value(
                "batch.sequences",
                self.batch.sequences.to_string(),
                "a multiple of batch.micro_sequences",
            );
        }
        if !(self.schedule.lr.is_finite() && self.schedule.lr > 0.0) {
            return value("schedule.lr", self.schedule.lr.to_string(), "a positive number");
        }
        let final_fraction = self.schedule.decay.final_fraction();
        if !(0.0..=1.0).contains(&final_fraction) {
            return value("schedule.decay.final_fraction", final_fraction.to_string(), "0 to 1");
        }
        self.optimizer.validate()?;
        self.training.validate(self.steps)?;
        self.measure.validate(self.model.n_ctx)?;
        let may_branch = self.branch_step().is_some() && self.evaluation.patience == 0;
        if self.training.parent_run.is_some() && !may_branch {
            let expected =
                "absent, but for a constant rate with a cooldown shorter than the run, without patience";
            return value(
                "training.parent_run",
                self.training.parent_run.clone().unwrap_or_default(),
                expected,
            );
        }
        if self.data.train_tokens <= u64::from(self.model.n_ctx) {
            return value(
                "data.train_tokens",
                self.data.train_tokens.to_string(),
                "more than one context, n_ctx + 1",
            );
        }
        let sequences = self.steps.saturating_mul(u64::from(self.batch.sequences));
        if self.training.repeats == Repeats::Refused && sequences > self.sequences_an_epoch() {
            let expected = "no more sequences than one epoch has (training.repeats = \"refused\")";
            return value("steps", self.steps.to_string(), expected);
        }
        if self.data.test_tokens <= u64::from(self.model.n_ctx) {
            return value(
                "data.test_tokens",
                self.data.test_tokens.to_string(),
                "more than one context, n_ctx + 1",
            );
        }
        if self.evaluation.first_step == 0 {
            return value("evaluation.first_step", "0".into(), "at least 1");
        }
        if self.evaluation.per_decade == 0 {
            return value("evaluation.per_decade", "0".into(), "at least 1");
        }
        Ok(())
    }

    /// Tokens per step, B.
    pub fn batch_tokens(&self) -> u64 {
        u64::from(self.batch.sequences) * u64::from(self.model.n_ctx)
    }

    /// Tokens processed by the whole run, B·S.
    pub fn tokens(&self) -> u64 {
        self.batch_tokens() * self.steps
    }

    /// Number of sequences in which every training token except the first is a target once.
    pub fn sequences_an_epoch(&self) -> u64 {
        self.data.train_tokens.saturating_sub(1) / u64::from(self.model.n_ctx)
    }

    /// Steps after which the test loss is measured; the last step is always one of them.
    pub fn evaluation_steps(&self) -> Vec<u64> {
        log_spaced_steps(self.evaluation.first_step, self.evaluation.per_decade, self.steps)
    }

    /// Steps before the cooldown of a constant rate, where the run leaves a longer trunk. `None` for any other schedule.
    pub fn branch_step(&self) -> Option<u64> {
        match self.schedule.decay {
            Decay::Constant { cooldown_steps, .. } if cooldown_steps > 0 => {
                let step = self.steps.checked_sub(cooldown_steps)?;
                (step >= self.schedule.warmup_steps.max(1)).then_some(step)
            }
            _ => None,
        }
    }

    /// The run of `steps` steps that leaves this trunk of constant rate and cools down over its last `cooldown_steps`. One
    /// trunk with [`Training::branch_steps`] gives a whole axis of D.
    pub fn branch(&self, steps: u64, cooldown_steps: u64) -> Self {
        let mut branch = self.clone();
        branch.steps = steps;
        let final_fraction = self.schedule.decay.final_fraction();
        branch.schedule.decay = Decay::Constant { cooldown_steps, final_fraction };
        branch.training.branch_steps.clear();
        branch.training.parent_run = Some(self.key());
        branch
    }

    /// The run's name on disk: a readable prefix and a hash of the training identity.
    ///
    /// The hash covers everything that decides the bytes of a run, and nothing else. Names for people are left out, and a
    /// field that is added later is included only where it changes the behaviour of today.
    pub fn key(&self) -> String {
        let hash = blake3::hash(self.identity().as_bytes()).to_hex();
        format!(
            "l{}d{}-n{}-t{}-s{}-{}",
            self.model.n_layer,
            self.model.d_model,
            self.model.n_params(ParamConvention::NonEmbedding),
            self.data.train_tokens,
            self.seed,
            &hash[..12]
        )
    }

    /// The text that [`Self::key`] hashes.
    fn identity(&self) -> String {
        let Self {
            recipe: _, // only a name for people
            seed,
            steps,
            init_std,
            trainer,
            device,
            precision,
            numerics,
            model,
            data,
            batch,
            schedule,
            optimizer,
            evaluation,
            training,
            measure,
        } = self;
        let mut identity = Identity::default();
        identity.line("numerics", numerics);
        if trainer != TRAINER {
            identity.setting("trainer", trainer);
        }
        match device {
            DeviceClass::Cpu => {}
        }
        match precision {
            Precision::F32 => {}
        }
        model.identify(&mut identity);
        identity.line("seed", seed);
        identity.line("steps", steps);
        identity.line("init_std", init_std);
        data.identify(&mut identity);
        batch.identify(&mut identity);
        schedule.identify(&mut identity);
        optimizer.identify(&mut identity);
        evaluation.identify(&mut identity);
        training.identify(&mut identity);
        measure.identify(&mut identity);
        identity.text()
    }
}

impl DataSpec {
    /// Its part of a run's identity.
    fn identify(&self, identity: &mut Identity) {
        let Self {
            name: _, // for people
            digest,
            train_tokens,
            test_tokens,
        } = self;
        identity.line("data.digest", digest);
        identity.line("data.train_tokens", train_tokens);
        identity.line("data.test_tokens", test_tokens);
    }
}

impl Batch {
    /// Its part of a run's identity.
    fn identify(&self, identity: &mut Identity) {
        let Self { sequences, micro_sequences } = self;
        identity.line("batch.sequences", sequences);
        identity.line("batch.micro_sequences", micro_sequences);
    }
}

impl Evaluation {
    /// Its part of a run's identity.
    fn identify(&self, identity: &mut Identity) {
        let Self { first_step, per_decade, patience } = self;
        identity.line("evaluation", format_args!("{first_step} {per_decade} {patience}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
    use crate::shape::{Architecture, Head, Transformer};

    fn spec() -> RunSpec {
        RunSpec {
            recipe: "test-1".into(),
            seed: 0,
            steps: 100,
            init_std: 0.02,
            trainer: this_trainer(),
            device: DeviceClass::Cpu,
            precision: Precision::F32,
            numerics: NUMERICS,
            model: ModelShape::standard(2, 32, 2, 64, 512, Head::Untied),
            data: DataSpec {
                name: "toy".into(),
                digest: "abc".into(),
                train_tokens: 10_000,
                test_tokens: 1_000,
            },
            batch: Batch { sequences: 32, micro_sequences: 8 },
            schedule: Schedule {
                lr: 0.01,
                warmup_steps: 10,
                decay: Decay::Constant { cooldown_steps: 20, final_fraction: 0.0 },
            },
            optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
            evaluation: Evaluation { first_step: 10, per_decade: 8, patience: 0 },
            training: Training::default(),
            measure: Measure::default(),
        }
    }

    fn blocks(spec: &mut RunSpec) -> &mut Transformer {
        spec.model.transformer_mut().unwrap()
    }

    #[test]
    fn toml_round_trip_keeps_the_spec() {
        let text = spec().to_toml().unwrap();
        assert_eq!(RunSpec::from_toml(&text), Ok(spec()));
        // What specs looked like before there were such settings.
        for later in ["training]", "device", "precision", "numerics"] {
            assert!(!text.contains(later), "{text}");
        }
        let mut more = spec();
        more.training = Training {
            clip_norm: Some(0.5),
            init: Init::FanIn,
            dropout: 0.1,
            repeats: Repeats::Refused,
            branch_steps: vec![20, 80],
            parent_run: Some("l1".into()),
        };
        more.data.train_tokens = 1_000_000;
        let books = EvaluationSet { name: "books".into(), digest: "def".into(), tokens: 500 };
        more.measure = Measure { position_losses: true, sets: vec![books] };
        assert_eq!(RunSpec::from_toml(&more.to_toml().unwrap()), Ok(more));
    }

    #[test]
    fn unknown_key_is_refused_with_its_line() {
        let text = spec().to_toml().unwrap().replace("micro_sequences", "micro_sequence");
        let message = RunSpec::from_toml(&text).unwrap_err().to_string();
        assert!(message.contains("did you mean `micro_sequences`?") && message.contains("line"), "{message}");
    }

    #[test]
    fn impossible_values_name_their_key() {
        type Break = fn(&mut RunSpec);
        let cases: [(&str, Break); 13] = [
            ("steps", |s| s.steps = 0),
            ("numerics", |s| s.numerics = NUMERICS + 1),
            ("batch.sequences", |s| s.batch.sequences = 33),
            ("schedule.lr", |s| s.schedule.lr = f64::NAN),
            ("optimizer.beta2", |s| s.optimizer = Optimizer::Adam { beta1: 0.9, beta2: 1.0, eps: 1e-8 }),
            ("data.train_tokens", |s| s.data.train_tokens = 64),
            ("init_std", |s| s.init_std = f64::INFINITY),
            ("training.clip_norm", |s| s.training.clip_norm = Some(0.0)),
            ("measure.sets.name", |s| {
                let set = EvaluationSet { name: "books".into(), digest: "def".into(), tokens: 500 };
                s.measure.sets = vec![set.clone(), set];
            }),
            ("training.dropout", |s| s.training.dropout = 1.0),
            ("steps", |s| s.training.repeats = Repeats::Refused),
            ("training.branch_steps", |s| s.training.branch_steps = vec![20, 101]),
            ("training.parent_run", |s| {
                s.training.parent_run = Some("trunk".into());
                s.schedule.decay = Decay::Cosine { final_fraction: 0.0 };
            }),
        ];
        for (key, break_it) in cases {
            let mut s = spec();
            break_it(&mut s);
            assert!(s.validate().unwrap_err().to_string().starts_with(key), "{key}");
        }
    }

    #[test]
    fn key_of_the_same_training_is_the_same_whatever_it_is_called() {
        let mut renamed = spec();
        renamed.recipe = "other".into();
        renamed.data.name = "other".into();
        assert_eq!(renamed.key(), spec().key());
        let mut reseeded = spec();
        reseeded.seed = 1;
        assert_ne!(reseeded.key(), spec().key());
        let mut elsewhere = spec();
        elsewhere.trainer = "other-1".into();
        assert_ne!(elsewhere.key(), spec().key());
        let mut slower = spec();
        slower.schedule.lr = 0.011;
        assert_ne!(slower.key(), spec().key());
        let mut recurrent = spec();
        recurrent.model.architecture = Architecture::Lstm;
        assert_ne!(recurrent.key(), spec().key());
        let mut measured = spec();
        measured.measure.position_losses = true;
        assert_ne!(measured.key(), spec().key());
        let mut modern = spec();
        blocks(&mut modern).block = Block {
            norm: Norm::Rms,
            norm_placement: NormPlacement::Post,
            positions: Positions::Rotary,
            feed_forward: FeedForward::Swiglu,
            qk_norm: QkNorm::Rms,
            n_kv_head: 1,
        };
        assert_ne!(modern.key(), spec().key());
        assert_eq!(RunSpec::from_toml(&modern.to_toml().unwrap()), Ok(modern));
        let mut reused = spec();
        blocks(&mut reused).reuse = 2;
        assert_ne!(reused.key(), spec().key());
        assert_eq!(RunSpec::from_toml(&reused.to_toml().unwrap()), Ok(reused));
        let mut keys = vec![spec().key()];
        for feed_forward in [FeedForward::GeluExact, FeedForward::Relu, FeedForward::Silu] {
            let mut other = spec();
            blocks(&mut other).block.feed_forward = feed_forward;
            keys.push(other.key());
        }
        for init in [Init::Normal, Init::FanIn, Init::Xavier] {
            let mut other = spec();
            other.training.init = init;
            keys.push(other.key());
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 7, "every setting has a key of its own");
        let mut clipped = spec();
        clipped.training.clip_norm = Some(1.0);
        assert_ne!(clipped.key(), spec().key());
    }

    #[test]
    fn branch_of_a_trunk_is_the_run_with_the_same_cooldown() {
        let mut trunk = spec();
        trunk.steps = 1000;
        trunk.schedule.decay = Decay::Constant { cooldown_steps: 0, final_fraction: 0.0 };
        trunk.training.branch_steps = vec![80];
        let branch = trunk.branch(100, 20);
        branch.validate().unwrap();
        assert_eq!((branch.key(), branch.branch_step()), (spec().key(), Some(80)));
        assert_eq!(trunk.branch_step(), None);
    }

    #[test]
    fn specs_of_the_documentation_are_read() {
        let text = include_str!("../tests/run-spec.md");
        let blocks: Vec<&str> =
            text.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
        let [spec, adafactor, lstm, more] = blocks[..] else { panic!("{} blocks", blocks.len()) };
        RunSpec::from_toml(spec).unwrap();
        let table = |text: &str| text.parse::<toml::Table>().unwrap();
        for replacement in [adafactor, lstm] {
            let mut whole = table(spec);
            whole.extend(table(replacement));
            RunSpec::from_toml(&whole.to_string()).unwrap();
        }
        let mut whole = table(spec);
        for (group, fields) in table(more) {
            match (whole.get_mut(&group), fields) {
                (Some(toml::Value::Table(old)), toml::Value::Table(new)) => old.extend(new),
                (_, fields) => drop(whole.insert(group, fields)),
            }
        }
        // Settings of all kinds at once are no run, but every one of them is a setting.
        toml::from_str::<RunSpec>(&whole.to_string()).unwrap();
    }

    #[test]
    fn key_of_a_released_spec_never_changes() {
        // A golden key: change it only together with NUMERICS.
        assert_eq!(spec().key(), "l2d32-n24576-t10000-s0-e46ca939f7a4");
    }
}
