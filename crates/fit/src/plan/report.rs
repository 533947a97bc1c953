//! A whole plan: the run a goal asks for, and what departures from it cost.

use super::allocation::Allocation;
use super::basis::{Basis, Divided, six_n};
use super::batch::{BatchTrade, batch_trade};
use super::error::PlanError;
use super::hardware::{Cost, Hardware};
use super::inference::{Served, serve};
use super::kaplan::{KaplanOptimum, StoppingTrade};
use super::overfit::tokens_needed;
use super::repetition::{Repeated, by_the_law, with_unique_data};
use super::search::crossing;
use crate::fitted::FitStatus;
use crate::laws::CriticalBatch;
use crate::presets::kaplan2020::TYPICAL_EXCESS;
use crate::presets::muennighoff2023::{DECAY, R_D_STAR_MINIMA};
use crate::presets::{Preset, Rule};
use scalelaw_core::{Conventions, DataConvention};
use serde::Serialize;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The best run for so many training FLOPs.
    Compute(f64),
    /// The cheapest run to a loss in nats per token.
    Loss(f64),
    /// The run for which so many parameters are optimal.
    Params(f64),
}

/// A question for [`plan`].
pub struct Request<'a> {
    /// What to follow.
    pub basis: &'a Basis,
    /// What is asked for.
    pub goal: Goal,
    /// Rules for learning rate and batch, first come first served.
    pub hyper: &'a [&'static Preset],
    /// Distinct tokens there are, when limited.
    pub unique_tokens: Option<f64>,
    /// Tokens the model will serve.
    pub inference_tokens: Option<f64>,
    /// What it runs on.
    pub hardware: Option<Hardware>,
}

/// A value and the rule that gave it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Value.
    pub value: f64,
    /// Preset or law it comes from.
    pub by: String,
}

/// A model of another size that reaches the same loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OtherSize {
    /// N over the optimal N.
    pub x: f64,
    /// Parameters.
    pub n: f64,
    /// Tokens it needs; `None` when it never reaches the loss.
    pub d: Option<f64>,
    /// Compute over the optimal compute.
    pub compute: Option<f64>,
}

/// The answer. N, D and C count what `conventions` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// What the plan follows.
    pub basis: String,
    /// Where that comes from.
    pub source: String,
    /// What N, C and D count.
    pub conventions: Option<Conventions>,
    /// Everything a user must see.
    pub warnings: Vec<String>,
    /// The worst doubt about a law that was fitted to a user's runs.
    pub status: Option<FitStatus>,
    /// How far the run lies outside the runs fitted, in decades; none where they are not known.
    pub extrapolation_decades: Option<f64>,
    /// Training FLOPs.
    pub flops: f64,
    /// Parameters.
    pub n: f64,
    /// Training tokens.
    pub d: f64,
    /// Ranges of N and D over several laws and over fits to the cheaper runs, where the plan follows a forecaster.
    pub ranges: Option<[[f64; 2]; 2]>,
    /// D/N.
    pub tokens_per_param: f64,
    /// Predicted loss, nats per token.
    pub loss: Option<f64>,
    /// 95% confidence interval of the law's value, the form being true.
    pub loss_ci95: Option<[f64; 2]>,
    /// 95% interval of one run's loss.
    pub loss_pi95: Option<[f64; 2]>,
    /// The optimum in closed form, where the law has one.
    pub closed_form: Option<Allocation>,
    /// Batch in tokens.
    pub batch_tokens: Option<Advice>,
    /// Updates: D over the batch.
    pub steps: Option<f64>,
    /// Peak learning rate.
    pub lr: Option<Advice>,
    /// How far above the converged loss of its size the model stops, L/L(N, ∞) − 1.
    pub f: Option<f64>,
    /// What stopping there saves against training to 2% above convergence.
    pub stopping: Option<StoppingTrade>,
    /// Other sizes for the same loss.
    pub other_sizes: Vec<OtherSize>,
    /// Other batches for the same loss.
    pub batches: Vec<BatchTrade>,
    /// Numeric solution of Appendix B, where the basis is Kaplan's.
    pub numeric: Option<KaplanOptimum>,
    /// Tokens for a loss within 2% of endless data, by Table 2 of Kaplan et al. or the plan's own law.
    pub tokens_against_overfitting: Option<Advice>,
    /// The best run on limited data.
    pub repeated: Option<Repeated>,
    /// The cheapest run to train and serve.
    pub served: Option<Served>,
    /// Time and money of the training run.
    pub cost: Option<Cost>,
}

const SIZES: [f64; 7] = [0.25, 0.5, 0.71, 1.0, 1.41, 2.0, 4.0];
const BATCH_RATIOS: [f64; 7] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0];

