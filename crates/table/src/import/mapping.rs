//! Which metric of a log is what: names that trainers use, and the user's word.

use crate::error::TableError;
use crate::names::{Role, normalised};
use std::collections::{BTreeMap, BTreeSet};

/// What a metric can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    /// Training loss, nats per token.
    TrainLoss,
    /// Test or validation loss, nats per token.
    TestLoss,
    /// Loss on a further evaluation set, nats per token.
    SetLoss(String),
    /// Learning rate.
    Lr,
    /// Tokens processed.
    Tokens,
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TrainLoss => f.write_str("train_loss"),
            Self::TestLoss => f.write_str("test_loss"),
            Self::SetLoss(set) => write!(f, "loss_{set}"),
            Self::Lr => f.write_str("lr"),
            Self::Tokens => f.write_str("tokens"),
        }
    }
}

/// What is recognised by its name, and the role whose names those are.
const RECOGNISED: [(Quantity, Role); 4] = [
    (Quantity::TestLoss, Role::TestLoss),
    (Quantity::TrainLoss, Role::TrainLoss),
    (Quantity::Lr, Role::LearningRate),
    (Quantity::Tokens, Role::TokensSoFar),
];

/// Which metric is what: the user's word first, then the names known.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    given: BTreeMap<Quantity, String>,
    step: Option<String>,
}

impl Mapping {
    /// From entries such as `test_loss=eval/paloma/macro_loss`; keys are `train_loss`, `test_loss`, `loss_<set>`,
    /// `lr`, `tokens` and, for tables, `step`.
    ///
    /// # Errors
    /// An entry is not KEY=METRIC with such a key, or has a key for the second time.
    pub fn parse(entries: &[String]) -> Result<Self, TableError> {
        let mut mapping = Self::default();
        for entry in entries {
            let wrong = || TableError::Mapping { entry: entry.clone() };
            let (key, metric) = entry.split_once('=').ok_or_else(wrong)?;
            let metric = metric.trim().to_string();
            let before = match key.trim() {
                "step" => mapping.step.replace(metric),
                "train_loss" => mapping.given.insert(Quantity::TrainLoss, metric),
                "test_loss" => mapping.given.insert(Quantity::TestLoss, metric),
                "lr" => mapping.given.insert(Quantity::Lr, metric),
                "tokens" => mapping.given.insert(Quantity::Tokens, metric),
                // `loss_se` and `loss_min` are columns of their own in the run table.
                key => match key.strip_prefix("loss_").filter(|set| !["", "se", "min"].contains(set)) {
                    Some(set) => mapping.given.insert(Quantity::SetLoss(set.to_string()), metric),
                    None => return Err(wrong()),
                },
            };
            if let Some(before) = before {
                let (entry, key) = (entry.clone(), key.trim().to_string());
                return Err(TableError::MappedTwice { entry, key, before });
            }
        }
        Ok(mapping)
    }

    /// The step column that the user named.
    pub(super) fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    /// The metric that each quantity is taken from, and the user's words that name none of them. `column` is the
    /// column of a long table's values: the user's word for it leaves the choice among its metrics to their names.
    pub(super) fn assign(
        &self,
        metrics: &BTreeSet<&str>,
        column: Option<&str>,
    ) -> (BTreeMap<Quantity, String>, Vec<String>) {
        let of_column = |metric: &str| Some(metric) == column && !metrics.contains(metric);
        let mut assigned = BTreeMap::new();
        let mut unknown = Vec::new();
        for (quantity, metric) in self.given.iter().filter(|(_, metric)| !of_column(metric)) {
            if metrics.contains(metric.as_str()) {
                assigned.insert(quantity.clone(), metric.clone());
            } else {
                unknown.push(format!("{quantity}={metric}"));
            }
        }
        let given = |quantity: &Quantity| self.given.get(quantity).is_some_and(|metric| !of_column(metric));
        let free = |m: &&&str| !self.given.values().any(|g| g == **m);
        for (quantity, role) in RECOGNISED.into_iter().filter(|(quantity, _)| !given(quantity)) {
            let named = |name: &&str| metrics.iter().filter(free).find(|m| normalised(m) == *name);
            let known = role.names().iter().find_map(named);
            if let Some(metric) = known {
                assigned.insert(quantity, (*metric).to_string());
            }
        }
        let sets: Vec<(String, &str)> =
            metrics.iter().filter(free).filter_map(|m| Some((evaluation_set(m)?, *m))).collect();
        if let ([(_, only)], false) = (&sets[..], given(&Quantity::TestLoss)) {
            assigned.entry(Quantity::TestLoss).or_insert_with(|| (*only).to_string());
        }
        for (set, metric) in sets {
            assigned.entry(Quantity::SetLoss(set)).or_insert_with(|| metric.to_string());
        }
        for (quantity, metric) in self.given.iter().filter(|(_, metric)| of_column(metric)) {
            if let (1, Some(only)) = (metrics.len(), metrics.first()) {
                assigned.insert(quantity.clone(), (*only).to_string());
            } else if !assigned.contains_key(quantity) {
                unknown.push(format!("{quantity}={metric}"));
            }
        }
        (assigned, unknown)
    }
}

