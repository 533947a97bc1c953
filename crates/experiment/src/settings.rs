//! Settings: what a run is made of before it is resolved; a later layer replaces what an earlier one said.

use crate::error::Place;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Value;

/// Words that are not fields of a spec but are turned into them, each with its meaning.
pub const WORDS: [(&str, &str); 15] = [
    ("tokens", "tokens processed: steps = tokens / batch_tokens"),
    ("epochs", "times the training tokens are seen: steps = epochs * train_tokens / batch_tokens"),
    ("flops_6n", "training FLOPs, 6N a token: steps follow (an isoFLOP budget)"),
    ("flops_matmul", "training FLOPs with the head: steps follow"),
    ("flops_full", "training FLOPs with head and attention: steps follow"),
    ("batch_tokens", "tokens a step: sequences = batch_tokens / n_ctx"),
    ("warmup_tokens", "tokens of warm-up: warmup_steps = warmup_tokens / batch_tokens"),
    ("warmup", "share of the steps that is warm-up"),
    ("cooldown", "share of the steps, at the end, over which a constant rate falls linearly to zero"),
    ("n_nonembed", "N wanted, to 1%: the shape solver finds what is left open of n_layer, d_model, d_ff"),
    ("aspect", "d_model / n_layer that the shape solver aims at"),
    ("ff_ratio", "d_ff / d_model; 4 where nothing is said"),
    ("d_head", "width of a head: n_head = d_attn / d_head, at least 1"),
    ("seeds", "a list of seeds"),
    (
        BRANCHES,
        "steps of runs that share one trunk of constant rate until their cooldown; steps is the trunk's",
    ),
];

/// Words that stand for counts, which are whole.
pub(crate) const WHOLE_WORDS: [&str; 5] = ["tokens", "batch_tokens", "warmup_tokens", "n_nonembed", "d_head"];

/// The word whose list is a value and multiplies nothing.
pub(crate) const BRANCHES: &str = "branches";

/// Ways to say the same thing: in a run only the last one said holds.
const RIVALS: [&[&str]; 6] = [
    &["steps", "tokens", "epochs", "flops_6n", "flops_matmul", "flops_full"],
    &["batch.sequences", "batch_tokens"],
    &["schedule.warmup_steps", "warmup_tokens", "warmup"],
    &["schedule.decay", "cooldown"],
    &["model.d_ff", "ff_ratio"],
    &["model.n_head", "d_head"],
];

/// A value and where it was said.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub value: Value,
    pub place: Place,
}

/// What one combination of an axis says.
pub(crate) type Choice = Vec<(Arc<str>, Setting)>;

/// All settings of a run by path or word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<Arc<str>, Setting>);

impl Settings {
    /// Says something, and takes back what it replaces.
    pub fn say(&mut self, path: &Arc<str>, setting: Setting) {
        if let Some(rivals) = rivals(path) {
            self.0.retain(|other, _| !rivals.iter().any(|r| is_under(other, r) && !is_under(path, r)));
        }
        // A table that names its kind replaces the one before; any other adds to it.
        if let Some(parent) = path.strip_suffix(".kind") {
            self.0.retain(|other, _| !is_under(other, parent));
        }
        // A list of branches replaces the one before.
        if path.strip_prefix(BRANCHES) == Some(".0") {
            self.0.retain(|other, _| !is_under(other, BRANCHES));
        }
        self.0.insert(Arc::clone(path), setting);
    }

    pub fn say_all(&mut self, choice: &Choice) {
        for (path, setting) in choice {
            self.say(path, setting.clone());
        }
    }

    pub fn get(&self, path: &str) -> Option<&Setting> {
        self.0.get(path)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(path, setting)| (&**path, setting))
    }
}

/// The group of rivals that a path belongs to.
pub(crate) fn rivals(path: &str) -> Option<&'static [&'static str]> {
    RIVALS.into_iter().find(|group| group.iter().any(|r| is_under(path, r)))
}

/// Whether `path` is `group` or below it.
pub(crate) fn is_under(path: &str, group: &str) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
