//! Reports of progress, for anything that displays them.
//!
//! An observer may fail silently: the durable log of a run is not an observer.

/// A report to an observer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A stage of work began, progressed or ended (`done == total`).
    Stage {
        /// The name of the stage for a person, such as "reading text".
        name: &'a str,
        /// Units done so far.
        done: u64,
        /// Units in all; 0 while they are unknown.
        total: u64,
        /// The unit, plural: "bytes", "tokens".
        unit: &'a str,
    },
    /// A run progressed.
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
    /// A message for a person.
    Note(&'a str),
}

/// Receives reports of progress, from any thread.
pub trait Observer: Send + Sync {
    /// Receives one report. It is called often and must return quickly.
    fn progress(&self, progress: Progress<'_>);
}

/// An observer that ignores every report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress<'_>) {}
}