/// The evaluation set that a loss is named after: `c4` of `eval_c4_loss` (several evaluation sets in Hugging Face's
/// Trainer) or `eval/c4/loss`.
fn evaluation_set(metric: &str) -> Option<String> {
    const SEPARATORS: [char; 5] = ['_', '/', '.', '-', ' '];
    let lower = metric.to_lowercase();
    let rest = ["eval", "validation", "valid", "val", "test"]
        .iter()
        .find_map(|name| lower.strip_prefix(name)?.strip_prefix(SEPARATORS))?;
    let set = ["crossentropyloss", "loss"]
        .iter()
        .find_map(|loss| rest.strip_suffix(loss)?.strip_suffix(SEPARATORS))?;
    let set: String = set.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    // Further losses of the same evaluation, not of another set; `loss_se` and `loss_min` are columns of their own.
    const NO_SETS: [&str; 14] =
        ["", "se", "min", "best", "avg", "mean", "total", "aux", "z", "moe", "lm", "ce", "smoothed", "last"];
    (!NO_SETS.contains(&&*set)).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(entries: &[&str], metrics: &[&str]) -> Vec<(String, String)> {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let (assigned, _) =
            Mapping::parse(&entries).unwrap_or_default().assign(&metrics.iter().copied().collect(), None);
        assigned.into_iter().map(|(q, m)| (q.to_string(), m)).collect()
    }

    #[test]
    fn names_of_common_trainers_are_recognised() {
        let pair = |q: &str, m: &str| (q.to_string(), m.to_string());
        let hugging_face =
            ["train/loss", "eval/loss", "train/learning_rate", "train/grad_norm", "aux_val_loss"];
        assert_eq!(
            assigned(&[], &hugging_face),
            [
                pair("train_loss", "train/loss"),
                pair("test_loss", "eval/loss"),
                pair("lr", "train/learning_rate")
            ]
        );
        let megatron = ["lm loss", "lm loss validation", "learning-rate"];
        assert_eq!(
            assigned(&[], &megatron),
            [
                pair("train_loss", "lm loss"),
                pair("test_loss", "lm loss validation"),
                pair("lr", "learning-rate")
            ]
        );
    }

    #[test]
    fn losses_named_after_a_set_are_those_of_evaluation_sets() {
        let pair = |q: &str, m: &str| (q.to_string(), m.to_string());
        assert_eq!(
            assigned(&[], &["eval_c4_loss", "eval_wiki_loss", "eval_c4_runtime", "eval_aux_loss", "loss"]),
            [
                pair("train_loss", "loss"),
                pair("loss_c4", "eval_c4_loss"),
                pair("loss_wiki", "eval_wiki_loss")
            ]
        );
        // One set alone is the test set too; the user's word for either comes first.
        assert_eq!(
            assigned(&[], &["eval/C4-en/loss"]),
            [pair("test_loss", "eval/C4-en/loss"), pair("loss_c4_en", "eval/C4-en/loss")]
        );
        assert_eq!(
            assigned(&["test_loss=eval_c4_loss"], &["eval_c4_loss", "eval_wiki_loss"]),
            [pair("test_loss", "eval_c4_loss"), pair("loss_wiki", "eval_wiki_loss")]
        );
    }

    #[test]
    fn a_metric_that_the_user_gave_a_meaning_has_no_other() {
        assert_eq!(
            assigned(&["loss_wiki=val_loss"], &["val_loss", "loss"]),
            [("train_loss".to_string(), "loss".to_string()), ("loss_wiki".into(), "val_loss".into())]
        );
    }

    #[test]
    fn entries_that_are_no_mapping_are_named() {
        for entry in ["loss", "loss=x", "loss_=x", "loss_min=x", "N=params"] {
            let error = Mapping::parse(&[entry.to_string()]).expect_err("no mapping").to_string();
            assert!(error.contains(entry) && error.contains("test_loss"), "{error}");
        }
        let twice = ["lr=a".to_string(), "lr=b".to_string()];
        assert!(Mapping::parse(&twice).expect_err("twice").to_string().contains("already"));
    }
}
