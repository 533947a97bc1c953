//! IsoFLOP profiles: the loss-optimal size at each of several compute budgets (Hoffmann et al. 2022, approach 2).

mod bottom;
mod budgets;
mod line;
mod noise;

pub use budgets::clusters;
pub use line::{LogLineFit, exponents_without_each, log_line};
pub use noise::{NoiseStudy, noise_study};

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
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
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
    /// The losses scatter as much as the valley is deep.
    #[error(
        "the losses scatter too much for a valley: the parabola's curvature is {curvature:.4} with a standard error of {se:.4}"
    )]
    Scattered {
        /// Loss per squared unit of ln N.
        curvature: f64,
        /// Its standard error.
        se: f64,
    },
    /// The curve dips below what was observed further than its points allow.
    #[error(
        "the curve dips to {loss:.4}, further below the lowest loss observed ({lowest:.4}) than its neighbours lie above it"
    )]
    Impossible {
        /// Loss at the curve's bottom.
        loss: f64,
        /// Lowest loss observed.
        lowest: f64,
    },
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The bottom of each budget's valley; budgets without an interior minimum are refused, not extrapolated.
pub fn optima(profiles: &[Profile], valley: Valley) -> (Vec<Optimum>, Vec<Refused>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for profile in profiles {
        let points = sizes(profile);
        let believed =
            bottom::bottom(&points, valley).and_then(|found| bottom::believed(&points, found, valley));
        match believed {
            Ok((ln_n, loss)) => {
                found.push(Optimum { budget: profile.budget, n: libm::exp(ln_n), loss, ln_n_sd: 0.0 })
            }
            Err(reason) => refused.push(Refused { budget: profile.budget, reason }),
        }
    }
    (found, refused)
}

/// Sizes within this factor are one: a curve through two of them would follow their noise.
pub const ONE_SIZE: f64 = 1.02;

/// (ln N, loss) by N, the run with the lowest loss where a size was run more than once.
fn sizes(profile: &Profile) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> =
        profile.points.iter().copied().filter(|(_, loss)| loss.is_finite() && *loss > 0.0).collect();
    let n: Vec<f64> = points.iter().map(|(n, _)| *n).collect();
    let lowest = |size: Vec<usize>| {
        size.into_iter().map(|i| points[i]).min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)))
    };
    clusters(&n, ONE_SIZE).into_iter().filter_map(lowest).map(|(n, loss)| (libm::log(n), loss)).collect()
}

impl Profile {
    /// Different sizes: those within [`ONE_SIZE`] are one.
    pub fn n_sizes(&self) -> usize {
        sizes(self).len()
    }
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

    /// Sizes a factor of 2 apart, and one beside the second that is the same but for the seventh digit.
    fn with_a_near_copy(beside: f64) -> Vec<Profile> {
        let losses = [3.1, 2.96, 2.9, 2.95, 3.1];
        let profile = |k: i32| {
            let (root, lower) = (10f64.powf(0.5 * f64::from(k)), 0.3 * f64::from(k));
            let mut points: Vec<(f64, f64)> = losses
                .iter()
                .zip([1e7, 2e7, 4e7, 8e7, 16e7])
                .map(|(loss, n)| (n * root, loss - lower))
                .collect();
            points.push((2e7 * root * beside, 2.99 - lower));
            Profile { budget: 1e18 * 10f64.powi(k), points }
        };
        (0..3).map(profile).collect()
    }

    #[test]
    fn near_copies_of_a_size_are_one_size_whatever_the_valley() {
        for kind in [Valley::Parabola, Valley::Cubic, Valley::Akima] {
            let (found, refused) = optima(&with_a_near_copy(1.000_000_05), kind);
            assert_eq!((found.len(), refused.len()), (3, 0), "{kind:?} {refused:?}");
            for (o, lowest) in found.iter().zip([2.9, 2.6, 2.3]) {
                assert!((o.loss - lowest).abs() < 0.02, "{kind:?} {o:?}");
            }
            let (c, n): (Vec<f64>, Vec<f64>) = found.iter().map(|o| (o.budget, o.n)).unzip();
            let exponent = log_line(&c, &n, &[1.0; 3]).unwrap().exponent;
            assert!((exponent - 0.5).abs() < 1e-6, "{kind:?} {exponent}");
        }
    }

    #[test]
    fn sizes_three_percent_apart_are_two_and_do_not_throw_the_optimum() {
        for kind in [Valley::Parabola, Valley::Akima] {
            let (found, _) = optima(&with_a_near_copy(1.03), kind);
            assert_eq!(found.len(), 3, "{kind:?}");
            for (o, lowest) in found.iter().zip([2.9, 2.6, 2.3]) {
                assert!((o.loss - lowest).abs() < 0.05, "{kind:?} {o:?}");
            }
        }
    }

    #[test]
    fn losses_that_scatter_as_much_as_the_valley_is_deep_have_no_optimum() {
        let points: Vec<(f64, f64)> = [3.0, 3.2, 2.9, 3.15, 2.95, 3.2, 2.97, 3.1]
            .iter()
            .zip(1..)
            .map(|(l, k)| (f64::from(k), *l))
            .collect();
        for kind in [Valley::Parabola, Valley::Akima] {
            let (found, refused) = optima(&[Profile { budget: 1e18, points: points.clone() }], kind);
            assert!(found.is_empty(), "{found:?}");
            assert!(
                matches!(refused[0].reason, Refusal::Scattered { .. } | Refusal::OpensDownward),
                "{refused:?}"
            );
        }
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
