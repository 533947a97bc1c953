//! What a plan follows: a published rule, a fitted law, or the chain of a user's own curves.

use super::allocation::{Allocation, cheapest_for_loss, compute_optimal};
use super::error::{Missing, PlanError, positive};
use super::search::crossing;
use crate::draws::optimum;
use crate::fitted::{FitStatus, FittedLaw, ParamState, Prediction};
use crate::forecaster::{Forecaster, Reach};
use crate::interpolate::extended;
use crate::law::{Law, value};
use crate::of_run::OfRun;
use crate::presets::{Frontier, KaplanConstants, Monomial, Preset, Rule};
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
    Forecaster,
}

/// The ways there are to divide a budget.
pub(super) enum Dividing {
    Joint(Joint),
    Forecaster(Box<Forecaster>),
    Kaplan(KaplanConstants),
    Frontier(Frontier),
    Tokens(&'static [(f64, f64)]),
    TokensPerParam(f64),
}

/// A law of the loss of a run, and its constants.
pub(super) struct Joint {
    law: Box<dyn Law>,
    of_run: OfRun,
    constants: Vec<f64>,
}

impl Joint {
    /// The loss of a run that repeats no token.
    fn loss(&self, n: f64, d: f64) -> f64 {
        self.of_run.loss(self.law.as_ref(), &self.constants, n, d)
    }

    fn loss_of_unique(&self, n: f64, d: f64, unique: f64) -> f64 {
        value(self.law.as_ref(), &self.of_run.variables(n, d, unique), &self.constants)
    }
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
    /// When it does not say the loss of a run's N and D.
    pub fn fitted(name: &str, fitted: FittedLaw) -> Result<Self, PlanError> {
        let rule = joint(name, fitted.law()?, fitted.values())?;
        Ok(Self {
            name: name.into(),
            source: format!("{} fitted to {} runs", fitted.law, fitted.n_runs),
            conventions: fitted.conventions,
            rule,
            origin: Origin::Fitted(Box::new(fitted)),
        })
    }

    /// A forecaster made from a user's runs.
    pub fn forecaster(name: &str, made: Forecaster) -> Self {
        Self {
            name: name.into(),
            source: format!(
                "{} laws, weighed by how they extrapolate among {} runs",
                made.members.len(),
                made.n_runs
            ),
            conventions: made.conventions,
            rule: Dividing::Forecaster(Box::new(made)),
            origin: Origin::Forecaster,
        }
    }

    /// The basis, if what decides the division of a budget is known.
    ///
    /// # Errors
    /// [`PlanError::Undecided`]: a fitted law whose runs leave open parameters on which the optimum depends.
    pub fn decided(self) -> Result<Self, PlanError> {
        if let (Dividing::Joint(joint), Origin::Fitted(fitted)) = (&self.rule, &self.origin) {
            decided(&self.name, fitted, joint)?;
        }
        if let Dividing::Forecaster(made) = &self.rule {
            made.check_divides(&self.name)?;
        }
        Ok(self)
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
        let loss: Box<dyn Fn(f64, f64) -> f64 + '_> = match &self.rule {
            Dividing::Joint(joint) => Box::new(|n, d| joint.loss(n, d)),
            Dividing::Forecaster(made) => Box::new(|n, d| made.loss(n, d)),
            _ => return None,
        };
        Some(loss)
    }

    /// Ranges of N and D of the best division of a budget, where several laws have a say.
    pub(super) fn ranges(&self, flops: f64) -> Option<[[f64; 2]; 2]> {
        let Dividing::Forecaster(made) = &self.rule else { return None };
        made.best_division(flops).ok().map(|best| [best.n95, best.d95])
    }

