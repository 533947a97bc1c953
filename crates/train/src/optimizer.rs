//! A spec's optimiser as the device knows it.

use scalelaw_core::spec::{Optimizer, StepSize};
use scalelaw_graph as graph;
use scalelaw_graph::{Adafactor, Adam, Rule};

/// The rule that moves the parameters of a run with this optimiser.
pub fn rule(optimizer: &Optimizer) -> Rule {
    match *optimizer {
        Optimizer::Adam { beta1, beta2, eps } => Rule::Adam(Adam { beta1, beta2, eps, weight_decay: 0.0 }),
        Optimizer::AdamW { beta1, beta2, eps, weight_decay } => {
            Rule::Adam(Adam { beta1, beta2, eps, weight_decay })
        }
        Optimizer::Adafactor { decay_exponent, eps, clip_threshold, step_size } => {
            let step_size = match step_size {
                StepSize::Absolute => graph::StepSize::Absolute,
                StepSize::Relative { floor } => graph::StepSize::Relative { floor },
            };
            Rule::Adafactor(Adafactor { decay_exponent, eps, clip_threshold, step_size })
        }
    }
}
