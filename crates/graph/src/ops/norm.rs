//! Layer normalisation (Ba et al. 2016): out = x̂·weight + bias, x̂ = (x − mean)/√(variance + ε); and RMS
//! normalisation (Zhang & Sennrich 2019), the same without mean and bias.

use super::{Cost, Op, dot};
use crate::sequence::Sequence;
use crate::tensor::{Parameter, Value};

/// Added to the variance, as in GPT-2 and PyTorch.
pub const EPSILON: f32 = 1e-5;

/// Which normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With mean and bias.
    Layer,
    /// Without.
    Rms,
}

/// The parameters of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormParameters {
    /// `[width]`.
    pub weight: Parameter,
    /// `[width]`, of a layer norm only.
    pub bias: Option<Parameter>,
}

impl NormParameters {
    /// Which normalisation these are the parameters of.
    pub fn kind(&self) -> Kind {
        if self.bias.is_some() { Kind::Layer } else { Kind::Rms }
    }
}

/// Normalises every row.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// `[n_ctx, width]`.
    pub x: Value,
    /// Weight and bias.
    pub parameters: NormParameters,
}

/// x̂ of one row and 1/√(variance + ε).
pub(super) fn normalise(kind: Kind, x: &[f64]) -> (Vec<f64>, f64) {
    let n = x.len() as f64;
    let mean = match kind {
        Kind::Layer => x.iter().sum::<f64>() / n,
        Kind::Rms => 0.0,
    };
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let rstd = 1.0 / libm::sqrt(variance + f64::from(EPSILON));
    (x.iter().map(|x| (x - mean) * rstd).collect(), rstd)
}

/// The gradient of x from h = d_out·weight: rstd·(h − mean(h) − x̂·mean(h·x̂)).
pub(super) fn normalise_backward(kind: Kind, z: &[f64], rstd: f64, h: &[f64]) -> Vec<f64> {
    let n = h.len() as f64;
    let mean_h = match kind {
        Kind::Layer => h.iter().sum::<f64>() / n,
        Kind::Rms => 0.0,
    };
    let mean_hz = dot(h, z) / n;
    h.iter().zip(z).map(|(h, z)| rstd * (h - mean_h - z * mean_hz)).collect()
}

impl Op for Norm {
    fn inputs(&self) -> Vec<Value> {
        vec![self.x]
    }

    fn width(&self, _: usize) -> usize {
        assert_eq!(self.x.width, self.parameters.weight.columns, "norm does not fit");
        self.x.width
    }

    fn cost(&self, _: usize) -> Cost {
        Cost::default()
    }

    fn forward(&self, at: &Sequence<'_>) -> Vec<f64> {
        let NormParameters { weight, bias } = self.parameters;
        let mut out = vec![];
        for x in at.value(self.x).chunks(self.x.width) {
            let (z, _) = normalise(self.parameters.kind(), x);
            for (j, z) in z.iter().enumerate() {
                out.push(z * at.parameter(weight)[j] + bias.map_or(0.0, |bias| at.parameter(bias)[j]));
            }
        }
        out
    }

    fn backward(&self, at: &mut Sequence<'_>, _: &[f64], d_out: &[f64]) {
        let (kind, width) = (self.parameters.kind(), self.x.width);
        let (mut d_weight, mut d_x) = (vec![0.0; width], vec![]);
        for (x, d) in at.value(self.x).chunks(width).zip(d_out.chunks(width)) {
            let (z, rstd) = normalise(kind, x);
            d_weight.iter_mut().zip(d.iter().zip(&z)).for_each(|(sum, (d, z))| *sum += d * z);
            let h: Vec<f64> =
                d.iter().zip(at.parameter(self.parameters.weight)).map(|(d, weight)| d * weight).collect();
            d_x.extend(normalise_backward(kind, &z, rstd, &h));
        }
        at.add_gradient(self.x, &d_x);
        at.add_parameter_gradient(self.parameters.weight, &d_weight);
        if let Some(bias) = self.parameters.bias {
            for d in d_out.chunks(width) {
                at.add_parameter_gradient(bias, d);
            }
        }
    }
}
