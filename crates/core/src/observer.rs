//! Progress as it happens, for whoever wants to show it.
//!
//! An observer may fail silently: the durable log of a run is not an observer.

/// What an observer is told.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A stage of work began, moved on or ended (`done == total`).
    Stage {
        /// What is being done, for a person: "reading text".
        name: &'a str,
        /// Units done so far.
        done: u64,
        /// Units in all; 0 when not known yet.
        total: u64,
        /// The unit, plural: "bytes", "tokens".
        unit: &'a str,
    },
    /// A run moved on.
    Run {
        /// The run's key.
        run_id: &'a str,
        /// Steps done.
        step: u64,
        /// Steps in all.
        steps: u64,
        /// Tokens processed since the last report of this run.
        new_tokens: u64,
        /// FLOPs spent since the last report of this run (head and attention included).
        new_flops: f64,
        /// Train loss of the last step, nats per token.
        train_loss: f64,
    },
    /// Something a person should know.
    Note(&'a str),
}

/// Receives progress; called from any thread.
pub trait Observer: Send + Sync {
    /// Called often; must return quickly.
    fn progress(&self, progress: Progress<'_>);
}

/// Nobody is watching.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress<'_>) {}
}
