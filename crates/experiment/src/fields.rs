//! The fields that a run's spec has, asked of its own types: a field added to the spec is a setting at once.

use scalelaw_core::spec::{Batch, DataSpec, Evaluation, Measure, RunSpec, Training};
use scalelaw_core::{ModelShape, schedule::Schedule};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Fields of the spec that are structs themselves, with their fields.
static NESTED: LazyLock<BTreeMap<&'static str, &'static [&'static str]>> = LazyLock::new(|| {
    BTreeMap::from([
        ("model", of::<ModelShape>()),
        ("data", of::<DataSpec>()),
        ("batch", of::<Batch>()),
        ("schedule", of::<Schedule>()),
        ("evaluation", of::<Evaluation>()),
        ("training", of::<Training>()),
        ("measure", of::<Measure>()),
    ])
});

static TOP: LazyLock<&'static [&'static str]> = LazyLock::new(of::<RunSpec>);

/// Fields that the experiment fills in and no setting may name.
const OURS: [&str; 7] = [
    "recipe",
    "trainer",
    "data.name",
    "data.digest",
    "training.branch_steps",
    "training.parent_run",
    "measure.sets",
];

/// The path of the field called `name`, a path or a last name; `None` when the spec has no such field.
pub(crate) fn path_of(name: &str) -> Option<String> {
    if OURS.contains(&name) {
        return None;
    }
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    if TOP.contains(&first) {
        let known = match NESTED.get(first) {
            // A whole group is given as a table, never by its bare name.
            Some(fields) => fields.contains(&rest.split('.').next().unwrap_or_default()),
            None => true,
        };
        return known.then(|| name.to_owned());
    }
    let groups = NESTED.iter().filter(|(group, fields)| {
        fields.contains(&first) && !OURS.contains(&format!("{group}.{first}").as_str())
    });
    groups.map(|(group, _)| format!("{group}.{name}")).next()
}

/// Whether `name` is a struct of the spec.
pub(crate) fn is_group(name: &str) -> bool {
    NESTED.contains_key(name)
}

/// Every field by its last name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let top = TOP.iter().copied().filter(|name| !NESTED.contains_key(name));
    let nested = NESTED.iter().flat_map(|(group, fields)| {
        fields.iter().copied().filter(move |f| !OURS.contains(&format!("{group}.{f}").as_str()))
    });
    top.filter(|name| !OURS.contains(name)).chain(nested)
}

/// The fields that a type's derived `Deserialize` asks for; none for a type that is no plain struct.
fn of<T: Deserialize<'static>>() -> &'static [&'static str] {
    match T::deserialize(Ask) {
        Err(Asked(fields)) => fields,
        Ok(_) => &[],
    }
}

/// A deserializer that only listens to what it is asked for.
struct Ask;

/// What it heard.
#[derive(Debug)]
struct Asked(&'static [&'static str]);

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Ask {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_path_and_by_last_name() {
        assert_eq!(path_of("lr").as_deref(), Some("schedule.lr"));
        assert_eq!(path_of("schedule.lr").as_deref(), Some("schedule.lr"));
        assert_eq!(path_of("decay.kind").as_deref(), Some("schedule.decay.kind"));
        assert_eq!(path_of("dropout").as_deref(), Some("training.dropout"));
        assert_eq!(path_of("steps").as_deref(), Some("steps"));
        assert_eq!(path_of("optimizer.beta2").as_deref(), Some("optimizer.beta2"));
        for unknown in ["lrr", "model.lr", "model", "digest", "data.digest", "recipe"] {
            assert_eq!(path_of(unknown), None, "{unknown}");
        }
    }
}
