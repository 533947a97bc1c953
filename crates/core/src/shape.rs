//! The shape of a model, its parameters and its FLOPs: Table 1 of Kaplan et al. 2020 as code.

pub use crate::architecture::{Architecture, Transformer};
use crate::block::Positions;
pub use crate::columns::ShapeColumns;
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

/// The shape of a model, in the paper's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "ShapeColumns", into = "ShapeColumns")]
pub struct ModelShape {
    /// The kind of blocks, with the sizes that only this kind has.
    pub architecture: Architecture,
    /// Number of blocks; a model with 0 blocks is like a bigram model, of embeddings and head.
    pub n_layer: u32,
    /// Width of the embedding and of the residual stream.
    pub d_model: u32,
    /// Context in tokens.
    pub n_ctx: u32,
    /// Vocabulary.
    pub n_vocab: u32,
    /// Tied or untied head.
    pub head: Head,
}

/// A shape that no model can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A size that the architecture needs is absent.
    #[error("missing field `{field}`")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
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
    /// Heads of queries that cannot be divided into equal groups.
    #[error("block.n_kv_head = {n_kv_head} does not divide n_head = {n_head}")]
    KvHeads {
        /// Heads of keys and values.
        n_kv_head: u32,
        /// Heads of queries.
        n_head: u32,
    },
    /// Rotary positions rotate pairs of columns.
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
        let architecture = Architecture::Transformer(Transformer::standard(d_model, n_head));
        Self { architecture, n_layer, d_model, n_ctx, n_vocab, head }
    }

    /// A stack of LSTM layers of width `d_model`.
    pub fn lstm(n_layer: u32, d_model: u32, n_ctx: u32, n_vocab: u32, head: Head) -> Self {
        Self { architecture: Architecture::Lstm, n_layer, d_model, n_ctx, n_vocab, head }
    }

    /// The sizes of its blocks if it is a Transformer.
    pub fn transformer(&self) -> Option<&Transformer> {
        match &self.architecture {
            Architecture::Transformer(transformer) => Some(transformer),
            Architecture::Lstm => None,
        }
    }

    /// The sizes of its blocks, to change them, if it is a Transformer.
    pub fn transformer_mut(&mut self) -> Option<&mut Transformer> {
        match &mut self.architecture {
            Architecture::Transformer(transformer) => Some(transformer),
            Architecture::Lstm => None,
        }
    }

    /// How many times the stack of blocks is applied; above 1 only in a recurrent Transformer.
    pub fn reuse(&self) -> u32 {
        self.transformer().map_or(1, |transformer| transformer.reuse)
    }

    /// Checks that a model of this shape can exist.
    ///
    /// # Errors
    /// [`ShapeError`] names the field and what was expected.
    pub fn validate(&self) -> Result<(), ShapeError> {
        let Self { architecture, n_layer, d_model, n_ctx, n_vocab, head: _ } = *self;
        for (field, value) in [("d_model", d_model), ("n_ctx", n_ctx)] {
            if value == 0 {
                return Err(ShapeError::Zero { field });
            }
        }
        if n_vocab < 2 {
            return Err(ShapeError::Vocabulary { n_vocab });
        }
        // An upper bound on the numbers in a block's matrices, per row of the residual stream.
        let per_row = match architecture {
            Architecture::Transformer(transformer) => {
                transformer.validate()?;
                u128::from(transformer.d_attn) * 4 + u128::from(transformer.d_ff) * 3
            }
            Architecture::Lstm => u128::from(d_model) * 8,
        };
        let (l, d) = (u128::from(n_layer), u128::from(d_model));
        let widest = l * d * per_row + d * (2 * u128::from(n_vocab) + u128::from(n_ctx));
        if widest * u128::from(self.reuse()) > 1 << 40 {
            return Err(ShapeError::TooLarge);
        }
        Ok(())
    }

    /// Number of parameters under a convention.
    ///
    /// # Source
    /// Kaplan et al. 2020, Table 1: non-embedding N = 2·d_model·n_layer·(2·d_attn + d_ff), equation 2.1;
    /// shared keys and values and SwiGLU's further matrix change its terms. An LSTM, for which the paper has no table,
    /// has two matrices `[d_model, 4·d_model]` a layer: N = 8·n_layer·d_model², with one bias a layer and no positions.
    pub fn n_params(&self, convention: ParamConvention) -> u64 {
        let [l, d, ctx, v] = [self.n_layer, self.d_model, self.n_ctx, self.n_vocab].map(u64::from);
        let (non_embedding, positions, vectors) = match &self.architecture {
            Architecture::Transformer(transformer) => {
                let positions = match transformer.block.positions {
                    Positions::Learned => ctx * d,
                    Positions::Rotary => 0,
                };
                (l * transformer.matrices(d), positions, transformer.vectors(l, d))
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

    /// Non-embedding parameters, counted once for every use of a block: N "with reuse" of Kaplan et al. 2020,
    /// figure 17. Without reuse it equals [`Self::n_params`].
    pub fn n_params_with_reuse(&self) -> u64 {
        u64::from(self.reuse()) * self.n_params(ParamConvention::NonEmbedding)
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
                let attention = match &self.architecture {
                    Architecture::Transformer(transformer) => {
                        let blocks = f64::from(self.n_layer) * f64::from(transformer.reuse);
                        2.0 * blocks * f64::from(self.n_ctx) * f64::from(transformer.d_attn)
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
    use crate::block::{FeedForward, Norm};

    fn paper(n_layer: u32, d_model: u32) -> ModelShape {
        ModelShape::standard(n_layer, d_model, 1, 1024, 50_257, Head::Tied)
    }

    fn with(mut shape: ModelShape, change: impl Fn(&mut Transformer)) -> ModelShape {
        change(shape.transformer_mut().unwrap());
        shape
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
        let wide = ShapeColumns { d_ff: Some(128), ..lstm.into() };
        let error = ShapeError::Lstm { field: "d_ff", value: 128, expected: 512 };
        assert_eq!(ModelShape::try_from(wide), Err(error));
        let columns = ShapeColumns { d_ff: None, d_attn: None, n_head: None, ..lstm.into() };
        assert_eq!(ModelShape::try_from(columns), Ok(lstm));
    }

    #[test]
    fn reuse_multiplies_flops_and_leaves_the_parameters() {
        let plain = paper(2, 128);
        let recurrent = with(plain, |blocks| blocks.reuse = 4);
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
        let plain = with(paper(2, 128), |blocks| blocks.n_head = 8);
        let n = |shape: ModelShape| shape.n_params(ParamConvention::NonEmbedding);
        // Keys and values are a quarter as wide.
        let shared = with(plain, |blocks| blocks.block.n_kv_head = 2);
        assert_eq!(n(plain) - n(shared), 2 * 128 * 2 * 96);
        let gated = with(plain, |blocks| blocks.block.feed_forward = FeedForward::Swiglu);
        assert_eq!(n(gated) - n(plain), 2 * 128 * 512);
    }

    #[test]
    fn validate_settings_of_blocks_that_do_not_fit_says_why() {
        let shape = ModelShape::standard(1, 9, 3, 8, 16, Head::Tied);
        let shared = with(shape, |blocks| blocks.block.n_kv_head = 2);
        assert_eq!(shared.validate(), Err(ShapeError::KvHeads { n_kv_head: 2, n_head: 3 }));
        let rotary = with(shape, |blocks| blocks.block.positions = Positions::Rotary);
        assert_eq!(rotary.validate(), Err(ShapeError::OddHead { d_head: 3 }));
        let mut lstm = ShapeColumns::from(ModelShape::lstm(1, 8, 8, 16, Head::Tied));
        lstm.block.norm = Norm::Rms;
        assert_eq!(ModelShape::try_from(lstm), Err(ShapeError::LstmBlock));
    }

    #[test]
    fn validate_impossible_shape_names_the_field() {
        let mut s = paper(1, 8);
        s.d_model = 0;
        assert_eq!(s.validate(), Err(ShapeError::Zero { field: "d_model" }));
        let s = with(paper(1, 8), |blocks| blocks.n_head = 3);
        assert_eq!(s.validate(), Err(ShapeError::Heads { d_attn: 8, n_head: 3 }));
        let s = ModelShape::standard(u32::MAX, 1 << 31, 1, 1, 2, Head::Tied);
        assert_eq!(s.validate(), Err(ShapeError::TooLarge));
    }
}
