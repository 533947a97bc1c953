//! What a design of runs can show at all, before any law is fitted to it.

use crate::data::Data;
use crate::law::{Law, value_and_gradient};

/// Two variables that move together over all points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tied {
    /// Index of one variable in the law's order.
    pub a: usize,
    /// Index of the other.
    pub b: usize,
    /// ln b changes by this much as ln a changes by one.
    pub slope: f64,
}

/// Correlation of the logarithms from which two variables are one: what is left of the other is a hundredth of it.
const ONE_VARIABLE: f64 = 0.9999;

/// What a design leaves open.
pub(crate) struct Design {
    /// Variables that move together.
    pub tied: Vec<Tied>,
    /// Variables that vary, but hardly.
    pub narrow: Vec<usize>,
}

impl Design {
    pub fn of(data: &Data) -> Self {
        let narrow = |j: &usize| {
            let (lo, hi) = data.range(*j);
            lo > 0.0 && lo < hi && hi / lo < NARROW
        };
        Self { tied: tied(data), narrow: (0..data.variables.len()).filter(narrow).collect() }
    }

    /// For each parameter, whether no data of this design identify it: exponents and amplitudes of variables that move
    /// together or hardly vary, and the floor that a term which hardly varies can stand for.
    pub fn leaves_open(&self, law: &dyn Law, data: &Data, values: &[f64]) -> Vec<bool> {
        let open = |v: usize| self.narrow.contains(&v) || self.tied.iter().any(|t| t.a == v || t.b == v);
        // Along one budget one term rises as the other falls, and a floor is not seen either.
        let floor_too = !self.narrow.is_empty() || self.tied.iter().any(|t| t.slope < 0.0);
        let of = |j: usize| term_of(law, data, values, j);
        law.params()
            .iter()
            .enumerate()
            .map(|(j, param)| match (&param.exponent_of, param.linear) {
                (Some(variable), _) => data.variables.iter().position(|v| v == variable).is_some_and(open),
                (None, true) => match of(j).as_slice() {
                    [] => floor_too,
                    variables => variables.iter().any(|v| open(*v)),
                },
                (None, false) => false,
            })
            .collect()
    }
}

/// The variables in the term whose amplitude is parameter `j`, which the law is linear in; none for a floor.
pub(crate) fn term_of(law: &dyn Law, data: &Data, values: &[f64], j: usize) -> Vec<usize> {
    let x = data.vars(0).value;
    let slope = |x: &[f64]| value_and_gradient(law, x, values).1[j];
    let here = slope(x);
    (0..x.len())
        .filter(|v| {
            let mut moved = x.to_vec();
            moved[*v] *= 1.5;
            slope(&moved) != here
        })
        .collect()
}

/// All pairs of variables that move together: runs at one number of tokens a parameter, or of one budget.
fn tied(data: &Data) -> Vec<Tied> {
    let width = data.variables.len();
    let logs: Vec<Vec<f64>> =
        (0..width).map(|j| data.ln_x.iter().skip(j).step_by(width).copied().collect()).collect();
    let mut pairs = Vec::new();
    for a in 0..width {
        for b in a + 1..width {
            let [aa, bb, ab] = [(a, a), (b, b), (a, b)].map(|(i, j)| covariance(&logs[i], &logs[j]));
            if aa > 0.0 && bb > 0.0 && ab.abs() >= ONE_VARIABLE * (aa * bb).sqrt() {
                pairs.push(Tied { a, b, slope: ab / aa });
            }
        }
    }
    pairs
}

fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / n
}

/// Below this ratio of its largest to its smallest value a variable hardly varies: its term is a constant as well.
const NARROW: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, laws::Chinchilla};

    fn pairs(ratio: impl Fn(f64, usize) -> f64) -> Vec<Tied> {
        let n: Vec<f64> = (0..10).map(|k| 1e7 * 2f64.powi(k)).collect();
        let d: Vec<f64> = n.iter().enumerate().map(|(i, n)| ratio(*n, i)).collect();
        tied(&Dataset::new(vec![3.0; 10]).with("N", n).with("D", d).for_law(&Chinchilla).unwrap())
    }

    #[test]
    fn tied_of_one_ratio_and_of_one_budget_is_a_pair_with_its_slope() {
        let at_twenty = pairs(|n, i| 20.0 * n * [1.0, 1.01][i % 2]);
        assert!((at_twenty[0].slope - 1.0).abs() < 0.01, "{at_twenty:?}");
        let budget = pairs(|n, _| 1e20 / (6.0 * n));
        assert!((budget[0].slope + 1.0).abs() < 1e-9, "{budget:?}");
    }

    #[test]
    fn tied_of_ratios_that_differ_is_nothing() {
        assert!(pairs(|n, i| n * [10.0, 20.0, 40.0][i % 3]).is_empty());
        assert!(pairs(|_, _| 1e9).is_empty(), "a constant is another matter");
    }
}
