//! Which runs fit the budget: the quickstart's recipe, its ladder of sizes and its subsets of data.

use super::QuickstartError;
use scalelaw_core::schedule::log_spaced_steps;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_core::{Head, ModelShape, RunSpec, heads};
use scalelaw_experiment::{ComposedData, ExperimentFile, Facts};
use scalelaw_runs::scheduler::makespan;
use serde::Serialize;

/// The recipe of every quickstart; the constants below that it fixes are compared with it in the tests.
const RECIPE: &str = "quickstart-1";
/// Vocabulary: small, so that the head does not eat the budget.
pub const N_VOCAB: u32 = 512;
/// Context in tokens.
pub const N_CTX: u32 = 64;
/// Tokens of a step.
pub const BATCH_TOKENS: u64 = 32 * N_CTX as u64;
/// Blocks of every model: mixing depths at this scale bends the line L(N).
const N_LAYER: u32 = 2;
/// Width of a head, in models that are wide enough.
const D_HEAD: u32 = 16;
/// Widths that every quickstart trains: N from 1,536 to 153,600, two decades.
pub const WIDTHS: [u32; 7] = [8, 16, 24, 32, 48, 64, 80];
/// Widths added one after the other when the budget allows.
const WIDER: [u32; 6] = [96, 128, 160, 192, 256, 320];
/// Tokens a run per parameter of the widest model before a wider one is worth adding.
const TOKENS_PER_PARAM: f64 = 30.0;
/// Width of the models that see subsets of the data.
const DATA_WIDTH: u32 = 64;
/// The subsets: D / 2^k.
const SUBSETS: std::ops::RangeInclusive<u32> = 3..=7;
/// Epochs over a small subset after which the test loss has long been rising.
const MAX_EPOCHS: u64 = 10;
/// Widths that are also trained for fewer steps, and the parts of the full steps: what a shorter run costs.
const SHORT_WIDTHS: [u32; 3] = [16, 32, 64];
const SHORT_PARTS: [u64; 2] = [2, 4];
/// Width of the model that is trained with further seeds.
const SEED_WIDTH: u32 = 32;
/// Test tokens of an evaluation: a share of a run's training tokens, within bounds, so that measuring never
/// costs more than a small part of training.
const TEST_SHARE: u64 = 64;
const TEST_TOKENS: std::ops::RangeInclusive<u64> = 1 << 13..=1 << 16;
/// Fewest steps of a full run from which a law can be read.
const MIN_STEPS: u64 = 100;
/// Most times the training text is repeated in a full run.
const MAX_REPEATS: u64 = 4;

/// Measured tokens a second of one worker while all workers are busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Training.
    pub train: f64,
    /// Evaluation.
    pub eval: f64,
}

/// Measured widths.
pub type Measured = Vec<(u32, Speed)>;

/// Runs that belong together: every width on every amount of data with every seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Set {
    name: &'static str,
    d_model: Vec<u32>,
    seeds: Vec<u64>,
    data: Vec<Amount>,
}

/// How much data a run has and how long it looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Amount {
    train_tokens: u64,
    steps: u64,
}

