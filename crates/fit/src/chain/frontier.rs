//! The compute frontier of curves of several sizes: at each cost the best size, by a parabola through the
//! sizes around it.

use crate::interpolate::inside;
use crate::linalg::Matrix;

/// A curve against cost: (ln cost, ln loss), cost increasing, of a model of `n` parameters.
pub(super) struct Costed {
    pub n: f64,
    pub weight: f64,
    pub points: Vec<(f64, f64)>,
}

/// A point of the frontier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub ln_cost: f64,
    pub ln_n: f64,
    pub ln_loss: f64,
    pub weight: f64,
}

/// Places per decade of cost.
const PER_DECADE: f64 = 8.0;
/// Half width of the parabola in ln N: a factor of six to each side.
const WINDOW: f64 = 1.8;

/// The frontier where its best size lies between two others: at the ends the best size is whatever there is.
pub(super) fn frontier(curves: &[Costed]) -> Vec<Best> {
    let lo = curves.iter().filter_map(|c| c.points.first()).map(|p| p.0).fold(f64::INFINITY, f64::min);
    let hi = curves.iter().filter_map(|c| c.points.last()).map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    if !(lo.is_finite() && hi > lo) {
        return vec![];
    }
    let pace = std::f64::consts::LN_10 / PER_DECADE;
    (0..=((hi - lo) / pace) as usize).filter_map(|k| best(curves, lo + pace * k as f64)).collect()
}

fn best(curves: &[Costed], ln_cost: f64) -> Option<Best> {
    let mut at: Vec<(f64, f64, f64)> =
        curves.iter().filter_map(|c| Some((libm::log(c.n), inside(&c.points, ln_cost)?, c.weight))).collect();
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Seeds of one size: their weighted mean.
    let mut sizes: Vec<(f64, f64, f64)> = Vec::new();
    for (ln_n, loss, weight) in at {
        match sizes.last_mut() {
            Some(last) if (last.0 - ln_n).abs() < 1e-6 => {
                last.1 = (last.1 * last.2 + loss * weight) / (last.2 + weight);
                last.2 += weight;
            }
            _ => sizes.push((ln_n, loss, weight)),
        }
    }
    let lowest = (0..sizes.len()).min_by(|a, b| sizes[*a].1.total_cmp(&sizes[*b].1))?;
    if lowest == 0 || lowest + 1 >= sizes.len() {
        return None;
    }
    // The sizes around the lowest, at least its neighbours: several, so that one run's luck does not decide.
    let middle = sizes[lowest].0;
    let around: Vec<(f64, f64, f64)> = sizes
        .iter()
        .enumerate()
        .filter(|(i, s)| i.abs_diff(lowest) <= 1 || (s.0 - middle).abs() <= WINDOW)
        .map(|(_, s)| (s.0 - middle, s.1, s.2))
        .collect();
    let [c, b, a] = parabola(&around)?;
    let vertex = -b / (2.0 * a);
    let reach = around.iter().map(|p| p.0).fold([0.0f64; 2], |[lo, hi], x| [lo.min(x), hi.max(x)]);
    if a <= 0.0 || vertex < reach[0] || vertex > reach[1] {
        return None;
    }
    let weight = around.iter().map(|p| p.2).sum::<f64>() / around.len() as f64;
    Some(Best { ln_cost, ln_n: middle + vertex, ln_loss: c - 0.25 * b * b / a, weight })
}

/// Weighted least squares of y = c + b·x + a·x²: [c, b, a].
fn parabola(points: &[(f64, f64, f64)]) -> Option<[f64; 3]> {
    let mut normal = Matrix::zeros(3, 3);
    let mut right = [0.0; 3];
    for (x, y, w) in points {
        let basis = [1.0, *x, x * x];
        right.iter_mut().zip(&basis).for_each(|(sum, f)| *sum += w * f * y);
        normal.add_outer(*w, &basis);
    }
    normal.cholesky()?.solve(&right).try_into().ok()
}

/// Weighted least squares of y = a + b·x: (a, b). `None` when x does not vary.
pub(super) fn line(points: impl Iterator<Item = (f64, f64, f64)>) -> Option<(f64, f64)> {
    let (mut w, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y, weight) in points {
        w += weight;
        sx += weight * x;
        sy += weight * y;
        sxx += weight * x * x;
        sxy += weight * x * y;
    }
    let determinant = w * sxx - sx * sx;
    if determinant <= 1e-12 * w * sxx {
        return None;
    }
    let b = (w * sxy - sx * sy) / determinant;
    Some(((sy - b * sx) / w, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_through_known_points_is_exact() {
        let (a, b) = line([(0.0, 1.0, 1.0), (1.0, 3.0, 5.0), (2.0, 5.0, 0.5)].into_iter()).unwrap();
        assert!((a - 1.0).abs() < 1e-12 && (b - 2.0).abs() < 1e-12);
        assert!(line([(1.0, 1.0, 1.0), (1.0, 2.0, 1.0)].into_iter()).is_none());
    }

    #[test]
    fn best_size_of_a_parabola_is_its_vertex_and_ends_give_none() {
        let curve = |ln_n: f64| Costed {
            n: libm::exp(ln_n),
            weight: 1.0,
            points: vec![(0.0, 1.0 + (ln_n - 5.3) * (ln_n - 5.3)), (10.0, 0.5 + (ln_n - 5.3) * (ln_n - 5.3))],
        };
        let curves: Vec<Costed> = [4.0, 5.0, 6.0, 7.0].map(curve).into();
        let found = best(&curves, 5.0).unwrap();
        assert!((found.ln_n - 5.3).abs() < 1e-9 && (found.ln_loss - 0.75).abs() < 1e-9);
        assert!(best(&curves[2..], 5.0).is_none());
    }
}
