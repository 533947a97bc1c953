//! One optimiser step: clipping, the rule that moves the parameters, and the moments that the rule keeps.

use crate::graph::Tensor;
use crate::isa::Isa;
use crate::ops::adafactor::Adafactor;
use crate::ops::adam::Adam;

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
    /// The moments that the rule keeps for these parameters: their names and shapes, and where they lie in
    /// [`State::moments`](crate::State::moments).
    pub fn moments(&self, tensors: &[Tensor]) -> Vec<Tensor> {
        match self {
            Self::Adam(_) => Adam::moments(tensors).0,
            Self::Adafactor(_) => Adafactor::moments(tensors).0,
        }
    }

    /// Floats of all moments.
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
    /// Updates made so far, this one included: 1 at the first.
    pub step: u64,
    /// A gradient that is longer is scaled to this norm; `None` scales none.
    pub clip_norm: Option<f64>,
}

/// A batch's gradient as it was summed.
#[derive(Clone, Copy)]
pub(crate) struct Gradient<'a> {
    /// Sum over micro-batches.
    pub sum: &'a [f32],
    /// What makes it the mean, clipped.
    pub scale: f64,
}

impl Update {
    /// Moves the parameters along the gradient `gradient.sum`·`gradient.scale`, whose squared norm is
    /// `square`.
    pub(crate) fn apply(
        &self,
        isa: Isa,
        tensors: &[Tensor],
        square: f64,
        mut gradient: Gradient<'_>,
        parameters: &mut [f32],
        moments: &mut [f32],
    ) {
        if let Some(norm) = self.clip_norm {
            // Not `min`, which would swallow a norm that is not a number.
            let factor = norm / (libm::sqrt(square) + CLIP_EPSILON);
            gradient.scale *= if factor > 1.0 { 1.0 } else { factor };
        }
        match self.rule {
            Rule::Adam(adam) => adam.update(isa, self, tensors, gradient, parameters, moments),
            Rule::Adafactor(rule) => rule.update(isa, self, tensors, gradient, parameters, moments),
        }
    }
}

/// Moments under construction, one behind the other.
#[derive(Default)]
pub(crate) struct Moments(Vec<Tensor>);

impl Moments {
    /// Appends the moments of every tensor, given by name and shape.
    pub fn extend(&mut self, tensors: &[Tensor], of: impl Fn(&Tensor) -> Vec<(String, Vec<usize>)>) {
        for (name, shape) in tensors.iter().flat_map(of) {
            let start = self.len();
            let range = start..start + shape.iter().product::<usize>();
            self.0.push(Tensor { name, shape, range });
        }
    }

    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |moment| moment.range.end)
    }
}

/// A moment for every parameter of a tensor.
pub(crate) fn whole(kind: &str, tensor: &Tensor) -> Vec<(String, Vec<usize>)> {
    vec![(format!("{kind}.{}", tensor.name), tensor.shape.clone())]
}
