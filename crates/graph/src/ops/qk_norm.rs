//! Norms of queries and keys (Dehghani et al. 2023; as in Qwen3): every head of q and of k is divided by its root
//! mean square and multiplied by a weight, one for all heads of q and one for all heads of k.

use super::norm::{Kind, normalise, normalise_backward};
use super::{Cost, Heads, Op};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// Normalises the heads of q and k of rows \[q | k | v\].
#[derive(Clone, Copy, Debug)]
pub struct QkNorm {
    /// `[n_ctx, qkv_width]`.
    pub qkv: Value,
    /// The heads.
    pub heads: Heads,
    /// Weight of q's heads, `[d_head]`.
    pub of_q: Parameter,
    /// Weight of k's heads, `[d_head]`, which lies directly behind that of q's.
    pub of_k: Parameter,
}

impl QkNorm {
    /// The weight of a head, counted through q and k; `None` for v.
    fn weight(&self, head: usize) -> Option<Parameter> {
        if head < self.heads.n_head {
            Some(self.of_q)
        } else {
            (head < self.heads.n_head + self.heads.n_kv_head).then_some(self.of_k)
        }
    }
}

impl Op for QkNorm {
    fn inputs(&self) -> Vec<Value> {
        vec![self.qkv]
    }

    fn width(&self, _: usize) -> usize {
        let d_head = self.heads.d_head;
        assert_eq!(self.qkv.width, self.heads.qkv_width(), "heads do not fit");
        assert_eq!(
            (self.of_q.columns, self.of_k.columns),
            (d_head, d_head),
            "the norms do not fit the heads"
        );
        assert_eq!(self.of_q.range().end, self.of_k.start, "the weight of k follows that of q");
        self.qkv.width
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let mut out = vec![];
        for row in at.value(self.qkv).chunks(self.qkv.width) {
            for (h, x) in row.chunks(self.heads.d_head).enumerate() {
                match self.weight(h) {
                    None => out.extend(x),
                    Some(weight) => {
                        let (z, _) = normalise(Kind::Rms, x);
                        out.extend(z.iter().zip(at.parameter(weight)).map(|(z, weight)| z * weight));
                    }
                }
            }
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let (width, d_head) = (self.qkv.width, self.heads.d_head);
        let rows = at.value(self.qkv).to_vec();
        let mut d_x = vec![];
        for (row, d) in rows.chunks(width).zip(d_out.chunks(width)) {
            for (h, (x, d)) in row.chunks(d_head).zip(d.chunks(d_head)).enumerate() {
                match self.weight(h) {
                    None => d_x.extend(d),
                    Some(weight) => {
                        let (z, rstd) = normalise(Kind::Rms, x);
                        let d_weight: Vec<f64> = d.iter().zip(&z).map(|(d, z)| d * z).collect();
                        let h: Vec<f64> = d.iter().zip(at.parameter(weight)).map(|(d, w)| d * w).collect();
                        at.add_parameter_gradient(weight, &d_weight);
                        d_x.extend(normalise_backward(Kind::Rms, &z, rstd, &h));
                    }
                }
            }
        }
        at.add_gradient(self.qkv, &d_x);
    }
}
