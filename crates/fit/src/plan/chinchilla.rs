//! The optimum of E + A/N^α + B/D^β under C = 6·N·D in closed form: Hoffmann et al. 2022, equation 4.

use super::allocation::Allocation;
use crate::law::value;
use crate::laws::Chinchilla;

/// N = G·(C/6)^(β/(α+β)), D = (C/6)/N, G = (αA/βB)^(1/(α+β)). `constants` are E, A, B, α, β.
pub fn chinchilla_optimum(constants: &[f64; 5], flops: f64) -> Allocation {
    let [_, a, b, alpha, beta] = *constants;
    let g = libm::pow(alpha * a / (beta * b), 1.0 / (alpha + beta));
    let n = g * libm::pow(flops / 6.0, beta / (alpha + beta));
    let d = flops / 6.0 / n;
    Allocation { n, d, loss: value(&Chinchilla, &[n, d], constants) }
}
