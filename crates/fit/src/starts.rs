//! Starts: a grid over the parameters that shape the curve, the amplitudes in closed form (variable projection).

use crate::data::Data;
use crate::elementary::ln;
use crate::law::{Law, MAX_PARAMS, Pars, Vars};
use crate::linalg::{Matrix, nonnegative_least_squares};

/// The law's whole start grid: every combination of grid values, completed from the data.
/// `fixed` parameters take their value instead of the grid's.
pub(crate) fn grid(law: &dyn Law, data: &Data, fixed: &[Option<f64>]) -> Vec<Vec<f64>> {
    let params = law.params();
    let choices: Vec<Vec<f64>> = params
        .iter()
        .zip(fixed)
        .map(|(p, f)| match f {
            Some(value) => vec![*value],
            None if p.grid.is_empty() => vec![f64::NAN],
            None => p.grid.to_vec(),
        })
        .collect();
    let total: usize = choices.iter().map(Vec::len).product();
    (0..total)
        .filter_map(|mut index| {
            let p: Vec<f64> = choices
                .iter()
                .map(|values| {
                    let value = values[index % values.len()];
                    index /= values.len();
                    value
                })
                .collect();
            let mut p = law.start(&p, data)?;
            for (value, fixed) in p.iter_mut().zip(fixed) {
                if let Some(fixed) = fixed {
                    *value = *fixed;
                }
            }
            let inside = p.iter().zip(params).all(|(value, param)| param.domain.contains(*value));
            inside.then_some(p)
        })
        .collect()
}

/// Completes `p` by non-negative least squares in the parameters the law is linear in.
pub(crate) fn project<L: Law + ?Sized>(law: &L, p: &[f64], data: &Data) -> Option<Vec<f64>> {
    let linear = law.params().iter().enumerate().filter(|(_, param)| param.linear).map(|(j, _)| j);
    let missing: Vec<usize> = linear.filter(|j| p[*j].is_nan()).collect();
    let mut p = p.to_vec();
    if missing.is_empty() {
        return p.iter().all(|v| v.is_finite()).then_some(p);
    }
    // The gradient by a linear parameter is its basis function, wherever the linear parameters stand.
    for j in &missing {
        p[*j] = 0.0;
    }
    let ln: Vec<f64> = p.iter().map(|v| ln(*v)).collect();
    let m = missing.len();
    let (mut ata, mut atb) = (Matrix::zeros(m, m), vec![0.0; m]);
    let mut g = [0.0; MAX_PARAMS];
    for i in 0..data.len() {
        let rest = law.eval(data.vars(i), Pars { value: &p, ln: &ln }, &mut g[..p.len()]);
        let y = data.y[i] - rest;
        // Relative residuals: what both least squares on log loss and its robust relatives weigh.
        let w = data.weight[i] / (data.y[i] * data.y[i]);
        let basis: Vec<f64> = missing.iter().map(|j| g[*j]).collect();
        atb.iter_mut().zip(&basis).for_each(|(sum, f)| *sum += w * f * y);
        ata.add_outer(w, &basis);
    }
    let amplitudes = nonnegative_least_squares(&ata, &atb)?;
    let typical = data.y.iter().map(|y| y.abs()).fold(f64::INFINITY, f64::min);
    for (a, &j) in missing.iter().enumerate() {
        // An amplitude of exactly 0 has no logarithm: start where it explains a thousandth of the response.
        p[j] =
            amplitudes[a].max(1e-3 * typical / (ata[(a, a)] * typical * typical / data.len() as f64).sqrt());
    }
    p.iter().all(|v| v.is_finite()).then_some(p)
}

/// Non-negative amplitudes of basis functions that sum to the response, in relative residuals; an amplitude of
/// exactly 0, which has no logarithm, starts where it explains a thousandth.
pub(crate) fn amplitudes<const M: usize>(
    data: &Data,
    basis: impl Fn(Vars<'_>) -> [f64; M],
) -> Option<[f64; M]> {
    let (mut ata, mut atb) = (Matrix::zeros(M, M), vec![0.0; M]);
    for i in 0..data.len() {
        let f = basis(data.vars(i)).map(|f| f / data.y[i]);
        atb.iter_mut().zip(&f).for_each(|(sum, f)| *sum += data.weight[i] * f);
        ata.add_outer(data.weight[i], &f);
    }
    let found = nonnegative_least_squares(&ata, &atb)?;
    let total: f64 = data.weight.iter().sum();
    Some(std::array::from_fn(|a| found[a].max(1e-3 * (total / ata[(a, a)]).sqrt())))
}