/// Answers a request.
///
/// # Errors
/// When the basis cannot answer the goal.
pub fn plan(request: &Request<'_>) -> Result<Plan, PlanError> {
    let basis = request.basis;
    let run = match request.goal {
        Goal::Compute(flops) => basis.at_budget(flops)?,
        Goal::Loss(loss) => basis.for_loss(loss)?,
        Goal::Params(n) => basis.for_params(n)?,
    };
    let Divided { flops, n, d, loss, .. } = run;
    let prediction = basis.prediction(n, d);
    let batch_tokens = batch(request, &run);
    let mut plan = Plan {
        basis: basis.name.clone(),
        source: basis.source.clone(),
        conventions: basis.conventions,
        warnings: basis.warnings(n, d, flops),
        status: basis.status(),
        extrapolation_decades: prediction.as_ref().map(|p| p.extrapolation_decades),
        flops,
        n,
        d,
        ranges: basis.ranges(flops),
        tokens_per_param: d / n,
        loss,
        loss_ci95: prediction.as_ref().and_then(|p| p.ci95),
        loss_pi95: prediction.as_ref().and_then(|p| p.pi95),
        closed_form: basis.closed_form(flops),
        steps: run.steps.or(batch_tokens.as_ref().map(|b| d / b.value)),
        batch_tokens,
        lr: learning_rate(request, &run),
        f: None,
        stopping: None,
        other_sizes: vec![],
        batches: vec![],
        numeric: None,
        tokens_against_overfitting: None,
        repeated: None,
        served: None,
        cost: request.hardware.map(|h| h.cost(flops)).transpose()?,
    };
    if let Some(k) = basis.kaplan() {
        kaplan_parts(&mut plan, k, &run)?;
    }
    if let Some(loss_of) = basis.joint_loss() {
        joint_parts(&mut plan, &loss_of, request)?;
    }
    let unanswered = [
        (request.unique_tokens.is_some() && plan.repeated.is_none(), "limited data"),
        (request.inference_tokens.is_some() && plan.served.is_none(), "serving"),
    ];
    for (_, what) in unanswered.iter().filter(|(missing, _)| *missing) {
        plan.warnings.push(format!("{}: {what} needs a law of N and D, such as besiroglu2024", basis.name));
    }
    Ok(plan)
}

fn kaplan_parts(
    plan: &mut Plan,
    k: &crate::presets::KaplanConstants,
    run: &Divided,
) -> Result<(), PlanError> {
    let closed = k.optimum(run.flops)?;
    plan.closed_form = Some(Allocation { n: closed.n, d: closed.tokens_min, loss: closed.loss });
    plan.numeric = Some(k.optimum_numeric(run.flops)?);
    plan.f = Some(k.efficient_f());
    plan.stopping = Some(k.stopping(k.efficient_f(), TYPICAL_EXCESS));
    plan.other_sizes = SIZES
        .iter()
        .map(|&x| {
            let cost = k.wrong_size(x);
            OtherSize { x, n: x * run.n, d: cost.map(|c| run.d * c.steps), compute: cost.map(|c| c.compute) }
        })
        .collect();
    plan.batches = BATCH_RATIOS
        .iter()
        .map(|&ratio| batch_trade(ratio, closed.b_crit, closed.steps_min, run.flops))
        .collect::<Result<_, _>>()?;
    let table_2 = Preset::by_name("kaplan2020-nd")?;
    if let Some((law, constants)) = table_2.rule.law() {
        let joint = |n: f64, d: f64| crate::law::value(law.as_ref(), &[n, d], &constants);
        plan.tokens_against_overfitting =
            Some(Advice { value: tokens_needed(&joint, run.n, TYPICAL_EXCESS)?, by: table_2.name.into() });
    }
    Ok(())
}

fn joint_parts(
    plan: &mut Plan,
    loss_of: &dyn Fn(f64, f64) -> f64,
    request: &Request<'_>,
) -> Result<(), PlanError> {
    let (n, d, target) = (plan.n, plan.d, loss_of(plan.n, plan.d));
    plan.f = Some(super::overfit::overfit(loss_of, n, d));
    // Where D counts tokens processed, what more of them bring is training, not less over-fitting.
    if request.basis.conventions.is_some_and(|c| c.data == DataConvention::Unique) {
        let needed = tokens_needed(loss_of, n, TYPICAL_EXCESS).ok();
        plan.tokens_against_overfitting =
            needed.map(|value| Advice { value, by: request.basis.name.clone() });
    }
    plan.other_sizes = SIZES
        .iter()
        .map(|&x| {
            let d = crossing(&|ln_d| target - loss_of(x * n, libm::exp(ln_d)), 0.0, 120.0).map(libm::exp);
            OtherSize { x, n: x * n, d, compute: d.map(|d| six_n(x * n) * d / plan.flops) }
        })
        .collect();
    if let Some(unique) = request.unique_tokens {
        plan.repeated = Some(match request.basis.loss_of_unique() {
            Some(law) => by_the_law(&law, &six_n, plan.flops, unique)?,
            None => {
                let [lo, hi] = R_D_STAR_MINIMA;
                plan.warnings.push(format!(
                    "repetition by R_D* = {} and R_N* = {} (Muennighoff et al. 2023), of which their runs leave R_D* open \
                     between {lo} and {hi}",
                    DECAY.data, DECAY.params
                ));
                with_unique_data(loss_of, &six_n, plan.flops, unique, DECAY)?
            }
        });
    }
    if let Some(tokens) = request.inference_tokens {
        plan.served = Some(serve(loss_of, target, tokens)?);
    }
    Ok(())
}

