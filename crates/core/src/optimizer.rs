//! The update rules of the parameters.

use crate::error::SpecError;
use crate::identity::Identity;
use serde::{Deserialize, Serialize};

/// The update rule and its constants. The schedule gives the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam with bias correction (Kingma & Ba 2015).
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019). Only matrices and tables decay, not biases and norms.
    #[serde(rename = "adamw")]
    AdamW {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        eps: f64,
        /// Before each step, weights are multiplied by 1 − rate·weight_decay.
        weight_decay: f64,
    },
    /// Adafactor without a first moment (Shazeer & Stern 2018, algorithms 4 and 5): the second moment of a
    /// matrix is the product of its rows' and its columns' means.
    Adafactor {
        /// The second moment's decay at step t is 1 − t^−decay_exponent; the exponent is 0.8 in the paper.
        decay_exponent: f64,
        /// ε1, added to the squared gradients; 1e-30 in the paper.
        eps: f64,
        /// d: an update with a larger root mean square is scaled down to it; 1 in the paper.
        clip_threshold: f64,
        /// The meaning of the schedule's rate.
        step_size: StepSize,
    },
}

/// The meaning of the schedule's rate for Adafactor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepSize {
    /// The step size itself.
    Absolute,
    /// A share of the tensor's root mean square: step t has max(floor, RMS)·min(rate, 1/√t)
    /// (Shazeer & Stern 2018, section 8).
    Relative {
        /// ε2, the least root mean square of a tensor; 1e-3 in the paper.
        floor: f64,
    },
}

impl Optimizer {
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        let check = |fits: bool, key, value: f64, expected| {
            let value = value.to_string();
            if fits { Ok(()) } else { Err(SpecError::Value { key, value, expected }) }
        };
        let positive = |key, x: f64| check(x.is_finite() && x > 0.0, key, x, "a positive number");
        match *self {
            Self::Adam { beta1, beta2, eps } | Self::AdamW { beta1, beta2, eps, .. } => {
                for (key, beta) in [("optimizer.beta1", beta1), ("optimizer.beta2", beta2)] {
                    check((0.0..1.0).contains(&beta), key, beta, "0 up to but not 1")?;
                }
                positive("optimizer.eps", eps)?;
            }
            Self::Adafactor { decay_exponent, eps, clip_threshold, step_size } => {
                positive("optimizer.decay_exponent", decay_exponent)?;
                // Smaller values become zero in f32.
                check((1e-37..1.0).contains(&eps), "optimizer.eps", eps, "1e-37 up to but not 1")?;
                positive("optimizer.clip_threshold", clip_threshold)?;
                if let StepSize::Relative { floor } = step_size {
                    positive("optimizer.step_size.floor", floor)?;
                }
            }
        }
        if let Self::AdamW { weight_decay, .. } = *self {
            check((0.0..=1e3).contains(&weight_decay), "optimizer.weight_decay", weight_decay, "0 to 1000")?;
        }
        Ok(())
    }

    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        match *self {
            Self::Adam { beta1, beta2, eps } => {
                identity.line("optimizer", format_args!("adam {beta1} {beta2} {eps}"));
            }
            Self::AdamW { beta1, beta2, eps, weight_decay } => {
                identity.line("optimizer", format_args!("adamw {beta1} {beta2} {eps} {weight_decay}"));
            }
            Self::Adafactor { decay_exponent, eps, clip_threshold, step_size } => {
                let step_size = match step_size {
                    StepSize::Absolute => "absolute".into(),
                    StepSize::Relative { floor } => format!("relative {floor}"),
                };
                let constants = format_args!("adafactor {decay_exponent} {eps} {clip_threshold} {step_size}");
                identity.line("optimizer", constants);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAFACTOR: Optimizer = Optimizer::Adafactor {
        decay_exponent: 0.8,
        eps: 1e-30,
        clip_threshold: 1.0,
        step_size: StepSize::Relative { floor: 1e-3 },
    };

    #[test]
    fn toml_of_every_optimizer_reads_back_equal() {
        let adamw = Optimizer::AdamW { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1 };
        for optimizer in [adamw, ADAFACTOR] {
            optimizer.validate().unwrap();
            let text = toml::to_string(&optimizer).unwrap();
            assert_eq!(toml::from_str::<Optimizer>(&text).unwrap(), optimizer, "{text}");
        }
        assert!(toml::to_string(&adamw).unwrap().contains("kind = \"adamw\""));
    }

    #[test]
    fn constants_out_of_range_name_their_key() {
        let name = |optimizer: Optimizer| optimizer.validate().unwrap_err().to_string();
        let adamw = Optimizer::AdamW { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: -0.1 };
        assert!(name(adamw).starts_with("optimizer.weight_decay"));
        let Optimizer::Adafactor { decay_exponent, eps, clip_threshold, .. } = ADAFACTOR else { return };
        let step_size = StepSize::Relative { floor: 0.0 };
        let no_floor = Optimizer::Adafactor { decay_exponent, eps, clip_threshold, step_size };
        assert!(name(no_floor).starts_with("optimizer.step_size.floor"));
    }
}
