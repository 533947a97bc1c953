//! Adafactor without a first moment (Shazeer & Stern 2018, algorithms 4 to 6).
//!
//! Of a matrix's squared gradients only the means of rows, R, and of columns, C, are kept; the second moment
//! of element (i, j) is R_i·C_j / mean(R). Any other tensor keeps all its second moments.

use super::Gradient;
use crate::fold;
use crate::isa::{Isa, for_each_isa};
use scalelaw_graph::{Adafactor, StepSize, Tensor, Update};

pub(super) fn update(
    rule: &Adafactor,
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
        let alpha = match rule.step_size {
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
            factored(rule, isa, step, rows, columns, g, of_tensor)
        } else {
            (vec![1.0], unfactored(rule, step, g, of_tensor))
        };
        let square = update_square_sum(isa, g, &row_factors, &column_factors);
        let rms = libm::sqrt(square / n);
        let alpha = (alpha / (rms / rule.clip_threshold).max(1.0)) as f32;
        move_parameters(isa, alpha, g, &row_factors, &column_factors, p);
    }
}

/// How much of a new square the second moment takes.
fn take(rule: &Adafactor, step: u64) -> f64 {
    libm::pow(step as f64, -rule.decay_exponent)
}

/// 1/√(R_i / mean(R)) and 1/√C_j after R and C took in a gradient.
fn factored(
    rule: &Adafactor,
    isa: Isa,
    step: u64,
    rows: usize,
    columns: usize,
    gradient: Gradient<'_>,
    moments: &mut [f32],
) -> (Vec<f32>, Vec<f32>) {
    let take = take(rule, step);
    let (mut row_sums, mut column_sums) = (vec![0.0; rows], vec![0.0; columns]);
    square_sums(isa, gradient, &mut row_sums, &mut column_sums);
    let (r, c) = moments.split_at_mut(rows);
    for (moments, sums, count) in [(&mut *r, &row_sums, columns), (&mut *c, &column_sums, rows)] {
        for (moment, sum) in moments.iter_mut().zip(sums) {
            *moment = lerp(rule, take, *moment, sum / count as f64);
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
fn unfactored(rule: &Adafactor, step: u64, gradient: Gradient<'_>, moments: &mut [f32]) -> Vec<f32> {
    let take = take(rule, step);
    let of_one = |(v, &g): (&mut f32, &f32)| {
        let g = f64::from(g * gradient.scale as f32);
        *v = lerp(rule, take, *v, g * g);
        (1.0 / libm::sqrt(f64::from(*v))) as f32
    };
    moments.iter_mut().zip(gradient.sum).map(of_one).collect()
}

fn lerp(rule: &Adafactor, take: f64, moment: f32, square: f64) -> f32 {
    let moment = f64::from(moment);
    (moment + take * (square + rule.eps - moment)) as f32
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
