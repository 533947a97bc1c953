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
    let e = exp(-t);
    let sigmoid = 1.0 / (1.0 + e);
    let y = z * sigmoid;
    let slope = SLOPE * (3.0 * CUBE).mul_add(z2, 1.0);
    // e·σ is 1 − σ without the cancellation.
    (y, (y * (e * sigmoid)).mul_add(slope, sigmoid))
}

for_each_isa! {
    /// Replaces every row of `x` by its GELU and keeps the derivative, which is cheap here and costs an
    /// exponential and a division when it is wanted later.
    ///
    /// # Shapes
    /// x, derivative `[rows, width]` at [`row_stride`].
    pub fn forward(width: usize, x: &mut [f32], derivative: &mut [f32]) {
        let stride = row_stride(width);
        for (x, derivative) in x.chunks_exact_mut(stride).zip(derivative.chunks_exact_mut(stride)) {
            let (x, derivative) = (&mut x[..width], &mut derivative[..width]);
            for i in 0..width {
                (x[i], derivative[i]) = gelu_tanh(x[i]);
            }
        }
    }

    /// d_pre = d_out · derivative, in place.
    pub fn backward(width: usize, d_out: &mut [f32], derivative: &[f32]) {
        let stride = row_stride(width);
        for (d, derivative) in d_out.chunks_exact_mut(stride).zip(derivative.chunks_exact(stride)) {
            for (d, derivative) in d[..width].iter_mut().zip(&derivative[..width]) {
                *d *= derivative;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;

    fn reference(z: f64) -> f64 {
        0.5 * z * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (z + 0.044_715 * z.powi(3))).tanh())
    }

    #[test]
    fn gelu_and_its_derivative_match_the_tanh_form_and_central_differences() {
        let width = 37;
        let mut x: Vec<f64> = numbers(4 * width, 1).iter().map(|x| 6.0 * x).collect();
        (x[0], x[1], x[2]) = (0.0, 40.0, -40.0);
        let d_out = numbers(x.len(), 2);
        let got = on_every_isa(|isa| {
            let (mut y, mut derivative) = (rows(width, &x), rows(width, &x));
            forward(isa, width, &mut y, &mut derivative);
            let mut d = rows(width, &d_out);
            backward(isa, width, &mut d, &derivative);
            vec![unpad(width, &y, 4), unpad(width, &derivative, 4), unpad(width, &d, 4)]
        });
        let want: Vec<f64> = x.iter().map(|&z| reference(z)).collect();
        assert_close(&got[0], &want, 1e-6);
        let slope: Vec<f64> = x.iter().map(|&z| slopes(&[z], |z| reference(z[0]))[0]).collect();
        assert_close(&got[1], &slope, 1e-6);
        let chained: Vec<f64> = slope.iter().zip(&d_out).map(|(a, b)| a * b).collect();
        assert_close(&got[2], &chained, 1e-6);
    }
}
