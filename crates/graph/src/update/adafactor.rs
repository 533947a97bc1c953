//! Adafactor without a first moment (Shazeer & Stern 2018, algorithms 4 to 6).
//!
//! Of a matrix's squared gradients only the means of rows, R, and of columns, C, are kept; the second moment
//! of element (i, j) is R_i·C_j / mean(R). Any other tensor keeps all its second moments.

use super::Update;
use crate::tensor::{Layout, Tensor};

/// Adafactor's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adafactor {
    /// The second moment's decay at step t is 1 − t^−decay_exponent.
    pub decay_exponent: f64,
    /// ε1, added to squared gradients.
    pub eps: f64,
    /// d: an update whose root mean square is larger is scaled to it.
    pub clip_threshold: f64,
    /// What the learning rate means.
    pub step_size: StepSize,
}

/// What the learning rate means to Adafactor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepSize {
    /// The step size itself.
    Absolute,
    /// Step t has max(floor, RMS of the tensor)·min(lr, 1/√t).
    Relative {
        /// ε2, the least root mean square.
        floor: f64,
    },
}

impl Adafactor {
    /// Row means and column means of matrices, all second moments of other tensors.
    pub(super) fn moments(&self, tensors: &[Tensor], layout: &mut Layout) {
        for Tensor { name, shape, role, .. } in tensors {
            if let [rows, columns] = shape[..] {
                layout.push(format!("adafactor.exp_avg_sq_row.{name}"), vec![rows], *role);
                layout.push(format!("adafactor.exp_avg_sq_col.{name}"), vec![columns], *role);
            } else {
                layout.push(format!("adafactor.exp_avg_sq.{name}"), shape.clone(), *role);
            }
        }
    }

    /// Algorithms 4 (matrices) and 5 (other tensors).
    pub(super) fn apply(
        &self,
        &Update { lr, step, .. }: &Update,
        tensors: &[Tensor],
        gradient: &[f64],
        parameters: &mut [f64],
        moments: &mut [f64],
    ) {
        let mut moments = moments;
        for tensor in tensors {
            let (p, g) = (&mut parameters[tensor.range.clone()], &gradient[tensor.range.clone()]);
            let beta = 1.0 - libm::pow(step as f64, -self.decay_exponent);
            let square: Vec<f64> = g.iter().map(|g| g * g + self.eps).collect();
            let second: Vec<f64> = if let [rows, columns] = tensor.shape[..] {
                let (of_rows, rest) = moments.split_at_mut(rows);
                let (of_columns, rest) = rest.split_at_mut(columns);
                moments = rest;
                for i in 0..rows {
                    let sum: f64 = (0..columns).map(|j| square[i * columns + j]).sum();
                    of_rows[i] = beta * of_rows[i] + (1.0 - beta) * sum / columns as f64;
                }
                for j in 0..columns {
                    let sum: f64 = (0..rows).map(|i| square[i * columns + j]).sum();
                    of_columns[j] = beta * of_columns[j] + (1.0 - beta) * sum / rows as f64;
                }
                let mean = of_rows.iter().sum::<f64>() / rows as f64;
                (0..rows * columns).map(|e| of_rows[e / columns] * of_columns[e % columns] / mean).collect()
            } else {
                let (all, rest) = moments.split_at_mut(p.len());
                moments = rest;
                all.iter_mut().zip(&square).for_each(|(v, square)| *v = beta * *v + (1.0 - beta) * square);
                all.to_vec()
            };
            let u: Vec<f64> = g.iter().zip(&second).map(|(g, v)| g / libm::sqrt(*v)).collect();
            let clip = (root_mean_square(&u) / self.clip_threshold).max(1.0);
            let alpha = match self.step_size {
                StepSize::Absolute => lr,
                StepSize::Relative { floor } => {
                    root_mean_square(p).max(floor) * lr.min(1.0 / libm::sqrt(step as f64))
                }
            };
            p.iter_mut().zip(&u).for_each(|(p, u)| *p -= alpha * u / clip);
        }
    }
}

fn root_mean_square(x: &[f64]) -> f64 {
    libm::sqrt(x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64)
}
