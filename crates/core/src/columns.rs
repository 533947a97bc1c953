//! A shape as a row of columns, the same for every architecture.

use crate::architecture::{Architecture, Transformer};
use crate::block::Block;
use crate::identity::Identity;
use crate::shape::{Head, ModelShape, ShapeError};
use serde::{Deserialize, Serialize};

/// A shape as specs, keys and run tables write it.
///
/// Every spec has all columns, as the first specs did, so that older programs can read it and no key changes. For an LSTM,
/// `d_ff`, `d_attn` and `n_head` hold the values of a Transformer of its width with one head. They may be absent from the
/// spec of an LSTM that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of ModelShape and Transformer")]
pub struct ShapeColumns {
    #[serde(default, skip_serializing_if = "ArchitectureColumn::is_default")]
    pub architecture: ArchitectureColumn,
    pub n_layer: u32,
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub reuse: u32,
    pub d_model: u32,
    pub d_ff: Option<u32>,
    pub d_attn: Option<u32>,
    pub n_head: Option<u32>,
    pub n_ctx: u32,
    pub n_vocab: u32,
    pub head: Head,
    #[serde(default, skip_serializing_if = "Block::is_default")]
    pub block: Block,
}

/// The name of an [`Architecture`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchitectureColumn {
    /// [`Architecture::Transformer`].
    #[default]
    Transformer,
    /// [`Architecture::Lstm`].
    Lstm,
}

impl ArchitectureColumn {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_once(reuse: &u32) -> bool {
    *reuse == 1
}

impl From<ModelShape> for ShapeColumns {
    fn from(shape: ModelShape) -> Self {
        let ModelShape { architecture, n_layer, d_model, n_ctx, n_vocab, head } = shape;
        let (architecture, blocks) = match architecture {
            Architecture::Transformer(transformer) => (ArchitectureColumn::Transformer, transformer),
            Architecture::Lstm => (ArchitectureColumn::Lstm, Transformer::standard(d_model, 1)),
        };
        let Transformer { reuse, d_ff, d_attn, n_head, block } = blocks;
        let [d_ff, d_attn, n_head] = [d_ff, d_attn, n_head].map(Some);
        Self { architecture, n_layer, reuse, d_model, d_ff, d_attn, n_head, n_ctx, n_vocab, head, block }
    }
}

impl TryFrom<ShapeColumns> for ModelShape {
    type Error = ShapeError;

    fn try_from(columns: ShapeColumns) -> Result<Self, ShapeError> {
        let architecture = match columns.architecture {
            ArchitectureColumn::Transformer => Architecture::Transformer(columns.transformer()?),
            ArchitectureColumn::Lstm => {
                columns.expect_lstm()?;
                Architecture::Lstm
            }
        };
        let ShapeColumns { n_layer, d_model, n_ctx, n_vocab, head, .. } = columns;
        Ok(Self { architecture, n_layer, d_model, n_ctx, n_vocab, head })
    }
}

impl ShapeColumns {
    /// What only a Transformer has.
    fn transformer(&self) -> Result<Transformer, ShapeError> {
        let given = |field, value: Option<u32>| value.ok_or(ShapeError::Missing { field });
        Ok(Transformer {
            reuse: self.reuse,
            d_ff: given("d_ff", self.d_ff)?,
            d_attn: given("d_attn", self.d_attn)?,
            n_head: given("n_head", self.n_head)?,
            block: self.block,
        })
    }

    /// Checks that an LSTM's columns hold nothing that it cannot have.
    fn expect_lstm(&self) -> Result<(), ShapeError> {
        if !self.block.is_default() {
            return Err(ShapeError::LstmBlock);
        }
        let Transformer { reuse, d_ff, d_attn, n_head, block: _ } = Transformer::standard(self.d_model, 1);
        for (field, value, expected) in [
            ("reuse", Some(self.reuse), reuse),
            ("d_ff", self.d_ff, d_ff),
            ("d_attn", self.d_attn, d_attn),
            ("n_head", self.n_head, n_head),
        ] {
            if let Some(value) = value.filter(|value| *value != expected) {
                return Err(ShapeError::Lstm { field, value, expected });
            }
        }
        Ok(())
    }
}

impl ModelShape {
    /// Its part of a run's identity.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let ShapeColumns {
            architecture: _, // by its name
            n_layer,
            reuse,
            d_model,
            d_ff,
            d_attn,
            n_head,
            n_ctx,
            n_vocab,
            head,
            block,
        } = ShapeColumns::from(*self);
        identity.line("arch", self.architecture.name());
        identity.line("n_layer", n_layer);
        identity.line("d_model", d_model);
        for (path, width) in [("d_ff", d_ff), ("d_attn", d_attn), ("n_head", n_head)] {
            if let Some(width) = width {
                identity.line(path, width);
            }
        }
        identity.line("n_ctx", n_ctx);
        identity.line("n_vocab", n_vocab);
        if reuse != 1 {
            identity.line("reuse", reuse);
        }
        let head = match head {
            Head::Tied => "tied",
            Head::Untied => "untied",
        };
        identity.line("head", head);
        block.identify(identity);
    }
}
