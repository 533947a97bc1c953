//! Which runs fit the budget: the quickstart's recipe, its ladder of sizes and its subsets of data.

use anyhow::bail;
use scalelaw_core::experiment::{DataRung, ExperimentData, Recipe, RunSet, Rung};
use scalelaw_core::number::short;
use scalelaw_core::schedule::log_spaced_steps;
use scalelaw_core::spec::{Batch, Evaluation, Optimizer};
use scalelaw_core::units::FlopConvention;
use scalelaw_core::{Experiment, Head, ModelShape, RunSpec};
use scalelaw_runs::local::makespan;

/// Vocabulary: small, so that the head does not eat the budget.
pub const N_VOCAB: u32 = 512;
/// Context in tokens.
pub const N_CTX: u32 = 64;
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

/// The model of a width, with the quickstart's rules for learning rate and initial weights.
///
/// Both fall as the root of the width: rates of .014 at d 8, and weights of .5/√d, which is GPT-2's .02 at
/// d 625. Tuned on English Wikipedia at d 16 and d 80 (`docs/decisions/quickstart-ladder.md`).
pub fn rung(d_model: u32) -> Rung {
    let round = |x: f64| (x * 1e6).round() / 1e6;
    Rung {
        n_layer: N_LAYER,
        d_model,
        n_head: (d_model / D_HEAD).max(1),
        lr: round(0.014 * (8.0 / f64::from(d_model)).sqrt()),
        init_std: round(0.5 / f64::from(d_model).sqrt()),
    }
}

/// Everything the runs of a quickstart share.
pub fn recipe() -> Recipe {
    Recipe {
        name: "quickstart-1".into(),
        n_ctx: N_CTX,
        n_vocab: N_VOCAB,
        head: Head::Untied,
        warmup_steps: 50,
        cooldown: 0.3,
        batch: Batch { sequences: 32, micro_sequences: 8 },
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
        evaluation: Evaluation { first_step: 20, per_decade: 8, patience: 0 },
    }
}

/// The text that a quickstart has.
#[derive(Clone, Debug)]
pub struct Text {
    /// Name for people.
    pub name: String,
    /// Digest of the dataset.
    pub digest: String,
    /// Training tokens.
    pub train_tokens: u64,
    /// Test tokens.
    pub test_tokens: u64,
}

/// Chooses the runs that `workers` can do in `seconds` of wall clock.
///
/// All full runs have the same number of steps; the ladder gets wider when there is time for about
/// 30 tokens a run per parameter of the next size.
///
/// # Errors
/// When the text or the budget is too small for any study.
pub fn choose(
    text: &Text,
    speed: &dyn Fn(u32) -> Speed,
    workers: usize,
    seconds: f64,
) -> anyhow::Result<Experiment> {
    let batch_tokens = u64::from(recipe().batch.sequences) * u64::from(N_CTX);
    let smallest_subset = text.train_tokens >> *SUBSETS.end();
    if smallest_subset <= u64::from(N_CTX) * u64::from(recipe().batch.sequences) {
        bail!(
            "the text gives {} training tokens, too few to study: give at least {} (about 0.8 MB of text)",
            text.train_tokens,
            short(((u64::from(N_CTX) * u64::from(recipe().batch.sequences)) << *SUBSETS.end()) as f64)
        );
    }
    let most_steps = (MAX_REPEATS * text.train_tokens / batch_tokens).max(MIN_STEPS);
    let fits = |widths: &[u32], steps: u64| {
        let experiment = experiment(text, widths, steps);
        makespan(&costs(&experiment, speed), workers) <= seconds
    };
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
        let n = f64::from(12 * N_LAYER) * f64::from(wider).powi(2);
        let enough = (longer_steps * batch_tokens) as f64 >= TOKENS_PER_PARAM * n;
        // Where the text is used up, more time goes into wider models.
        if longer_steps >= MIN_STEPS && (enough || longer_steps == most_steps) {
            (widths, steps) = (longer, longer_steps);
        }
    }
    if steps < MIN_STEPS {
        bail!(
            "a budget of {seconds:.0} s of training is too small: {} models of {steps} steps fit, but fewer \
             than {MIN_STEPS} steps say nothing about a law. Give a longer --budget",
            WIDTHS.len()
        );
    }
    Ok(experiment(text, &widths, steps))
}

