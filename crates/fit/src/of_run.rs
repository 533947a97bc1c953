//! A loss law as a function of a run: which of the run's numbers each of its variables is.

use crate::law::{Law, Response, value};

/// What a variable of a law is of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Params,
    Tokens,
    Unique,
    Flops,
    TokensPerParam,
}

/// The variables of a law that says the loss of a run, in the law's order.
#[derive(Clone, Debug)]
pub(crate) struct OfRun(Vec<Variable>);

impl OfRun {
    /// `None` where the law predicts no loss, or has a variable that a run's N, D and distinct tokens do not give.
    /// A user's own expression counts as a loss: that is what its response is taken for.
    pub fn of(law: &dyn Law) -> Option<Self> {
        if !matches!(law.response(), Response::Loss | Response::Column) {
            return None;
        }
        let variable = |name: &str| {
            Some(match name {
                "N" => Variable::Params,
                "D" => Variable::Tokens,
                "U" => Variable::Unique,
                "C" => Variable::Flops,
                "M" => Variable::TokensPerParam,
                _ => return None,
            })
        };
        law.variables().iter().map(|name| variable(name)).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether the loss at a budget depends on its division: two of N, D, C = 6·N·D and M = D/N are variables.
    pub fn divides_budgets(&self) -> bool {
        self.0.iter().filter(|v| **v != Variable::Unique).count() >= 2
    }

    /// Whether the number of distinct tokens is a variable.
    pub fn has_unique_tokens(&self) -> bool {
        self.0.contains(&Variable::Unique)
    }

    /// The law's variables at a run of `n` parameters and `d` tokens, of which `unique` are distinct.
    pub fn variables(&self, n: f64, d: f64, unique: f64) -> Vec<f64> {
        let of = |variable: &Variable| match variable {
            Variable::Params => n,
            Variable::Tokens => d,
            Variable::Unique => unique,
            Variable::Flops => 6.0 * n * d,
            Variable::TokensPerParam => d / n,
        };
        self.0.iter().map(of).collect()
    }

    /// The loss of a run of `n` parameters and `d` tokens, no token being repeated.
    pub fn loss(&self, law: &dyn Law, constants: &[f64], n: f64, d: f64) -> f64 {
        value(law, &self.variables(n, d, d), constants)
    }
}

/// Whether a law divides a budget.
pub(crate) fn divides_budgets(law: &dyn Law) -> bool {
    OfRun::of(law).is_some_and(|of| of.divides_budgets())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{Chinchilla, DataConstrained, Expression, OverTraining, PowerLaw};

    #[test]
    fn run_gives_the_variables_of_a_law_in_the_laws_own_order() {
        let turned = Expression::new("E + B/D^beta + A/N^alpha", &["N", "D"], &[]).unwrap();
        let cases: [(&dyn Law, Vec<f64>); 4] = [
            (&Chinchilla, vec![1e9, 2e10]),
            (&turned, vec![2e10, 1e9]),
            (&OverTraining, vec![1.2e20, 20.0]),
            (&DataConstrained, vec![1e9, 2e10, 5e9]),
        ];
        for (law, expected) in cases {
            assert!(divides_budgets(law), "{}", law.name());
            assert_eq!(OfRun::of(law).unwrap().variables(1e9, 2e10, 5e9), expected, "{}", law.name());
        }
        assert!(!divides_budgets(&PowerLaw::C) && !divides_budgets(&PowerLaw::N));
        assert!(!divides_budgets(&Expression::new("a*lr^b", &["lr"], &[]).unwrap()));
    }
}
