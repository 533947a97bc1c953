//! The fixed held-out windows that losses are measured on.

use crate::dataset::Dataset;
use crate::error::TokensError;
use crate::loader::count_windows;
use crate::manifest::Split;
use crate::tokens::Tokens;

/// The first windows of a held-out split, at stride `n_ctx`: tokens 1, 2, … are each predicted once.
///
/// It knows how many bytes of text its targets stand for, so that total nats become nats per byte exactly.
#[derive(Clone, Debug)]
pub struct EvalSet {
    tokens: Tokens,
    n_ctx: usize,
    n_windows: u64,
    n_bytes: u64,
}

impl EvalSet {
    /// The windows of `split` whose targets fit in `max_tokens` (at least one window; `u64::MAX` for all).
    ///
    /// # Errors
    /// When the split has not a single window.
    pub fn new(dataset: &Dataset, split: Split, n_ctx: usize, max_tokens: u64) -> Result<Self, TokensError> {
        let tokens = dataset.tokens(split);
        let n_windows = count_windows(&tokens, n_ctx)?.min((max_tokens / n_ctx as u64).max(1));
        let lengths = dataset.token_bytes();
        let mut n_bytes = 0;
        let mut targets = vec![0; n_ctx];
        for window in 0..n_windows {
            tokens.copy_to(window * n_ctx as u64 + 1, &mut targets);
            n_bytes += targets.iter().map(|&t| u64::from(lengths[t as usize])).sum::<u64>();
        }
        Ok(Self { tokens, n_ctx, n_windows, n_bytes })
    }

    /// Number of windows.
    pub fn n_windows(&self) -> u64 {
        self.n_windows
    }

    /// Number of targets: what a loss in nats per token is a mean over.
    pub fn n_tokens(&self) -> u64 {
        self.n_windows * self.n_ctx as u64
    }

    /// Bytes of text that the targets stand for; an end-of-text token is 0 bytes.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Context length.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    /// The tokens that the windows cover: the first one, which is no target, and all targets.
    pub fn covered(&self) -> Vec<u32> {
        let mut tokens = vec![0; self.n_tokens() as usize + 1];
        self.tokens.copy_to(0, &mut tokens);
        tokens
    }

    /// Writes window `index`.
    ///
    /// # Shapes
    /// `out`: `[n_ctx + 1]`; inputs are `out[..n_ctx]`, targets `out[1..]`.
    ///
    /// # Panics
    /// When `out` has another length or there is no such window.
    pub fn window(&self, index: u64, out: &mut [u32]) {
        assert!(index < self.n_windows, "window {index} of {}", self.n_windows);
        assert_eq!(out.len(), self.n_ctx + 1, "a window is n_ctx + 1 tokens");
        self.tokens.copy_to(index * self.n_ctx as u64, out);
    }

    /// Bits per byte of text for a mean loss over these targets.
    ///
    /// # Units
    /// `loss` in nats per token.
    pub fn bits_per_byte(&self, loss: f64) -> f64 {
        loss * self.n_tokens() as f64 / (self.n_bytes as f64 * std::f64::consts::LN_2)
    }
}
