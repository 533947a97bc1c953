//! Adam with bias correction (Kingma & Ba 2015, algorithm 1), with decoupled weight decay (Loshchilov &
//! Hutter 2019) of matrices and tables.

use super::Update;
use crate::tensor::{Layout, Tensor};

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Before each step, tensors whose [role](crate::Role::is_decayed) says so are multiplied by
    /// 1 − lr·weight_decay.
    pub weight_decay: f64,
}

impl Adam {
    /// First moments of all parameters, then second ones.
    pub(super) fn moments(&self, tensors: &[Tensor], layout: &mut Layout) {
        for kind in ["adam.exp_avg", "adam.exp_avg_sq"] {
            for tensor in tensors {
                layout.push(format!("{kind}.{}", tensor.name), tensor.shape.clone(), tensor.role);
            }
        }
    }

    /// p ← p·(1 − lr·weight_decay), m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², p ← p − lr·m̂/(√v̂ + eps).
    pub(super) fn apply(
        &self,
        &Update { lr, step, .. }: &Update,
        tensors: &[Tensor],
        gradient: &[f64],
        parameters: &mut [f64],
        moments: &mut [f64],
    ) {
        let Self { beta1, beta2, eps, weight_decay } = *self;
        let t = step as f64;
        let (first, second) = moments.split_at_mut(parameters.len());
        for tensor in tensors {
            let keep = if tensor.role.is_decayed() { 1.0 - lr * weight_decay } else { 1.0 };
            for i in tensor.range.clone() {
                let g = gradient[i];
                first[i] = beta1 * first[i] + (1.0 - beta1) * g;
                second[i] = beta2 * second[i] + (1.0 - beta2) * g * g;
                let m_hat = first[i] / (1.0 - libm::pow(beta1, t));
                let v_hat = second[i] / (1.0 - libm::pow(beta2, t));
                parameters[i] = keep * parameters[i] - lr * m_hat / (libm::sqrt(v_hat) + eps);
            }
        }
    }
}
