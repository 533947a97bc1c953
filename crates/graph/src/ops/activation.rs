//! Activations of a feed-forward layer.

use super::sigmoid;

/// Which activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// GELU in its tanh form (Hendrycks & Gimpel 2016, as GPT-2 has it): ½z(1 + tanh(√(2/π)·(z + 0.044715·z³))).
    GeluTanh,
    /// GELU itself: z·Φ(z), Φ the normal distribution function.
    Gelu,
    /// max(z, 0).
    Relu,
    /// z·σ(z).
    Silu,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 4] = [Self::GeluTanh, Self::Gelu, Self::Relu, Self::Silu];

    /// The activation of z and its derivative; the derivative of ReLU at 0 is 0.
    pub fn at(self, z: f64) -> (f64, f64) {
        match self {
            Self::GeluTanh => {
                let scale = libm::sqrt(2.0 / std::f64::consts::PI);
                let tanh = libm::tanh(scale * (z + 0.044715 * z * z * z));
                let slope = scale * (1.0 + 3.0 * 0.044715 * z * z);
                (0.5 * z * (1.0 + tanh), 0.5 * (1.0 + tanh) + 0.5 * z * (1.0 - tanh * tanh) * slope)
            }
            Self::Gelu => {
                let below = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
                let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * std::f64::consts::PI);
                (z * below, below + z * density)
            }
            Self::Relu => (z.max(0.0), if z > 0.0 { 1.0 } else { 0.0 }),
            Self::Silu => {
                let s = sigmoid(z);
                (z * s, s + z * s * (1.0 - s))
            }
        }
    }
}
