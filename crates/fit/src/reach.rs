//! How far beyond its runs a fitted law is asked.

use crate::draws::optimum;
use crate::fitted::FittedLaw;
use crate::hull;
use crate::law::value;
use crate::of_run::divides_budgets;
use serde::Serialize;

/// What a law says of one scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ahead {
    /// `C` for a law that divides budgets, else its only variable.
    pub variable: String,
    /// Where.
    pub value: f64,
    /// The optimal size there, for a law that divides budgets.
    pub n_opt: Option<f64>,
    /// The law's value there.
    pub loss: f64,
}

impl FittedLaw {
    /// How far outside the data a point lies, in decades: the largest of its distance from the hull of the runs in the
    /// first two variables, of every further variable from its range, and of its compute from theirs. 0 inside.
    /// `point` has the law's variables in its order.
    pub(crate) fn decades_outside(&self, point: &[(&str, f64)]) -> f64 {
        let beyond = |[lo, hi]: [f64; 2], value: f64| libm::log10(lo / value).max(libm::log10(value / hi));
        let mut decades = match point {
            [(_, first), (_, second), ..] => hull::decades_outside(&self.hull, [*first, *second]),
            _ => 0.0,
        };
        let in_hull = if self.hull.is_empty() { 0 } else { 2 };
        for (name, value) in point.iter().skip(in_hull) {
            if let Some(range) = self.range(name) {
                decades = decades.max(beyond(range, *value));
            }
        }
        if let (Some(range), Some(flops)) = (self.flops_range(), flops(point.iter().copied())) {
            decades = decades.max(beyond(range, flops));
        }
        // A value that was written down in few digits is no extrapolation.
        if decades > 1e-6 { decades } else { 0.0 }
    }

    /// The variable that scales the law (C where it divides budgets, else its only one) and the largest value of the runs;
    /// `None` for other laws.
    pub fn largest(&self) -> Option<(String, f64)> {
        let law = self.law().ok()?;
        if divides_budgets(law.as_ref()) {
            return Some(("C".into(), self.flops_range()?[1]));
        }
        let [only] = law.variables() else { return None };
        Some((only.to_string(), self.range(only)?[1]))
    }

    /// What the law says at a value of that variable; `None` where it says nothing.
    pub fn ahead(&self, at: f64) -> Option<Ahead> {
        let (law, constants) = (self.law().ok()?, self.values());
        let (variable, _) = self.largest()?;
        let (n_opt, loss) = if divides_budgets(law.as_ref()) {
            let best = optimum(law.as_ref(), &constants, at).ok()?;
            (Some(best.n), best.loss)
        } else {
            (None, value(law.as_ref(), &[at], &constants))
        };
        loss.is_finite().then_some(Ahead { variable, value: at, n_opt, loss })
    }

    /// Whether the runs lie along a line in the first two variables' logarithms: less than a tenth of a decade to
    /// either side of it. Then one variable stands for the other.
    pub(crate) fn vary_together(&self) -> bool {
        self.hull.len() > 1 && hull::half_width(&self.hull) < 0.1
    }

    /// Smallest and largest value of a variable in the data.
    pub fn range(&self, variable: &str) -> Option<[f64; 2]> {
        self.ranges.iter().find(|(name, _)| name == variable).map(|(_, range)| *range)
    }

    /// Smallest and largest training FLOPs of the runs: their C, or 6·N·D. `None` where the law has neither.
    pub fn flops_range(&self) -> Option<[f64; 2]> {
        if let Some(range) = self.range("C") {
            return Some(range);
        }
        if self.hull.is_empty() {
            // Files of before: the corners of the ranges, which no run need have been at.
            let ([n_lo, n_hi], [d_lo, d_hi]) = (self.range("N")?, self.range("D")?);
            return Some([6.0 * n_lo * d_lo, 6.0 * n_hi * d_hi]);
        }
        let law = self.law().ok()?;
        let of_corner = |corner: &[f64; 2]| {
            flops(law.variables().iter().zip(corner).map(|(name, value)| (name.as_ref(), *value)))
        };
        let corners = self.hull.iter().map(of_corner).collect::<Option<Vec<f64>>>()?;
        Some(corners.iter().fold([f64::INFINITY, 0.0], |[lo, hi], c| [lo.min(*c), hi.max(*c)]))
    }
}

/// C of a point, or 6·N·D.
fn flops<'a>(point: impl Iterator<Item = (&'a str, f64)> + Clone) -> Option<f64> {
    let of = |wanted: &str| point.clone().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    of("C").or_else(|| Some(6.0 * of("N")? * of("D")?))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Chinchilla, Expression};
    use crate::{Dataset, FitOptions, FittedLaw, IntervalChoice, Law, fit, value};

    /// Chinchilla's law at 20 tokens per parameter and around it, 5e7 to 1e9 parameters.
    fn along_a_ray(law: &dyn Law) -> FittedLaw {
        let (mut n, mut d, mut loss) = (vec![], vec![], vec![]);
        for k in 0..6 {
            for ratio in [10.0, 20.0, 40.0] {
                let size = 5e7 * 20f64.powf(f64::from(k) / 5.0);
                n.push(size);
                d.push(ratio * size);
                loss.push(value(
                    &Chinchilla,
                    &[size, ratio * size],
                    &[1.8172, 482.01, 2085.43, 0.3478, 0.3658],
                ));
            }
        }
        let options = FitOptions { intervals: IntervalChoice::Covariance, ..FitOptions::default() };
        fit(law, &Dataset::new(loss).with("N", n).with("D", d), &options).unwrap()
    }

    #[test]
    fn extrapolation_is_measured_in_compute_and_from_the_hull_of_the_runs() {
        let turned = Expression::new("E + B/D^beta + A/N^alpha", &["N", "D"], &[]).unwrap();
        for law in [&Chinchilla as &dyn Law, &turned] {
            let fitted = along_a_ray(law);
            let decades =
                |n: f64, d: f64| fitted.predict(&[("N", n), ("D", d)]).unwrap().extrapolation_decades;
            assert_eq!(decades(1e8, 2e9), 0.0);
            // Ten times N and ten times D of the largest run: one decade in each, two in compute.
            assert!((decades(1e10, 4e11) - 2.0).abs() < 1e-9, "{}", decades(1e10, 4e11));
            // Within both ranges and far from every run.
            assert!(decades(5e7, 4e10) > 0.8, "{}", decades(5e7, 4e10));
        }
    }

    #[test]
    fn law_file_of_before_is_measured_by_its_ranges() {
        let mut file = serde_json::to_value(along_a_ray(&Chinchilla)).unwrap();
        assert!(file.as_object_mut().unwrap().remove("hull").is_some());
        let old = FittedLaw::from_json(&file.to_string()).unwrap();
        let decades = |n: f64, d: f64| old.predict(&[("N", n), ("D", d)]).unwrap().extrapolation_decades;
        assert_eq!(decades(5e7, 4e10), 0.0);
        assert!((decades(1e10, 4e11) - 2.0).abs() < 1e-9);
    }
}
