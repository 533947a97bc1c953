//! Initial parameters, with the same bits on every platform.

use scalelaw_core::RunSpec;
use scalelaw_core::spec::Init;
use scalelaw_graph::{Plan, Role, Tensor};
use scalelaw_random::{Generator, generator, normals};

/// Initial parameters of a run, flat, in the order of [`Plan::tensors`].
///
/// Decided by the tensors' [roles](Role): weights as [`Init`] says, norms the identity, biases zero, but those of an
/// LSTM's forget gates one (Jozefowicz et al. 2015). Drawn tensor after tensor from one xoshiro256++ seeded by the run's seed.
pub fn initial_parameters(plan: &Plan, spec: &RunSpec) -> Vec<f32> {
    let mut normals = Normals::new(spec.seed);
    let mut parameters = vec![0.0; plan.n_parameters()];
    for tensor in plan.tensors() {
        let values = &mut parameters[tensor.range.clone()];
        match tensor.role {
            Role::Embedding | Role::Head | Role::Matrix | Role::ResidualMatrix => {
                let std = standard_deviation(tensor, spec);
                values.fill_with(|| (std * normals.next()) as f32);
            }
            Role::Norm => values.fill(1.0),
            Role::Bias => {}
            Role::GateBias => {
                let width = values.len() / 4;
                values[width..2 * width].fill(1.0);
            }
        }
    }
    parameters
}

/// Standard deviation of the initial numbers of a matrix or table.
fn standard_deviation(tensor: &Tensor, spec: &RunSpec) -> f64 {
    let (rows, columns) = (tensor.shape[0] as f64, tensor.shape[1] as f64);
    match (spec.training.init, tensor.role) {
        (Init::Gpt2, Role::ResidualMatrix) => {
            let joins = 2.0 * f64::from(spec.model.n_layer.max(1)) * f64::from(spec.model.reuse());
            spec.init_std / libm::sqrt(joins)
        }
        (Init::Gpt2 | Init::Normal, _) | (Init::FanIn | Init::Xavier, Role::Embedding) => spec.init_std,
        // A head multiplies by its rows.
        (Init::FanIn, Role::Head) => 1.0 / libm::sqrt(columns),
        (Init::FanIn, _) => 1.0 / libm::sqrt(rows),
        (Init::Xavier, _) => libm::sqrt(2.0 / (rows + columns)),
    }
}

/// Standard normal numbers, drawn in pairs.
struct Normals {
    generator: Generator,
    second: Option<f64>,
}

impl Normals {
    fn new(seed: u64) -> Self {
        Self { generator: generator(seed), second: None }
    }

    fn next(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        let [first, second] = normals(&mut self.generator);
        self.second = Some(second);
        first
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn first_normals_of_a_seed_never_change() {
        let mut normals = Normals::new(0);
        let bits: Vec<u64> = (0..3).map(|_| normals.next().to_bits()).collect();
        assert_eq!(bits, FIRST_NORMALS);
    }

    #[test]
    fn initial_weights_of_every_scheme_have_its_standard_deviations() {
        let text = include_str!("../tests/run-spec.md");
        let toml = text.split("```toml\n").nth(1).and_then(|block| block.split("```").next());
        let mut spec = RunSpec::from_toml(toml.unwrap_or_default()).unwrap();
        let (layers, d, vocabulary) = (2.0f64, 64.0f64, 512.0f64);
        assert_eq!((spec.model.n_layer, spec.model.d_model, spec.model.n_vocab), (2, 64, 512));
        let plan = crate::model::plan(&spec.model, 0.0);
        let std = spec.init_std;
        // Of embedding, c_fc [d, 4d], c_proj [4d, d] and head.
        for (init, want) in [
            (Init::Gpt2, [std, std, std / (2.0 * layers).sqrt(), std]),
            (Init::Normal, [std; 4]),
            (Init::FanIn, [std, 1.0 / d.sqrt(), 1.0 / (4.0 * d).sqrt(), 1.0 / d.sqrt()]),
            (
                Init::Xavier,
                [std, (2.0 / (5.0 * d)).sqrt(), (2.0 / (5.0 * d)).sqrt(), (2.0 / (d + vocabulary)).sqrt()],
            ),
        ] {
            spec.training.init = init;
            let parameters = initial_parameters(&plan, &spec);
            let names = ["wte.weight", "h.1.mlp.c_fc.weight", "h.1.mlp.c_proj.weight", "lm_head.weight"];
            for (name, want) in names.into_iter().zip(want) {
                let tensor = plan.tensors().iter().find(|t| t.name == name).unwrap();
                let values = &parameters[tensor.range.clone()];
                let square: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
                let got = (square / values.len() as f64).sqrt();
                // Five standard errors of 16,384 numbers or more.
                assert!((got / want - 1.0).abs() < 0.03, "{init:?} {name}: {got}, expected {want}");
            }
        }
    }

    /// A golden value: changing it changes every run.
    const FIRST_NORMALS: [u64; 3] =
        [13_831_040_432_779_390_613, 4_607_233_947_329_671_223, 4_609_103_124_363_988_833];
}