/// Chooses the runs that `workers` can do in `seconds` of wall clock.
///
/// All full runs have the same number of steps; the ladder gets wider when there is time for about
/// 30 tokens a run per parameter of the next size.
///
/// # Errors
/// When the text or the budget is too small for any study.
pub fn choose(
    text: &Facts,
    speed: &dyn Fn(u32) -> Speed,
    workers: usize,
    seconds: f64,
) -> Result<ExperimentFile, QuickstartError> {
    let smallest_subset = text.train_tokens >> *SUBSETS.end();
    if smallest_subset <= BATCH_TOKENS {
        let needed = BATCH_TOKENS << *SUBSETS.end();
        return Err(QuickstartError::TooLittleText { tokens: text.train_tokens, needed });
    }
    let most_steps = (MAX_REPEATS * text.train_tokens / BATCH_TOKENS).max(MIN_STEPS);
    let specs = specs(text)?;
    let fits =
        |widths: &[u32], steps: u64| makespan(&costs(&specs, text, widths, steps, speed), workers) <= seconds;
    let longest = |widths: &[u32]| {
        // Largest number of steps that fits, by bisection.
        let (mut low, mut high) = (0, most_steps + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(widths, middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    };
    let mut widths = WIDTHS.to_vec();
    let mut steps = longest(&widths);
    for wider in WIDER {
        let mut longer = widths.clone();
        longer.push(wider);
        let longer_steps = longest(&longer);
        let n = shape(wider).n_params(ParamConvention::NonEmbedding) as f64;
        let enough = (longer_steps * BATCH_TOKENS) as f64 >= TOKENS_PER_PARAM * n;
        // Where the text is used up, more time goes into wider models.
        if longer_steps >= MIN_STEPS && (enough || longer_steps == most_steps) {
            (widths, steps) = (longer, longer_steps);
        }
    }
    if steps < MIN_STEPS {
        let models = WIDTHS.len();
        return Err(QuickstartError::BudgetTooSmall { seconds, models, steps, needed: MIN_STEPS });
    }
    experiment(text, &sets(text, &widths, steps), steps)
}

/// The sets of a study whose full runs have so many steps.
fn sets(text: &Facts, widths: &[u32], steps: u64) -> [Set; 4] {
    let full = Amount { train_tokens: text.train_tokens, steps };
    // The data that a full run sees, halved k times.
    let seen = text.train_tokens.min(steps * BATCH_TOKENS);
    let subsets = SUBSETS.map(|k| {
        let train_tokens = (seen >> k).max(BATCH_TOKENS + 1);
        Amount { train_tokens, steps: steps.min(MAX_EPOCHS * train_tokens / BATCH_TOKENS).max(1) }
    });
    let short = SHORT_PARTS.map(|part| Amount { steps: (steps / part).max(1), ..full });
    let set = |name, d_model: &[u32], data: Vec<Amount>, seeds: Vec<u64>| Set {
        name,
        d_model: d_model.to_vec(),
        seeds,
        data,
    };
    [
        set("size", widths, vec![full], vec![0]),
        set("data", &[DATA_WIDTH], subsets.collect(), vec![0]),
        set("short", &SHORT_WIDTHS, short.to_vec(), vec![0]),
        set("seed", &[SEED_WIDTH], vec![full], vec![1, 2]),
    ]
}

/// Test tokens of an evaluation where full runs have so many steps.
fn test_tokens(text: &Facts, steps: u64) -> u64 {
    let share = steps * BATCH_TOKENS / TEST_SHARE;
    share.clamp(*TEST_TOKENS.start(), *TEST_TOKENS.end()).min(text.test_tokens)
}

fn experiment(text: &Facts, sets: &[Set], steps: u64) -> Result<ExperimentFile, QuickstartError> {
    let data = ComposedData {
        name: text.name.clone(),
        digest: text.digest.clone(),
        test_tokens: test_tokens(text, steps),
    };
    let question = "How does the loss on this text fall with model size, data and compute?";
    Ok(ExperimentFile::compose("experiment.toml", question, RECIPE, &data, sets)?)
}

/// A run of the recipe at every width there may be.
///
/// # Errors
/// When the text is too little for any run.
pub fn specs(text: &Facts) -> Result<Vec<RunSpec>, QuickstartError> {
    let widths = [WIDTHS.as_slice(), &WIDER].concat();
    let sets = sets(text, &widths, MIN_STEPS);
    let runs = experiment(text, &sets[..1], MIN_STEPS)?.runs(text)?;
    Ok(runs.into_iter().map(|run| run.spec).collect())
}

/// Expected seconds of one worker for a run.
pub fn cost(spec: &RunSpec, speed: &dyn Fn(u32) -> Speed) -> f64 {
    let speed = speed(spec.model.d_model);
    let evaluations =
        log_spaced_steps(spec.evaluation.first_step, spec.evaluation.per_decade, spec.steps).len();
    spec.tokens() as f64 / speed.train + (evaluations as u64 * spec.data.test_tokens) as f64 / speed.eval
}

fn costs(
    specs: &[RunSpec],
    text: &Facts,
    widths: &[u32],
    steps: u64,
    speed: &dyn Fn(u32) -> Speed,
) -> Vec<f64> {
    let mut costs = Vec::new();
    for Set { d_model, seeds, data, .. } in sets(text, widths, steps) {
        for spec in d_model.iter().filter_map(|d| specs.iter().find(|spec| spec.model.d_model == *d)) {
            for amount in &data {
                let mut spec = spec.clone();
                (spec.steps, spec.data.test_tokens) = (amount.steps, test_tokens(text, steps));
                costs.extend(seeds.iter().map(|_| cost(&spec, speed)));
            }
        }
    }
    costs
}

/// The speed of a width from the measured widths: the same FLOP/s as the nearest measured one.
pub fn interpolate(measured: &[(u32, Speed)], d_model: u32) -> Speed {
    let flops = |d| shape(d).train_flops_per_token(FlopConvention::Full);
    let nearest = measured.iter().min_by_key(|(d, _)| d.abs_diff(d_model));
    nearest.map_or(Speed { train: 1.0, eval: 1.0 }, |(d, speed)| {
        let ratio = flops(*d) / flops(d_model);
        Speed { train: speed.train * ratio, eval: speed.eval * ratio }
    })
}

/// The shape of a width.
pub fn shape(d_model: u32) -> ModelShape {
    ModelShape::standard(N_LAYER, d_model, heads(d_model, D_HEAD), N_CTX, N_VOCAB, Head::Untied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_experiment::PlannedRun;

    fn text(train_tokens: u64) -> Facts {
        Facts {
            name: "toy".into(),
            digest: "d".into(),
            n_vocab: N_VOCAB,
            train_tokens,
            test_tokens: 100_000,
            evals: vec![],
        }
    }

    fn of<'a>(runs: &'a [PlannedRun], set: &str) -> Vec<&'a RunSpec> {
        runs.iter().filter(|run| run.sets.iter().any(|s| s == set)).map(|run| &run.spec).collect()
    }

    /// 50 GFLOP/s, evaluation three times as fast.
    fn speed(d_model: u32) -> Speed {
        let train = 50e9 / shape(d_model).train_flops_per_token(FlopConvention::Full);
        Speed { train, eval: 3.0 * train }
    }

    #[test]
    fn choose_five_minutes_gives_two_decades_five_subsets_three_seeds_and_fits() {
        let runs = choose(&text(20_000_000), &speed, 2, 280.0).unwrap().runs(&text(20_000_000)).unwrap();
        let sizes: Vec<u64> =
            of(&runs, "size").iter().map(|spec| spec.model.n_params(ParamConvention::NonEmbedding)).collect();
        assert!(sizes.len() >= 6 && sizes[sizes.len() - 1] >= 100 * sizes[0], "{sizes:?}");
        let subsets = of(&runs, "data");
        assert_eq!(subsets.len(), 5);
        assert!(subsets.windows(2).all(|w| w[0].data.train_tokens > w[1].data.train_tokens));
        assert_eq!(of(&runs, "seed").len() + 1, 3);
        let costs: Vec<f64> = runs.iter().map(|run| cost(&run.spec, &speed)).collect();
        let took = makespan(&costs, 2);
        assert!(took <= 280.0 && took > 250.0, "{took}");
        assert_eq!(runs.len(), sizes.len() + 5 + 6 + 2);
    }

    #[test]
    fn choose_larger_budget_widens_the_ladder() {
        let text = text(50_000_000);
        let widths = |seconds| {
            let runs = choose(&text, &speed, 2, seconds).unwrap().runs(&text).unwrap();
            of(&runs, "size").len()
        };
        assert!(widths(7200.0) > widths(200.0));
    }

    #[test]
    fn recipe_has_the_shapes_and_the_tuned_rates_of_the_ladder() {
        let specs = specs(&text(20_000_000)).unwrap();
        assert_eq!(specs.len(), WIDTHS.len() + WIDER.len());
        for spec in specs {
            let d = f64::from(spec.model.d_model);
            let round = |x: f64| (x * 1e6).round() / 1e6;
            assert_eq!((spec.model, spec.batch_tokens()), (shape(spec.model.d_model), BATCH_TOKENS));
            assert_eq!(
                (spec.schedule.lr, spec.init_std),
                (round(0.014 * (8.0 / d).sqrt()), round(0.5 / d.sqrt()))
            );
        }
    }

    #[test]
    fn choose_small_text_caps_the_repetitions() {
        let text = text(1_000_000);
        for run in choose(&text, &speed, 2, 3600.0).unwrap().runs(&text).unwrap() {
            let spec = run.spec;
            assert!(spec.tokens() <= MAX_EPOCHS * spec.data.train_tokens + spec.batch_tokens());
        }
    }

    #[test]
    fn choose_too_little_text_or_time_is_refused_with_what_is_needed() {
        let error = choose(&text(5_000), &speed, 2, 280.0).unwrap_err().to_string();
        assert!(error.contains("MB of text"), "{error}");
        let error = choose(&text(20_000_000), &speed, 2, 1.0).unwrap_err();
        assert!(matches!(error, QuickstartError::BudgetTooSmall { needed: MIN_STEPS, .. }), "{error}");
    }

    #[test]
    fn interpolated_speed_keeps_the_flop_rate_of_the_nearest_width() {
        let measured = [(32, speed(32)), (64, speed(64))];
        assert!((interpolate(&measured, 128).train / speed(128).train - 1.0).abs() < 1e-12);
        assert_eq!(interpolate(&measured, 64), speed(64));
    }
}
