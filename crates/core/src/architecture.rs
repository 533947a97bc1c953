//! The kinds of blocks that a model can have, each with its own sizes.

use crate::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
use crate::shape::ShapeError;

/// The kind of blocks of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// A decoder-only Transformer.
    Transformer(Transformer),
    /// A stack of LSTM layers as wide as the embedding. Embedding (without positions) and head are the same as a
    /// Transformer's.
    Lstm,
}

impl Architecture {
    /// Its name in run tables, specs and keys.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transformer(_) => "transformer",
            Self::Lstm => "lstm",
        }
    }
}

/// Sizes and settings of a Transformer's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transformer {
    /// How many times the stack of blocks is applied. Above 1 it is the recurrent ("Universal") Transformer, which reuses its
    /// weights (Kaplan et al. 2020, section 3.2.1).
    pub reuse: u32,
    /// Width of the feed-forward layer.
    pub d_ff: u32,
    /// Width of all attention heads together; a multiple of `n_head`.
    pub d_attn: u32,
    /// Attention heads in a block.
    pub n_head: u32,
    /// Settings of the blocks.
    pub block: Block,
}

impl Transformer {
    /// The paper's usual blocks for a residual stream of width `d_model`: d_attn = d_model and d_ff = 4·d_model.
    pub fn standard(d_model: u32, n_head: u32) -> Self {
        Self { reuse: 1, d_ff: d_model.saturating_mul(4), d_attn: d_model, n_head, block: Block::default() }
    }

    /// Width of one attention head.
    pub fn d_head(&self) -> u32 {
        self.d_attn / self.n_head
    }

    /// Heads of keys and values.
    pub fn n_kv_head(&self) -> u32 {
        if self.block.n_kv_head == 0 { self.n_head } else { self.block.n_kv_head }
    }

    /// Width of all keys together, and of all values: d_attn unless heads share them.
    pub fn d_kv(&self) -> u32 {
        self.n_kv_head() * self.d_head()
    }

    pub(crate) fn validate(&self) -> Result<(), ShapeError> {
        let Self { reuse, d_ff, d_attn, n_head, block } = *self;
        for (field, value) in [("reuse", reuse), ("d_ff", d_ff), ("d_attn", d_attn), ("n_head", n_head)] {
            if value == 0 {
                return Err(ShapeError::Zero { field });
            }
        }
        if !d_attn.is_multiple_of(n_head) {
            return Err(ShapeError::Heads { d_attn, n_head });
        }
        let n_kv_head = self.n_kv_head();
        if !n_head.is_multiple_of(n_kv_head) {
            return Err(ShapeError::KvHeads { n_kv_head, n_head });
        }
        if block.positions == Positions::Rotary && !self.d_head().is_multiple_of(2) {
            return Err(ShapeError::OddHead { d_head: self.d_head() });
        }
        Ok(())
    }

    /// Number of matrices from the residual stream into the feed-forward layer.
    fn ff_inputs(&self) -> u64 {
        match self.block.feed_forward {
            FeedForward::Gelu | FeedForward::GeluExact | FeedForward::Relu | FeedForward::Silu => 1,
            FeedForward::Swiglu => 2,
        }
    }

    /// Numbers in the weight matrices of a block.
    pub(crate) fn matrices(&self, d_model: u64) -> u64 {
        let [ff, attn, kv] = [self.d_ff, self.d_attn, self.d_kv()].map(u64::from);
        d_model * (2 * attn + 2 * kv + (self.ff_inputs() + 1) * ff)
    }

    /// Numbers in the biases and norms of `n_layer` blocks and of the norm before the head.
    pub(crate) fn vectors(&self, n_layer: u64, d_model: u64) -> u64 {
        let [ff, attn, kv] = [self.d_ff, self.d_attn, self.d_kv()].map(u64::from);
        let biases = attn + 2 * kv + self.ff_inputs() * ff + 2 * d_model;
        let norm = match self.block.norm {
            Norm::Layer => 2 * d_model,
            Norm::Rms => d_model,
        };
        let qk_norm = match self.block.qk_norm {
            QkNorm::None => 0,
            QkNorm::Rms => 2 * u64::from(self.d_head()),
        };
        let last = match self.block.norm_placement {
            NormPlacement::Pre => norm,
            NormPlacement::Post => 0,
        };
        n_layer * (biases + 2 * norm + qk_norm) + last
    }
}
