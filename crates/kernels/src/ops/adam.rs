//! Adam with bias correction (Kingma & Ba 2015, algorithm 1), with decoupled weight decay (Loshchilov &
//! Hutter 2019) of matrices; one pass over all parameters.

use crate::graph::Tensor;
use crate::isa::{Isa, for_each_isa};
use crate::update::{Gradient, Moments, Update, whole};

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Before each step, tensors of two dimensions are multiplied by 1 − lr·weight_decay.
    pub weight_decay: f64,
}

/// The same in the f32 factors that the loop uses.
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

impl Adam {
    /// First moments of all parameters, then second ones.
    pub(crate) fn moments(tensors: &[Tensor]) -> Moments {
        let mut moments = Moments::default();
        moments.extend(tensors, |tensor| whole("adam.exp_avg", tensor));
        moments.extend(tensors, |tensor| whole("adam.exp_avg_sq", tensor));
        moments
    }

    /// p ← p·(1 − lr·weight_decay), m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², p ← p − lr·m̂/(√v̂ + eps).
    pub(crate) fn update(
        &self,
        isa: Isa,
        &Update { lr, step, .. }: &Update,
        tensors: &[Tensor],
        gradient: Gradient<'_>,
        parameters: &mut [f32],
        moments: &mut [f32],
    ) {
        if self.weight_decay != 0.0 {
            let keep = (1.0 - lr * self.weight_decay) as f32;
            for tensor in tensors.iter().filter(|tensor| tensor.shape.len() == 2) {
                multiply(isa, keep, &mut parameters[tensor.range.clone()]);
            }
        }
        let t = step as f64;
        let factors = Factors {
            keep1: self.beta1 as f32,
            take1: (1.0 - self.beta1) as f32,
            keep2: self.beta2 as f32,
            take2: (1.0 - self.beta2) as f32,
            rate: (lr / (1.0 - libm::pow(self.beta1, t))) as f32,
            root: (1.0 / libm::sqrt(1.0 - libm::pow(self.beta2, t))) as f32,
            eps: self.eps as f32,
            gradient: gradient.scale as f32,
        };
        let (first, second) = moments.split_at_mut(parameters.len());
        apply(isa, factors, gradient.sum, parameters, first, second);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;
    use crate::update::Rule;

    #[test]
    fn adam_follows_the_algorithm_in_f64_and_decays_only_matrices() {
        let tensor = |shape: &[usize], range| Tensor { name: "t".into(), shape: shape.to_vec(), range };
        let tensors = [tensor(&[5, 4], 0..20), tensor(&[17], 20..37)];
        let n = 37;
        let mut parameters = numbers(n, 1);
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        let (lr, scale) = (0.01, 0.5);
        let adam = Adam { beta1: 0.9, beta2: 0.95, eps: 1e-3, weight_decay: 0.2 };
        let start = narrow(&parameters);
        let got = on_every_isa(|isa| {
            let (mut p, mut moments) = (start.clone(), vec![0.0; 2 * n]);
            for step in 1..=5 {
                let sum = narrow(&numbers(n, 10 + step));
                let gradient = Gradient { sum: &sum, scale };
                let update = Update { rule: Rule::Adam(adam), lr, step, clip_norm: None };
                adam.update(isa, &update, &tensors, gradient, &mut p, &mut moments);
            }
            vec![p, moments]
        });
        let Adam { beta1, beta2, eps, weight_decay } = adam;
        for step in 1..=5 {
            let gradient = numbers(n, 10 + step);
            for i in 0..n {
                let g = scale * gradient[i];
                m[i] = beta1 * m[i] + (1.0 - beta1) * g;
                v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
                let (m_hat, v_hat) =
                    (m[i] / (1.0 - beta1.powi(step as i32)), v[i] / (1.0 - beta2.powi(step as i32)));
                let keep = if i < 20 { 1.0 - lr * weight_decay } else { 1.0 };
                parameters[i] = keep * parameters[i] - lr * m_hat / (v_hat.sqrt() + eps);
            }
        }
        assert_close(&got[0], &parameters, 1e-6);
        assert_close(&got[1], &[m, v].concat(), 1e-6);
    }
}
