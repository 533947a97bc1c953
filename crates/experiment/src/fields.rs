//! The fields that a run's spec has, asked of its own types: a field added to the spec is a setting at once.

use scalelaw_core::spec::{Batch, DataSpec, Evaluation, Measure, RunSpec, Training};
use scalelaw_core::{Block, ModelShape, schedule::Schedule};
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Structs of the spec by their path, each with its fields; the spec itself has no path.
static GROUPS: LazyLock<BTreeMap<&'static str, &'static [&'static str]>> = LazyLock::new(|| {
    BTreeMap::from([
        ("", of::<RunSpec>()),
        ("model", of::<ModelShape>()),
        ("model.block", of::<Block>()),
        ("data", of::<DataSpec>()),
        ("batch", of::<Batch>()),
        ("schedule", of::<Schedule>()),
        ("evaluation", of::<Evaluation>()),
        ("training", of::<Training>()),
        ("measure", of::<Measure>()),
    ])
});

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

/// Paths of all fields that a setting may name; a field with kinds (`schedule.decay`) has more below it.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fields = GROUPS.iter().flat_map(|(group, fields)| fields.iter().map(|field| join(group, field)));
    fields.filter(|path| !is_group(path) && !OURS.contains(&path.as_str())).collect()
});

/// A path of a field of a group.
pub(crate) fn join(group: &str, field: &str) -> String {
    if group.is_empty() { field.to_owned() } else { format!("{group}.{field}") }
}

/// The fields by their paths and by the last names of only one path.
static CALLED: LazyLock<BTreeMap<&str, Option<&str>>> = LazyLock::new(|| {
    let mut called = BTreeMap::new();
    for path in PATHS.iter().map(String::as_str) {
        for (dot, _) in path.match_indices('.') {
            called.entry(&path[dot + 1..]).and_modify(|path| *path = None).or_insert(Some(path));
        }
    }
    called.extend(PATHS.iter().map(|path| (path.as_str(), Some(path.as_str()))));
    called
});

/// The path of the field called `name`: its path, or the last names of only one; `None` when there is no such field.
pub(crate) fn path_of(name: &str) -> Option<String> {
    let mut called = name;
    loop {
        if let Some(path) = CALLED.get(called) {
            // What follows is below a field with kinds.
            return path.map(|path| format!("{path}{}", &name[called.len()..]));
        }
        (called, _) = called.rsplit_once('.')?;
    }
}

/// The path of the group called `name`, its path or its last name.
pub(crate) fn group_of(name: &str) -> Option<&'static str> {
    let is_called =
        |path: &str| path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    GROUPS.keys().copied().find(|path| !path.is_empty() && is_called(path))
}

fn is_group(path: &str) -> bool {
    GROUPS.contains_key(path)
}

/// Every field by its last name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PATHS.iter().map(|path| path.rsplit('.').next().unwrap_or(path))
}

/// Whether the field at `path` holds whole numbers; `kind` says of a path of the kinds above it which one is said there.
pub(crate) fn is_whole(path: &str, kind: impl Fn(&str) -> Option<String>) -> bool {
    let Some((mut above, last)) = path.rsplit_once('.').or(Some(("", path))) else { return false };
    let mut trial = Trial::Table(vec![(last.to_owned(), Trial::Half)]);
    loop {
        if let (Trial::Table(entries), Some(kind)) = (&mut trial, kind(&join(above, "kind"))) {
            entries.insert(0, ("kind".to_owned(), Trial::Word(kind)));
        }
        if above.is_empty() {
            break;
        }
        let (up, name) = above.rsplit_once('.').unwrap_or(("", above));
        (trial, above) = (Trial::Table(vec![(name.to_owned(), trial)]), up);
    }
    matches!(RunSpec::deserialize(trial), Err(Answer::Whole))
}

