//! A run's key: what was released keeps its key, and every field that decides bytes is in it.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scalelaw_core::RunSpec;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// Specs with the keys that they had when they were released.
#[derive(Deserialize)]
struct Released {
    base: Table,
    run: Vec<ReleasedRun>,
}

#[derive(Deserialize)]
struct ReleasedRun {
    change: Table,
    key: String,
}

impl Released {
    fn read() -> Self {
        toml::from_str(include_str!("keys.toml")).unwrap()
    }

    fn spec(&self, run: &ReleasedRun) -> RunSpec {
        let mut table = self.base.clone();
        change(&mut table, &run.change);
        RunSpec::from_toml(&table.to_string()).unwrap_or_else(|e| panic!("{}: {e}", run.change))
    }
}

/// Changes a table as a run's `change` says: a table with a kind replaces the one before it.
fn change(table: &mut Table, changes: &Table) {
    for (key, new) in changes {
        match (table.get_mut(key), new) {
            (Some(Value::Table(old)), Value::Table(new)) if !new.contains_key("kind") => change(old, new),
            _ => {
                table.insert(key.clone(), new.clone());
            }
        }
    }
}

#[test]
fn keys_of_released_specs_never_change() {
    let released = Released::read();
    let mut changed = String::new();
    for run in &released.run {
        let spec = released.spec(run);
        if spec.key() != run.key {
            changed += &format!("{}: {} is now {}\n", run.change.to_string().trim(), run.key, spec.key());
        }
        assert_eq!(RunSpec::from_toml(&spec.to_toml().unwrap()).as_ref(), Ok(&spec));
    }
    assert!(changed.is_empty(), "{changed}");
}

/// Leaves that decide no byte of a run, and so are no part of its key.
const OUTSIDE: [&str; 4] = ["recipe", "data.name", "training.repeats", "training.parent_run"];

