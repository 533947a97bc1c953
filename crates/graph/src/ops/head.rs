//! The head: logits x·tableᵀ and their cross-entropy with the next tokens.

use super::{Cost, Op, dot};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// The loss of every position in nats: ln Σ e^logit − logit of the target.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// `[n_ctx, width]`.
    pub x: Value,
    /// `[n_vocab, width]`.
    pub table: Parameter,
}

impl Head {
    /// The softmax of a row's logits, and the logarithm of its normalisation with the logits.
    fn softmax(&self, at: &Sequence<'_>, x: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
        let logits: Vec<f64> = at.parameter(self.table).chunks(x.len()).map(|word| dot(x, word)).collect();
        let largest = logits.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let log_sum = largest + libm::log(logits.iter().map(|logit| libm::exp(logit - largest)).sum::<f64>());
        let softmax = logits.iter().map(|logit| libm::exp(logit - log_sum)).collect();
        (softmax, logits, log_sum)
    }
}

impl Op for Head {
    fn inputs(&self) -> Vec<Value> {
        vec![self.x]
    }

    fn width(&self, _: usize) -> usize {
        assert_eq!(self.x.width, self.table.columns, "head does not fit");
        1
    }

    fn cost(&self, n_ctx: usize) -> Cost {
        Cost::products((2 * n_ctx * self.table.len()) as f64)
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let rows = at.value(self.x).chunks(self.x.width).zip(at.targets);
        rows.map(|(x, &target)| {
            let (_, logits, log_sum) = self.softmax(at, x);
            log_sum - logits[target as usize]
        })
        .collect()
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let width = self.x.width;
        let (mut d_x, mut d_table) = (vec![], vec![0.0; self.table.len()]);
        for ((x, &target), d) in at.value(self.x).chunks(width).zip(at.targets).zip(d_out) {
            let (mut d_logits, _, _) = self.softmax(at, x);
            d_logits[target as usize] -= 1.0;
            d_logits.iter_mut().for_each(|d_logit| *d_logit *= d);
            for j in 0..width {
                let table = at.parameter(self.table);
                d_x.push(d_logits.iter().enumerate().map(|(word, d)| d * table[word * width + j]).sum());
                for (word, d) in d_logits.iter().enumerate() {
                    d_table[word * width + j] += d * x[j];
                }
            }
        }
        at.add_gradient(self.x, &d_x);
        at.add_parameter_gradient(self.table, &d_table);
    }
}
