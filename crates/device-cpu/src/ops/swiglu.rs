//! SwiGLU (Shazeer 2020): of rows \[gate | up\], silu(gate)·up with silu(z) = z·σ(z).

use super::Lowered;
use crate::isa::for_each_isa;
use crate::kernel::{Arena, Gradients, Kernel, Pass, Slot, Weights};
use crate::layout::{Write, row_stride};
use crate::lowering::{Input, Lowering};
use crate::math::sigmoid;
use scalelaw_graph::{Value, ops};

#[derive(Debug)]
struct Swiglu {
    width: usize,
    x: Slot,
    out: Slot,
}

pub(super) fn lower(op: ops::Swiglu, out: Value, to: &mut Lowering<'_>) -> Lowered {
    let swiglu = Swiglu { width: out.width, x: to.read_twice(op.x), out: to.output(out) };
    (Box::new(swiglu), Input::Any(op.x))
}

impl Kernel for Swiglu {
    fn forward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights) {
        let mut out = arena.take(pass, self.out);
        forward(pass.isa, self.width, pass.rows, &arena.buffers[pass.at(self.x)], &mut out);
        arena.put(pass, self.out, out);
    }

    fn backward(&self, pass: &Pass<'_>, arena: &mut Arena, _: &Weights, d: Gradients) {
        let (d_x, write) = d.input();
        let mut dx = arena.take(pass, d_x);
        let (x, d) = (&arena.buffers[pass.at(self.x)], &arena.buffers[pass.at(d.out())]);
        backward(pass.isa, self.width, pass.rows, x, d, &mut dx, write);
        arena.put(pass, d_x, dx);
    }
}

for_each_isa! {
    /// out = silu(gate)·up.
    ///
    /// # Shapes
    /// x `[rows, 2·width]`, out `[rows, width]` at [`row_stride`].
    pub fn forward(width: usize, rows: usize, x: &[f32], out: &mut [f32]) {
        let inputs = x.chunks(row_stride(2 * width)).take(rows);
        for (x, out) in inputs.zip(out.chunks_mut(row_stride(width))) {
            let (gate, up, out) = (&x[..width], &x[width..2 * width], &mut out[..width]);
            for i in 0..width {
                out[i] = gate[i] * sigmoid(gate[i]) * up[i];
            }
        }
    }

    /// The gradient of x from that of out.
    pub fn backward(width: usize, rows: usize, x: &[f32], d_out: &[f32], d_x: &mut [f32], write: Write) {
        let (stride, out_stride) = (row_stride(2 * width), row_stride(width));
        let inputs = x.chunks(stride).take(rows).zip(d_x.chunks_mut(stride));
        for ((x, d_x), d) in inputs.zip(d_out.chunks(out_stride)) {
            let (gate, up, d) = (&x[..width], &x[width..2 * width], &d[..width]);
            let (d_gate, d_up) = d_x[..2 * width].split_at_mut(width);
            for i in 0..width {
                let s = sigmoid(gate[i]);
                let silu = gate[i] * s;
                // σ + z·σ·(1 − σ).
                let of_gate = d[i] * up[i] * silu.mul_add(1.0 - s, s);
                let of_up = d[i] * silu;
                match write {
                    Write::Set => (d_gate[i], d_up[i]) = (of_gate, of_up),
                    Write::Add => {
                        d_gate[i] += of_gate;
                        d_up[i] += of_up;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn reference(width: usize, x: &[f64]) -> Vec<f64> {
        let silu = |z: f64| z / (1.0 + (-z).exp());
        x.chunks(2 * width).flat_map(|x| (0..width).map(move |i| silu(x[i]) * x[width + i])).collect()
    }

    #[test]
    fn swiglu_of_any_width_matches_its_reference_and_central_differences() {
        for width in [1, 8, 13, 33] {
            let count = 4;
            let x: Vec<f64> = numbers(count * 2 * width, 1).iter().map(|x| 4.0 * x).collect();
            let (d_out, before) = (numbers(count * width, 2), numbers(count * 2 * width, 3));
            let got = on_every_isa(|isa| {
                let (input, d) = (rows(2 * width, &x), rows(width, &d_out));
                let mut out = d.clone();
                forward(isa, width, count, &input, &mut out);
                let (mut set, mut add) = (rows(2 * width, &before), rows(2 * width, &before));
                backward(isa, width, count, &input, &d, &mut set, Write::Set);
                backward(isa, width, count, &input, &d, &mut add, Write::Add);
                vec![unpad(width, &out, count), unpad(2 * width, &set, count), unpad(2 * width, &add, count)]
            });
            assert_close(&got[0], &reference(width, &x), 1e-6);
            let d_x = slopes(&x, |x| dot(&reference(width, x), &d_out));
            assert_close(&got[1], &d_x, 1e-6);
            let sum: Vec<f64> = d_x.iter().zip(&before).map(|(a, b)| a + b).collect();
            assert_close(&got[2], &sum, 1e-6);
        }
    }
}
