//! Layer normalisation (Ba et al. 2016): out = x̂·weight + bias, x̂ = (x − mean)/√(variance + ε); and RMS
//! normalisation (Zhang & Sennrich 2019), the same without mean and bias.

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Sum, Weights};
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowering};
use crate::math::{LANES, add_lanes, sum1};
use scalelaw_graph::ops::norm::{EPSILON, Kind};
use scalelaw_graph::{Value, ops};
use std::ops::Range;

#[derive(Debug)]
struct Norm {
    kind: Kind,
    width: usize,
    weight: Range<usize>,
    bias: Range<usize>,
    sum: Sum,
    x: Slot,
    /// x̂.
    normalised: Slot,
    /// 1/√(variance + ε).
    rstd: Slot,
    out: Slot,
}

pub(super) fn lower(op: ops::Norm, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let weight = op.parameters.weight.range();
    let bias = op.parameters.bias.map_or(weight.end..weight.end, |bias| bias.range());
    assert_eq!(weight.end, bias.start, "the bias lies behind the weight");
    let norm = Norm {
        kind: op.parameters.kind(),
        width: out.width,
        sum: to.sum(weight.start..bias.end),
        weight,
        bias,
        x: to.read(op.x),
        out: to.output(out),
        normalised: to.own_rows(out.width),
        rstd: to.own(to.n_ctx()),
    };
    to.keep(norm.normalised);
    to.keep(norm.rstd);
    (Box::new(norm), Input::Any(op.x))
}

impl Kernel for Norm {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let (weight, bias) = (&pass.parameters[self.weight.clone()], &pass.parameters[self.bias.clone()]);
        let mut z = arena.take(pass, self.normalised);
        let mut y = arena.take(pass, self.out);
        let mut r = arena.take(pass, self.rstd);
        let x = &arena.buffers[pass.at(self.x)];
        forward(pass.isa, self.kind, self.width, x, weight, bias, &mut z, &mut y, &mut r[..pass.rows]);
        arena.put(pass, self.normalised, z);
        arena.put(pass, self.out, y);
        arena.put(pass, self.rstd, r);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let (d_x, write) = d.input();
        let mut dx = arena.take(pass, d_x);
        let (d_weight, d_bias) = arena.sums.of(&self.sum).split_at_mut(self.width);
        backward(
            pass.isa,
            self.kind,
            self.width,
            &arena.buffers[pass.at(d.out())],
            &arena.buffers[pass.at(self.normalised)],
            &arena.buffers[pass.at(self.rstd)][..pass.rows],
            &pass.parameters[self.weight.clone()],
            d_weight,
            d_bias,
            &mut dx,
            write,
        );
        arena.put(pass, d_x, dx);
    }
}

for_each_isa! {
    /// Normalises rows; keeps x̂ and 1/√(variance + ε) for the backward pass.
    ///
    /// # Shapes
    /// x, normalised, out `[rows, width]` at [`row_stride`]; rstd `[rows]`; weight, bias `[width]`.
    pub fn forward(
        kind: Kind,
        width: usize,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        normalised: &mut [f32],
        out: &mut [f32],
        rstd: &mut [f32],
    ) {
        let stride = row_stride(width);
        let weight = &weight[..width];
        let rows = x.chunks(stride).zip(normalised.chunks_mut(stride)).zip(out.chunks_mut(stride));
        for (((x, normalised), out), rstd) in rows.zip(rstd) {
            let (x, normalised, out) = (&x[..width], &mut normalised[..width], &mut out[..width]);
            let mean = match kind {
                Kind::Layer => sum1(x, |x| x) / width as f32,
                Kind::Rms => 0.0,
            };
            let variance = sum1(x, |x| (x - mean) * (x - mean)) / width as f32;
            let scale = 1.0 / (variance + EPSILON).sqrt();
            *rstd = scale;
            match kind {
                Kind::Layer => {
                    let bias = &bias[..width];
                    for i in 0..width {
                        let z = (x[i] - mean) * scale;
                        normalised[i] = z;
                        out[i] = z.mul_add(weight[i], bias[i]);
                    }
                }
                Kind::Rms => {
                    for i in 0..width {
                        let z = x[i] * scale;
                        normalised[i] = z;
                        out[i] = z * weight[i];
                    }
                }
            }
        }
    }

    /// With h = d_out·weight: dx = rstd·(h − mean(h) − x̂·mean(h·x̂)); d_weight += d_out·x̂ and d_bias += d_out,
    /// row after row. RMS normalisation has no mean(h) and no bias.
    pub fn backward(
        kind: Kind,
        width: usize,
        d_out: &[f32],
        normalised: &[f32],
        rstd: &[f32],
        weight: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
        d_x: &mut [f32],
        write: Write,
    ) {
        let stride = row_stride(width);
        let weight = &weight[..width];
        let rows = d_out.chunks(stride).zip(normalised.chunks(stride)).zip(d_x.chunks_mut(stride));
        for (((d_out, z), d_x), &rstd) in rows.zip(rstd) {
            let (d_out, z, d_x) = (&d_out[..width], &z[..width], &mut d_x[..width]);
            let sums = Sums::of_row(kind, d_out, z, weight, d_weight, d_bias);
            let mean_h = match kind {
                Kind::Layer => add_lanes(sums.h) / width as f32,
                Kind::Rms => 0.0,
            };
            let mean_hz = add_lanes(sums.hz) / width as f32;
            let h = d_out.iter().zip(weight).zip(z);
            let gradient =
                h.map(|((d, w), z)| rstd * (-z).mul_add(mean_hz, d.mul_add(*w, -mean_h)));
            match write {
                Write::Set => d_x.iter_mut().zip(gradient).for_each(|(d_x, g)| *d_x = g),
                Write::Add => d_x.iter_mut().zip(gradient).for_each(|(d_x, g)| *d_x += g),
            }
        }
    }
}

