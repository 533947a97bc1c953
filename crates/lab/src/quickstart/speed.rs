//! How fast this machine trains each width, measured with all workers busy.

use super::QuickstartError;
use super::ladder::{self, Measured, N_CTX, Speed, WIDTHS};
use scalelaw_core::RunSpec;
use scalelaw_core::schedule::Decay;
use scalelaw_core::spec::Evaluation;
use scalelaw_experiment::Facts;
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
pub fn measure(data: &Dataset, text: &Facts, workers: usize) -> Result<Measured, QuickstartError> {
    ladder::specs(text)?
        .into_iter()
        .filter(|spec| WIDTHS.contains(&spec.model.d_model))
        .map(|spec| Ok((spec.model.d_model, measure_spec(data, endless(spec, text), workers)?)))
        .collect()
}

/// A run that never ends, at its full rate.
fn endless(mut spec: RunSpec, text: &Facts) -> RunSpec {
    spec.steps = 1 << 20;
    spec.data.test_tokens = EVAL_TOKENS.min(text.test_tokens);
    spec.schedule.decay = Decay::Constant { cooldown_steps: 0, final_fraction: 1.0 };
    spec.evaluation = Evaluation { first_step: 1, per_decade: 1, patience: 0 };
    spec
}

/// The slowest of `workers` that train the same spec at the same time.
fn measure_spec(data: &Dataset, spec: RunSpec, workers: usize) -> Result<Speed, TrainError> {
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
    let mut trainer = Trainer::new(&*crate::device(spec.device), spec, data, 1)?;
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
