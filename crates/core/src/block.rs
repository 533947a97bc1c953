//! Settings of a Transformer's blocks. The paper states none of them. The defaults are those of GPT-2; the others are the
//! alternatives that are compared today.

use crate::identity::Identity;
use serde::{Deserialize, Serialize};

/// The kind of normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Layer normalisation with weight and bias (Ba et al. 2016).
    #[default]
    Layer,
    /// RMS normalisation with weight (Zhang & Sennrich 2019).
    Rms,
}

/// The place of the normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormPlacement {
    /// Before attention and feed-forward layer, off the residual stream, and before the head (GPT-2).
    #[default]
    Pre,
    /// On the residual stream, after each of the two has been added to it (Vaswani et al. 2017, GPT-1); there is none before
    /// the head.
    Post,
}

/// How positions enter the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// A learned vector for each position is added to the embedding.
    #[default]
    Learned,
    /// Queries and keys are rotated by their position (Su et al. 2021), in pairs of columns, so heads must have an even
    /// width.
    Rotary,
}

/// The feed-forward layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedForward {
    /// gelu(x·W)·V with the tanh approximation of GELU, as in GPT-2.
    #[default]
    Gelu,
    /// gelu(x·W)·V with the exact GELU.
    GeluExact,
    /// max(x·W, 0)·V.
    Relu,
    /// silu(x·W)·V.
    Silu,
    /// (silu(x·U)·(x·W))·V (Shazeer 2020), with three matrices of width d_ff.
    Swiglu,
}

/// The normalisation of queries and keys before their product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QkNorm {
    /// Nothing.
    #[default]
    None,
    /// Each head is RMS-normalised, with one weight for queries and one for keys.
    Rms,
}

/// Settings of a Transformer's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Block {
    /// Normalisation.
    pub norm: Norm,
    /// Where it stands.
    pub norm_placement: NormPlacement,
    /// Positions.
    pub positions: Positions,
    /// Feed-forward layer.
    pub feed_forward: FeedForward,
    /// Norms of queries and keys.
    pub qk_norm: QkNorm,
    /// Heads of keys and values, each shared by equally many heads of queries (Ainslie et al. 2023); 0 for as
    /// many as there are heads of queries.
    pub n_kv_head: u32,
}

impl Block {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let Self { norm, norm_placement, positions, feed_forward, qk_norm, n_kv_head } = *self;
        match norm {
            Norm::Layer => {}
            Norm::Rms => identity.setting("block.norm", "rms"),
        }
        match norm_placement {
            NormPlacement::Pre => {}
            NormPlacement::Post => identity.setting("block.norm_placement", "post"),
        }
        match positions {
            Positions::Learned => {}
            Positions::Rotary => identity.setting("block.positions", "rotary"),
        }
        let activation = match feed_forward {
            FeedForward::Gelu => None,
            FeedForward::GeluExact => Some("gelu_exact"),
            FeedForward::Relu => Some("relu"),
            FeedForward::Silu => Some("silu"),
            FeedForward::Swiglu => Some("swiglu"),
        };
        if let Some(name) = activation {
            identity.setting("block.feed_forward", name);
        }
        match qk_norm {
            QkNorm::None => {}
            QkNorm::Rms => identity.setting("block.qk_norm", "rms"),
        }
        if n_kv_head != 0 {
            identity.setting("block.n_kv_head", n_kv_head);
        }
    }
}
