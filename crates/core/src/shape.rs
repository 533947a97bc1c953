//! The shape of a model and what it counts: Table 1 of Kaplan et al. 2020 as code.

use crate::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
use crate::units::{FlopConvention, ParamConvention};
use serde::{Deserialize, Serialize};

/// Whether the head shares the token embedding's matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// The head is the transposed token embedding (no parameters of its own).
    Tied,
    /// The head is a matrix of its own, `[d_model, n_vocab]`.
    Untied,
}

/// What the blocks of a model are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// A decoder-only Transformer with learned positions.
    #[default]
    Transformer,
    /// A stack of LSTM layers as wide as the residual stream would be, between the same embedding (without
    /// positions) and head; d_ff, d_attn and n_head are those of [`ModelShape::standard`] with one head.
    Lstm,
}

impl Architecture {
    /// Its name in run tables and keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::Lstm => "lstm",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The shape of a model, in the paper's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelShape {
    /// What its blocks are.
    #[serde(default, skip_serializing_if = "Architecture::is_default")]
    pub architecture: Architecture,
    /// Blocks; 0 is a bigram-like model of embeddings and head.
    pub n_layer: u32,
    /// How many times the stack of blocks is applied: above 1 the recurrent ("Universal") Transformer, whose
    /// weights are used again (Kaplan et al. 2020, section 3.2.1).
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub reuse: u32,
    /// Width of the residual stream.
    pub d_model: u32,
    /// Width of the feed-forward layer.
    pub d_ff: u32,
    /// Width of all attention heads together; a multiple of `n_head`.
    pub d_attn: u32,
    /// Attention heads in a block.
    pub n_head: u32,
    /// Context in tokens.
    pub n_ctx: u32,
    /// Vocabulary.
    pub n_vocab: u32,
    /// Tied or untied head.
    pub head: Head,
    /// Settings of a Transformer's blocks.
    #[serde(default, skip_serializing_if = "Block::is_default")]
    pub block: Block,
}

fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_once(reuse: &u32) -> bool {
    *reuse == 1
}

/// A shape that no model can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A size is zero.
    #[error("{field} is 0: expected at least 1")]
    Zero {
        /// Name of the field.
        field: &'static str,
    },
    /// Heads do not divide the attention width.
    #[error("d_attn = {d_attn} is not a multiple of n_head = {n_head}")]
    Heads {
        /// Attention width.
        d_attn: u32,
        /// Number of heads.
        n_head: u32,
    },
    /// Groups of heads that are not equal.
    #[error("block.n_kv_head = {n_kv_head} does not divide n_head = {n_head}")]
    KvHeads {
        /// Heads of keys and values.
        n_kv_head: u32,
        /// Heads of queries.
        n_head: u32,
    },
    /// Rotary positions turn pairs of columns.
    #[error("rotary positions need heads of even width, and d_attn / n_head = {d_head}")]
    OddHead {
        /// Width of a head.
        d_head: u32,
    },
    /// Settings of blocks that an LSTM does not have.
    #[error("an LSTM has no settings of blocks: remove model.block")]
    LstmBlock,
    /// A width that an LSTM does not have.
    #[error(
        "{field} = {value}: an LSTM has {expected} (d_ff = 4·d_model, d_attn = d_model, one head, no reuse)"
    )]
    Lstm {
        /// Name of the field.
        field: &'static str,
        /// Value given.
        value: u32,
        /// What an LSTM of this width has.
        expected: u32,
    },
    /// Too small a vocabulary to predict anything.
    #[error("n_vocab = {n_vocab}: expected at least 2")]
    Vocabulary {
        /// Vocabulary given.
        n_vocab: u32,
    },
    /// More parameters than can be addressed.
    #[error("the model has more than 2^40 parameters: check the widths")]
    TooLarge,
}

impl ModelShape {
    /// The paper's usual shape: d_attn = d_model and d_ff = 4·d_model.
    pub fn standard(n_layer: u32, d_model: u32, n_head: u32, n_ctx: u32, n_vocab: u32, head: Head) -> Self {
        Self {
            architecture: Architecture::Transformer,
            n_layer,
            reuse: 1,
            d_model,
            d_ff: d_model.saturating_mul(4),
            d_attn: d_model,
            n_head,
            n_ctx,
            n_vocab,
            head,
            block: Block::default(),
        }
    }

