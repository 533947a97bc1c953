//! Random numbers of seeded studies: the same whatever thread draws them.

use scalelaw_random::{Generator, open_unit, stream};

pub(crate) use scalelaw_random::{below, normal};

/// The generator of replicate `index`.
pub(crate) fn generator(seed: u64, index: usize) -> Generator {
    stream(seed, index as u64)
}

/// Exponential with mean 1, never 0: the weights of the Bayesian bootstrap (Rubin 1981).
pub(crate) fn exponential(rng: &mut Generator) -> f64 {
    -libm::log(open_unit(rng))
}

/// Degrees of freedom from which chi-squared is taken as normal: its skewness is below .03.
const NORMAL_FROM: f64 = 1e4;

/// Chi-squared of a whole number of degrees: exponentials in pairs, one squared normal when odd.
pub(crate) fn chi_squared(rng: &mut Generator, freedom: f64) -> f64 {
    if freedom >= NORMAL_FROM {
        return freedom + (2.0 * freedom).sqrt() * normal(rng);
    }
    let whole = libm::round(freedom.max(1.0)) as u64;
    let pairs: f64 = (0..whole / 2).map(|_| -2.0 * libm::log(open_unit(rng))).sum();
    let odd = if whole % 2 == 1 { normal(rng) } else { 0.0 };
    pairs + odd * odd
}
