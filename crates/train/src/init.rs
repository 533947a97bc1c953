//! Initial parameters, with the same bits on every platform.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use scalelaw_core::RunSpec;
use scalelaw_kernels::Plan;

/// Initial parameters of a run, flat, in the order of [`Plan::tensors`].
///
/// As GPT-2 (Radford et al. 2019): weights and embeddings are normal with standard deviation `init_std`,
/// those of layers whose output joins the residual stream (`c_proj`) with `init_std`/√(2·n_layer·reuse), norms are
/// the identity, biases zero, but those of an LSTM's forget gates one (Jozefowicz et al. 2015). Drawn tensor after tensor from one xoshiro256++ seeded by the run's seed.
pub fn initial_parameters(plan: &Plan, spec: &RunSpec) -> Vec<f32> {
    let mut normals = Normals::new(spec.seed);
    let mut parameters = vec![0.0; plan.n_parameters()];
    let residual_std =
        spec.init_std / libm::sqrt(2.0 * f64::from(spec.model.n_layer.max(1)) * f64::from(spec.model.reuse));
    for tensor in plan.tensors() {
        let values = &mut parameters[tensor.range.clone()];
        if tensor.shape.len() == 2 {
            let std = if tensor.name.ends_with("c_proj.weight") { residual_std } else { spec.init_std };
            values.fill_with(|| (std * normals.next()) as f32);
        } else if tensor.name.ends_with(".weight") {
            values.fill(1.0);
        } else if tensor.name.starts_with("lstm.") {
            let width = values.len() / 4;
            values[width..2 * width].fill(1.0);
        }
    }
    parameters
}

/// Standard normal numbers by the method of Box and Muller, in pairs.
struct Normals {
    uniform: Xoshiro256PlusPlus,
    second: Option<f64>,
}

impl Normals {
    fn new(seed: u64) -> Self {
        Self { uniform: Xoshiro256PlusPlus::seed_from_u64(seed), second: None }
    }

    /// Uniform in (0, 1): the middle of one of 2^53 cells.
    fn uniform(&mut self) -> f64 {
        ((self.uniform.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        let angle = std::f64::consts::TAU * self.uniform();
        self.second = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_have_the_moments_of_a_standard_normal() {
        let mut normals = Normals::new(1);
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|_| normals.next()).collect();
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / f64::from(n);
        // Standard errors: 1/√n, √2/√n, √96/√n.
        let root = f64::from(n).sqrt();
        assert!(moment(1).abs() < 4.0 / root);
        assert!((moment(2) - 1.0).abs() < 4.0 * 2f64.sqrt() / root);
        assert!((moment(4) - 3.0).abs() < 4.0 * 96f64.sqrt() / root);
    }

    #[test]
    fn first_normals_of_a_seed_never_change() {
        let mut normals = Normals::new(0);
        let bits: Vec<u64> = (0..3).map(|_| normals.next().to_bits()).collect();
        assert_eq!(bits, FIRST_NORMALS);
    }

    /// A golden value: changing it changes every run.
    const FIRST_NORMALS: [u64; 3] =
        [13_831_040_432_779_390_613, 4_607_233_947_329_671_223, 4_609_103_124_363_988_833];
}