/// Settings away from their defaults, so that every leaf of a spec is written.
const EVERYTHING: [&str; 6] = [
    "trainer = \"torch-1\"
     model = { reuse = 2, block = { norm = \"rms\", norm_placement = \"post\", positions = \"rotary\", \
         feed_forward = \"swiglu\", qk_norm = \"rms\", n_kv_head = 1 } }
     data = { train_tokens = 1000000 }
     training = { clip_norm = 0.5, init = \"fan_in\", dropout = 0.2, repeats = \"refused\", branch_steps = [20, 50], \
         parent_run = \"l1\" }
     measure = { position_losses = true, sets = [{ name = \"books\", digest = \"123\", tokens = 500 }] }",
    "model = { architecture = \"lstm\", n_head = 1 }
     optimizer = { kind = \"adamw\", beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.1 }
     schedule = { decay = { kind = \"cosine\", final_fraction = 0.1 } }",
    "optimizer = { kind = \"adafactor\", decay_exponent = 0.8, eps = 1e-30, clip_threshold = 1.0, \
         step_size = { kind = \"absolute\" } }
     schedule = { decay = { kind = \"cosine_cycle\", cycle_steps = 80, final_fraction = 0.1 } }",
    "optimizer = { kind = \"adafactor\", decay_exponent = 0.8, eps = 1e-30, clip_threshold = 1.0, \
         step_size = { kind = \"relative\", floor = 1e-3 } }
     schedule = { decay = { kind = \"linear\", final_fraction = 0.1 } }",
    "model = { n_layer = 0, head = \"tied\" }",
    "",
];

fn everything(changes: &str) -> Table {
    let mut table = Released::read().base;
    change(&mut table, &changes.parse().unwrap());
    let spec = RunSpec::deserialize(Value::Table(table)).unwrap_or_else(|e| panic!("{changes}: {e}"));
    spec.to_toml().unwrap().parse().unwrap()
}

/// Paths of all leaves below a value; the elements of a list by their number.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Table(table) => table.iter().for_each(|(name, value)| leaves(value, &below(name), found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| leaves(value, &below(&i.to_string()), found));
        }
        _ => found.push(path.to_owned()),
    }
}

fn leaf<'a>(value: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(value, |value, part| match value {
        Value::Array(list) => &mut list[part.parse::<usize>().unwrap()],
        table => table.get_mut(part).unwrap(),
    })
}

/// Other values that a leaf can have: any of `whole`, `real` and `text` that is of its type; of a choice, every one.
fn others(spec: &Table, path: &str, whole: i64, real: f64, text: &str) -> Vec<Value> {
    let mut table = Value::Table(spec.clone());
    let place = leaf(&mut table, path);
    let now = place.clone();
    let others = match &now {
        Value::Integer(_) => vec![Value::Integer(whole)],
        Value::Float(_) => vec![Value::Float(real)],
        Value::Boolean(now) => vec![Value::Boolean(!now)],
        _ => {
            // A choice names its alternatives where it refuses a text.
            *place = Value::String("?".into());
            match RunSpec::deserialize(table) {
                Ok(_) => vec![Value::String(text.to_owned())],
                Err(error) => {
                    let error = error.to_string();
                    let choices = error.lines().next().unwrap().split('`').skip(3).step_by(2);
                    choices.map(|choice| Value::String(choice.to_owned())).collect()
                }
            }
        }
    };
    others.into_iter().filter(|other| *other != now).collect()
}

/// Changes one leaf to every other value, and sees the key change, or stay where the leaf is outside.
fn check(spec: &Table, path: &str, whole: i64, real: f64, text: &str) -> usize {
    let before = RunSpec::deserialize(Value::Table(spec.clone())).unwrap().key();
    let mut seen = 0;
    for other in others(spec, path, whole, real, text) {
        let mut table = Value::Table(spec.clone());
        *leaf(&mut table, path) = other.clone();
        // Another kind has other fields, an LSTM only some sizes: what cannot be read has no key.
        let Ok(changed) = RunSpec::deserialize(table) else { continue };
        assert_eq!(changed.key() == before, OUTSIDE.contains(&path), "{path} = {other}");
        seen += 1;
    }
    seen
}

#[test]
fn key_changes_with_every_leaf_of_a_spec_but_those_outside() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for changes in EVERYTHING {
        let spec = everything(changes);
        let mut paths = Vec::new();
        leaves(&Value::Table(spec.clone()), "", &mut paths);
        for path in paths {
            let changes = check(&spec, &path, 3, 0.123, "other");
            *seen.entry(path).or_default() += changes;
        }
    }
    assert!(OUTSIDE.iter().all(|path| seen.contains_key(*path)));
    // An optimiser of another kind has other fields: see below.
    let unseen: Vec<&str> =
        seen.iter().filter(|(_, times)| **times == 0).map(|(path, _)| path.as_str()).collect();
    assert_eq!(unseen, ["optimizer.kind"]);
}

#[test]
fn key_changes_with_every_kind_though_the_numbers_are_the_same() {
    let kinds = |path: &str, kinds: &[&str]| {
        let keys: BTreeSet<String> = kinds
            .iter()
            .map(|kind| {
                let changes = format!("{path} = {{ {kind} }}");
                let mut table = Released::read().base;
                change(&mut table, &changes.parse().unwrap());
                RunSpec::deserialize(Value::Table(table)).unwrap_or_else(|e| panic!("{changes}: {e}")).key()
            })
            .collect();
        assert_eq!(keys.len(), kinds.len(), "{path}");
    };
    kinds(
        "optimizer",
        &[
            "kind = \"adam\", beta1 = 0.5, beta2 = 0.5, eps = 0.5",
            "kind = \"adamw\", beta1 = 0.5, beta2 = 0.5, eps = 0.5, weight_decay = 0.5",
            "kind = \"adafactor\", decay_exponent = 0.5, eps = 0.5, clip_threshold = 0.5, step_size.kind = \"absolute\"",
            "kind = \"adafactor\", decay_exponent = 0.5, eps = 0.5, clip_threshold = 0.5, \
             step_size = { kind = \"relative\", floor = 0.5 }",
        ],
    );
    kinds(
        "schedule.decay",
        &[
            "kind = \"constant\", cooldown_steps = 1, final_fraction = 0.5",
            "kind = \"cosine\", final_fraction = 0.5",
            "kind = \"cosine_cycle\", cycle_steps = 1, final_fraction = 0.5",
            "kind = \"linear\", final_fraction = 0.5",
        ],
    );
    kinds(
        "model",
        &[
            "architecture = \"transformer\", n_head = 1",
            "architecture = \"lstm\", n_head = 1",
            "architecture = \"lstm\", n_head = 1, d_model = 64, d_ff = 256, d_attn = 64",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn key_changes_with_any_value_of_any_leaf(
        which in 0..EVERYTHING.len(),
        leaf in any::<prop::sample::Index>(),
        whole in 0..=i64::MAX,
        small in 0i64..100,
        real in any::<f64>(),
        text in "[ -~]{0,9}",
    ) {
        let spec = everything(EVERYTHING[which]);
        let mut paths = Vec::new();
        leaves(&Value::Table(spec.clone()), "", &mut paths);
        let path = leaf.get(&paths);
        for whole in [whole, small] {
            check(&spec, path, whole, real, &text);
        }
    }
}
