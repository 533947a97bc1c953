//! A number with its standard error, estimated from a few runs without any law.

use crate::statistics::student_t;

/// A value, its standard error and how many independent differences that rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom of the standard error; infinite where it is known.
    pub freedom: f64,
}

/// Freedom from which Student's t is the normal distribution for every purpose here.
const NORMAL: f64 = 1e6;

impl Measured {
    /// The mean of independent values; `None` for fewer than two, or one that is not finite.
    pub fn mean(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        if values.len() < 2 || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        Some(Self { value: mean, se: (squares / (n - 1.0) / n).sqrt(), freedom: n - 1.0 })
    }

    /// The standard deviation within groups of repeats, as the standard error of one value; `None` without repeats.
    pub fn spread(groups: &[Vec<f64>]) -> Option<Self> {
        let (mut squares, mut freedom) = (0.0, 0.0);
        for group in groups.iter().filter(|g| g.len() > 1) {
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            squares += group.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            freedom += group.len() as f64 - 1.0;
        }
        let sd = (squares / freedom).sqrt();
        (freedom > 0.0 && sd.is_finite()).then_some(Self { value: 0.0, se: sd, freedom })
    }

    /// A value with a 95% interval that is taken as normal.
    pub fn from_interval(value: f64, [lo, hi]: [f64; 2]) -> Self {
        let half = 0.5 * (hi - lo);
        Self { value, se: half / student_t(0.975, NORMAL), freedom: f64::INFINITY }
    }

    /// This minus an independent other; freedom after Welch and Satterthwaite.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let (a, b) = (self.se * self.se, other.se * other.se);
        let variance = a + b;
        let freedom = if variance > 0.0 {
            variance * variance / (a * a / self.freedom + b * b / other.freedom)
        } else {
            self.freedom.min(other.freedom)
        };
        Self { value: self.value - other.value, se: variance.sqrt(), freedom }
    }

    /// The same in another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, se: self.se * factor.abs(), ..self }
    }

    /// 95% interval by Student's t.
    pub fn ci95(self) -> [f64; 2] {
        let half = student_t(0.975, self.freedom.min(NORMAL)) * self.se;
        [self.value - half, self.value + half]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_of_three_has_the_interval_of_the_textbook() {
        let m = Measured::mean(&[1.0, 2.0, 3.0]).unwrap();
        // t(0.975, 2) = 4.3027, s/√3 = 0.57735.
        let [lo, hi] = m.ci95();
        assert!((lo - (2.0 - 4.302_652_7 * 0.577_350_27)).abs() < 1e-6, "{lo}");
        assert!((hi + lo - 4.0).abs() < 1e-12);
        assert!(Measured::mean(&[1.0]).is_none() && Measured::mean(&[1.0, f64::NAN]).is_none());
    }

    #[test]
    fn spread_pools_groups_by_their_freedom() {
        let s = Measured::spread(&[vec![1.0, 3.0], vec![10.0], vec![5.0, 5.0, 8.0]]).unwrap();
        assert_eq!(s.freedom, 3.0);
        assert!((s.se - (8.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!(Measured::spread(&[vec![1.0], vec![2.0]]).is_none());
    }

    #[test]
    fn minus_of_known_errors_adds_their_squares() {
        let a = Measured::from_interval(0.5, [0.5 - 1.96 * 0.03, 0.5 + 1.96 * 0.03]);
        let b = Measured::from_interval(0.2, [0.2 - 1.96 * 0.04, 0.2 + 1.96 * 0.04]);
        let d = a.minus(b);
        assert!((d.value - 0.3).abs() < 1e-12 && (d.se - 0.05).abs() < 1e-5, "{d:?}");
        let two = Measured { value: 1.0, se: 1.0, freedom: 5.0 };
        assert!((two.minus(two).freedom - 10.0).abs() < 1e-9);
    }
}