/// Σ h and Σ h·x̂ of a row, element i in lane i mod 16.
struct Sums {
    h: [f32; LANES],
    hz: [f32; LANES],
}

impl Sums {
    /// The sums of a row that in the same pass is added to the gradients of weight and bias.
    #[inline(always)]
    fn of_row(
        kind: Kind,
        d_out: &[f32],
        z: &[f32],
        weight: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) -> Self {
        let mut sums = Self { h: [0.0; LANES], hz: [0.0; LANES] };
        let width = d_out.len();
        let mut at = 0;
        while at + LANES <= width {
            sums.add::<LANES>(kind, at, d_out, z, weight, d_weight, d_bias);
            at += LANES;
        }
        if at + LANES / 2 <= width {
            sums.add::<{ LANES / 2 }>(kind, at, d_out, z, weight, d_weight, d_bias);
            at += LANES / 2;
        }
        while at < width {
            sums.add::<1>(kind, at, d_out, z, weight, d_weight, d_bias);
            at += 1;
        }
        sums
    }

    /// N elements from `at` on.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "a kernel takes its operands one by one")]
    fn add<const N: usize>(
        &mut self,
        kind: Kind,
        at: usize,
        d_out: &[f32],
        z: &[f32],
        weight: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) {
        let (d_out, z, weight) = (&d_out[at..][..N], &z[at..][..N], &weight[at..][..N]);
        let d_weight = &mut d_weight[at..][..N];
        let (h, hz) = (&mut self.h[at % LANES..][..N], &mut self.hz[at % LANES..][..N]);
        for j in 0..N {
            d_weight[j] = d_out[j].mul_add(z[j], d_weight[j]);
            let product = d_out[j] * weight[j];
            h[j] += product;
            hz[j] += product * z[j];
        }
        if kind == Kind::Layer {
            let d_bias = &mut d_bias[at..][..N];
            for j in 0..N {
                d_bias[j] += d_out[j];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(kind: Kind, width: usize, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        let mut out = vec![];
        for row in x.chunks(width) {
            let mean = if kind == Kind::Layer { row.iter().sum::<f64>() / width as f64 } else { 0.0 };
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
            let scale = 1.0 / (variance + f64::from(EPSILON)).sqrt();
            let bias = |i: usize| if kind == Kind::Layer { bias[i] } else { 0.0 };
            out.extend(
                row.iter().zip(weight).enumerate().map(|(i, (x, w))| (x - mean) * scale * w + bias(i)),
            );
        }
        out
    }

    fn check(kind: Kind, width: usize) {
        let count = 3;
        let x = numbers(count * width, 1);
        let weight = numbers(width, 2);
        let bias = if kind == Kind::Layer { numbers(width, 3) } else { vec![] };
        let (d_out, before) = (numbers(count * width, 4), numbers(count * width, 5));
        let got = on_every_isa(|isa| {
            let (mut z, mut out) = (rows(width, &x), rows(width, &x));
            let mut rstd = vec![0.0; count];
            let (w, b) = (narrow(&weight), narrow(&bias));
            forward(isa, kind, width, &rows(width, &x), &w, &b, &mut z, &mut out, &mut rstd);
            let (mut dw, mut db) = (vec![0.0; width], vec![0.0; bias.len()]);
            let mut set = rows(width, &before);
            let mut add = rows(width, &before);
            for (dx, write) in [(&mut set, Write::Set), (&mut add, Write::Add)] {
                (dw, db) = (vec![0.0; width], vec![0.0; bias.len()]);
                backward(isa, kind, width, &rows(width, &d_out), &z, &rstd, &w, &mut dw, &mut db, dx, write);
            }
            vec![unpad(width, &out, count), dw, db, unpad(width, &set, count), unpad(width, &add, count)]
        });
        assert_close(&got[0], &reference(kind, width, &x, &weight, &bias), 1e-5);
        let loss = |x: &[f64], w: &[f64], b: &[f64]| dot(&reference(kind, width, x, w, b), &d_out);
        assert_close(&got[1], &slopes(&weight, |w| loss(&x, w, &bias)), 1e-4);
        assert_close(&got[2], &slopes(&bias, |b| loss(&x, &weight, b)), 1e-4);
        let dx = slopes(&x, |x| loss(x, &weight, &bias));
        assert_close(&got[3], &dx, 2e-4);
        let sum: Vec<f64> = dx.iter().zip(&before).map(|(a, b)| a + b).collect();
        assert_close(&got[4], &sum, 2e-4);
    }

    #[test]
    fn norm_of_any_width_matches_its_reference_and_central_differences() {
        for width in [1, 2, 5, 8, 11, 16, 24, 31, 48] {
            check(Kind::Layer, width);
            check(Kind::Rms, width);
        }
    }
}
