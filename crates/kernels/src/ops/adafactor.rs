//! Adafactor without a first moment (Shazeer & Stern 2018, algorithms 4 to 6).
//!
//! Of a matrix's squared gradients only the means of rows, R, and of columns, C, are kept; the second moment
//! of element (i, j) is R_i·C_j / mean(R). Any other tensor keeps all its second moments.

use crate::graph::Tensor;
use crate::isa::{Isa, for_each_isa};
use crate::ops::fold;
use crate::update::{Gradient, Moments, Update, whole};

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
    pub(crate) fn moments(tensors: &[Tensor]) -> Moments {
        let mut moments = Moments::default();
        moments.extend(tensors, |tensor| match tensor.shape[..] {
            [rows, columns] => vec![
                (format!("adafactor.exp_avg_sq_row.{}", tensor.name), vec![rows]),
                (format!("adafactor.exp_avg_sq_col.{}", tensor.name), vec![columns]),
            ],
            _ => whole("adafactor.exp_avg_sq", tensor),
        });
        moments
    }

    pub(crate) fn update(
        &self,
        isa: Isa,
        &Update { lr, step, .. }: &Update,
        tensors: &[Tensor],
        gradient: Gradient<'_>,
        parameters: &mut [f32],
        moments: &mut [f32],
    ) {
        let mut rest = moments;
        for tensor in tensors {
            let p = &mut parameters[tensor.range.clone()];
            let g = Gradient { sum: &gradient.sum[tensor.range.clone()], ..gradient };
            let n = p.len() as f64;
            let alpha = match self.step_size {
                StepSize::Absolute => lr,
                StepSize::Relative { floor } => {
                    let rms = libm::sqrt(fold::square_sum(isa, p) / n);
                    rms.max(floor) * lr.min(1.0 / libm::sqrt(step as f64))
                }
            };
            // Both kinds of tensor as a matrix of factors: one row if there is nothing to factor.
            let (rows, columns, held) = match tensor.shape[..] {
                [rows, columns] => (rows, columns, rows + columns),
                _ => (1, p.len(), p.len()),
            };
            let (of_tensor, behind) = std::mem::take(&mut rest).split_at_mut(held);
            rest = behind;
            let (row_factors, column_factors) = if tensor.shape.len() == 2 {
                self.factored(isa, step, rows, columns, g, of_tensor)
            } else {
                (vec![1.0], self.unfactored(step, g, of_tensor))
            };
            let square = update_square_sum(isa, g, &row_factors, &column_factors);
            let rms = libm::sqrt(square / n);
            let alpha = (alpha / (rms / self.clip_threshold).max(1.0)) as f32;
            move_parameters(isa, alpha, g, &row_factors, &column_factors, p);
        }
    }

    /// How much of a new square the second moment takes.
    fn take(&self, step: u64) -> f64 {
        libm::pow(step as f64, -self.decay_exponent)
    }

    /// 1/√(R_i / mean(R)) and 1/√C_j after R and C took in a gradient.
    fn factored(
        &self,
        isa: Isa,
        step: u64,
        rows: usize,
        columns: usize,
        gradient: Gradient<'_>,
        moments: &mut [f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let take = self.take(step);
        let (mut row_sums, mut column_sums) = (vec![0.0; rows], vec![0.0; columns]);
        square_sums(isa, gradient, &mut row_sums, &mut column_sums);
        let (r, c) = moments.split_at_mut(rows);
        for (moments, sums, count) in [(&mut *r, &row_sums, columns), (&mut *c, &column_sums, rows)] {
            for (moment, sum) in moments.iter_mut().zip(sums) {
                *moment = self.lerp(take, *moment, sum / count as f64);
            }
        }
        let mean = r.iter().map(|&r| f64::from(r)).sum::<f64>() / rows as f64;
        let inverse_root = |x: f64| (1.0 / libm::sqrt(x)) as f32;
        (
            r.iter().map(|&r| inverse_root(f64::from(r) / mean)).collect(),
            c.iter().map(|&c| inverse_root(f64::from(c))).collect(),
        )
    }

    /// 1/√V after V took in a gradient.
    fn unfactored(&self, step: u64, gradient: Gradient<'_>, moments: &mut [f32]) -> Vec<f32> {
        let take = self.take(step);
        let of_one = |(v, &g): (&mut f32, &f32)| {
            let g = f64::from(g * gradient.scale as f32);
            *v = self.lerp(take, *v, g * g);
            (1.0 / libm::sqrt(f64::from(*v))) as f32
        };
        moments.iter_mut().zip(gradient.sum).map(of_one).collect()
    }

    fn lerp(&self, take: f64, moment: f32, square: f64) -> f32 {
        let moment = f64::from(moment);
        (moment + take * (square + self.eps - moment)) as f32
    }
}