fn batch(request: &Request<'_>, run: &Divided) -> Option<Advice> {
    if let Some(value) = run.batch {
        return Some(Advice { value, by: request.basis.name.clone() });
    }
    request.hyper.iter().find_map(|preset| {
        let value = match preset.rule {
            Rule::HyperParameters(h) => h.batch?.at(run.n, run.d, run.flops),
            Rule::CriticalBatch { b_star, alpha_b } => {
                crate::law::value(&CriticalBatch, &[run.loss?], &[b_star, alpha_b])
            }
            _ => return None,
        };
        Some(Advice { value, by: preset.name.into() })
    })
}

fn learning_rate(request: &Request<'_>, run: &Divided) -> Option<Advice> {
    let mut rules = request.hyper.iter().filter_map(|preset| match preset.rule {
        Rule::HyperParameters(h) => {
            Some((preset, Advice { value: h.lr?.at(run.n, run.d, run.flops)?, by: preset.name.into() }))
        }
        _ => None,
    });
    let inside = |preset: &Preset| preset.range.params.is_none_or(|[lo, hi]| (lo..=hi).contains(&run.n));
    // A rule is followed beyond the sizes that it was fitted to only where no other one is there.
    let first = rules.next()?;
    if inside(first.0) {
        return Some(first.1);
    }
    Some(rules.find(|(preset, _)| inside(preset)).map_or(first.1, |(_, advice)| advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::{Answer, PRESETS};

    fn ask(name: &str, goal: Goal) -> Plan {
        let basis = Basis::preset(Preset::by_name(name).unwrap()).unwrap();
        let hyper = [Preset::by_name("kaplan2020-lr").unwrap(), Preset::by_name("steplaw2025").unwrap()];
        let hardware = Some(Hardware { peak_flops: 1e15, mfu: 0.4, devices: 8.0, price_per_hour: 2.0 });
        plan(&Request {
            basis: &basis,
            goal,
            hyper: &hyper,
            unique_tokens: Some(1e10),
            inference_tokens: Some(1e12),
            hardware,
        })
        .unwrap()
    }

    #[test]
    fn plan_under_every_preset_that_can_spends_the_budget() {
        let mut planned = 0;
        for preset in PRESETS {
            let Ok(basis) = Basis::preset(preset) else { continue };
            for c in [1e21, 5.76e23, 3.8e25] {
                let Ok(run) = basis.at_budget(c) else { panic!("{}", preset.name) };
                // Rules fitted to N and D apart do not multiply to C exactly; Kaplan's Table 6 and Porian's
                // fits do so to tens of per cent.
                let spent = 6.0 * run.n * run.d / c;
                assert!((0.5..2.0).contains(&spent), "{}: 6ND/C = {spent}", preset.name);
                planned += 1;
            }
        }
        assert_eq!(planned, 3 * PRESETS.iter().filter(|p| p.rule.answers().contains(&Answer::Plan)).count());
    }

    #[test]
    fn goals_are_inverses_of_each_other() {
        for name in ["besiroglu2024", "kaplan2020"] {
            let by_compute = ask(name, Goal::Compute(1e21));
            let by_loss = ask(name, Goal::Loss(by_compute.loss.unwrap()));
            let by_params = ask(name, Goal::Params(by_compute.n));
            assert!((by_loss.flops / 1e21 - 1.0).abs() < 1e-6, "{:e}", by_loss.flops);
            assert!((by_params.flops / 1e21 - 1.0).abs() < 1e-5, "{:e}", by_params.flops);
        }
    }

    #[test]
    fn other_sizes_cost_more_than_the_optimum_and_reach_the_same_loss() {
        for name in ["besiroglu2024", "kaplan2020"] {
            let plan = ask(name, Goal::Compute(1e21));
            for size in &plan.other_sizes {
                let Some(compute) = size.compute else { continue };
                assert!(compute > 1.0 - 1e-9, "{name} {size:?}");
                assert_eq!(size.x == 1.0, (compute - 1.0).abs() < 1e-6, "{name} {size:?}");
            }
        }
    }

    #[test]
    fn table_a3_plan_interpolates_the_printed_pairs() {
        let plan = ask("chinchilla2022-approach1", Goal::Params(67e9));
        assert!((plan.d / 1.5e12 - 1.0).abs() < 1e-6, "{:e}", plan.d);
        let between = ask("chinchilla2022-approach2", Goal::Params(3e9));
        assert!(between.d > 20e9 && between.d < 219.5e9);
    }

    #[test]
    fn presets_that_cannot_plan_say_why() {
        for (name, why) in [
            ("kaplan2020-n", "N and D"),
            ("steplaw2025", "learning rate"),
            ("exponents-xlstm", "coefficient"),
        ] {
            let error = Basis::preset(Preset::by_name(name).unwrap()).err().unwrap().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
