//! Adam with bias correction (Kingma & Ba 2015, algorithm 1), one pass over all parameters.

use crate::isa::for_each_isa;

/// One update's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate of this step.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Updates made so far, this one included: 1 at the first.
    pub step: u64,
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
    /// m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², p ← p − lr·m̂/(√v̂ + eps) with g = `scale`·`gradient`.
    pub fn update(
        &self,
        isa: crate::isa::Isa,
        scale: f64,
        gradient: &[f32],
        parameters: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let t = self.step as f64;
        let factors = Factors {
            keep1: self.beta1 as f32,
            take1: (1.0 - self.beta1) as f32,
            keep2: self.beta2 as f32,
            take2: (1.0 - self.beta2) as f32,
            rate: (self.lr / (1.0 - libm::pow(self.beta1, t))) as f32,
            root: (1.0 / libm::sqrt(1.0 - libm::pow(self.beta2, t))) as f32,
            eps: self.eps as f32,
            gradient: scale as f32,
        };
        apply(isa, factors, gradient, parameters, first, second);
    }
}

for_each_isa! {
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

    #[test]
    fn adam_follows_the_algorithm_in_f64() {
        let n = 37;
        let mut parameters = numbers(n, 1);
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        let (lr, beta1, beta2, eps) = (0.01, 0.9, 0.95, 1e-3);
        let start = narrow(&parameters);
        let scale = 0.5;
        let got = on_every_isa(|isa| {
            let mut state = [start.clone(), vec![0.0; n], vec![0.0; n]];
            for step in 1..=5 {
                let gradient = narrow(&numbers(n, 10 + step));
                let [p, m, v] = &mut state;
                Adam { lr, beta1, beta2, eps, step }.update(isa, scale, &gradient, p, m, v);
            }
            state.to_vec()
        });
        for step in 1..=5 {
            let gradient = numbers(n, 10 + step);
            for i in 0..n {
                let g = scale * gradient[i];
                m[i] = beta1 * m[i] + (1.0 - beta1) * g;
                v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
                let (m_hat, v_hat) =
                    (m[i] / (1.0 - beta1.powi(step as i32)), v[i] / (1.0 - beta2.powi(step as i32)));
                parameters[i] -= lr * m_hat / (v_hat.sqrt() + eps);
            }
        }
        assert_close(&got[0], &parameters, 1e-6);
        assert_close(&got[1], &m, 1e-6);
        assert_close(&got[2], &v, 1e-6);
    }
}
