//! An experiment: one file that says which runs answer a question.

use crate::schedule::{Decay, Schedule};
use crate::shape::{Head, ModelShape};
use crate::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Optimizer, Precision, RunSpec, SpecError,
    TRAINER, Training,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings that all runs of an experiment share, under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name and version, such as `quickstart-1`.
    pub name: String,
    /// Context in tokens.
    pub n_ctx: u32,
    /// Vocabulary.
    pub n_vocab: u32,
    /// Tied or untied head.
    pub head: Head,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Share of the steps, at the end, over which the rate falls linearly to zero.
    pub cooldown: f64,
    /// Batch.
    pub batch: Batch,
    /// Optimiser.
    pub optimizer: Optimizer,
    /// Measurements.
    pub evaluation: Evaluation,
}

/// The data of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentData {
    /// A name for people.
    pub name: String,
    /// Digest of the token files and of the tokenizer.
    pub digest: String,
    /// Test tokens of every evaluation.
    pub test_tokens: u64,
}

/// A model of a ladder, with the learning rate and the initial weights tuned for its width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Blocks.
    pub n_layer: u32,
    /// Width; d_attn = d_model and d_ff = 4·d_model.
    pub d_model: u32,
    /// Heads.
    pub n_head: u32,
    /// Peak learning rate.
    pub lr: f64,
    /// Standard deviation of the initial weights.
    pub init_std: f64,
}

/// How much data a run has and how long it looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRung {
    /// Training tokens available (D, unique).
    pub train_tokens: u64,
    /// Optimiser steps.
    pub steps: u64,
}

/// Runs that belong together: every model on every amount of data with every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSet {
    /// What the set is for: `size`, `data`, `seed`.
    pub name: String,
    /// Models.
    pub models: Vec<Rung>,
    /// Amounts of data.
    pub data: Vec<DataRung>,
    /// Seeds.
    pub seeds: Vec<u64>,
}

/// A question and the runs that answer it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// In words.
    pub question: String,
    /// What all runs share.
    pub recipe: Recipe,
    /// The data.
    pub data: ExperimentData,
    /// The runs.
    #[serde(rename = "set")]
    pub sets: Vec<RunSet>,
}

impl Experiment {
    /// Reads an experiment.
    ///
    /// # Errors
    /// Unknown or missing keys (with line and caret), and sets whose runs are impossible.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let experiment: Self = toml::from_str(text).map_err(|e| SpecError::Toml(e.to_string()))?;
        experiment.specs()?;
        Ok(experiment)
    }

    /// Writes the experiment; [`Self::from_toml`] reads it back equal.
    ///
    /// # Errors
    /// When a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        toml::to_string(self).map_err(|e| SpecError::Toml(e.to_string()))
    }

    /// All runs, fully resolved, in the order of the file; a run that two sets share appears once.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn specs(&self) -> Result<Vec<RunSpec>, SpecError> {
        let mut seen = BTreeSet::new();
        let mut specs = Vec::new();
        for set in &self.sets {
            specs.extend(self.specs_of(set)?.into_iter().filter(|spec| seen.insert(spec.key())));
        }
        Ok(specs)
    }

    /// The runs of one set.
    ///
    /// # Errors
    /// The first impossible value.
    pub fn specs_of(&self, set: &RunSet) -> Result<Vec<RunSpec>, SpecError> {
        if !(0.0..=1.0).contains(&self.recipe.cooldown) {
            return Err(SpecError::Value {
                key: "recipe.cooldown",
                value: self.recipe.cooldown.to_string(),
                expected: "a share of the steps, 0 to 1",
            });
        }
        let mut specs = Vec::new();
        for rung in &set.models {
            for data in &set.data {
                for seed in &set.seeds {
                    let spec = self.spec(rung, data, *seed);
                    spec.validate()?;
                    specs.push(spec);
                }
            }
        }
        Ok(specs)
    }

    fn spec(&self, rung: &Rung, data: &DataRung, seed: u64) -> RunSpec {
        let r = &self.recipe;
        RunSpec {
            recipe: r.name.clone(),
            seed,
            steps: data.steps,
            init_std: rung.init_std,
            trainer: TRAINER.into(),
            device: DeviceClass::Cpu,
            precision: Precision::F32,
            numerics: NUMERICS,
            model: ModelShape::standard(rung.n_layer, rung.d_model, rung.n_head, r.n_ctx, r.n_vocab, r.head),
            data: DataSpec {
                name: self.data.name.clone(),
                digest: self.data.digest.clone(),
                train_tokens: data.train_tokens,
                test_tokens: self.data.test_tokens,
            },
            batch: r.batch,
            schedule: Schedule {
                lr: rung.lr,
                warmup_steps: r.warmup_steps,
                decay: Decay::Constant {
                    cooldown_steps: libm::round(data.steps as f64 * r.cooldown) as u64,
                    final_fraction: 0.0,
                },
            },
            optimizer: r.optimizer,
            evaluation: r.evaluation,
            training: Training::default(),
            measure: Measure::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment() -> Experiment {
        let rung = |d_model| Rung { n_layer: 2, d_model, n_head: 1, lr: 0.01, init_std: 0.02 };
        let full = DataRung { train_tokens: 10_000, steps: 100 };
        Experiment {
            question: "how does loss fall with size?".into(),
            recipe: Recipe {
                name: "test-1".into(),
                n_ctx: 64,
                n_vocab: 512,
                head: Head::Untied,
                warmup_steps: 10,
                cooldown: 0.2,
                batch: Batch { sequences: 8, micro_sequences: 4 },
                optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
                evaluation: Evaluation { first_step: 10, per_decade: 8, patience: 0 },
            },
            data: ExperimentData { name: "toy".into(), digest: "d".into(), test_tokens: 1000 },
            sets: vec![
                RunSet {
                    name: "size".into(),
                    models: vec![rung(8), rung(16)],
                    data: vec![full],
                    seeds: vec![0],
                },
                RunSet {
                    name: "seed".into(),
                    models: vec![rung(16)],
                    data: vec![full],
                    seeds: vec![0, 1, 2],
                },
            ],
        }
    }

    #[test]
    fn specs_of_overlapping_sets_hold_each_run_once() {
        let specs = experiment().specs().unwrap();
        assert_eq!(specs.len(), 4);
        assert_eq!(specs[0].schedule.decay, Decay::Constant { cooldown_steps: 20, final_fraction: 0.0 });
    }

    #[test]
    fn toml_round_trip_keeps_the_experiment() {
        let text = experiment().to_toml().unwrap();
        assert_eq!(Experiment::from_toml(&text), Ok(experiment()));
    }

    #[test]
    fn unknown_key_in_a_set_is_refused_with_line_and_caret() {
        let text = experiment().to_toml().unwrap().replace("n_head", "n_heads");
        let message = Experiment::from_toml(&text).unwrap_err().to_string();
        assert!(message.contains("n_heads") && message.contains('^'), "{message}");
    }

    #[test]
    fn impossible_run_in_a_set_is_refused() {
        let mut e = experiment();
        e.sets[0].models[0].n_head = 3;
        assert!(e.specs().is_err());
        let mut e = experiment();
        e.recipe.cooldown = f64::NAN;
        assert!(e.specs().is_err());
    }
}
