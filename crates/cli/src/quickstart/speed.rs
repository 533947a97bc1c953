//! How fast this machine trains each width, measured with all workers busy.

use super::ladder::{Measured, N_CTX, Speed, Text, WIDTHS, recipe, rung, shape};
use scalelaw_core::RunSpec;
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Precision, TRAINER, Training,
};
use scalelaw_tokens::Dataset;
use scalelaw_train::{RunData, TrainError, Trainer};
use std::time::{Duration, Instant};

/// Wall-clock time spent on each width.
const PER_WIDTH: Duration = Duration::from_millis(500);
/// Test tokens of a measured evaluation.
const EVAL_TOKENS: u64 = 64 * N_CTX as u64;

/// Measures every width of the ladder for about half a second.
///
/// # Errors
/// When the data does not fit the models.
pub fn measure(data: &Dataset, text: &Text, workers: usize) -> Result<Measured, TrainError> {
    WIDTHS.iter().map(|width| Ok((*width, measure_width(data, text, workers, *width)?))).collect()
}

/// The slowest of `workers` that train the same width at the same time.
fn measure_width(data: &Dataset, text: &Text, workers: usize, width: u32) -> Result<Speed, TrainError> {
    let spec = spec(text, width);
    let data = RunData::open(data, &spec)?;
    let speeds: Vec<Result<Speed, TrainError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(|| one_worker(&spec, &data))).collect();
        // A panic in a measurement is a bug and goes on as one.
        threads.into_iter().map(|t| t.join().unwrap_or_else(|p| std::panic::resume_unwind(p))).collect()
    });
    let mut slowest = Speed { train: f64::INFINITY, eval: f64::INFINITY };
    for speed in speeds {
        let speed = speed?;
        slowest = Speed { train: slowest.train.min(speed.train), eval: slowest.eval.min(speed.eval) };
    }
    Ok(slowest)
}

fn one_worker(spec: &RunSpec, data: &RunData) -> Result<Speed, TrainError> {
    let mut trainer = Trainer::new(spec, data, 1)?;
    trainer.step()?; // warms caches and pages
    let (started, mut steps) = (Instant::now(), 0);
    while steps == 0 || started.elapsed() < PER_WIDTH {
        trainer.step()?;
        steps += 1;
    }
    let train = (steps * spec.batch_tokens()) as f64 / started.elapsed().as_secs_f64();
    let started = Instant::now();
    let evaluated = trainer.evaluate()?.n_tokens;
    Ok(Speed { train, eval: evaluated as f64 / started.elapsed().as_secs_f64() })
}

fn spec(text: &Text, width: u32) -> RunSpec {
    let recipe = recipe();
    RunSpec {
        recipe: recipe.name,
        seed: 0,
        steps: 1 << 20, // never reached
        init_std: rung(width).init_std,
        trainer: TRAINER.into(),
        device: DeviceClass::Cpu,
        precision: Precision::F32,
        numerics: NUMERICS,
        model: shape(width),
        data: DataSpec {
            name: text.name.clone(),
            digest: text.digest.clone(),
            train_tokens: text.train_tokens,
            test_tokens: EVAL_TOKENS.min(text.test_tokens),
        },
        batch: recipe.batch,
        schedule: Schedule {
            lr: rung(width).lr,
            warmup_steps: recipe.warmup_steps,
            decay: Decay::Constant { cooldown_steps: 0, final_fraction: 1.0 },
        },
        optimizer: recipe.optimizer,
        evaluation: Evaluation { first_step: 1, per_decade: 1, patience: 0 },
        training: Training::default(),
        measure: Measure::default(),
    }
}
