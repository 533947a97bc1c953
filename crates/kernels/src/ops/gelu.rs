//! GELU in its tanh form (Hendrycks & Gimpel 2016, as GPT-2 has it), through one sigmoid.
//!
//! gelu(z) = z·σ(2u), u = √(2/π)·(z + 0.044715·z³): the same function as ½z(1 + tanh u).

use super::row_stride;
use crate::isa::for_each_isa;
use crate::math::exp;

/// 2·√(2/π).
const SLOPE: f32 = 1.595_769;
/// Coefficient of the cube.
const CUBE: f32 = 0.044_715;

/// gelu(z) and its derivative.
#[inline(always)]
fn gelu_tanh(z: f32) -> (f32, f32) {
    let z2 = z * z;
    let t = SLOPE * z * CUBE.mul_add(z2, 1.0);
    let sigmoid = 1.0 / (1.0 + exp(-t));
    let y = z * sigmoid;
    let slope = SLOPE * (3.0 * CUBE).mul_add(z2, 1.0);
    (y, (y * (1.0 - sigmoid)).mul_add(slope, sigmoid))
}

for_each_isa! {
    /// Replaces every row of `x` by its GELU and keeps the derivative, which is cheap here and costs an
    /// exponential and a division when it is wanted later.
    ///
    /// # Shapes
    /// x, derivative `[rows, width]` at [`row_stride`].
    pub fn forward(width: usize, x: &mut [f32], derivative: &mut [f32]) {
        let stride = row_stride(width);
        for (x, derivative) in x.chunks_mut(stride).zip(derivative.chunks_mut(stride)) {
            let (x, derivative) = (&mut x[..width], &mut derivative[..width]);
            for i in 0..width {
                (x[i], derivative[i]) = gelu_tanh(x[i]);
            }
        }
    }

    /// d_pre = d_out · derivative, in place.
    pub fn backward(width: usize, d_out: &mut [f32], derivative: &[f32]) {
        let stride = row_stride(width);
        for (d, derivative) in d_out.chunks_mut(stride).zip(derivative.chunks(stride)) {
            for (d, derivative) in d[..width].iter_mut().zip(&derivative[..width]) {
                *d *= derivative;
            }
        }
    }
}
