//! What the paper's numbers give when they are put to work: Table 1, Appendix B, section 6.3.

use scalelaw_core::PF_DAY;
use scalelaw_core::shape::{Head, ModelShape, Transformer};
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_fit::plan::contradiction::{Crossing, sensitivity};
use scalelaw_fit::plan::{KaplanOptimum, StoppingTrade};
use scalelaw_fit::presets::kaplan2020::{TOLERABLE_SIZES, TRAINING, TYPICAL_EXCESS};

/// The numbers of the tables.
#[derive(Clone, Debug)]
pub struct Worked {
    /// Table 1 for GPT-2's smallest shape.
    pub operations: Vec<Operation>,
    /// Training FLOPs per token of that shape: 6N, and with head and attention.
    pub train_flops: [f64; 2],
    /// f, the excess over the converged loss at the optimum (B.5).
    pub efficient_excess: f64,
    /// Against training to an excess of 2% (B.12 to B.14).
    pub trade: StoppingTrade,
    /// (N/N_efficient, C/C_efficient, S/S_efficient) at both ends of the paper's band (B.16, B.17).
    pub wrong_sizes: [(f64, f64, f64); 2],
    /// α_C^min from the other exponents (1.8).
    pub alpha_c_min: f64,
    /// C_c^min in PF-days (B.8).
    pub c_c_min: f64,
    /// (loss, B_crit) by equation 1.4.
    pub critical_batches: [(f64, f64); 4],
    /// The optimum at one PF-day.
    pub optimum: Option<KaplanOptimum>,
    /// Where L(C_min) and L(D) cross, by every variant of the constants (section 6.3).
    pub crossings: Vec<Crossing>,
}

/// A row of Table 1: per token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// Parameters; `None` where it has none of its own.
    pub params: Option<f64>,
    /// FLOPs of the forward pass.
    pub flops: f64,
}

impl Worked {
    /// Works them out.
    pub fn new() -> Self {
        let k = TRAINING;
        let shape = ModelShape::standard(12, 768, 12, 1024, 50_257, Head::Tied);
        let wrong = |x: f64| k.wrong_size(x).map_or((x, f64::NAN, f64::NAN), |w| (x, w.compute, w.steps));
        Self {
            operations: operations(&shape),
            train_flops: [FlopConvention::SixN, FlopConvention::Full].map(|c| shape.train_flops_per_token(c)),
            efficient_excess: k.efficient_f(),
            trade: k.stopping(k.efficient_f(), TYPICAL_EXCESS),
            wrong_sizes: TOLERABLE_SIZES.map(wrong),
            alpha_c_min: k.alpha_c(),
            c_c_min: k.c_c() / PF_DAY,
            critical_batches: [10.0, 4.0, 3.0, 2.5].map(|loss| (loss, k.b_crit(loss))),
            optimum: k.optimum(PF_DAY).ok(),
            crossings: sensitivity(),
        }
    }
}

impl Default for Worked {
    fn default() -> Self {
        Self::new()
    }
}

/// Embed; attention: QKV, mask, project; feed-forward; de-embed; all without embeddings.
fn operations(shape: &ModelShape) -> Vec<Operation> {
    let blocks = Transformer::standard(shape.d_model, 12);
    let [layers, d, ff, attn, context, vocabulary] =
        [shape.n_layer, shape.d_model, blocks.d_ff, blocks.d_attn, shape.n_ctx, shape.n_vocab].map(f64::from);
    let matrix = |n: f64| Operation { params: Some(n), flops: 2.0 * n };
    let n = shape.n_params(ParamConvention::NonEmbedding) as f64;
    let mask = 2.0 * layers * context * attn;
    vec![
        Operation { params: Some((vocabulary + context) * d), flops: 4.0 * d },
        matrix(layers * d * 3.0 * attn),
        Operation { params: None, flops: mask },
        matrix(layers * attn * d),
        matrix(layers * 2.0 * d * ff),
        Operation { params: None, flops: 2.0 * d * vocabulary },
        Operation { params: Some(n), flops: 2.0 * n + mask },
    ]
}
