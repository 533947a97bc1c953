//! What a plan follows: a published rule, a fitted law, or the chain of a user's own curves.

use super::allocation::{Allocation, cheapest_for_loss, compute_optimal};
use super::error::{Missing, PlanError, positive};
use super::search::crossing;
use crate::fitted::{FittedLaw, Prediction};
use crate::interpolate::extended;
use crate::law::{Law, value};
use crate::presets::{Frontier, KaplanConstants, Monomial, Preset, Rule, divides_budgets};
use scalelaw_core::Conventions;
use scalelaw_core::number::short;

/// A rule that divides budgets.
pub struct Basis {
    /// Name of the preset, or of the law's file.
    pub name: String,
    /// Paper, or what was fitted.
    pub source: String,
    /// What N, C and D count; `None` when the law's file does not say.
    pub conventions: Option<Conventions>,
    pub(super) rule: Dividing,
    origin: Origin,
}

enum Origin {
    Preset(&'static Preset),
    Fitted(Box<FittedLaw>),
    Chain(Vec<String>),
}

/// The ways there are to divide a budget.
pub(super) enum Dividing {
    Joint { law: Box<dyn Law>, constants: Vec<f64> },
    Kaplan(KaplanConstants),
    Frontier(Frontier),
    Tokens(&'static [(f64, f64)]),
    TokensPerParam(f64),
}

/// N, D and what else the rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Divided {
    pub flops: f64,
    pub n: f64,
    pub d: f64,
    pub loss: Option<f64>,
    pub batch: Option<f64>,
    pub steps: Option<f64>,
}

impl Basis {
    /// A published rule.
    ///
    /// # Errors
    /// When the preset cannot divide a budget: a law of one variable, exponents alone, hyper-parameters.
    pub fn preset(preset: &'static Preset) -> Result<Self, PlanError> {
        let cannot = |missing| PlanError::CannotPlan { name: preset.name.into(), missing };
        let rule = match preset.rule {
            Rule::Law { .. } => match preset.rule.law() {
                Some((law, constants)) => joint(preset.name, law, constants)?,
                None => return Err(cannot(Missing::Law)),
            },
            Rule::Kaplan(constants) => Dividing::Kaplan(constants),
            Rule::Frontier(frontier) => Dividing::Frontier(frontier),
            Rule::Tokens(pairs) => Dividing::Tokens(pairs),
            Rule::TokensPerParam(ratio) => Dividing::TokensPerParam(ratio),
            Rule::Exponents { .. } => return Err(cannot(Missing::Coefficient)),
            Rule::CriticalBatch { .. } => return Err(cannot(Missing::OnlyBatch)),
            Rule::HyperParameters(_) => return Err(cannot(Missing::OnlyHyperParameters)),
        };
        Ok(Self {
            name: preset.name.into(),
            source: preset.source.into(),
            conventions: Some(preset.conventions),
            rule,
            origin: Origin::Preset(preset),
        })
    }

    /// A law fitted to a user's runs.
    ///
    /// # Errors
    /// When it is not a law of N and D.
    pub fn fitted(name: &str, fitted: FittedLaw) -> Result<Self, PlanError> {
        Ok(Self {
            name: name.into(),
            source: format!("{} fitted to {} runs", fitted.law, fitted.n_runs),
            conventions: fitted.conventions,
            rule: joint(name, fitted.law()?, fitted.values())?,
            origin: Origin::Fitted(Box::new(fitted)),
        })
    }

    /// L(N, S_min) and B_crit(L) of a user's own curves; `doubts` are shown with every plan.
    pub fn chain(
        name: &str,
        constants: KaplanConstants,
        conventions: Conventions,
        doubts: Vec<String>,
    ) -> Self {
        Self {
            name: name.into(),
            source: "Kaplan's chain fitted to a table of curves".into(),
            conventions: Some(conventions),
            rule: Dividing::Kaplan(constants),
            origin: Origin::Chain(doubts),
        }
    }

    /// The loss of N and D, where the basis is such a law.
    pub fn joint_loss(&self) -> Option<impl Fn(f64, f64) -> f64 + '_> {
        match &self.rule {
            Dividing::Joint { law, constants } => {
                Some(move |n: f64, d: f64| value(law.as_ref(), &[n, d], constants))
            }
            _ => None,
        }
    }

    /// L(N, S_min) and B_crit(L), where the basis has them.
    pub fn kaplan(&self) -> Option<&KaplanConstants> {
        match &self.rule {
            Dividing::Kaplan(constants) => Some(constants),
            _ => None,
        }
    }

    /// The division of a budget in closed form, where the law has one.
    pub(super) fn closed_form(&self, flops: f64) -> Option<Allocation> {
        match &self.rule {
            Dividing::Joint { law, constants } => {
                law.closed_form_optimum().map(|law| law.optimum(constants, flops))
            }
            _ => None,
        }
    }

