//! Small dense symmetric linear algebra: at most a dozen parameters, so plain loops.

/// Eigenvalues and eigenvectors (columns, row-major) of a symmetric matrix by cyclic Jacobi rotations.
pub(crate) fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut v = vec![0.0; n * n];
    for i in 0..n {
        v[i * n + i] = 1.0;
    }
    for _ in 0..60 {
        let off: f64 =
            (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * n + j].powi(2)).sum();
        let diagonal: f64 = (0..n).map(|i| a[i * n + i].powi(2)).sum();
        if off <= 1e-32 * diagonal || off == 0.0 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let t = if tau == 0.0 { 1.0 } else { t };
                let c = 1.0 / (1.0 + t * t).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (v[k * n + p], v[k * n + q]);
                    v[k * n + p] = c * x - s * y;
                    v[k * n + q] = s * x + c * y;
                }
            }
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), v)
}

/// Lower Cholesky factor of a symmetric positive definite matrix; `None` when it is not.
pub(crate) fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            if i == j {
                if rest <= 1e-16 * a[i * n + i].abs() || !rest.is_finite() {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    Some(l)
}

/// Solves A x = b given the Cholesky factor of A.
pub(crate) fn cholesky_solve(l: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
        x[i] = (x[i] - dot) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
        x[i] = (x[i] - dot) / l[i * n + i];
    }
    x
}

/// Solves A x = b for a general square A, row-major, by elimination with row pivots; `None` when it is singular.
pub(crate) fn solve(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    let n = b.len();
    let (mut a, mut x) = (a.to_vec(), b.to_vec());
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|i, j| a[i * n + column].abs().total_cmp(&a[j * n + column].abs()))
            .filter(|i| a[i * n + column] != 0.0)?;
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
        }
        x.swap(column, pivot);
        for i in column + 1..n {
            let factor = a[i * n + column] / a[column * n + column];
            for k in column..n {
                a[i * n + k] -= factor * a[column * n + k];
            }
            x[i] -= factor * x[column];
        }
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[i * n + k] * x[k]).sum();
        x[i] = (x[i] - dot) / a[i * n + i];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

/// Inverse of a symmetric positive definite matrix; `None` when it is not.
pub(crate) fn inverse(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let l = cholesky(a, n)?;
    let mut out = vec![0.0; n * n];
    let mut unit = vec![0.0; n];
    for j in 0..n {
        unit.fill(0.0);
        unit[j] = 1.0;
        for (i, x) in cholesky_solve(&l, n, &unit).into_iter().enumerate() {
            out[i * n + j] = x;
        }
    }
    Some(out)
}

/// min |A x − b|² with x ≥ 0, from the normal matrix AᵀA (n×n) and Aᵀb; exact for the few columns laws have,
/// by trying the subsets of columns. `None` when every subset is singular.
pub(crate) fn nonnegative_least_squares(ata: &[f64], atb: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut best: Option<(f64, Vec<f64>)> = None;
    for subset in 1..1usize << n {
        let members: Vec<usize> = (0..n).filter(|j| subset >> j & 1 == 1).collect();
        let m = members.len();
        // Columns differ by many orders of magnitude: solve in units of their norms.
        let norm: Vec<f64> = members.iter().map(|&j| ata[j * n + j].sqrt()).collect();
        if norm.iter().any(|v| !v.is_finite() || *v == 0.0) {
            continue;
        }
        let mut a = vec![0.0; m * m];
        for (p, &i) in members.iter().enumerate() {
            for (q, &j) in members.iter().enumerate() {
                a[p * m + q] = ata[i * n + j] / (norm[p] * norm[q]);
            }
        }
        let b: Vec<f64> = members.iter().zip(&norm).map(|(&j, v)| atb[j] / v).collect();
        let Some(l) = cholesky(&a, m) else { continue };
        let x = cholesky_solve(&l, m, &b);
        if x.iter().any(|v| !v.is_finite() || *v < 0.0) {
            continue;
        }
        let gain: f64 = x.iter().zip(&b).map(|(x, b)| x * b).sum();
        if best.as_ref().is_none_or(|(g, _)| gain > *g) {
            let mut full = vec![0.0; n];
            for ((&j, v), s) in members.iter().zip(&x).zip(&norm) {
                full[j] = v / s;
            }
            best = Some((gain, full));
        }
    }
    best.map(|(_, x)| x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigen_of_known_matrix_has_its_eigenvalues() {
        let (mut values, vectors) = eigen(&[2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0], 3);
        // A v = λ v for the first pair.
        let av = 2.0 * vectors[0] + vectors[3];
        assert!((av - values[0] * vectors[0]).abs() < 1e-14);
        values.sort_by(f64::total_cmp);
        for (got, want) in values.iter().zip([1.0, 3.0, 5.0]) {
            assert!((got - want).abs() < 1e-14);
        }
    }

    #[test]
    fn nonnegative_least_squares_drops_the_negative_column() {
        // Columns (1,0), (1,1); b = (2,-1): the free solution is (3,-1), the non-negative one (2,0).
        let x = nonnegative_least_squares(&[1.0, 1.0, 1.0, 2.0], &[2.0, 1.0], 2).unwrap();
        assert!((x[0] - 2.0).abs() < 1e-14 && x[1] == 0.0);
    }

    #[test]
    fn solve_of_a_system_that_needs_pivots_gives_its_solution() {
        // x = (1, 2, 3); the first pivot is zero.
        let a = [0.0, 1.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let x = solve(&a, &[5.0, 5.0, 6.0]).unwrap();
        for (got, want) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - want).abs() < 1e-14);
        }
        assert!(solve(&[1.0, 2.0, 2.0, 4.0], &[1.0, 1.0]).is_none());
    }

    #[test]
    fn inverse_times_matrix_is_identity() {
        let a = [4.0, 1.0, 1.0, 3.0];
        let i = inverse(&a, 2).unwrap();
        assert!((a[0] * i[0] + a[1] * i[2] - 1.0).abs() < 1e-14);
        assert!((a[0] * i[1] + a[1] * i[3]).abs() < 1e-14);
        assert!(inverse(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
