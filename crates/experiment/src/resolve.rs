//! From the settings of one run to its spec.

use crate::error::{ExperimentError, Place};
use crate::fields;
use crate::file::Facts;
use crate::formula::{Numbers, insert};
use crate::settings::{BRANCHES, Settings, WORDS, is_under};
use scalelaw_core::RunSpec;
use scalelaw_core::schedule::Decay;
use scalelaw_core::spec::SpecError;
use serde::Deserialize;
use toml::{Table, Value};

/// The resolved specs of what a choice of settings stands for: one run, or a trunk and its branches.
pub(crate) fn resolve(
    settings: &Settings,
    facts: &Facts,
    recipe: &str,
    trainer: &str,
    set: &Place,
) -> Result<Vec<RunSpec>, ExperimentError> {
    let numbers = Numbers::new(settings, facts, set);
    let spec = resolve_one(&numbers, recipe, trainer)?;
    let mut branches = Vec::new();
    for (path, setting) in settings.iter().filter(|(path, _)| is_under(path, BRANCHES)) {
        branches.push((libm::round(numbers.get(path, &setting.place)?) as u64, &setting.place));
    }
    let specs = if branches.is_empty() { vec![spec] } else { with_branches(&numbers, spec, &branches)? };
    for spec in &specs {
        spec.validate().map_err(|error| match &error {
            SpecError::Value { key, .. } => ExperimentError::at(numbers.place(key), error.to_string()),
            _ => ExperimentError::at(set, error.to_string()),
        })?;
    }
    Ok(specs)
}

/// A trunk of constant rate and the runs that leave it for their cooldown (Hägele et al. 2024): each has the
/// bytes of a run of its own, for the price of its cooldown.
fn with_branches(
    numbers: &Numbers<'_>,
    mut trunk: RunSpec,
    branches: &[(u64, &Place)],
) -> Result<Vec<RunSpec>, ExperimentError> {
    let share = numbers.get("cooldown", branches[0].1)?;
    trunk.schedule.decay = Decay::Constant { cooldown_steps: 0, final_fraction: 0.0 };
    let mut lengths = Vec::with_capacity(branches.len());
    for (steps, place) in branches {
        let cooldown = libm::round(*steps as f64 * share) as u64;
        let leaves = steps.saturating_sub(cooldown);
        if cooldown == 0 || leaves > trunk.steps || leaves <= trunk.schedule.warmup_steps {
            return Err(ExperimentError::at(
                place,
                format!(
                    "a branch of {steps} steps leaves the trunk after {leaves} of its {} steps",
                    trunk.steps
                ),
            )
            .hint("it must leave after the warm-up and before the trunk's end"));
        }
        trunk.training.branch_steps.push(leaves);
        lengths.push((*steps, cooldown));
    }
    trunk.training.branch_steps.sort_unstable();
    trunk.training.branch_steps.dedup();
    let branches = lengths.into_iter().map(|(steps, cooldown)| trunk.branch(steps, cooldown));
    Ok(std::iter::once(trunk.clone()).chain(branches).collect())
}

fn resolve_one(numbers: &Numbers<'_>, recipe: &str, trainer: &str) -> Result<RunSpec, ExperimentError> {
    let Numbers { settings, facts, set, .. } = numbers;
    let mut table = Table::new();
    for (path, setting) in settings.iter() {
        if !WORDS.iter().any(|(word, _)| is_under(path, word)) && !path.starts_with("model.") {
            insert(&mut table, path, numbers.value(path, setting)?);
        }
    }
    let shape = numbers.shape()?;
    let mut fill = |path: &str, value: Value| insert(&mut table, path, value);
    fill("recipe", Value::String(recipe.to_owned()));
    fill("trainer", Value::String(trainer.to_owned()));
    fill("data.name", Value::String(facts.name.clone()));
    fill("data.digest", Value::String(facts.digest.clone()));
    if !facts.evals.is_empty() {
        let sets = Value::try_from(&facts.evals).map_err(|e| ExperimentError::at(set, e.to_string()))?;
        fill("measure.sets", sets);
    }
    let count = |x: f64| Value::Integer(libm::round(x) as i64);
    for name in ["train_tokens", "test_tokens", "sequences"] {
        let path = fields::path_of(name).unwrap_or_default();
        fill(&path, count(numbers.get(name, set)?));
    }
    let batch_tokens = numbers.get("B", set)?;
    let steps = numbers.get("steps", set)?;
    fill("steps", count(steps));
    if let Some(share) = numbers.optional("cooldown")? {
        if !(0.0..=1.0).contains(&share) {
            let place = numbers.place("cooldown");
            return Err(ExperimentError::at(place, "cooldown is a share of the steps, 0 to 1"));
        }
        let decay = Table::from_iter([
            ("kind".to_owned(), Value::String("constant".into())),
            ("cooldown_steps".to_owned(), count(steps * share)),
            ("final_fraction".to_owned(), Value::Float(0.0)),
        ]);
        fill("schedule.decay", Value::Table(decay));
    }
    if let Some(tokens) = numbers.optional("warmup_tokens")? {
        fill("schedule.warmup_steps", count(tokens / batch_tokens));
    }
    if let Some(share) = numbers.optional("warmup")? {
        fill("schedule.warmup_steps", count(share * steps));
    }
    let model = Value::try_from(shape).map_err(|e| ExperimentError::at(set, e.to_string()))?;
    table.insert("model".into(), model);
    RunSpec::deserialize(Value::Table(table)).map_err(|e| numbers.misfit("", e.message()))
}
