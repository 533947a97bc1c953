//! From the settings of one run to its spec.

use crate::error::{ExperimentError, Place};
use crate::fields;
use crate::file::Facts;
use crate::formula::{Numbers, insert};
use crate::settings::{Settings, WORDS};
use scalelaw_core::RunSpec;
use scalelaw_core::spec::SpecError;
use serde::Deserialize;
use toml::{Table, Value};

/// The resolved spec of a run of the recipe called `recipe` for the trainer called `trainer`; `set` is where its
/// set stands.
pub(crate) fn resolve(
    settings: &Settings,
    facts: &Facts,
    recipe: &str,
    trainer: &str,
    set: &Place,
) -> Result<RunSpec, ExperimentError> {
    let numbers = Numbers::new(settings, facts, set);
    let mut table = Table::new();
    for (path, setting) in settings.iter() {
        if !WORDS.iter().any(|(word, _)| *word == path) && !path.starts_with("model.") {
            insert(&mut table, path, numbers.value(path, setting)?);
        }
    }
    let shape = numbers.shape()?;
    let mut fill = |path: &str, value: Value| insert(&mut table, path, value);
    fill("recipe", Value::String(recipe.to_owned()));
    fill("trainer", Value::String(trainer.to_owned()));
    fill("data.name", Value::String(facts.name.clone()));
    fill("data.digest", Value::String(facts.digest.clone()));
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
    let spec = RunSpec::deserialize(Value::Table(table)).map_err(|e| numbers.misfit("", e.message()))?;
    spec.validate().map_err(|error| match &error {
        SpecError::Value { key, .. } => ExperimentError::at(numbers.place(key), error.to_string()),
        _ => ExperimentError::at(set, error.to_string()),
    })?;
    Ok(spec)
}