    /// The loss of N, D and the number of distinct tokens, where the law counts them itself.
    pub(super) fn loss_of_unique(&self) -> Option<impl Fn(f64, f64, f64) -> f64 + '_> {
        let joint = self.joint().filter(|joint| joint.of_run.has_unique_tokens())?;
        Some(|n: f64, d: f64, unique: f64| joint.loss_of_unique(n, d, unique))
    }

    fn joint(&self) -> Option<&Joint> {
        match &self.rule {
            Dividing::Joint(joint) => Some(joint),
            _ => None,
        }
    }

    /// The worst doubt about the law that a user's runs were fitted by.
    pub(super) fn status(&self) -> Option<FitStatus> {
        match &self.origin {
            Origin::Fitted(fitted) => Some(fitted.status),
            Origin::Forecaster => match &self.rule {
                Dividing::Forecaster(made) => Some(made.status(0.0)),
                _ => None,
            },
            Origin::Preset(_) | Origin::Chain(_) => None,
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
        let joint = self.joint()?;
        joint.law.closed_form_optimum().map(|law| law.optimum(&joint.constants, flops))
    }

    pub(super) fn at_budget(&self, flops: f64) -> Result<Divided, PlanError> {
        let c = positive("the budget in FLOPs", flops)?;
        let bare = |n: f64, d: f64| Divided { flops: c, n, d, loss: None, batch: None, steps: None };
        Ok(match &self.rule {
            Dividing::Joint(joint) => {
                let Allocation { n, d, loss } = compute_optimal(&|n, d| joint.loss(n, d), &six_n, c)?;
                Divided { loss: Some(loss), ..bare(n, d) }
            }
            Dividing::Forecaster(made) => {
                let Allocation { n, d, loss } = compute_optimal(&|n, d| made.loss(n, d), &six_n, c)?;
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
            Dividing::Joint(joint) => {
                let (flops, _) = cheapest_for_loss(&|n, d| joint.loss(n, d), &six_n, loss)?;
                self.at_budget(flops)
            }
            Dividing::Forecaster(made) => {
                let (flops, _) = cheapest_for_loss(&|n, d| made.loss(n, d), &six_n, loss)?;
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
    pub fn prediction(&self, n: f64, d: f64) -> Option<Prediction> {
        let place = [("N", n), ("D", d), ("U", d), ("C", 6.0 * n * d), ("M", d / n)];
        match (&self.origin, &self.rule) {
            (Origin::Fitted(fitted), _) => fitted.predict(&place).ok(),
            (_, Dividing::Forecaster(made)) => made.predict(&place).ok(),
            _ => None,
        }
    }

    pub(super) fn warnings(&self, n: f64, d: f64, flops: f64) -> Vec<String> {
        let name = &self.name;
        if let Dividing::Forecaster(made) = &self.rule {
            let (outlook, tried) = (made.at(n, d), made.tried());
            let decades = outlook.decades;
            let mut warnings: Vec<String> =
                made.doubts.iter().map(|doubt| format!("{name}: {}", doubt.message)).collect();
            if self.conventions.is_none() {
                warnings.push(format!("{name}: the forecaster's file does not say what N, C and D count"));
            }
            warnings.extend(match outlook.reach {
                Reach::Inside | Reach::Scored => None,
                Reach::Beyond => Some(format!(
                    "{name}: the run lies {decades:.1} decades beyond the runs, further than forecasts were tried among them \
                     ({tried:.1} decades)"
                )),
                Reach::Far => Some(format!(
                    "{name}: the run lies {decades:.1} decades beyond the runs, more than twice as far as forecasts were tried \
                     among them ({tried:.1} decades): train a run in between first"
                )),
            });
            return warnings;
        }
        match &self.origin {
            Origin::Forecaster => vec![],
            Origin::Preset(preset) => preset.warnings(Some(n), Some(d), Some(flops)),
            Origin::Chain(doubts) => doubts.clone(),
            Origin::Fitted(fitted) => {
                let mut warnings: Vec<String> =
                    fitted.warnings.iter().map(|w| format!("{}: {}", self.name, w.message)).collect();
                let beyond = self.prediction(n, d).map_or(0.0, |p| p.extrapolation_decades);
                if beyond > 0.02 {
                    let range = |name: &str, range: Option<[f64; 2]>| {
                        range.map(|[lo, hi]| format!("{name} {} to {}", short(lo), short(hi)))
                    };
                    let ranges = [
                        range("N", fitted.range("N")),
                        range("D", fitted.range("D")),
                        range("C", fitted.flops_range()),
                    ];
                    warnings.push(format!(
                        "{}: the run lies {beyond:.1} decades outside the runs fitted ({}): an extrapolation",
                        self.name,
                        ranges.into_iter().flatten().collect::<Vec<_>>().join(", ")
                    ));
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
    match OfRun::of(law.as_ref()).filter(OfRun::divides_budgets) {
        Some(of_run) => Ok(Dividing::Joint(Joint { law, of_run, constants })),
        None => Err(PlanError::CannotPlan {
            name: name.into(),
            missing: Missing::SizeAndData { equation: law.equation() },
        }),
    }
}

/// Refuses a law whose unidentified parameters decide the optimum.
fn decided(name: &str, fitted: &FittedLaw, joint: &Joint) -> Result<(), PlanError> {
    let constant = ["N", "D"].into_iter().find(|v| fitted.range(v).is_some_and(|[lo, hi]| lo == hi));
    let open: Vec<usize> =
        (0..fitted.params.len()).filter(|j| fitted.params[*j].1.state == ParamState::Unidentified).collect();
    if open.is_empty() && constant.is_none() {
        return Ok(());
    }
    // Where the runs are: parameters that decide the optimum anywhere decide it there.
    let [least, most] = fitted.flops_range().unwrap_or([1e18, 1e21]);
    let flops = (least * most).sqrt();
    let size = |constants: &[f64]| optimum(joint.law.as_ref(), constants, flops).map(|o| libm::log(o.n)).ok();
    let deciding = |j: &usize| {
        let mut moved = joint.constants.clone();
        moved[*j] *= 1.01;
        match (size(&joint.constants), size(&moved)) {
            (Some(before), Some(after)) => (after - before).abs() > 1e-6,
            _ => true,
        }
    };
    let parameters: Vec<String> =
        open.into_iter().filter(deciding).map(|j| fitted.params[j].0.clone()).collect();
    if parameters.is_empty() && constant.is_none() {
        return Ok(());
    }
    Err(PlanError::Undecided { name: name.into(), parameters, constant, together: fitted.vary_together() })
}

/// ln D for ln N, straight between the pairs and beyond them along the nearest piece.
fn ln_tokens(pairs: &[(f64, f64)], ln_n: f64) -> f64 {
    let logs: Vec<(f64, f64)> = pairs.iter().map(|(n, d)| (libm::log(*n), libm::log(*d))).collect();
    extended(&logs, ln_n)
}