    pub(super) fn at_budget(&self, flops: f64) -> Result<Divided, PlanError> {
        let c = positive("the budget in FLOPs", flops)?;
        let bare = |n: f64, d: f64| Divided { flops: c, n, d, loss: None, batch: None, steps: None };
        Ok(match &self.rule {
            Dividing::Joint { law, constants } => {
                let Allocation { n, d, loss } =
                    compute_optimal(&|n, d| value(law.as_ref(), &[n, d], constants), &six_n, c)?;
                Divided { loss: Some(loss), ..bare(n, d) }
            }
            Dividing::Kaplan(k) => {
                let o = k.optimum(c)?;
                Divided {
                    loss: Some(o.loss),
                    batch: Some(o.b_crit),
                    steps: Some(o.steps_min),
                    ..bare(o.n, o.tokens_min)
                }
            }
            Dividing::Frontier(f) => {
                let at = |m: Option<Monomial>| m.map(|m| m.at(1.0, 1.0, c));
                let (n, d) = match (at(f.n), at(f.d)) {
                    (Some(n), d) => (n, d.unwrap_or(c / six_n(n))),
                    (None, Some(d)) => (c / 6.0 / d, d),
                    (None, None) => {
                        return Err(PlanError::CannotPlan {
                            name: self.name.clone(),
                            missing: Missing::Sizes,
                        });
                    }
                };
                Divided { batch: at(f.batch), steps: at(f.steps), loss: at(f.loss), ..bare(n, d) }
            }
            Dividing::Tokens(pairs) => {
                let ln_n = crossing(
                    &|ln_n| ln_n + libm::log(6.0) + ln_tokens(pairs, ln_n) - libm::log(c),
                    0.0,
                    90.0,
                )
                .ok_or_else(|| PlanError::NoSize { name: self.name.clone(), flops: c })?;
                bare(libm::exp(ln_n), libm::exp(ln_tokens(pairs, ln_n)))
            }
            Dividing::TokensPerParam(ratio) => {
                let n = (c / 6.0 / ratio).sqrt();
                bare(n, ratio * n)
            }
        })
    }

    pub(super) fn for_loss(&self, target: f64) -> Result<Divided, PlanError> {
        let loss = positive("the target loss", target)?;
        match &self.rule {
            Dividing::Joint { law, constants } => {
                let (flops, _) =
                    cheapest_for_loss(&|n, d| value(law.as_ref(), &[n, d], constants), &six_n, loss)?;
                self.at_budget(flops)
            }
            Dividing::Kaplan(k) => self.at_budget(k.cheapest_for(loss)),
            _ => Err(PlanError::CannotPlan { name: self.name.clone(), missing: Missing::Loss }),
        }
    }

    /// The budget whose optimal model has `n` parameters.
    pub(super) fn for_params(&self, n: f64) -> Result<Divided, PlanError> {
        let ln_n = libm::log(positive("N", n)?);
        let short_of =
            |ln_c: f64| self.at_budget(libm::exp(ln_c)).map_or(f64::NEG_INFINITY, |d| libm::log(d.n) - ln_n);
        let ln_c = crossing(&short_of, libm::log(1e6), libm::log(1e40)).ok_or(PlanError::NoBudget { n })?;
        self.at_budget(libm::exp(ln_c))
    }

    /// What a fitted law says about the loss at a point, with its intervals.
    pub(super) fn prediction(&self, n: f64, d: f64) -> Option<Prediction> {
        match &self.origin {
            Origin::Fitted(fitted) => fitted.predict(&[("N", n), ("D", d)]).ok(),
            _ => None,
        }
    }

    pub(super) fn warnings(&self, n: f64, d: f64, flops: f64) -> Vec<String> {
        match &self.origin {
            Origin::Preset(preset) => preset.warnings(Some(n), Some(d), Some(flops)),
            Origin::Chain(doubts) => doubts.clone(),
            Origin::Fitted(fitted) => {
                let mut warnings: Vec<String> =
                    fitted.warnings.iter().map(|w| format!("{}: {}", self.name, w.message)).collect();
                for (variable, at) in [("N", n), ("D", d)] {
                    let Some((_, [lo, hi])) = fitted.ranges.iter().find(|(v, _)| v == variable) else {
                        continue;
                    };
                    let decades = libm::log10(lo / at).max(libm::log10(at / hi));
                    if decades > 0.02 {
                        warnings.push(format!(
                            "{}: {variable} = {} lies {decades:.1} decades outside the runs fitted ({} to {})",
                            self.name,
                            short(at),
                            short(*lo),
                            short(*hi)
                        ));
                    }
                }
                if fitted.conventions.is_none() {
                    warnings
                        .push(format!("{}: the law's file does not say what N, C and D count", self.name));
                }
                warnings
            }
        }
    }
}

/// FLOPs per token in the law's own count of N.
pub(super) fn six_n(n: f64) -> f64 {
    6.0 * n
}

fn joint(name: &str, law: Box<dyn Law>, constants: Vec<f64>) -> Result<Dividing, PlanError> {
    if !divides_budgets(law.as_ref()) {
        return Err(PlanError::CannotPlan {
            name: name.into(),
            missing: Missing::SizeAndData { equation: law.equation() },
        });
    }
    Ok(Dividing::Joint { law, constants })
}

/// ln D for ln N, straight between the pairs and beyond them along the nearest piece.
fn ln_tokens(pairs: &[(f64, f64)], ln_n: f64) -> f64 {
    let logs: Vec<(f64, f64)> = pairs.iter().map(|(n, d)| (libm::log(*n), libm::log(*d))).collect();
    extended(&logs, ln_n)
}
