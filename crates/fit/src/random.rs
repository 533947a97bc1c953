//! Random numbers of seeded studies: the same whatever thread draws them.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The generator of replicate `index`.
pub(crate) fn generator(seed: u64, index: usize) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Uniform between 0 and 1, never either.
pub(crate) fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Exponential with mean 1, never 0: the weights of the Bayesian bootstrap (Rubin 1981).
pub(crate) fn exponential(rng: &mut Xoshiro256PlusPlus) -> f64 {
    -libm::log(uniform(rng))
}

/// Standard normal, by Box and Muller.
pub(crate) fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    let radius = (-2.0 * libm::log(uniform(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * uniform(rng))
}

/// Chi-squared of a whole number of degrees: exponentials in pairs, one squared normal when odd.
pub(crate) fn chi_squared(rng: &mut Xoshiro256PlusPlus, freedom: f64) -> f64 {
    let whole = libm::round(freedom.max(1.0)) as u64;
    let pairs: f64 = (0..whole / 2).map(|_| -2.0 * libm::log(uniform(rng))).sum();
    let odd = if whole % 2 == 1 { normal(rng) } else { 0.0 };
    pairs + odd * odd
}

/// A whole number below `n`, every one equally likely (Lemire's method).
pub(crate) fn below(rng: &mut Xoshiro256PlusPlus, n: u64) -> u64 {
    loop {
        let wide = u128::from(rng.next_u64()) * u128::from(n);
        if wide as u64 >= n.wrapping_neg() % n {
            return (wide >> 64) as u64;
        }
    }
}