for_each_isa! {
    /// Sums of the squared gradient over rows and over columns.
    fn square_sums(gradient: Gradient<'_>, rows: &mut [f64], columns: &mut [f64]) {
        let scale = gradient.scale as f32;
        for (g, row) in gradient.sum.chunks_exact(columns.len()).zip(rows) {
            let mut lanes = [0.0f64; 16];
            for (i, (&g, column)) in g.iter().zip(columns.iter_mut()).enumerate() {
                let g = f64::from(g * scale);
                lanes[i % 16] += g * g;
                *column += g * g;
            }
            *row = lanes.into_iter().sum();
        }
    }

    /// Σ u² of the update u = gradient·row factor·column factor.
    fn update_square_sum(gradient: Gradient<'_>, rows: &[f32], columns: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 16];
        for (g, &row) in gradient.sum.chunks_exact(columns.len()).zip(rows) {
            let factor = gradient.scale as f32 * row;
            for (i, (&g, &column)) in g.iter().zip(columns).enumerate() {
                let u = f64::from(g * factor * column);
                lanes[i % 16] += u * u;
            }
        }
        lanes.into_iter().sum()
    }

    /// p ← p − alpha·u.
    fn move_parameters(
        alpha: f32,
        gradient: Gradient<'_>,
        rows: &[f32],
        columns: &[f32],
        parameters: &mut [f32],
    ) {
        let width = columns.len();
        let matrix = parameters.chunks_exact_mut(width).zip(gradient.sum.chunks_exact(width));
        for ((p, g), &row) in matrix.zip(rows) {
            let factor = gradient.scale as f32 * row;
            for ((p, &g), &column) in p.iter_mut().zip(g).zip(columns) {
                *p -= alpha * (g * factor * column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::reference::*;
    use crate::update::Rule;

    /// Algorithms 4 (matrices) and 5 (vectors) in f64.
    fn reference(
        a: &Adafactor,
        lr: f64,
        step: u64,
        shape: &[usize],
        g: &[f64],
        p: &mut [f64],
        v: &mut Vec<f64>,
    ) {
        let n = p.len() as f64;
        let beta = 1.0 - (step as f64).powf(-a.decay_exponent);
        let square: Vec<f64> = g.iter().map(|g| g * g + a.eps).collect();
        let second: Vec<f64> = if let [rows, columns] = *shape {
            v.resize(rows + columns, 0.0);
            for i in 0..rows {
                let mean = (0..columns).map(|j| square[i * columns + j]).sum::<f64>() / columns as f64;
                v[i] = beta * v[i] + (1.0 - beta) * mean;
            }
            for j in 0..columns {
                let mean = (0..rows).map(|i| square[i * columns + j]).sum::<f64>() / rows as f64;
                v[rows + j] = beta * v[rows + j] + (1.0 - beta) * mean;
            }
            let mean = v[..rows].iter().sum::<f64>() / rows as f64;
            (0..rows * columns).map(|e| v[e / columns] * v[rows + e % columns] / mean).collect()
        } else {
            v.resize(p.len(), 0.0);
            v.iter_mut().zip(&square).for_each(|(v, s)| *v = beta * *v + (1.0 - beta) * s);
            v.clone()
        };
        let mut u: Vec<f64> = g.iter().zip(&second).map(|(g, v)| g / v.sqrt()).collect();
        let rms = |x: &[f64]| (x.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
        let clip = (rms(&u) / a.clip_threshold).max(1.0);
        u.iter_mut().for_each(|u| *u /= clip);
        let alpha = match a.step_size {
            StepSize::Absolute => lr,
            StepSize::Relative { floor } => rms(p).max(floor) * lr.min(1.0 / (step as f64).sqrt()),
        };
        p.iter_mut().zip(&u).for_each(|(p, u)| *p -= alpha * u);
    }

    #[test]
    fn adafactor_follows_its_algorithms_in_f64() {
        let tensor = |shape: &[usize], range| Tensor { name: "t".into(), shape: shape.to_vec(), range };
        let tensors = [tensor(&[5, 18], 0..90), tensor(&[19], 90..109), tensor(&[1, 3], 109..112)];
        for step_size in [StepSize::Absolute, StepSize::Relative { floor: 0.7 }] {
            let adafactor = Adafactor { decay_exponent: 0.8, eps: 1e-30, clip_threshold: 0.9, step_size };
            let (lr, scale, n) = (0.3, 0.25, 112);
            let gradient = |step| {
                let mut g = numbers(n, 10 + step);
                // A row and a column without any gradient.
                (18..36).for_each(|i| g[i] = 0.0);
                (0..5).for_each(|i| g[18 * i + 7] = 0.0);
                g
            };
            let start = numbers(n, 1);
            let held = Adafactor::moments(&tensors).len();
            assert_eq!(held, 5 + 18 + 19 + 1 + 3);
            let got = on_every_isa(|isa| {
                let (mut p, mut moments) = (narrow(&start), vec![0.0; held]);
                for step in 1..=12 {
                    let sum = narrow(&gradient(step));
                    let g = Gradient { sum: &sum, scale };
                    let update = Update { rule: Rule::Adafactor(adafactor), lr, step, clip_norm: None };
                    adafactor.update(isa, &update, &tensors, g, &mut p, &mut moments);
                }
                vec![p, moments]
            });
            let (mut p, mut v) = (start, vec![vec![]; 3]);
            for step in 1..=12 {
                let g: Vec<f64> = gradient(step).iter().map(|g| g * scale).collect();
                for (tensor, v) in tensors.iter().zip(&mut v) {
                    let range = tensor.range.clone();
                    reference(&adafactor, lr, step, &tensor.shape, &g[range.clone()], &mut p[range], v);
                }
            }
            assert_close(&got[0], &p, 1e-5);
            assert_close(&got[1], &v.concat(), 1e-6);
        }
    }
}