fn experiment(text: &Text, widths: &[u32], steps: u64) -> Experiment {
    let batch_tokens = u64::from(recipe().batch.sequences) * u64::from(N_CTX);
    let full = DataRung { train_tokens: text.train_tokens, steps };
    // The data that a full run sees, halved k times.
    let seen = text.train_tokens.min(steps * batch_tokens);
    let subsets = SUBSETS.map(|k| {
        let train_tokens = (seen >> k).max(u64::from(N_CTX) * u64::from(recipe().batch.sequences) + 1);
        DataRung { train_tokens, steps: steps.min(MAX_EPOCHS * train_tokens / batch_tokens).max(1) }
    });
    let short = SHORT_PARTS.map(|part| DataRung { steps: (steps / part).max(1), ..full });
    let set = |name: &str, models: Vec<Rung>, data: Vec<DataRung>, seeds: Vec<u64>| RunSet {
        name: name.into(),
        models,
        data,
        seeds,
    };
    Experiment {
        question: "How does the loss on this text fall with model size, data and compute?".into(),
        recipe: recipe(),
        data: ExperimentData {
            name: text.name.clone(),
            digest: text.digest.clone(),
            test_tokens: (steps * batch_tokens / TEST_SHARE)
                .clamp(*TEST_TOKENS.start(), *TEST_TOKENS.end())
                .min(text.test_tokens),
        },
        sets: vec![
            set("size", widths.iter().map(|w| rung(*w)).collect(), vec![full], vec![0]),
            set("data", vec![rung(DATA_WIDTH)], subsets.collect(), vec![0]),
            set("short", SHORT_WIDTHS.map(rung).to_vec(), short.to_vec(), vec![0]),
            set("seed", vec![rung(SEED_WIDTH)], vec![full], vec![1, 2]),
        ],
    }
}

/// Expected seconds of one worker for a run.
pub fn cost(spec: &RunSpec, speed: &dyn Fn(u32) -> Speed) -> f64 {
    let speed = speed(spec.model.d_model);
    let evaluations =
        log_spaced_steps(spec.evaluation.first_step, spec.evaluation.per_decade, spec.steps).len();
    spec.tokens() as f64 / speed.train + (evaluations as u64 * spec.data.test_tokens) as f64 / speed.eval
}

fn costs(experiment: &Experiment, speed: &dyn Fn(u32) -> Speed) -> Vec<f64> {
    // Only called on experiments made here, whose runs are valid; an invalid one costs nothing and is
    // refused when its specs are wanted.
    experiment.specs().unwrap_or_default().iter().map(|spec| cost(spec, speed)).collect()
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
    let rung = rung(d_model);
    ModelShape::standard(rung.n_layer, rung.d_model, rung.n_head, N_CTX, N_VOCAB, recipe().head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scalelaw_core::units::ParamConvention;

    fn text(train_tokens: u64) -> Text {
        Text { name: "toy".into(), digest: "d".into(), train_tokens, test_tokens: 100_000 }
    }

    /// 50 GFLOP/s, evaluation three times as fast.
    fn speed(d_model: u32) -> Speed {
        let train = 50e9 / shape(d_model).train_flops_per_token(FlopConvention::Full);
        Speed { train, eval: 3.0 * train }
    }

    #[test]
    fn choose_five_minutes_gives_two_decades_five_subsets_three_seeds_and_fits() {
        let e = choose(&text(20_000_000), &speed, 2, 280.0).unwrap();
        let sizes: Vec<u64> = e.sets[0]
            .models
            .iter()
            .map(|r| shape(r.d_model).n_params(ParamConvention::NonEmbedding))
            .collect();
        assert!(sizes.len() >= 6 && sizes[sizes.len() - 1] >= 100 * sizes[0], "{sizes:?}");
        assert_eq!(e.sets[1].data.len(), 5);
        assert!(e.sets[1].data.windows(2).all(|w| w[0].train_tokens > w[1].train_tokens));
        assert_eq!(e.sets[3].seeds.len() + e.sets[0].seeds.len(), 3);
        let took = makespan(&costs(&e, &speed), 2);
        assert!(took <= 280.0 && took > 250.0, "{took}");
        assert_eq!(e.specs().unwrap().len(), e.sets[0].models.len() + 5 + 6 + 2);
    }

    #[test]
    fn choose_larger_budget_widens_the_ladder() {
        let (short, long) =
            (choose(&text(50_000_000), &speed, 2, 200.0), choose(&text(50_000_000), &speed, 2, 7200.0));
        assert!(long.unwrap().sets[0].models.len() > short.unwrap().sets[0].models.len());
    }

    #[test]
    fn choose_small_text_caps_the_repetitions() {
        let e = choose(&text(1_000_000), &speed, 2, 3600.0).unwrap();
        for spec in e.specs().unwrap() {
            assert!(spec.tokens() <= MAX_EPOCHS * spec.data.train_tokens + spec.batch_tokens());
        }
    }

    #[test]
    fn choose_too_little_text_or_time_is_refused_with_what_to_do() {
        let error = choose(&text(5_000), &speed, 2, 280.0).unwrap_err().to_string();
        assert!(error.contains("MB of text"), "{error}");
        let error = choose(&text(20_000_000), &speed, 2, 1.0).unwrap_err().to_string();
        assert!(error.contains("--budget"), "{error}");
    }

    #[test]
    fn interpolated_speed_keeps_the_flop_rate_of_the_nearest_width() {
        let measured = [(32, speed(32)), (64, speed(64))];
        assert!((interpolate(&measured, 128).train / speed(128).train - 1.0).abs() < 1e-12);
        assert_eq!(interpolate(&measured, 64), speed(64));
    }
}
