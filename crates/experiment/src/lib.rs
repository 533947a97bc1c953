//! Experiment files: one TOML that says which runs answer a question, and all of its runs, resolved.
//!
//! ```toml
//! question = "How does loss fall with size?"
//!
//! [recipe]                       # settings of all runs, under a name and a version
//! name = "mine-1"
//! n_ctx = 64
//! n_vocab = 512
//! head = "untied"
//! batch = { sequences = 32, micro_sequences = 8 }
//! lr = "0.014 * sqrt(8 / d_model)"   # a formula of other settings
//! # …
//!
//! [data]
//! synthetic = 0
//! test_tokens = 8192
//!
//! [ladder]                       # named lists of models
//! small = [{ n_layer = 1, d_model = 8 }, { n_layer = 2, d_model = 16 }]
//!
//! [[set]]                        # a list multiplies the runs: 2 models × 3 amounts of data × 2 seeds
//! name = "B"
//! models = "small"
//! train_tokens = ["D", "D/4", "D/16"]
//! seeds = [0, 1]
//! ```
//!
//! A setting is any field of a run's spec, by its path (`schedule.lr`) or its last name (`lr`), or one of the
//! words of [`WORDS`] that are turned into fields. `docs/experiments.md` has the whole language.

mod error;
mod expand;
mod fields;
mod file;
mod formula;
mod node;
mod recipes;
mod resolve;
mod settings;
mod trainer;

pub use error::ExperimentError;
pub use file::{ComposedData, DataOrigin, DataSection, ExperimentFile, Facts, PlannedRun};
pub use settings::WORDS;
pub use trainer::Trainer;
