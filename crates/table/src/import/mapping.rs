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

    /// The metric that each quantity is taken from, and the user's words that name none of them.
    pub(super) fn assign(&self, metrics: &BTreeSet<&str>) -> (BTreeMap<Quantity, String>, Vec<String>) {
        let mut assigned = BTreeMap::new();
        let mut unknown = Vec::new();
        for (quantity, metric) in &self.given {
            if metrics.contains(metric.as_str()) {
                assigned.insert(quantity.clone(), metric.clone());
            } else {
                unknown.push(format!("{quantity}={metric}"));
            }
        }
        for (quantity, role) in RECOGNISED {
            if self.given.contains_key(&quantity) {
                continue;
            }
            let free = |m: &&&str| !self.given.values().any(|g| g == **m);
            let named = |name: &&str| metrics.iter().filter(free).find(|m| normalised(m) == *name);
            let known = role.names().iter().find_map(named);
            if let Some(metric) = known {
                assigned.insert(quantity, (*metric).to_string());
            }
        }
        (assigned, unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(entries: &[&str], metrics: &[&str]) -> Vec<(String, String)> {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let (assigned, _) =
            Mapping::parse(&entries).unwrap_or_default().assign(&metrics.iter().copied().collect());
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
