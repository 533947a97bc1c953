//! Causal self-attention of every head.
//!
//! Rows are \[q | k | v\] with the heads side by side, as GPT-2 has them. Neighbouring heads of q may
//! share a head of k and v (Ainslie et al. 2023).

use super::{Cost, Op, dot};
use crate::sequence::Sequence;
use crate::tensor::Value;

/// The heads of rows \[q | k | v\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Heads of q.
    pub n_head: usize,
    /// Heads of k and of v: a divisor of `n_head`.
    pub n_kv_head: usize,
    /// Width of a head.
    pub d_head: usize,
}

impl Heads {
    /// Width of all heads of q together.
    pub fn width(&self) -> usize {
        self.n_head * self.d_head
    }

    /// Columns of a row \[q | k | v\].
    pub fn qkv_width(&self) -> usize {
        (self.n_head + 2 * self.n_kv_head) * self.d_head
    }

    /// First columns of the k and the v that a head of q attends to.
    pub fn k_and_v(&self, head: usize) -> (usize, usize) {
        let kv_head = head / (self.n_head / self.n_kv_head);
        let k = self.width() + kv_head * self.d_head;
        (k, k + self.n_kv_head * self.d_head)
    }
}

/// softmax(q·kᵀ/√d_head)·v per head; a position attends to itself and those before it.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// `[n_ctx, qkv_width]`.
    pub qkv: Value,
    /// The heads.
    pub heads: Heads,
}

impl Attention {
    fn scale(&self) -> f64 {
        1.0 / libm::sqrt(self.heads.d_head as f64)
    }

    /// The weights with which position i of a head attends to positions 0..=i.
    fn weights(&self, qkv: &[f64], head: usize, i: usize) -> Vec<f64> {
        let (k, _) = self.heads.k_and_v(head);
        let q = self.columns(qkv, i, head * self.heads.d_head);
        let scores: Vec<f64> = (0..=i).map(|j| dot(q, self.columns(qkv, j, k)) * self.scale()).collect();
        let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = scores.iter().map(|score| libm::exp(score - largest)).sum();
        scores.iter().map(|score| libm::exp(score - largest) / sum).collect()
    }

    /// The columns of a head at a position.
    fn columns<'a>(&self, qkv: &'a [f64], position: usize, from: usize) -> &'a [f64] {
        &qkv[position * self.qkv.width + from..][..self.heads.d_head]
    }
}

impl Op for Attention {
    fn inputs(&self) -> Vec<Value> {
        vec![self.qkv]
    }

    fn width(&self, _: usize) -> usize {
        assert_eq!(self.qkv.width, self.heads.qkv_width(), "heads do not fit");
        assert!(self.heads.n_head.is_multiple_of(self.heads.n_kv_head), "groups of heads are equal");
        self.heads.width()
    }

    /// Two products forward and four backward, over the causal half.
    fn cost(&self, n_ctx: usize) -> Cost {
        let half = (n_ctx * n_ctx) as f64 / 2.0;
        Cost::products(2.0 * (2.0 * half * self.heads.width() as f64))
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let (qkv, width, d_head) = (at.value(self.qkv), self.heads.width(), self.heads.d_head);
        let mut out = vec![0.0; at.n_ctx() * width];
        for head in 0..self.heads.n_head {
            let (_, v) = self.heads.k_and_v(head);
            for i in 0..at.n_ctx() {
                for (j, weight) in self.weights(qkv, head, i).into_iter().enumerate() {
                    for c in 0..d_head {
                        out[i * width + head * d_head + c] += weight * self.columns(qkv, j, v)[c];
                    }
                }
            }
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let (qkv, width, d_head) = (at.value(self.qkv), self.heads.width(), self.heads.d_head);
        let mut d_qkv = vec![0.0; qkv.len()];
        for head in 0..self.heads.n_head {
            let q = head * d_head;
            let (k, v) = self.heads.k_and_v(head);
            for i in 0..at.n_ctx() {
                let weights = self.weights(qkv, head, i);
                let d_out = &d_out[i * width + q..][..d_head];
                let d_weights: Vec<f64> = (0..=i).map(|j| dot(d_out, self.columns(qkv, j, v))).collect();
                let mean = dot(&weights, &d_weights);
                for j in 0..=i {
                    let d_score = weights[j] * (d_weights[j] - mean) * self.scale();
                    for c in 0..d_head {
                        d_qkv[i * self.qkv.width + q + c] += d_score * self.columns(qkv, j, k)[c];
                        d_qkv[j * self.qkv.width + k + c] += d_score * self.columns(qkv, i, q)[c];
                        d_qkv[j * self.qkv.width + v + c] += weights[j] * d_out[c];
                    }
                }
            }
        }
        at.add_gradient(self.qkv, &d_qkv);
    }
}
