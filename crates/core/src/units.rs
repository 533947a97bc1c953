//! Counting conventions as types: laws, tables, axes and plans always say which N, C or D they mean.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One PF-day in FLOPs: 1e15 FLOP/s for 86,400 s (Kaplan et al. 2020, section 1.3).
pub const PF_DAY: f64 = 8.64e19;

/// Which parameters N counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamConvention {
    /// Weight matrices of the blocks only: no embeddings, positions, biases or norms.
    /// Kaplan et al. 2020, Table 1 and equation 2.1.
    NonEmbedding,
    /// Every trained number, as Hoffmann et al. 2022 (Chinchilla) count.
    Total,
    /// Every weight that is part of a matrix product: [`Self::NonEmbedding`] plus the head
    /// d_model·n_vocab, tied or not (Porian et al. 2024, "standard").
    Matmul,
}

/// Which training FLOPs C counts (forward and backward).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlopConvention {
    /// 6·N per token with N non-embedding (Kaplan et al. 2020, section 2.1).
    SixN,
    /// 6·(N + d_model·n_vocab) per token: with the head.
    Matmul,
    /// [`Self::Matmul`] plus the attention products, 6·n_layer·n_ctx·d_attn per token (causal average).
    Full,
}

/// Which tokens D counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataConvention {
    /// Distinct tokens in the training subset.
    Unique,
    /// Tokens processed, repetitions included: B·S.
    Processed,
}

/// The three conventions that give a number its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conventions {
    /// What N counts.
    pub params: ParamConvention,
    /// What C counts.
    pub flops: FlopConvention,
    /// What D counts.
    pub data: DataConvention,
}

impl fmt::Display for ParamConvention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonEmbedding => "non-embedding parameters",
            Self::Total => "total parameters",
            Self::Matmul => "non-embedding + head parameters",
        })
    }
}

impl fmt::Display for FlopConvention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SixN => "6N FLOPs",
            Self::Matmul => "FLOPs with head",
            Self::Full => "FLOPs with head and attention",
        })
    }
}

impl fmt::Display for DataConvention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique tokens",
            Self::Processed => "tokens processed",
        })
    }
}
