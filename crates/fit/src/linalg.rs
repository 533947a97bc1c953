//! Small dense matrices: at most a dozen parameters, so plain loops in one fixed order.
//! Why not a library: `docs/decisions/fit-linear-algebra.md`.

use std::ops::{Index, IndexMut};

/// A dense matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    rows: usize,
    columns: usize,
    entries: Vec<f64>,
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        debug_assert!(i < self.rows && j < self.columns);
        &self.entries[i * self.columns + j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        debug_assert!(i < self.rows && j < self.columns);
        &mut self.entries[i * self.columns + j]
    }
}

impl Matrix {
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, entries: vec![0.0; rows * columns] }
    }

    pub fn from_fn(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            entries.extend((0..columns).map(|j| entry(i, j)));
        }
        Self { rows, columns, entries }
    }

    /// From rows one after the other.
    ///
    /// # Panics
    /// The entries do not fill whole rows.
    pub fn from_rows(columns: usize, entries: Vec<f64>) -> Self {
        let rows = entries.len().checked_div(columns).unwrap_or(0);
        assert_eq!(rows * columns, entries.len(), "entries fill whole rows");
        Self { rows, columns, entries }
    }

    /// A square matrix from its entries; `None` when their number is no square.
    pub fn square(entries: Vec<f64>) -> Option<Self> {
        let n = entries.len().isqrt();
        (n * n == entries.len()).then(|| Self::from_rows(n, entries))
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.entries[i * self.columns..(i + 1) * self.columns]
    }

    /// Row-major.
    pub fn entries(&self) -> &[f64] {
        &self.entries
    }

    pub fn into_entries(self) -> Vec<f64> {
        self.entries
    }

    pub fn diagonal(&self) -> Vec<f64> {
        (0..self.order()).map(|i| self[(i, i)]).collect()
    }

    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self[(j, i)])
    }

    /// Adds w·f·fᵀ.
    pub fn add_outer(&mut self, w: f64, f: &[f64]) {
        assert_eq!(self.order(), f.len(), "the vector has the order of the matrix");
        for (row, a) in self.entries.chunks_exact_mut(f.len().max(1)).zip(f) {
            for (entry, b) in row.iter_mut().zip(f) {
                *entry += w * a * b;
            }
        }
    }

    /// Number of rows of a square matrix.
    fn order(&self) -> usize {
        assert_eq!(self.rows, self.columns, "the matrix is square");
        self.rows
    }

    /// Eigenvalues and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations.
    pub fn eigen(&self) -> (Vec<f64>, Self) {
        let n = self.order();
        let mut a = self.clone();
        let mut v = Self::from_fn(n, n, |i, j| f64::from(u8::from(i == j)));
        for _ in 0..60 {
            let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|at| a[at].powi(2)).sum();
            let diagonal: f64 = (0..n).map(|i| a[(i, i)].powi(2)).sum();
            if off <= 1e-32 * diagonal || off == 0.0 {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    let apq = a[(p, q)];
                    if apq == 0.0 {
                        continue;
                    }
                    let tau = (a[(q, q)] - a[(p, p)]) / (2.0 * apq);
                    let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                    let t = if tau == 0.0 { 1.0 } else { t };
                    let c = 1.0 / (1.0 + t * t).sqrt();
                    let s = t * c;
                    let rotate = |m: &mut Self, x: (usize, usize), y: (usize, usize)| {
                        (m[x], m[y]) = (c * m[x] - s * m[y], s * m[x] + c * m[y]);
                    };
                    (0..n).for_each(|k| rotate(&mut a, (k, p), (k, q)));
                    (0..n).for_each(|k| rotate(&mut a, (p, k), (q, k)));
                    (0..n).for_each(|k| rotate(&mut v, (k, p), (k, q)));
                }
            }
        }
        (a.diagonal(), v)
    }

    /// The factorisation of a symmetric positive definite matrix; `None` when it is not.
    pub fn cholesky(&self) -> Option<Cholesky> {
        let n = self.order();
        let mut l = Self::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = l.row(i)[..j].iter().zip(l.row(j)).map(|(a, b)| a * b).sum();
                let rest = self[(i, j)] - dot;
                if i == j {
                    if rest <= 1e-16 * self[(i, i)].abs() || !rest.is_finite() {
                        return None;
                    }
                    l[(i, i)] = rest.sqrt();
                } else {
                    l[(i, j)] = rest / l[(j, j)];
                }
            }
        }
        Some(Cholesky { l })
    }

    /// Solves A x = b for a general square matrix by elimination with row pivots; `None` when it is singular.
    pub fn solve(&self, b: &[f64]) -> Option<Vec<f64>> {
        let n = self.order();
        assert_eq!(n, b.len(), "the right side has the order of the matrix");
        let (mut a, mut x) = (self.clone(), b.to_vec());
        for column in 0..n {
            let pivot = (column..n)
                .max_by(|i, j| a[(*i, column)].abs().total_cmp(&a[(*j, column)].abs()))
                .filter(|i| a[(*i, column)] != 0.0)?;
            for k in 0..n {
                a.entries.swap(column * n + k, pivot * n + k);
            }
            x.swap(column, pivot);
            for i in column + 1..n {
                let factor = a[(i, column)] / a[(column, column)];
                for k in column..n {
                    a[(i, k)] -= factor * a[(column, k)];
                }
                x[i] -= factor * x[column];
            }
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| a[(i, k)] * x[k]).sum();
            x[i] = (x[i] - dot) / a[(i, i)];
        }
        x.iter().all(|v| v.is_finite()).then_some(x)
    }

    /// Inverse of a symmetric positive definite matrix; `None` when it is not.
    pub fn inverse(&self) -> Option<Self> {
        let (n, factor) = (self.order(), self.cholesky()?);
        let unit = |j: usize| (0..n).map(|i| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..n).map(|j| factor.solve(&unit(j))).collect();
        Some(Self::from_fn(n, n, |i, j| columns[j][i]))
    }
}

