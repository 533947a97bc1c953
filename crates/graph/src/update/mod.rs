//! One optimiser step: clipping, the rule that moves the parameters, and the moments that the rule keeps.
//!
//! A new rule is a file here, a variant of [`Rule`], and its file in every device.

mod adafactor;
mod adam;

pub use adafactor::{Adafactor, StepSize};
pub use adam::Adam;

use crate::tensor::{Layout, Tensor};

/// Added to the gradient's norm before it is clipped, as PyTorch's `clip_grad_norm_` does.
const CLIP_EPSILON: f64 = 1e-6;

/// How parameters move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Adam, with decoupled weight decay or without.
    Adam(Adam),
    /// Adafactor.
    Adafactor(Adafactor),
}

impl Rule {
    /// The moments that the rule keeps for these parameters: their names, shapes and positions in
    /// [`State::moments`](crate::State::moments).
    pub fn moments(&self, tensors: &[Tensor]) -> Vec<Tensor> {
        let mut layout = Layout::default();
        match self {
            Self::Adam(adam) => adam.moments(tensors, &mut layout),
            Self::Adafactor(adafactor) => adafactor.moments(tensors, &mut layout),
        }
        layout.into_tensors()
    }

    /// Elements of all moments.
    pub fn moments_len(&self, tensors: &[Tensor]) -> usize {
        self.moments(tensors).last().map_or(0, |moment| moment.range.end)
    }
}

/// One update's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The rule.
    pub rule: Rule,
    /// Learning rate of this step.
    pub lr: f64,
    /// Number of this update: 1 for the first.
    pub step: u64,
    /// Maximum L2 norm of a step's gradient; a longer gradient is rescaled to it. `None` disables clipping.
    pub clip_norm: Option<f64>,
}

impl Update {
    /// The factor that clips a gradient of this squared norm.
    pub fn clip_factor(&self, square: f64) -> f64 {
        let Some(norm) = self.clip_norm else { return 1.0 };
        // Not `min`, which would hide a norm that is not a number.
        let factor = norm / (libm::sqrt(square) + CLIP_EPSILON);
        if factor > 1.0 { 1.0 } else { factor }
    }

    /// Moves parameters along a batch's mean gradient, in f64: the reference of every device.
    pub fn apply(&self, tensors: &[Tensor], gradient: &[f64], parameters: &mut [f64], moments: &mut [f64]) {
        let square = gradient.iter().map(|g| g * g).sum();
        let factor = self.clip_factor(square);
        let gradient: Vec<f64> = gradient.iter().map(|g| g * factor).collect();
        match self.rule {
            Rule::Adam(adam) => adam.apply(self, tensors, &gradient, parameters, moments),
            Rule::Adafactor(adafactor) => adafactor.apply(self, tensors, &gradient, parameters, moments),
        }
    }
}
