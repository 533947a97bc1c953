//! Activations of a feed-forward layer, applied in place, their derivatives kept.

use crate::isa::for_each_isa;
use crate::layout::row_stride;
use crate::math::{exp, sigmoid};
use scalelaw_graph::ops::Activation;

/// 2·√(2/π).
const SLOPE: f32 = 1.595_769;
/// Coefficient of the cube.
const CUBE: f32 = 0.044_715;

/// gelu(z) in its tanh form, through one sigmoid: z·σ(2u), u = √(2/π)·(z + 0.044715·z³), and its derivative.
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

/// z·Φ(z) and its derivative Φ(z) + z·φ(z). Φ is within 1.5e-7.
///
/// # Source
/// Abramowitz & Stegun 1964, 7.1.26, for the error function.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "the digits as published")]
fn gelu(z: f32) -> (f32, f32) {
    const DENSITY: f32 = 0.398_942_28; // 1/√(2π)
    let e = exp(-0.5 * z * z);
    let t = 1.0 / (0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2).mul_add(z.abs(), 1.0);
    let p = 1.061_405_429f32;
    let p = p.mul_add(t, -1.453_152_027);
    let p = p.mul_add(t, 1.421_413_741);
    let p = p.mul_add(t, -0.284_496_736);
    let p = p.mul_add(t, 0.254_829_592);
    let tail = 0.5 * (p * t * e);
    let below = if z < 0.0 { tail } else { 1.0 - tail };
    (z * below, (z * DENSITY).mul_add(e, below))
}

/// max(z, 0) and its derivative, 0 at 0; NaN stays NaN.
#[inline(always)]
fn relu(z: f32) -> (f32, f32) {
    (if z <= 0.0 { 0.0 } else { z }, if z > 0.0 { 1.0 } else { 0.0 })
}

/// z·σ(z) and its derivative σ + z·σ·(1 − σ).
#[inline(always)]
fn silu(z: f32) -> (f32, f32) {
    let s = sigmoid(z);
    let y = z * s;
    (y, y.mul_add(1.0 - s, s))
}

#[inline(always)]
fn each(width: usize, x: &mut [f32], derivative: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    let stride = row_stride(width);
    for (x, derivative) in x.chunks_exact_mut(stride).zip(derivative.chunks_exact_mut(stride)) {
        let (x, derivative) = (&mut x[..width], &mut derivative[..width]);
        for i in 0..width {
            (x[i], derivative[i]) = f(x[i]);
        }
    }
}

for_each_isa! {
    /// Activates every row of `x` and keeps the derivative, which is cheap here and costs an exponential and a
    /// division in the backward pass.
    ///
    /// # Shapes
    /// x, derivative `[rows, width]` at [`row_stride`].
    #[allow(clippy::redundant_closure, reason = "as said below")]
    pub fn forward(activation: Activation, width: usize, x: &mut [f32], derivative: &mut [f32]) {
        match activation {
            // Closures, unlike paths, are compiled with the features of what surrounds them.
            Activation::GeluTanh => each(width, x, derivative, |z| gelu_tanh(z)),
            Activation::Gelu => each(width, x, derivative, |z| gelu(z)),
            Activation::Relu => each(width, x, derivative, |z| relu(z)),
            Activation::Silu => each(width, x, derivative, |z| silu(z)),
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
    use crate::testing::*;

    #[test]
    fn activations_and_their_derivatives_match_their_references_and_central_differences() {
        let width = 37;
        for activation in Activation::ALL {
            let mut x: Vec<f64> = numbers(4 * width, 1).iter().map(|x| 6.0 * x).collect();
            (x[1], x[2]) = (40.0, -40.0);
            // No difference finds the slope of a bend.
            x[0] = if activation == Activation::Relu { 0.5 } else { 0.0 };
            let d_out = numbers(x.len(), 2);
            let got = on_every_isa(|isa| {
                let (mut y, mut derivative) = (rows(width, &x), rows(width, &x));
                forward(isa, activation, width, &mut y, &mut derivative);
                let mut d = rows(width, &d_out);
                backward(isa, width, &mut d, &derivative);
                vec![unpad(width, &y, 4), unpad(width, &derivative, 4), unpad(width, &d, 4)]
            });
            let want: Vec<f64> = x.iter().map(|&z| activation.at(z).0).collect();
            assert_close(&got[0], &want, 1e-6);
            // The large argument above says nothing about the small ones.
            for (got, want) in got[0].iter().zip(&want) {
                assert!((f64::from(*got) - want).abs() <= 1e-6 * (1.0 + want.abs()), "{got} {want}");
            }
            let slope: Vec<f64> = x.iter().map(|&z| slopes(&[z], |z| activation.at(z[0]).0)[0]).collect();
            for (&z, slope) in x.iter().zip(&slope) {
                assert!(
                    (activation.at(z).1 - slope).abs() < 1e-8 * (1.0 + slope.abs()),
                    "{activation:?} at {z}"
                );
            }
            assert_close(&got[1], &slope, 1e-6);
            let chained: Vec<f64> = slope.iter().zip(&d_out).map(|(a, b)| a * b).collect();
            assert_close(&got[2], &chained, 1e-6);
        }
    }

    #[test]
    fn activation_of_what_is_not_a_number_is_not_a_number() {
        for activation in Activation::ALL {
            let (mut x, mut derivative) = (vec![f32::NAN; row_stride(3)], vec![0.0; row_stride(3)]);
            forward(crate::Isa::best(), activation, 3, &mut x, &mut derivative);
            assert!(x[..3].iter().all(|x| x.is_nan()), "{activation:?}");
        }
    }
}
