//! IsoFLOP profiles: the loss-optimal size at each of several compute budgets (Hoffmann et al. 2022, approach 2).

use crate::error::FitError;
use crate::linalg::Matrix;
use crate::random::{generator, normal};
use crate::statistics::{quantile, standard_deviation, student_t};
use serde::Serialize;

/// How the valley is drawn through the points of one budget, in ln N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Valley {
    /// Least-squares parabola.
    Parabola,
    /// Least-squares cubic: the first correction to the parabola's bias on lopsided valleys.
    Cubic,
    /// Akima's interpolant through the points (Porian et al. 2024).
    Akima,
}

/// Losses at one budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Training FLOPs.
    pub budget: f64,
    /// (N, loss).
    pub points: Vec<(f64, f64)>,
}

/// The bottom of one valley.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Optimum {
    /// Budget.
    pub budget: f64,
    /// Size with the lowest loss.
    pub n: f64,
    /// That loss.
    pub loss: f64,
    /// Standard deviation of ln N from noise in the losses; 0 when none was given.
    pub ln_n_sd: f64,
}

/// A budget without an optimum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// Budget.
    pub budget: f64,
    /// Why; its text in JSON.
    pub reason: Refusal,
}

/// Why a budget has no optimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too few sizes to draw the valley.
    #[error("{got} sizes, expected at least {needed}")]
    TooFewSizes {
        /// Sizes.
        got: usize,
        /// Sizes that the valley needs.
        needed: usize,
    },
    /// The smallest or largest size has the lowest loss.
    #[error("no interior minimum: the {side} size has the lowest loss; add sizes beyond it")]
    NoInteriorMinimum {
        /// `smallest` or `largest`.
        side: &'static str,
    },
    /// The normal equations of the polynomial are singular.
    #[error("the sizes are too few or too close for a polynomial")]
    Singular,
    /// The parabola has a maximum.
    #[error("the parabola through the points opens downward")]
    OpensDownward,
    /// The cubic rises or falls throughout.
    #[error("the cubic through the points has no minimum")]
    NoMinimum,
    /// The polynomial's minimum is no interpolation.
    #[error("the polynomial's minimum lies outside the sizes that were run")]
    Outside,
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A power law y = coefficient·C^exponent through the optima, in logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LogLineFit {
    /// Exponent.
    pub exponent: f64,
    /// Coefficient.
    pub coefficient: f64,
    /// Standard error of the exponent.
    pub se: f64,
    /// 95% interval of the exponent (t).
    pub ci95: [f64; 2],
    /// Share of variance explained.
    pub r2: f64,
    /// Points.
    pub n: usize,
}

/// Weighted least squares of ln y on ln x. `weights` multiply the squares; standard errors take the scatter
/// around the line as their scale.
///
/// # Errors
/// Fewer than two different x, or a value that is not positive.
pub fn log_line(x: &[f64], y: &[f64], weights: &[f64]) -> Result<LogLineFit, FitError> {
    let n = x.len();
    for (column, got) in [("y", y.len()), ("weights", weights.len())] {
        if got != n {
            return Err(FitError::Length { column: column.into(), got, expected: n });
        }
    }
    let usable = |v: f64| v > 0.0 && v.is_finite();
    let positive = x.iter().zip(y).filter(|(x, y)| usable(**x) && usable(**y)).count();
    if n < 2 || positive < n {
        return Err(FitError::NoLine { n, positive });
    }
    let (lx, ly): (Vec<f64>, Vec<f64>) = x.iter().zip(y).map(|(x, y)| (libm::log(*x), libm::log(*y))).unzip();
    let total: f64 = weights.iter().sum();
    let mean = |v: &[f64]| v.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let (mx, my) = (mean(&lx), mean(&ly));
    let sum = |f: &dyn Fn(usize) -> f64| (0..n).map(|i| weights[i] * f(i)).sum::<f64>();
    let sxx = sum(&|i| (lx[i] - mx).powi(2));
    if sxx <= 0.0 {
        return Err(FitError::NoLine { n, positive });
    }
    let exponent = sum(&|i| (lx[i] - mx) * (ly[i] - my)) / sxx;
    let offset = my - exponent * mx;
    let residual = sum(&|i| (ly[i] - offset - exponent * lx[i]).powi(2));
    let freedom = n as f64 - 2.0;
    let se = if freedom > 0.0 { (residual / freedom / sxx).sqrt() } else { f64::NAN };
    let half = student_t(0.975, freedom) * se;
    Ok(LogLineFit {
        exponent,
        coefficient: libm::exp(offset),
        se,
        ci95: [exponent - half, exponent + half],
        r2: 1.0 - residual / sum(&|i| (ly[i] - my).powi(2)),
        n,
    })
}

