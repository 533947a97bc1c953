//! What is measured during a run besides the test loss.

use crate::error::SpecError;
use crate::identity::Identity;
use serde::{Deserialize, Serialize};

/// A further set of text on which every evaluation measures the loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSet {
    /// Its name; the column of its loss is `loss_<name>`.
    pub name: String,
    /// Digest of its token files and tokenizer.
    pub digest: String,
    /// Tokens used, from the beginning of its test split.
    pub tokens: u64,
}

impl EvaluationSet {
    /// The rule for names, in words.
    pub const NAME_RULE: &str = "a name of its own made of letters, digits, _ - .";

    /// Whether `name` can be the name of a set.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    }
}

/// What is measured during a run besides the test loss; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measure {
    /// Whether every evaluation keeps the test loss of each position of the context (Kaplan et al. 2020,
    /// figures 7, 20 and 21).
    #[serde(skip_serializing_if = "is_false")]
    pub position_losses: bool,
    /// Further sets (figure 8).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<EvaluationSet>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(x: &bool) -> bool {
    !*x
}

impl Measure {
    /// Whether only the test loss is measured.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn validate(&self, n_ctx: u32) -> Result<(), SpecError> {
        for (i, set) in self.sets.iter().enumerate() {
            let twice = self.sets[..i].iter().any(|earlier| earlier.name == set.name);
            if twice || !EvaluationSet::is_name(&set.name) {
                return Err(SpecError::Value {
                    key: "measure.sets.name",
                    value: format!("{:?}", set.name),
                    expected: EvaluationSet::NAME_RULE,
                });
            }
            if set.tokens <= u64::from(n_ctx) {
                return Err(SpecError::Value {
                    key: "measure.sets.tokens",
                    value: set.tokens.to_string(),
                    expected: "more than one context, n_ctx + 1",
                });
            }
        }
        Ok(())
    }

    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let Self { position_losses, sets } = self;
        if *position_losses {
            identity.setting("measure.position_losses", true);
        }
        for EvaluationSet { name, digest, tokens } in sets {
            identity.setting("measure.sets", format_args!("{name} {digest} {tokens}"));
        }
    }
}
