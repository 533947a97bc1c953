//! A linear layer x·W + b and what becomes of it: an activation of it, or its sum with the residual stream.

use super::{Activation, Cost, Op, dot};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// Weight `[inputs, outputs]` and bias `[outputs]`, which lies directly behind the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affine {
    /// `[inputs, outputs]`.
    pub weight: Parameter,
    /// `[outputs]`.
    pub bias: Parameter,
}

/// What becomes of x·W + b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epilogue {
    /// It is the output.
    None,
    /// Its activation is the output.
    Activation(Activation),
    /// The output is its sum with this value.
    Residual(Value),
}

/// out = epilogue(x·W + b).
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// `[n_ctx, inputs]`.
    pub x: Value,
    /// Weight and bias.
    pub affine: Affine,
    /// Its end.
    pub epilogue: Epilogue,
}

impl Linear {
    /// x·W + b.
    fn product(&self, at: &Sequence<'_>) -> Vec<f64> {
        let Affine { weight, bias } = self.affine;
        let (inputs, outputs) = (weight.rows, weight.columns);
        let (w, b) = (at.parameter(weight), at.parameter(bias));
        let mut y = vec![];
        for x in at.value(self.x).chunks(inputs) {
            for j in 0..outputs {
                y.push(b[j] + (0..inputs).map(|i| x[i] * w[i * outputs + j]).sum::<f64>());
            }
        }
        y
    }
}

impl Op for Linear {
    fn inputs(&self) -> Vec<Value> {
        match self.epilogue {
            Epilogue::None | Epilogue::Activation(_) => vec![self.x],
            Epilogue::Residual(residual) => vec![self.x, residual],
        }
    }

    fn width(&self, _: usize) -> usize {
        let Affine { weight, bias } = self.affine;
        assert_eq!(self.x.width, weight.rows, "linear does not fit");
        assert_eq!(
            (bias.columns, bias.start),
            (weight.columns, weight.range().end),
            "the bias follows the weight"
        );
        if let Epilogue::Residual(residual) = self.epilogue {
            assert_eq!(residual.width, weight.columns, "the residual does not fit");
        }
        weight.columns
    }

    fn cost(&self, n_ctx: usize) -> Cost {
        Cost::products((2 * n_ctx * self.affine.weight.len()) as f64)
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let y = self.product(at);
        match self.epilogue {
            Epilogue::None => y,
            Epilogue::Activation(activation) => y.into_iter().map(|z| activation.at(z).0).collect(),
            Epilogue::Residual(residual) => y.iter().zip(at.value(residual)).map(|(y, r)| y + r).collect(),
        }
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let mut d_y = d_out.to_vec();
        match self.epilogue {
            Epilogue::None => {}
            Epilogue::Activation(activation) => {
                for (d, z) in d_y.iter_mut().zip(self.product(at)) {
                    *d *= activation.at(z).1;
                }
            }
            Epilogue::Residual(residual) => at.add_gradient(residual, d_out),
        }
        let Affine { weight, bias } = self.affine;
        let (inputs, outputs) = (weight.rows, weight.columns);
        let (mut d_x, mut d_weight) = (vec![], vec![0.0; weight.len()]);
        for (x, d) in at.value(self.x).chunks(inputs).zip(d_y.chunks(outputs)) {
            for i in 0..inputs {
                d_x.push(dot(d, &at.parameter(weight)[i * outputs..][..outputs]));
                for j in 0..outputs {
                    d_weight[i * outputs + j] += x[i] * d[j];
                }
            }
        }
        at.add_gradient(self.x, &d_x);
        at.add_parameter_gradient(weight, &d_weight);
        for d in d_y.chunks(outputs) {
            at.add_parameter_gradient(bias, d);
        }
    }
}