    /// A stack of LSTM layers of width `d_model`.
    pub fn lstm(n_layer: u32, d_model: u32, n_ctx: u32, n_vocab: u32, head: Head) -> Self {
        let shape = Self::standard(n_layer, d_model, 1, n_ctx, n_vocab, head);
        Self { architecture: Architecture::Lstm, ..shape }
    }

    /// Checks that a model of this shape can exist.
    ///
    /// # Errors
    /// [`ShapeError`] names the field and what was expected.
    pub fn validate(&self) -> Result<(), ShapeError> {
        for (field, value) in [
            ("reuse", self.reuse),
            ("d_model", self.d_model),
            ("d_ff", self.d_ff),
            ("d_attn", self.d_attn),
            ("n_head", self.n_head),
            ("n_ctx", self.n_ctx),
        ] {
            if value == 0 {
                return Err(ShapeError::Zero { field });
            }
        }
        if self.n_vocab < 2 {
            return Err(ShapeError::Vocabulary { n_vocab: self.n_vocab });
        }
        if !self.d_attn.is_multiple_of(self.n_head) {
            return Err(ShapeError::Heads { d_attn: self.d_attn, n_head: self.n_head });
        }
        if !self.n_head.is_multiple_of(self.n_kv_head()) {
            let (n_kv_head, n_head) = (self.n_kv_head(), self.n_head);
            return Err(ShapeError::KvHeads { n_kv_head, n_head });
        }
        if self.block.positions == Positions::Rotary && !self.d_head().is_multiple_of(2) {
            return Err(ShapeError::OddHead { d_head: self.d_head() });
        }
        if self.architecture == Architecture::Lstm {
            if !self.block.is_default() {
                return Err(ShapeError::LstmBlock);
            }
            let standard = Self::lstm(self.n_layer, self.d_model, self.n_ctx, self.n_vocab, self.head);
            for (field, value, expected) in [
                ("reuse", self.reuse, 1),
                ("d_ff", self.d_ff, standard.d_ff),
                ("d_attn", self.d_attn, standard.d_attn),
                ("n_head", self.n_head, standard.n_head),
            ] {
                if value != expected {
                    return Err(ShapeError::Lstm { field, value, expected });
                }
            }
        }
        let (l, d) = (u128::from(self.n_layer), u128::from(self.d_model));
        let widest = l * d * (u128::from(self.d_attn) * 4 + u128::from(self.d_ff) * 3)
            + d * (2 * u128::from(self.n_vocab) + u128::from(self.n_ctx));
        if widest * u128::from(self.reuse) > 1 << 40 {
            return Err(ShapeError::TooLarge);
        }
        Ok(())
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

    /// Matrices of the feed-forward layer that lead into it.
    fn ff_inputs(&self) -> u64 {
        match self.block.feed_forward {
            FeedForward::Gelu | FeedForward::GeluExact | FeedForward::Relu | FeedForward::Silu => 1,
            FeedForward::Swiglu => 2,
        }
    }

    /// Parameters that are no matrix: biases and norms of a Transformer.
    fn vectors(&self) -> u64 {
        let [l, d, ff, attn, kv] =
            [self.n_layer, self.d_model, self.d_ff, self.d_attn, self.d_kv()].map(u64::from);
        let biases = attn + 2 * kv + self.ff_inputs() * ff + 2 * d;
        let norm = match self.block.norm {
            Norm::Layer => 2 * d,
            Norm::Rms => d,
        };
        let qk_norm = match self.block.qk_norm {
            QkNorm::None => 0,
            QkNorm::Rms => 2 * u64::from(self.d_head()),
        };
        let last = match self.block.norm_placement {
            NormPlacement::Pre => norm,
            NormPlacement::Post => 0,
        };
        l * (biases + 2 * norm + qk_norm) + last
    }

    /// Number of parameters under a convention.
    ///
    /// # Source
    /// Kaplan et al. 2020, Table 1: non-embedding N = 2·d_model·n_layer·(2·d_attn + d_ff), equation 2.1;
    /// shared keys and values and SwiGLU's further matrix change its terms. An LSTM, for which the paper has no table, has two matrices `[d_model, 4·d_model]` a layer: N =
    /// 8·n_layer·d_model², with one bias a layer and no positions.
    pub fn n_params(&self, convention: ParamConvention) -> u64 {
        let [l, d, ff, attn, kv, ctx, v] =
            [self.n_layer, self.d_model, self.d_ff, self.d_attn, self.d_kv(), self.n_ctx, self.n_vocab]
                .map(u64::from);
        let (non_embedding, positions, vectors) = match self.architecture {
            Architecture::Transformer => {
                let matrices = d * l * (2 * attn + 2 * kv + (self.ff_inputs() + 1) * ff);
                let positions = match self.block.positions {
                    Positions::Learned => ctx * d,
                    Positions::Rotary => 0,
                };
                (matrices, positions, self.vectors())
            }
            Architecture::Lstm => (8 * l * d * d, 0, 4 * l * d),
        };
        match convention {
            ParamConvention::NonEmbedding => non_embedding,
            ParamConvention::Matmul => non_embedding + d * v,
            ParamConvention::Total => {
                let head = match self.head {
                    Head::Tied => 0,
                    Head::Untied => d * v,
                };
                non_embedding + v * d + positions + head + vectors
            }
        }
    }

    /// Non-embedding parameters as if every use of a block had its own: N "with reuse" of Kaplan et al. 2020,
    /// figure 17. The same as [`Self::n_params`] where nothing is reused.
    pub fn n_params_with_reuse(&self) -> u64 {
        u64::from(self.reuse) * self.n_params(ParamConvention::NonEmbedding)
    }

    /// FLOPs of the forward pass per token; every use of a block counts.
    ///
    /// # Source
    /// Kaplan et al. 2020, Table 1 and equation 2.2: 2·N + 2·n_layer·n_ctx·d_attn, the second term
    /// being the causal average of QKᵀ and AV; the head adds 2·d_model·n_vocab. An LSTM has no second term.
    pub fn forward_flops_per_token(&self, convention: FlopConvention) -> f64 {
        let reused = self.n_params_with_reuse() - self.n_params(ParamConvention::NonEmbedding);
        let weights = |c| 2.0 * (self.n_params(c) + reused) as f64;
        match convention {
            FlopConvention::SixN => weights(ParamConvention::NonEmbedding),
            FlopConvention::Matmul => weights(ParamConvention::Matmul),
            FlopConvention::Full => {
                let attention = match self.architecture {
                    Architecture::Transformer => {
                        let blocks = f64::from(self.n_layer) * f64::from(self.reuse);
                        2.0 * blocks * f64::from(self.n_ctx) * f64::from(self.d_attn)
                    }
                    Architecture::Lstm => 0.0,
                };
                weights(ParamConvention::Matmul) + attention
            }
        }
    }

    /// FLOPs of a training step per token: three forward passes' worth (Kaplan et al. 2020, section 2.1).
    pub fn train_flops_per_token(&self, convention: FlopConvention) -> f64 {
        3.0 * self.forward_flops_per_token(convention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(n_layer: u32, d_model: u32) -> ModelShape {
        ModelShape::standard(n_layer, d_model, 1, 1024, 50_257, Head::Tied)
    }

    #[test]
    fn head_share_of_flops_at_paper_vocabulary_matches_reference_sheet() {
        // Head FLOPs over 6N: (2,128) 16x, (4,256) 4.1x, (8,512) 1.0x, (12,768) .45, (36,1280) .09.
        for (l, d, ratio) in [(2, 128, 16.0), (4, 256, 4.1), (8, 512, 1.0), (12, 768, 0.45), (36, 1280, 0.09)]
        {
            let s = paper(l, d);
            let got = s.train_flops_per_token(FlopConvention::Matmul)
                / s.train_flops_per_token(FlopConvention::SixN)
                - 1.0;
            assert!((got / ratio - 1.0).abs() < 0.03, "({l},{d}): {got} against {ratio}");
        }
    }

    #[test]
    fn attention_share_of_forward_flops_matches_reference_sheet() {
        // Without the head: .40 .25 .14 .10 .06 for the same shapes.
        for (l, d, share) in
            [(2, 128, 0.40), (4, 256, 0.25), (8, 512, 0.14), (12, 768, 0.10), (36, 1280, 0.06)]
        {
            let s = paper(l, d);
            let attention = s.forward_flops_per_token(FlopConvention::Full)
                - s.forward_flops_per_token(FlopConvention::Matmul);
            let got = attention / (attention + s.forward_flops_per_token(FlopConvention::SixN));
            assert!((got - share).abs() < 0.006, "({l},{d}): {got} against {share}");
        }
    }

    #[test]
    fn lstm_counts_are_two_matrices_of_four_gates_a_layer() {
        let lstm = ModelShape::lstm(2, 128, 1024, 50_257, Head::Tied);
        assert_eq!(lstm.validate(), Ok(()));
        assert_eq!(lstm.n_params(ParamConvention::NonEmbedding), 2 * (128 + 128) * 512);
        assert_eq!(lstm.n_params(ParamConvention::Total), 2 * (257 * 512) + 50_257 * 128);
        let flops = |c| lstm.forward_flops_per_token(c);
        assert_eq!(flops(FlopConvention::SixN), 2.0 * 262_144.0);
        assert_eq!(flops(FlopConvention::Full), flops(FlopConvention::Matmul));
        let wide = ModelShape { d_ff: 128, ..lstm };
        assert_eq!(wide.validate(), Err(ShapeError::Lstm { field: "d_ff", value: 128, expected: 512 }));
    }

    #[test]
    fn reuse_multiplies_flops_and_leaves_the_parameters() {
        let plain = paper(2, 128);
        let recurrent = ModelShape { reuse: 4, ..plain };
        let total = ParamConvention::Total;
        assert_eq!(recurrent.n_params(total), plain.n_params(total));
        assert_eq!(recurrent.n_params_with_reuse(), paper(8, 128).n_params(ParamConvention::NonEmbedding));
        for convention in [FlopConvention::SixN, FlopConvention::Matmul, FlopConvention::Full] {
            let flops = paper(8, 128).train_flops_per_token(convention);
            assert_eq!(recurrent.train_flops_per_token(convention), flops);
        }
    }

    #[test]
    fn shared_keys_and_swiglu_change_their_terms_of_n() {
        let mut shape = paper(2, 128);
        shape.n_head = 8;
        let plain = shape.n_params(ParamConvention::NonEmbedding);
        shape.block.n_kv_head = 2;
        // Keys and values are a quarter as wide.
        assert_eq!(plain - shape.n_params(ParamConvention::NonEmbedding), 2 * 128 * 2 * 96);
        shape.block = Block { feed_forward: FeedForward::Swiglu, ..Block::default() };
        assert_eq!(shape.n_params(ParamConvention::NonEmbedding) - plain, 2 * 128 * 512);
    }

    #[test]
    fn validate_settings_of_blocks_that_do_not_fit_says_why() {
        let mut shape = ModelShape::standard(1, 9, 3, 8, 16, Head::Tied);
        shape.block.n_kv_head = 2;
        assert_eq!(shape.validate(), Err(ShapeError::KvHeads { n_kv_head: 2, n_head: 3 }));
        shape.block = Block { positions: Positions::Rotary, ..Block::default() };
        assert_eq!(shape.validate(), Err(ShapeError::OddHead { d_head: 3 }));
        let mut lstm = ModelShape::lstm(1, 8, 8, 16, Head::Tied);
        lstm.block.norm = Norm::Rms;
        assert_eq!(lstm.validate(), Err(ShapeError::LstmBlock));
    }

    #[test]
    fn validate_impossible_shape_names_the_field() {
        let mut s = paper(1, 8);
        s.d_model = 0;
        assert_eq!(s.validate(), Err(ShapeError::Zero { field: "d_model" }));
        let mut s = paper(1, 8);
        s.n_head = 3;
        assert_eq!(s.validate(), Err(ShapeError::Heads { d_attn: 8, n_head: 3 }));
        let s = ModelShape::standard(u32::MAX, 1 << 31, 1, 1, 2, Head::Tied);
        assert_eq!(s.validate(), Err(ShapeError::TooLarge));
    }
}
