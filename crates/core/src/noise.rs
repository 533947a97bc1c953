//! The gradient noise scale from gradient norms of two batch sizes.

/// Signal and noise of a gradient, estimated from gradient norms of two batch sizes.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct SignalAndNoise {
    /// |G|² of the true gradient; an estimate from few batches may be negative.
    pub grad_sq: f64,
    /// tr Σ: the variance of a single token's gradient, summed over parameters.
    pub trace: f64,
}

/// Unbiased estimates of |G|² and tr Σ from means of the squared gradient norms of micro-batches of `small_tokens`
/// and of whole batches of `big_tokens`. `None` where the sizes do not differ.
///
/// # Source
/// McCandlish et al. 2018, appendix A.1.
pub fn signal_and_noise(
    grad_sq_small: f64,
    grad_sq_big: f64,
    small_tokens: f64,
    big_tokens: f64,
) -> Option<SignalAndNoise> {
    if small_tokens >= big_tokens {
        return None;
    }
    let grad_sq = (big_tokens * grad_sq_big - small_tokens * grad_sq_small) / (big_tokens - small_tokens);
    let trace = (grad_sq_small - grad_sq_big) / (1.0 / small_tokens - 1.0 / big_tokens);
    Some(SignalAndNoise { grad_sq, trace })
}

impl SignalAndNoise {
    /// B_simple = tr Σ / |G|², in the unit of the batch sizes (tokens). As a ratio of two unbiased estimates it is biased.
    /// `None` where |G|² is not positive.
    pub fn b_simple(&self) -> Option<f64> {
        (self.grad_sq > 0.0 && self.trace.is_finite()).then(|| self.trace / self.grad_sq)
    }
}

/// B_simple of two mean squared norms: see [`signal_and_noise`].
pub fn b_simple(grad_sq_small: f64, grad_sq_big: f64, small_tokens: f64, big_tokens: f64) -> Option<f64> {
    signal_and_noise(grad_sq_small, grad_sq_big, small_tokens, big_tokens)?.b_simple()
}

/// Exponential moving averages of |G|² and tr Σ over steps. The two are averaged separately, and their ratio is taken last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothedNoise {
    decay: f64,
    /// Total weight of the steps so far: 1 − decay^steps.
    weight: f64,
    sums: SignalAndNoise,
}

impl SmoothedNoise {
    /// Averages over about 1/(1 − `decay`) steps.
    pub fn new(decay: f64) -> Self {
        Self { decay, weight: 0.0, sums: SignalAndNoise::default() }
    }

    /// Adds a step.
    pub fn push(&mut self, step: SignalAndNoise) {
        let average = |old: f64, new: f64| self.decay * old + (1.0 - self.decay) * new;
        self.sums = SignalAndNoise {
            grad_sq: average(self.sums.grad_sq, step.grad_sq),
            trace: average(self.sums.trace, step.trace),
        };
        self.weight = average(self.weight, 1.0);
    }

    /// The averages so far, corrected for their start at zero; `None` before the first step.
    pub fn mean(&self) -> Option<SignalAndNoise> {
        let SignalAndNoise { grad_sq, trace } = self.sums;
        (self.weight > 0.0)
            .then(|| SignalAndNoise { grad_sq: grad_sq / self.weight, trace: trace / self.weight })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_simple_of_known_signal_and_noise_is_their_ratio() {
        // |G|² = 2, tr Σ = 600: E|G_B|² = 2 + 600/B.
        let at = |b: f64| 2.0 + 600.0 / b;
        let estimate = b_simple(at(64.0), at(512.0), 64.0, 512.0).unwrap();
        assert!((estimate - 300.0).abs() < 1e-9, "{estimate}");
        assert_eq!(b_simple(1.0, 1.0, 64.0, 64.0), None);
        assert_eq!(b_simple(8.0, 1.0, 64.0, 512.0), None);
    }

    #[test]
    fn smoothed_noise_of_a_constant_is_that_constant_from_the_first_step() {
        let constant = SignalAndNoise { grad_sq: 2.0, trace: 600.0 };
        let mut smoothed = SmoothedNoise::new(0.99);
        assert_eq!(smoothed.mean(), None);
        for _ in 0..5 {
            smoothed.push(constant);
            let mean = smoothed.mean().unwrap();
            assert!((mean.grad_sq - 2.0).abs() < 1e-12 && (mean.trace - 600.0).abs() < 1e-9);
        }
    }

    #[test]
    fn smoothed_noise_divides_averages_and_does_not_average_ratios() {
        let mut smoothed = SmoothedNoise::new(0.5);
        smoothed.push(SignalAndNoise { grad_sq: -1.0, trace: 100.0 });
        assert_eq!(smoothed.mean().unwrap().b_simple(), None);
        smoothed.push(SignalAndNoise { grad_sq: 2.0, trace: 100.0 });
        // Weights 1/3 and 2/3.
        assert!((smoothed.mean().unwrap().b_simple().unwrap() - 100.0).abs() < 1e-9);
    }
}
