//! Adam with bias correction (Kingma & Ba 2015, algorithm 1), with decoupled weight decay (Loshchilov &
//! Hutter 2019) of matrices; one pass over all parameters.

use super::Gradient;
use crate::isa::{Isa, for_each_isa};
use scalelaw_graph::{Adam, Tensor, Update};

/// Adam's numbers of one step in f32, as the loop uses them.
#[derive(Clone, Copy)]
struct Factors {
    keep1: f32,
    take1: f32,
    keep2: f32,
    take2: f32,
    /// lr / (1 − β1^t).
    rate: f32,
    /// 1 / √(1 − β2^t).
    root: f32,
    eps: f32,
    gradient: f32,
}

/// p ← p·(1 − lr·weight_decay), m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², p ← p − lr·m̂/(√v̂ + eps).
pub(super) fn update(
    adam: &Adam,
    isa: Isa,
    &Update { lr, step, .. }: &Update,
    tensors: &[Tensor],
    gradient: Gradient<'_>,
    parameters: &mut [f32],
    moments: &mut [f32],
) {
    if adam.weight_decay != 0.0 {
        let keep = (1.0 - lr * adam.weight_decay) as f32;
        for tensor in tensors.iter().filter(|tensor| tensor.role.is_decayed()) {
            multiply(isa, keep, &mut parameters[tensor.range.clone()]);
        }
    }
    let t = step as f64;
    let factors = Factors {
        keep1: adam.beta1 as f32,
        take1: (1.0 - adam.beta1) as f32,
        keep2: adam.beta2 as f32,
        take2: (1.0 - adam.beta2) as f32,
        rate: (lr / (1.0 - libm::pow(adam.beta1, t))) as f32,
        root: (1.0 / libm::sqrt(1.0 - libm::pow(adam.beta2, t))) as f32,
        eps: adam.eps as f32,
        gradient: gradient.scale as f32,
    };
    let (first, second) = moments.split_at_mut(parameters.len());
    apply(isa, factors, gradient.sum, parameters, first, second);
}

for_each_isa! {
    fn multiply(factor: f32, x: &mut [f32]) {
        for x in x {
            *x *= factor;
        }
    }

    fn apply(f: Factors, gradient: &[f32], parameters: &mut [f32], first: &mut [f32], second: &mut [f32]) {
        let moments = first.iter_mut().zip(second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            let g = g * f.gradient;
            *m = f.keep1.mul_add(*m, f.take1 * g);
            *v = f.keep2.mul_add(*v, f.take2 * g * g);
            *p -= f.rate * *m / v.sqrt().mul_add(f.root, f.eps);
        }
    }
}
