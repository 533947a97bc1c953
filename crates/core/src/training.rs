//! Settings of training that most runs leave alone.

use crate::spec::SpecError;
use serde::{Deserialize, Serialize};

/// Settings of training that most runs leave alone; the default is what a run does without them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// A step's gradient that is longer is scaled to this norm; absent, none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Steps after which the state is kept for runs that branch off here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branch_steps: Vec<u64>,
    /// Key of the run whose state this one starts from, where its cooldown begins. It saves work and changes
    /// no byte of the run, so it is not part of the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_run: Option<String>,
}

impl Training {
    /// Whether all settings are at their defaults.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn validate(&self, steps: u64) -> Result<(), SpecError> {
        let value = |key, value: String, expected| Err(SpecError::Value { key, value, expected });
        if let Some(norm) = self.clip_norm.filter(|norm| !(norm.is_finite() && *norm > 0.0)) {
            return value("training.clip_norm", norm.to_string(), "a positive number");
        }
        let increasing = self.branch_steps.windows(2).all(|pair| pair[0] < pair[1]);
        let within = self.branch_steps.iter().all(|step| (1..=steps).contains(step));
        if !(increasing && within) {
            let expected = "increasing steps from 1 to the run's last";
            return value("training.branch_steps", format!("{:?}", self.branch_steps), expected);
        }
        Ok(())
    }

    /// Its part of a run's identity: one `key=value` line for every setting that is not at its default.
    pub(crate) fn identity(&self) -> Vec<String> {
        let mut lines = vec![];
        lines.extend(self.clip_norm.map(|norm| format!("training.clip_norm={norm}")));
        if !self.branch_steps.is_empty() {
            lines.push(format!("training.branch_steps={:?}", self.branch_steps));
        }
        lines
    }
}
