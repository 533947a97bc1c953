//! Seeded numbers that look random and have the same bits on every machine, whatever thread draws them.
//!
//! Initial weights, the order of the training data, masks of dropout, synthetic languages and resamples are made of
//! these: a change here changes the bytes of runs.

use rand_core::SeedableRng;

pub use rand_core::Rng;
pub use rand_xoshiro::Xoshiro256PlusPlus as Generator;

/// 2^64 over the golden ratio, made odd: multiples of it are far apart.
pub const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The generator of a seed.
pub fn generator(seed: u64) -> Generator {
    Generator::seed_from_u64(seed)
}

/// The generator of stream `index` of a seed: one for each replicate.
pub fn stream(seed: u64, index: u64) -> Generator {
    generator(seed.wrapping_add(index.wrapping_mul(GOLDEN)))
}

/// A number in [0, 1) from the upper 53 of random bits.
pub fn unit_of(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A number in [0, 1) with 53 random bits.
pub fn unit(rng: &mut impl Rng) -> f64 {
    unit_of(rng.next_u64())
}

/// A number between 0 and 1, never either: the middle of one of 2^53 cells.
pub fn open_unit(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Radius and angle of a pair of standard normals (Box and Muller 1958).
fn polar(rng: &mut impl Rng) -> (f64, f64) {
    let radius = libm::sqrt(-2.0 * libm::log(open_unit(rng)));
    (radius, std::f64::consts::TAU * open_unit(rng))
}

/// A standard normal: the first of [`normals`].
pub fn normal(rng: &mut impl Rng) -> f64 {
    let (radius, angle) = polar(rng);
    radius * libm::cos(angle)
}

/// Two independent standard normals.
pub fn normals(rng: &mut impl Rng) -> [f64; 2] {
    let (radius, angle) = polar(rng);
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}

/// A whole number below `n`, every one equally likely (Lemire 2019).
pub fn below(rng: &mut impl Rng, n: u64) -> u64 {
    loop {
        let wide = u128::from(rng.next_u64()) * u128::from(n);
        if wide as u64 >= n.wrapping_neg() % n {
            return (wide >> 64) as u64;
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64 bits that mixes all of them; 0 stays 0.
#[inline]
pub fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What SplitMix64 draws in a state: a bijection too, and 0 goes elsewhere. The next state is [`GOLDEN`] further.
#[inline]
pub fn splitmix(state: u64) -> u64 {
    mix(state.wrapping_add(GOLDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_draws_the_numbers_of_its_authors() {
        // The first outputs of SplitMix64 seeded with 1234567, as in the test data of its ports.
        let draws: Vec<u64> =
            (0..3).map(|i| splitmix(GOLDEN.wrapping_mul(i).wrapping_add(1_234_567))).collect();
        assert_eq!(draws, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn normal_is_the_first_of_a_pair() {
        for seed in 0..5 {
            assert_eq!(normal(&mut generator(seed)).to_bits(), normals(&mut generator(seed))[0].to_bits());
        }
    }

    #[test]
    fn normals_have_the_moments_of_a_standard_normal() {
        let mut rng = generator(1);
        let n = 200_000;
        let draws: Vec<f64> = (0..n / 2).flat_map(|_| normals(&mut rng)).collect();
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / f64::from(n);
        // Standard errors: 1/√n, √2/√n, √96/√n.
        let root = f64::from(n).sqrt();
        assert!(moment(1).abs() < 4.0 / root);
        assert!((moment(2) - 1.0).abs() < 4.0 * 2f64.sqrt() / root);
        assert!((moment(4) - 3.0).abs() < 4.0 * 96f64.sqrt() / root);
    }

    #[test]
    fn units_stay_between_their_ends() {
        assert_eq!((unit_of(0), unit_of(u64::MAX)), (0.0, 1.0 - 2f64.powi(-53)));
        let mut rng = generator(3);
        assert!((0..1000).map(|_| open_unit(&mut rng)).all(|u| 0.0 < u && u < 1.0));
        assert!((0..1000).all(|_| below(&mut rng, 7) < 7));
    }
}
