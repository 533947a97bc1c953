//! Settings of training that most runs leave at their defaults.

use crate::error::SpecError;
use crate::identity::Identity;
use serde::{Deserialize, Serialize};

/// Whether a run may see a token twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// The run may pass over its training tokens several times, each time in a new order.
    #[default]
    Allowed,
    /// The run must not repeat a token: a spec with more steps than its training tokens allow is refused.
    Refused,
}

/// The standard deviations of the initial weights, which are normal numbers; that of embeddings is the spec's `init_std`.
/// Biases begin at zero (those of an LSTM's forget gates at one) and norms at the identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Standard deviation `init_std`; where a layer joins the residual stream, `init_std`/√(2·n_layer·reuse)
    /// (Radford et al. 2019).
    #[default]
    Gpt2,
    /// `init_std` everywhere.
    Normal,
    /// 1/√inputs for a matrix (LeCun et al. 1998).
    FanIn,
    /// √(2/(inputs + outputs)) for a matrix (Glorot & Bengio 2010).
    Xavier,
}

/// Settings of training that most runs leave at their defaults; the default is the behaviour of a run without them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Maximum L2 norm of a step's gradient; longer gradients are rescaled to it. `None` disables clipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The initial weights.
    #[serde(skip_serializing_if = "is_gpt2")]
    pub init: Init,
    /// Share of activations that are dropped in training; the paper uses 0.1 where it varies D.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropout: f64,
    /// Whether training tokens may be seen twice. This changes no byte of a run, so it is not part of the identity.
    #[serde(skip_serializing_if = "is_allowed")]
    pub repeats: Repeats,
    /// Steps after which the state is kept, so that other runs can branch off there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branch_steps: Vec<u64>,
    /// Key of the run from whose state this one starts, at the beginning of its cooldown. This saves work and changes no
    /// byte of the run, so it is not part of the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_run: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_gpt2(init: &Init) -> bool {
    *init == Init::Gpt2
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_allowed(repeats: &Repeats) -> bool {
    *repeats == Repeats::Allowed
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
        if !(0.0..1.0).contains(&self.dropout) {
            return value("training.dropout", self.dropout.to_string(), "0 up to but not 1");
        }
        let increasing = self.branch_steps.windows(2).all(|pair| pair[0] < pair[1]);
        let within = self.branch_steps.iter().all(|step| (1..=steps).contains(step));
        if !(increasing && within) {
            let expected = "increasing steps from 1 to the run's last";
            return value("training.branch_steps", format!("{:?}", self.branch_steps), expected);
        }
        Ok(())
    }

    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let Self {
            clip_norm,
            init,
            dropout,
            repeats: _, // refuses a run or lets it pass
            branch_steps,
            parent_run: _, // saves work
        } = self;
        if let Some(norm) = clip_norm {
            identity.setting("training.clip_norm", norm);
        }
        let init = match init {
            Init::Gpt2 => None,
            Init::Normal => Some("normal"),
            Init::FanIn => Some("fan_in"),
            Init::Xavier => Some("xavier"),
        };
        if let Some(name) = init {
            identity.setting("training.init", name);
        }
        if *dropout != 0.0 {
            identity.setting("training.dropout", dropout);
        }
        if !branch_steps.is_empty() {
            identity.setting("training.branch_steps", format_args!("{branch_steps:?}"));
        }
    }
}