/// The bottom of each budget's valley; budgets without an interior minimum are refused, not extrapolated.
pub fn optima(profiles: &[Profile], valley: Valley) -> (Vec<Optimum>, Vec<Refused>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for profile in profiles {
        match bottom(&sorted(profile), valley) {
            Ok((ln_n, loss)) => {
                found.push(Optimum { budget: profile.budget, n: libm::exp(ln_n), loss, ln_n_sd: 0.0 })
            }
            Err(reason) => refused.push(Refused { budget: profile.budget, reason }),
        }
    }
    (found, refused)
}

/// (ln N, loss) by N, the lowest loss where a size was run more than once.
fn sorted(profile: &Profile) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = profile
        .points
        .iter()
        .filter(|(n, l)| *n > 0.0 && *l > 0.0 && n.is_finite() && l.is_finite())
        .map(|(n, l)| (libm::log(*n), *l))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup_by(|later, kept| later.0 == kept.0);
    points
}

fn bottom(points: &[(f64, f64)], valley: Valley) -> Result<(f64, f64), Refusal> {
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
    let centre = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
    let m = degree + 1;
    let (mut ata, mut atb) = (Matrix::zeros(m, m), vec![0.0; m]);
    for (x, y) in points {
        let powers: Vec<f64> = (0..m).map(|k| (x - centre).powi(k as i32)).collect();
        atb.iter_mut().zip(&powers).for_each(|(sum, power)| *sum += power * y);
        ata.add_outer(1.0, &powers);
    }
    let c = ata.cholesky().ok_or(Refusal::Singular)?.solve(&atb);
    let at = |x: f64| (0..m).rev().fold(0.0, |s, k| s * x + c[k]);
    let (lo, hi) = (points[0].0 - centre, points[points.len() - 1].0 - centre);
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
    Ok((x + centre, at(x)))
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

/// Exponents under noise in the losses: each replicate moves every loss by its own normal error of relative
/// size `noise(loss)`, finds the valleys' bottoms and their power law again.
#[derive(Clone, Debug, Serialize)]
pub struct NoiseStudy {
    /// Optima with the spread of ln N over replicates; medians of N.
    pub optima: Vec<Optimum>,
    /// Line through the medians, weighted by 1/spread².
    pub line: LogLineFit,
    /// 2.5% and 97.5% percentile of the replicates' weighted exponents.
    pub exponent_ci95: [f64; 2],
    /// Replicates, and how many were refused somewhere.
    pub replicates: usize,
    /// Replicates in which some budget had no interior minimum (they use the others).
    pub partial: usize,
}

/// Runs [`NoiseStudy`].
///
/// # Errors
/// Fewer than two budgets have an interior minimum.
///
/// # Source
/// Porian et al. 2024, section 3.2 (noise-and-interpolate).
pub fn noise_study(
    profiles: &[Profile],
    valley: Valley,
    noise: &dyn Fn(f64) -> f64,
    replicates: usize,
    seed: u64,
) -> Result<NoiseStudy, FitError> {
    let points: Vec<Vec<(f64, f64)>> = profiles.iter().map(sorted).collect();
    let mut draws: Vec<Vec<f64>> = vec![Vec::new(); profiles.len()];
    let mut every: Vec<Vec<Option<f64>>> = Vec::with_capacity(replicates);
    for r in 0..replicates {
        let mut rng = generator(seed, r);
        let mut row = Vec::with_capacity(points.len());
        for (k, p) in points.iter().enumerate() {
            let moved: Vec<(f64, f64)> =
                p.iter().map(|(x, l)| (*x, l * (1.0 + noise(*l) * normal(&mut rng)))).collect();
            let ln_n = bottom(&moved, valley).ok().map(|(x, _)| x);
            draws[k].extend(ln_n);
            row.push(ln_n);
        }
        every.push(row);
    }
    let mut optima = Vec::new();
    let mut used = Vec::new();
    for (k, d) in draws.iter_mut().enumerate() {
        // A budget whose valley is open in half of the replicates has no optimum to speak of.
        if d.len() * 2 < replicates.max(1) {
            continue;
        }
        d.sort_by(f64::total_cmp);
        let loss = bottom(&points[k], valley).map_or(f64::NAN, |(_, l)| l);
        optima.push(Optimum {
            budget: profiles[k].budget,
            n: libm::exp(quantile(d, 0.5)),
            loss,
            ln_n_sd: standard_deviation(d),
        });
        used.push(k);
    }
    // A spread of 0 would have infinite weight: no optimum is known better than a tenth of the typical spread.
    let typical = optima.iter().map(|o| o.ln_n_sd).sum::<f64>() / optima.len().max(1) as f64;
    let weights: Vec<f64> = optima.iter().map(|o| o.ln_n_sd.max(0.1 * typical).powi(-2)).collect();
    let budgets: Vec<f64> = optima.iter().map(|o| o.budget).collect();
    let sizes: Vec<f64> = optima.iter().map(|o| o.n).collect();
    let line = log_line(&budgets, &sizes, &weights)?;
    let mut exponents: Vec<f64> = every
        .iter()
        .filter_map(|row| {
            let (mut x, mut y, mut w) = (vec![], vec![], vec![]);
            for (i, &k) in used.iter().enumerate() {
                if let Some(ln_n) = row[k] {
                    x.push(budgets[i]);
                    y.push(libm::exp(ln_n));
                    w.push(weights[i]);
                }
            }
            log_line(&x, &y, &w).ok().map(|l| l.exponent)
        })
        .collect();
    exponents.sort_by(f64::total_cmp);
    Ok(NoiseStudy {
        optima,
        line,
        exponent_ci95: [quantile(&exponents, 0.025), quantile(&exponents, 0.975)],
        replicates,
        partial: every.iter().filter(|row| used.iter().any(|&k| row[k].is_none())).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valley(budget: f64, at: f64, skew: f64) -> Profile {
        let points = (-4..=4)
            .map(|k| {
                let d = f64::from(k) * 0.5;
                (at * d.exp(), 3.0 + 0.02 * d * d + skew * d * d * d)
            })
            .collect();
        Profile { budget, points }
    }

    #[test]
    fn every_valley_finds_the_bottom_of_a_parabola_and_its_exponent() {
        let profiles: Vec<Profile> =
            (0..6).map(|k| valley(1e16 * 4f64.powi(k), 1e6 * 2f64.powi(k), 0.0)).collect();
        for (kind, tolerance) in [(Valley::Parabola, 1e-9), (Valley::Cubic, 1e-6), (Valley::Akima, 1e-3)] {
            let (optima, refused) = optima(&profiles, kind);
            assert!(refused.is_empty());
            let (x, y): (Vec<f64>, Vec<f64>) = optima.iter().map(|o| (o.budget, o.n)).unzip();
            let line = log_line(&x, &y, &[1.0; 6]).unwrap();
            assert!((line.exponent - 0.5).abs() < tolerance, "{kind:?} {line:?}");
        }
    }

    #[test]
    fn cubic_removes_the_bias_of_the_parabola_on_a_lopsided_valley() {
        let profile = [valley(1e18, 1e7, 0.002)];
        let at = |kind| optima(&profile, kind).0[0].n;
        assert!((at(Valley::Cubic) / 1e7 - 1.0).abs() < 1e-6);
        assert!((at(Valley::Parabola) / 1e7 - 1.0).abs() > 0.05);
    }

    #[test]
    fn budget_without_interior_minimum_is_refused_with_its_side() {
        let falling =
            Profile { budget: 1.0, points: (1..6).map(|k| (f64::from(k), 6.0 - f64::from(k))).collect() };
        let (found, refused) = optima(&[falling], Valley::Parabola);
        assert!(found.is_empty());
        assert_eq!(refused[0].reason, Refusal::NoInteriorMinimum { side: "largest" });
    }

    #[test]
    fn noise_study_interval_contains_the_true_exponent_and_repeats_by_seed() {
        let profiles: Vec<Profile> =
            (0..8).map(|k| valley(1e16 * 2f64.powi(k), 1e6 * 1.5f64.powi(k), 0.0)).collect();
        let study = |seed| noise_study(&profiles, Valley::Akima, &|_| 0.002, 200, seed).unwrap();
        let (a, b) = (study(1), study(1));
        let truth = 1.5f64.ln() / 2f64.ln();
        assert!(a.exponent_ci95[0] < truth && truth < a.exponent_ci95[1], "{:?}", a.exponent_ci95);
        assert_eq!(a.exponent_ci95, b.exponent_ci95);
    }
}
