//! The gradient noise scale from gradient norms of two batch sizes.

/// B_simple = tr Σ / |G|², in the unit of the batch sizes (tokens).
///
/// `grad_sq_small` and `grad_sq_big` are means of the squared gradient norms of micro-batches of
/// `small_tokens` and of whole batches of `big_tokens`. The two estimates are formed apart and divided last;
/// the ratio is biased. `None` where the estimate of |G|² is not positive, or the sizes do not differ.
///
/// # Source
/// McCandlish et al. 2018, appendix A.1.
pub fn b_simple(grad_sq_small: f64, grad_sq_big: f64, small_tokens: f64, big_tokens: f64) -> Option<f64> {
    if small_tokens >= big_tokens {
        return None;
    }
    let grad_sq = (big_tokens * grad_sq_big - small_tokens * grad_sq_small) / (big_tokens - small_tokens);
    let trace = (grad_sq_small - grad_sq_big) / (1.0 / small_tokens - 1.0 / big_tokens);
    (grad_sq > 0.0 && trace.is_finite()).then(|| trace / grad_sq)
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
}
