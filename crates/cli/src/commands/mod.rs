//! One file per command: request, report struct, rendering.

pub mod chain;
pub mod compare;
pub mod corpus;
pub mod doubt;
pub mod envelope;
pub mod explain;
pub mod fit;
mod import;
pub mod isoflop;
pub mod paper;
pub mod plan;
pub mod predict;
pub mod reproduce;
pub mod runs;
pub mod score;
pub mod suggest;
pub mod sweep;
mod table;
pub mod tokenizer;
pub mod train;
pub mod worker;
