//! Discrete laws and draws from them. All arithmetic is exactly rounded, so the draws are the same on every machine.

use scalelaw_random::{Rng, unit};

/// How fast frequency falls with rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slope {
    /// 1 / rank: Zipf's law.
    One,
    /// 1 / rank².
    Square,
}

/// Frequencies by rank, which sum to 1.
pub(super) fn zipf(n: usize, slope: Slope) -> Vec<f64> {
    let weight = |rank: usize| match slope {
        Slope::One => 1.0 / rank as f64,
        Slope::Square => 1.0 / (rank * rank) as f64,
    };
    let total: f64 = (1..=n).map(weight).sum();
    (1..=n).map(|rank| weight(rank) / total).collect()
}

/// The same values in a random order (Fisher and Yates).
pub(super) fn shuffled(rng: &mut impl Rng, values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    for i in (1..values.len()).rev() {
        values.swap(i, below(rng, i + 1));
    }
    values
}

/// A number below `n`, uniform but for a bias of n / 2^64: without the rejections of [`scalelaw_random::below`], which
/// would change the documents of every seed.
pub(super) fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// A law over `0..n`.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    probabilities: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Weights {
    /// The law with these probabilities.
    pub(super) fn new(probabilities: &[f64]) -> Self {
        let total: f64 = probabilities.iter().sum();
        let probabilities: Vec<f64> = probabilities.iter().map(|p| p / total).collect();
        let mut sum = 0.0;
        let cumulative = probabilities.iter().map(|p| {
            sum += p;
            sum
        });
        Self { cumulative: cumulative.collect(), probabilities }
    }

    /// The probability of a value.
    pub(super) fn p(&self, value: usize) -> f64 {
        self.probabilities[value]
    }

    /// Draws a value.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> usize {
        let u = unit(rng);
        self.cumulative.partition_point(|&c| c <= u).min(self.probabilities.len() - 1)
    }
}
