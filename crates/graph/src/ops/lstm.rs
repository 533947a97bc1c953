//! The recurrence of an LSTM layer (Hochreiter & Schmidhuber 1997, with forget gates by Gers et al. 2000).
//!
//! A linear layer before it computes the input's part of the gates, rows \[i | f | g | o\]; here, one position after the
//! other, h of the position before joins through the weight W `[width, 4·width]`:
//! c = σ(f)·c' + σ(i)·tanh(g), h = σ(o)·tanh(c).

use super::{Cost, Op, dot, sigmoid};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// h of every position.
#[derive(Clone, Copy, Debug)]
pub struct Lstm {
    /// The input's part of the gates \[i | f | g | o\], `[n_ctx, 4·width]`.
    pub gates: Value,
    /// The recurrent weight, `[width, 4·width]`.
    pub weight: Parameter,
}

/// One position's activated gates \[i | f | g | o\] and c.
struct Step {
    gates: Vec<f64>,
    cell: Vec<f64>,
}

impl Lstm {
    /// All positions and their h, one behind the other.
    fn steps(&self, at: &Sequence<'_>) -> (Vec<Step>, Vec<f64>) {
        let (width, weight) = (self.weight.rows, at.parameter(self.weight));
        let (mut steps, mut out): (Vec<Step>, Vec<f64>) = (vec![], vec![]);
        let mut h = vec![0.0; width];
        let mut c = vec![0.0; width];
        for row in at.value(self.gates).chunks(4 * width) {
            let incoming =
                |e: usize| row[e] + (0..width).map(|k| h[k] * weight[k * 4 * width + e]).sum::<f64>();
            let is_g = |e: usize| e / width == 2;
            let gates: Vec<f64> = (0..4 * width)
                .map(|e| if is_g(e) { libm::tanh(incoming(e)) } else { sigmoid(incoming(e)) })
                .collect();
            for j in 0..width {
                c[j] = gates[width + j] * c[j] + gates[j] * gates[2 * width + j];
            }
            h = (0..width).map(|j| gates[3 * width + j] * libm::tanh(c[j])).collect();
            out.extend(&h);
            steps.push(Step { gates, cell: c.clone() });
        }
        (steps, out)
    }
}

impl Op for Lstm {
    fn inputs(&self) -> Vec<Value> {
        vec![self.gates]
    }

    fn width(&self, _: usize) -> usize {
        let gates = 4 * self.weight.rows;
        assert_eq!((self.gates.width, self.weight.columns), (gates, gates), "gates do not fit");
        self.weight.rows
    }

    /// The first position's product with h = 0 is counted like the others.
    fn cost(&self, n_ctx: usize) -> Cost {
        Cost::products((2 * n_ctx * self.weight.len()) as f64)
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        self.steps(at).1
    }

    fn backward(&self, at: &mut Sequence<'_>, out: &[f64], d_out: &[f64]) {
        let width = self.weight.rows;
        let (steps, _) = self.steps(at);
        let weight = at.parameter(self.weight);
        let mut d_weight = vec![0.0; weight.len()];
        let mut d_gates = vec![0.0; steps.len() * 4 * width];
        // Gradients that reach this position from the one after it.
        let (mut d_h_next, mut d_c_next) = (vec![0.0; width], vec![0.0; width]);
        for (t, Step { gates, cell }) in steps.iter().enumerate().rev() {
            let d = &mut d_gates[t * 4 * width..][..4 * width];
            for j in 0..width {
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * width + j]);
                let before = if t == 0 { 0.0 } else { steps[t - 1].cell[j] };
                let tanh = libm::tanh(cell[j]);
                let d_h = d_out[t * width + j] + d_h_next[j];
                let d_c = d_h * o * (1.0 - tanh * tanh) + d_c_next[j];
                d[j] = d_c * g * i * (1.0 - i);
                d[width + j] = d_c * before * f * (1.0 - f);
                d[2 * width + j] = d_c * i * (1.0 - g * g);
                d[3 * width + j] = d_h * tanh * o * (1.0 - o);
                d_c_next[j] = d_c * f;
            }
            for k in 0..width {
                d_h_next[k] = dot(d, &weight[k * 4 * width..][..4 * width]);
                for (e, d) in d.iter().enumerate() {
                    let before = if t == 0 { 0.0 } else { out[(t - 1) * width + k] };
                    d_weight[k * 4 * width + e] += before * d;
                }
            }
        }
        at.add_gradient(self.gates, &d_gates);
        at.add_parameter_gradient(self.weight, &d_weight);
    }
}