/// A = L·Lᵀ with a lower triangular L.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    l: Matrix,
}

impl Cholesky {
    /// Solves A x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (l, n) = (&self.l, self.l.rows);
        assert_eq!(n, b.len(), "the right side has the order of the matrix");
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| l[(i, k)] * x[k]).sum();
            x[i] = (x[i] - dot) / l[(i, i)];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| l[(k, i)] * x[k]).sum();
            x[i] = (x[i] - dot) / l[(i, i)];
        }
        x
    }

    /// L·z: independent numbers of variance 1 become numbers of covariance A.
    pub fn times(&self, z: &[f64]) -> Vec<f64> {
        assert_eq!(self.l.rows, z.len(), "the vector has the order of the matrix");
        (0..z.len()).map(|i| (0..=i).map(|j| self.l[(i, j)] * z[j]).sum()).collect()
    }
}

/// min |A x − b|² with x ≥ 0, from AᵀA and Aᵀb; exact for the few columns laws have, by trying the subsets of
/// columns. `None` when every subset is singular.
pub(crate) fn nonnegative_least_squares(ata: &Matrix, atb: &[f64]) -> Option<Vec<f64>> {
    let n = atb.len();
    let mut best: Option<(f64, Vec<f64>)> = None;
    for subset in 1..1usize << n {
        let members: Vec<usize> = (0..n).filter(|j| subset >> j & 1 == 1).collect();
        // Columns differ by many orders of magnitude: solve in units of their norms.
        let norm: Vec<f64> = members.iter().map(|&j| ata[(j, j)].sqrt()).collect();
        if norm.iter().any(|v| !v.is_finite() || *v == 0.0) {
            continue;
        }
        let m = members.len();
        let a = Matrix::from_fn(m, m, |p, q| ata[(members[p], members[q])] / (norm[p] * norm[q]));
        let b: Vec<f64> = members.iter().zip(&norm).map(|(&j, v)| atb[j] / v).collect();
        let Some(factor) = a.cholesky() else { continue };
        let x = factor.solve(&b);
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

    fn square(entries: &[f64]) -> Matrix {
        Matrix::square(entries.to_vec()).unwrap()
    }

    #[test]
    fn eigen_of_known_matrix_has_its_eigenvalues() {
        let (mut values, vectors) = square(&[2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0]).eigen();
        // A v = λ v for the first pair.
        let av = 2.0 * vectors[(0, 0)] + vectors[(1, 0)];
        assert!((av - values[0] * vectors[(0, 0)]).abs() < 1e-14);
        values.sort_by(f64::total_cmp);
        for (got, want) in values.iter().zip([1.0, 3.0, 5.0]) {
            assert!((got - want).abs() < 1e-14);
        }
    }

    #[test]
    fn nonnegative_least_squares_drops_the_negative_column() {
        // Columns (1,0), (1,1); b = (2,-1): the free solution is (3,-1), the non-negative one (2,0).
        let x = nonnegative_least_squares(&square(&[1.0, 1.0, 1.0, 2.0]), &[2.0, 1.0]).unwrap();
        assert!((x[0] - 2.0).abs() < 1e-14 && x[1] == 0.0);
    }

    #[test]
    fn solve_of_a_system_that_needs_pivots_gives_its_solution() {
        // x = (1, 2, 3); the first pivot is zero.
        let a = square(&[0.0, 1.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        let x = a.solve(&[5.0, 5.0, 6.0]).unwrap();
        for (got, want) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - want).abs() < 1e-14);
        }
        assert!(square(&[1.0, 2.0, 2.0, 4.0]).solve(&[1.0, 1.0]).is_none());
    }

    #[test]
    fn inverse_times_matrix_is_identity() {
        let (a, i) = ([4.0, 1.0, 1.0, 3.0], square(&[4.0, 1.0, 1.0, 3.0]).inverse().unwrap());
        assert!((a[0] * i[(0, 0)] + a[1] * i[(1, 0)] - 1.0).abs() < 1e-14);
        assert!((a[0] * i[(0, 1)] + a[1] * i[(1, 1)]).abs() < 1e-14);
        assert!(square(&[1.0, 2.0, 2.0, 1.0]).inverse().is_none());
        assert!(Matrix::square(vec![1.0; 5]).is_none());
    }
}
