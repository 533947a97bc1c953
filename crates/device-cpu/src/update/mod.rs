//! Update rules, vectorised over all parameters.

mod adafactor;
mod adam;

use crate::isa::Isa;
use scalelaw_graph::{Rule, Tensor, Update};

/// A batch's gradient as it was summed.
#[derive(Clone, Copy)]
pub(crate) struct Gradient<'a> {
    /// Sum over micro-batches.
    pub sum: &'a [f32],
    /// The factor that makes it the mean, clipped.
    pub scale: f64,
}

/// Moves the parameters along the gradient `gradient.sum`·`gradient.scale`.
pub(crate) fn apply(
    isa: Isa,
    update: &Update,
    tensors: &[Tensor],
    gradient: Gradient<'_>,
    parameters: &mut [f32],
    moments: &mut [f32],
) {
    match update.rule {
        Rule::Adam(rule) => adam::update(&rule, isa, update, tensors, gradient, parameters, moments),
        Rule::Adafactor(rule) => {
            adafactor::update(&rule, isa, update, tensors, gradient, parameters, moments)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use scalelaw_graph::{Adafactor, Adam, Role, StepSize};

    #[test]
    fn every_rule_follows_its_algorithm_in_f64() {
        let tensor =
            |shape: &[usize], range, role| Tensor { name: "t".into(), shape: shape.to_vec(), range, role };
        let tensors = [
            tensor(&[5, 18], 0..90, Role::Matrix),
            tensor(&[19], 90..109, Role::Bias),
            tensor(&[1, 3], 109..112, Role::Embedding),
        ];
        let adafactor = |step_size| {
            Rule::Adafactor(Adafactor { decay_exponent: 0.8, eps: 1e-30, clip_threshold: 0.9, step_size })
        };
        let adam = |weight_decay| Rule::Adam(Adam { beta1: 0.9, beta2: 0.95, eps: 1e-3, weight_decay });
        let rules = [
            (adam(0.0), 0.01, 224, 1e-6),
            (adam(0.2), 0.01, 224, 1e-6),
            (adafactor(StepSize::Absolute), 0.3, 5 + 18 + 19 + 1 + 3, 1e-5),
            (adafactor(StepSize::Relative { floor: 0.7 }), 0.3, 5 + 18 + 19 + 1 + 3, 1e-5),
        ];
        let (scale, n) = (0.25, 112);
        let gradient = |step| {
            let mut g = numbers(n, 10 + step);
            // A row and a column without any gradient.
            (18..36).for_each(|i| g[i] = 0.0);
            (0..5).for_each(|i| g[18 * i + 7] = 0.0);
            g
        };
        let start = numbers(n, 1);
        for (rule, lr, held, tolerance) in rules {
            assert_eq!(rule.moments_len(&tensors), held);
            let update = |step| Update { rule, lr, step, clip_norm: None };
            let got = on_every_isa(|isa| {
                let (mut p, mut moments) = (narrow(&start), vec![0.0; held]);
                for step in 1..=12 {
                    let sum = narrow(&gradient(step));
                    apply(isa, &update(step), &tensors, Gradient { sum: &sum, scale }, &mut p, &mut moments);
                }
                vec![p, moments]
            });
            let (mut p, mut moments) = (start.clone(), vec![0.0; held]);
            for step in 1..=12 {
                let g: Vec<f64> = gradient(step).iter().map(|g| g * scale).collect();
                update(step).apply(&tensors, &g, &mut p, &mut moments);
            }
            assert_close(&got[0], &p, tolerance);
            assert_close(&got[1], &moments, 1e-6);
        }
    }
}
