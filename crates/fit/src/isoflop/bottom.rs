//! The bottom of one valley, and whether the points allow it.

use super::{Refusal, Valley};
use crate::linalg::Matrix;

/// (ln N, loss) of the valley's bottom through (ln N, loss) by N.
pub(super) fn bottom(points: &[(f64, f64)], valley: Valley) -> Result<(f64, f64), Refusal> {
    let needed = if valley == Valley::Cubic { 5 } else { 4 };
    if points.len() < needed {
        return Err(Refusal::TooFewSizes { got: points.len(), needed });
    }
    let lowest = points.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(i, _)| i);
    if lowest == 0 || lowest == points.len() - 1 {
        let side = if lowest == 0 { "smallest" } else { "largest" };
        return Err(Refusal::NoInteriorMinimum { side });
    }
    match valley {
        Valley::Akima => Ok(akima_minimum(points)),
        Valley::Parabola => polynomial_minimum(points, 2),
        Valley::Cubic => polynomial_minimum(points, 3),
    }
}

/// Minimum of a least-squares polynomial in centred ln N, inside the points' range.
fn polynomial_minimum(points: &[(f64, f64)], degree: usize) -> Result<(f64, f64), Refusal> {
    let polynomial = least_squares(points, degree)?;
    let c = &polynomial.coefficients;
    let (lo, hi) = (points[0].0 - polynomial.centre, points[points.len() - 1].0 - polynomial.centre);
    let x = if degree == 2 {
        if c[2] <= 0.0 {
            return Err(Refusal::OpensDownward);
        }
        -c[1] / (2.0 * c[2])
    } else {
        // The root of the slope where the curvature is positive.
        let (a, b, d) = (3.0 * c[3], 2.0 * c[2], c[1]);
        let discriminant = b * b - 4.0 * a * d;
        if discriminant < 0.0 {
            return Err(Refusal::NoMinimum);
        }
        if a.abs() < 1e-12 * b.abs() { -d / b } else { (-b + discriminant.sqrt()) / (2.0 * a) }
    };
    if !(lo..=hi).contains(&x) {
        return Err(Refusal::Outside);
    }
    Ok((x + polynomial.centre, polynomial.at(x)))
}

/// A least-squares polynomial in ln N − centre.
struct Polynomial {
    centre: f64,
    /// Constant first.
    coefficients: Vec<f64>,
    /// Variance of each coefficient over that of a loss.
    spread: Vec<f64>,
    /// Standard deviation of the losses around it.
    scatter: f64,
}

impl Polynomial {
    fn at(&self, x: f64) -> f64 {
        self.coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
    }

    /// Standard errors of the coefficients.
    fn errors(&self) -> Vec<f64> {
        self.spread.iter().map(|spread| self.scatter * spread.sqrt()).collect()
    }
}

fn least_squares(points: &[(f64, f64)], degree: usize) -> Result<Polynomial, Refusal> {
    let centre = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
    let m = degree + 1;
    let (mut ata, mut atb) = (Matrix::zeros(m, m), vec![0.0; m]);
    for (x, y) in points {
        let powers: Vec<f64> = (0..m).map(|k| (x - centre).powi(k as i32)).collect();
        atb.iter_mut().zip(&powers).for_each(|(sum, power)| *sum += power * y);
        ata.add_outer(1.0, &powers);
    }
    let coefficients = ata.cholesky().ok_or(Refusal::Singular)?.solve(&atb);
    let spread = ata.inverse().ok_or(Refusal::Singular)?.diagonal();
    let mut polynomial = Polynomial { centre, coefficients, spread, scatter: 0.0 };
    let squares: f64 = points.iter().map(|(x, y)| (polynomial.at(x - centre) - y).powi(2)).sum();
    polynomial.scatter = (squares / (points.len() as f64 - m as f64).max(1.0)).sqrt();
    Ok(polynomial)
}

/// Places between two neighbouring points where Akima's interpolant is read, as Porian et al. do.
const PLACES: usize = 25;

