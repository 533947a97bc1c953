//! One file per command: request, report struct, rendering.

pub mod chain;
pub mod compare;
pub mod corpus;
pub mod envelope;
pub mod explain;
pub mod fit;
mod import;
pub mod isoflop;
mod law_source;
mod observations;
pub mod paper;
pub mod plan;
mod plan_text;
pub mod predict;
pub mod reproduce;
pub mod runs;
pub mod score;
pub mod suggest;
pub mod sweep;
mod table;
pub mod tokenizer;
pub mod train;
