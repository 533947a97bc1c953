//! From a sequence number to training tokens, with no state to save.

use crate::error::TokensError;
use crate::permutation::Permutation;
use crate::tokens::Tokens;
use scalelaw_random::mix;

/// Training sequences: windows of `n_ctx + 1` tokens at stride `n_ctx`, so that every token but the first
/// is a target exactly once an epoch, in an order that is new each epoch.
///
/// A pure function of (tokens, n_ctx, seed, index): to resume, go on with the next index.
#[derive(Clone, Debug)]
pub struct Loader {
    tokens: Tokens,
    n_ctx: usize,
    n_windows: u64,
    seed: u64,
}

impl Loader {
    /// A loader over all windows of `tokens` (a split, or a [`Tokens::prefix`] of it).
    ///
    /// # Errors
    /// When there is not a single window.
    pub fn new(tokens: Tokens, n_ctx: usize, seed: u64) -> Result<Self, TokensError> {
        let n_windows = count_windows(&tokens, n_ctx)?;
        Ok(Self { tokens, n_ctx, n_windows, seed })
    }

    /// Windows in an epoch.
    pub fn n_windows(&self) -> u64 {
        self.n_windows
    }

    /// Tokens that are a target once an epoch: the unique data of a run.
    pub fn unique_tokens(&self) -> u64 {
        self.n_windows * self.n_ctx as u64
    }

    /// Context length.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    /// Writes the sequence with this number, counted from the start of training, and returns its window.
    ///
    /// # Shapes
    /// `out`: `[n_ctx + 1]`; inputs are `out[..n_ctx]`, targets `out[1..]`.
    ///
    /// # Panics
    /// When `out` has another length.
    pub fn sequence(&self, global_index: u64, out: &mut [u32]) -> u64 {
        assert_eq!(out.len(), self.n_ctx + 1, "a sequence is n_ctx + 1 tokens");
        let window = self.window_of(global_index);
        self.tokens.copy_to(window * self.n_ctx as u64, out);
        window
    }

    /// The window that this sequence number reads.
    pub fn window_of(&self, global_index: u64) -> u64 {
        let (epoch, index) = (global_index / self.n_windows, global_index % self.n_windows);
        let key = mix(self.seed ^ mix(epoch.wrapping_add(0x5CA1_E1A3)));
        Permutation::new(self.n_windows, key).apply(index)
    }
}

/// Windows of `n_ctx + 1` tokens at stride `n_ctx`.
pub(crate) fn count_windows(tokens: &Tokens, n_ctx: usize) -> Result<u64, TokensError> {
    let needed = n_ctx as u64 + 1;
    if n_ctx == 0 || tokens.len() < needed {
        let what = tokens.name().to_string();
        return Err(TokensError::TooFewTokens { what, available: tokens.len(), needed: needed.max(2) });
    }
    Ok((tokens.len() - 1) / n_ctx as u64)
}