/// Lowest of Akima's interpolant of ln loss in ln N, read at 25 places a gap.
fn akima_minimum(points: &[(f64, f64)]) -> (f64, f64) {
    let x: Vec<f64> = points.iter().map(|p| p.0).collect();
    let y: Vec<f64> = points.iter().map(|p| libm::log(p.1)).collect();
    let slopes = akima_slopes(&x, &y);
    let mut best = (x[0], y[0]);
    for i in 0..x.len() - 1 {
        let width = x[i + 1] - x[i];
        for k in 0..=PLACES {
            let t = k as f64 / PLACES as f64;
            let (a, b) = (slopes[i] * width, slopes[i + 1] * width);
            let rise = y[i + 1] - y[i];
            let value = y[i] + t * (a + t * ((3.0 * rise - 2.0 * a - b) + t * (a + b - 2.0 * rise)));
            if value < best.1 {
                best = (x[i] + t * width, value);
            }
        }
    }
    (best.0, libm::exp(best.1))
}

/// Akima 1970: each point's slope is a mean of its neighbouring chords, weighted to ignore outliers.
fn akima_slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    let chord: Vec<f64> = (0..n - 1).map(|i| (y[i + 1] - y[i]) / (x[i + 1] - x[i])).collect();
    // Two chords are extrapolated linearly at each end.
    let at = |i: isize| -> f64 {
        let last = n as isize - 2;
        match i {
            -2 => 3.0 * chord[0] - 2.0 * chord[1],
            -1 => 2.0 * chord[0] - chord[1],
            i if i == last + 1 => 2.0 * chord[n - 2] - chord[n - 3],
            i if i == last + 2 => 3.0 * chord[n - 2] - 2.0 * chord[n - 3],
            i => chord[i as usize],
        }
    };
    (0..n as isize)
        .map(|i| {
            let (a, b) = ((at(i + 1) - at(i)).abs(), (at(i - 1) - at(i - 2)).abs());
            if a + b > 1e-9 { (a * at(i - 1) + b * at(i)) / (a + b) } else { 0.5 * (at(i - 1) + at(i)) }
        })
        .collect()
}

/// Standard errors that the curvature of a valley must exceed.
const SIGNIFICANT: f64 = 2.0;
/// How far a curve's bottom may lie below the lowest loss, over the rise from there to the neighbours: an eighth where the
/// sizes are even, a third where every other is missing.
const DEEPEST: f64 = 0.5;

/// `found`, if the points have a valley and it can have its bottom there.
pub(super) fn believed(
    points: &[(f64, f64)],
    found: (f64, f64),
    valley: Valley,
) -> Result<(f64, f64), Refusal> {
    let parabola = least_squares(points, 2)?;
    let (curvature, se) = (parabola.coefficients[2], parabola.errors()[2]);
    if curvature <= SIGNIFICANT * se {
        return Err(Refusal::Scattered { curvature, se });
    }
    let lowest = points.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(i, _)| i);
    let around = &points[lowest.saturating_sub(1)..(lowest + 2).min(points.len())];
    let rise = around.iter().map(|p| p.1 - points[lowest].1).fold(0.0, f64::max);
    // An interpolant goes through every loss; a polynomial may pass below all by their scatter.
    let scatter = if valley == Valley::Akima { 0.0 } else { SIGNIFICANT * parabola.scatter };
    if found.1 < points[lowest].1 - DEEPEST * rise - scatter {
        return Err(Refusal::Impossible { loss: found.1, lowest: points[lowest].1 });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bottom_below_what_the_neighbours_allow_is_not_believed() {
        let points: Vec<(f64, f64)> =
            (-3..=3).map(|k| (f64::from(k), 3.0 + 0.05 * f64::from(k * k))).collect();
        assert!(believed(&points, (0.3, 2.99), Valley::Akima).is_ok());
        for valley in [Valley::Akima, Valley::Parabola] {
            let refused = believed(&points, (0.5, 0.0), valley).unwrap_err();
            assert_eq!(refused, Refusal::Impossible { loss: 0.0, lowest: 3.0 });
        }
    }
}