/// The fields that a type's derived `Deserialize` asks for; none for a type that is no plain struct.
fn of<T: Deserialize<'static>>() -> &'static [&'static str] {
    match T::deserialize(Trial::Nothing) {
        Err(Answer::Fields(fields)) => fields,
        _ => &[],
    }
}

/// A value that types are tried with, to hear what they ask for.
enum Trial {
    /// A struct names its fields.
    Nothing,
    /// A field of whole numbers refuses it.
    Half,
    /// The name of a kind.
    Word(String),
    Table(Vec<(String, Trial)>),
}

/// What a type said to a trial.
#[derive(Debug)]
enum Answer {
    Fields(&'static [&'static str]),
    /// It wants a whole number.
    Whole,
    Other,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Answer {}

impl de::Error for Answer {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        // Types of whole numbers call themselves u8 to i64.
        let expected = expected.to_string();
        let bits = expected.strip_prefix(['u', 'i']).unwrap_or_default();
        match got {
            Unexpected::Float(_) if bits.parse::<u8>().is_ok() => Self::Whole,
            _ => Self::Other,
        }
    }
}

impl IntoDeserializer<'_, Answer> for Trial {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Trial {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        match self {
            Self::Nothing => Err(Answer::Other),
            Self::Half => visitor.visit_f64(0.5),
            Self::Word(word) => visitor.visit_str(&word),
            Self::Table(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        match self {
            Self::Nothing => Err(Answer::Fields(fields)),
            trial => trial.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        match self {
            Self::Word(word) => visitor.visit_enum(StrDeserializer::new(&word)),
            _ => Err(Answer::Other),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_path_and_by_last_name() {
        for (name, path) in [
            ("lr", "schedule.lr"),
            ("schedule.lr", "schedule.lr"),
            ("decay", "schedule.decay"),
            ("decay.kind", "schedule.decay.kind"),
            ("dropout", "training.dropout"),
            ("steps", "steps"),
            ("precision", "precision"),
            ("optimizer.beta2", "optimizer.beta2"),
            ("norm", "model.block.norm"),
            ("block.norm", "model.block.norm"),
            ("model.block.norm", "model.block.norm"),
            ("norm_placement", "model.block.norm_placement"),
        ] {
            assert_eq!(path_of(name).as_deref(), Some(path), "{name}");
        }
        for unknown in [
            "lrr",
            "model.lr",
            "model",
            "model.block",
            "block",
            "norms",
            "digest",
            "data.digest",
            "recipe",
            "",
        ] {
            assert_eq!(path_of(unknown), None, "{unknown}");
        }
        assert_eq!(
            (group_of("block"), group_of("batch"), group_of("lock")),
            (Some("model.block"), Some("batch"), None)
        );
    }

    #[test]
    fn whole_numbers_are_those_that_the_types_want_whole() {
        let kind = |path: &str| {
            let kind = match path {
                "schedule.decay.kind" => "cosine_cycle",
                "optimizer.kind" => "adafactor",
                "optimizer.step_size.kind" => "relative",
                _ => return None,
            };
            Some(kind.to_owned())
        };
        for path in [
            "seed",
            "steps",
            "numerics",
            "model.n_layer",
            "model.d_ff",
            "model.reuse",
            "model.block.n_kv_head",
            "data.train_tokens",
            "batch.micro_sequences",
            "schedule.warmup_steps",
            "schedule.decay.cycle_steps",
            "evaluation.per_decade",
            "evaluation.patience",
        ] {
            assert!(is_whole(path, kind), "{path}");
        }
        for path in [
            "init_std",
            "schedule.lr",
            "schedule.decay.final_fraction",
            "optimizer.clip_threshold",
            "optimizer.step_size.floor",
            "training.clip_norm",
            "training.dropout",
            "training.init",
            "model.head",
            "measure.position_losses",
            "nothing",
        ] {
            assert!(!is_whole(path, kind), "{path}");
        }
        assert!(!is_whole("schedule.decay.cycle_steps", |_| Some("cosine".into())), "of another kind");
    }
}
