//! Everything durable about runs: run directories, their logs, checkpoints and results.
//!
//! A run is a directory of a handful of files:
//!
//! | file | content |
//! |---|---|
//! | `spec.toml` | the resolved [`RunSpec`](scalelaw_core::RunSpec) |
//! | `steps.bin` | one [`StepRecord`] a step, fixed size, little endian |
//! | `events.jsonl` | one [`EvalRecord`] an evaluation |
//! | `timing.jsonl` | whatever depends on the clock or the host ([`TimingRecord`]) |
//! | `checkpoint-<step>.safetensors` | the two newest states, each with a digest and the length of the logs |
//! | `best-<step>.safetensors` | the state with the lowest test loss, of runs that may stop early |
//! | `branch-<step>.safetensors` | states kept for runs that branch off |
//! | `result.json` | [`RunResult`], written last: its presence *is* "finished" |
//!
//! Everything but `timing.jsonl` is a pure function of the spec and the data, and is written at its own
//! offset: a writer that wakes up late writes the same bytes again, so no lock is needed for safety.
//!
//! [`worker`] is the loop that does runs, [`scheduler`] decides when each starts, and a [`launcher`] starts it.

mod checkpoint;
mod claim;
mod dir;
mod error;
pub mod foreign;
mod host;
pub mod launcher;
mod record;
pub mod scheduler;
mod stage;
pub mod worker;

pub use checkpoint::{Checkpoint, NamedTensor};
pub use claim::{Claim, Claimed, Owner, life_sign};
pub use dir::{FinishedRun, RunDir, best_state, branch_state, finished_run, finished_runs, timings};
pub use error::{CheckpointDamage, ContractViolation, RunsError};
pub use host::host_name;
pub use record::{EvalRecord, Outcome, RunResult, StepRecord, TimingRecord};
pub use scalelaw_files::write_atomically;
pub use stage::{
    FailureRecord, Prepared, RunStage, evals_so_far, failure, last_eval, prepare, record_failure, stage,
};
