//! The worker loop over a launcher that trains nothing.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use scalelaw_core::observer::{Observer, Progress};
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Optimizer, Precision, TRAINER, Training,
};
use scalelaw_core::{Head, ModelShape, RunSpec};
use scalelaw_runs::launcher::{Exit, Job, Launcher};
use scalelaw_runs::scheduler::{Failure, Fate, Limits};
use scalelaw_runs::worker::{RunEvent, Watcher, Work, Worker, unfinished};
use scalelaw_runs::{Outcome, RunResult, RunsError, failure, record_failure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// A launcher whose jobs end at once: with a result, or with an error in the runs whose keys are named.
#[derive(Default)]
struct Pretended {
    failing: Vec<String>,
    started: Mutex<Vec<String>>,
}

impl Launcher for Pretended {
    type Handle = PathBuf;

    fn submit(&self, job: Job<'_>) -> Result<PathBuf, RunsError> {
        let dir = job.log.parent().unwrap().to_owned();
        self.started.lock().unwrap().push(dir.file_name().unwrap().to_string_lossy().into_owned());
        Ok(dir)
    }

    fn poll(&self, dir: &mut PathBuf) -> Result<Option<Exit>, RunsError> {
        let key = dir.file_name().unwrap().to_string_lossy().into_owned();
        if self.failing.contains(&key) {
            return Ok(Some(Exit::Failure { status: "exit status: 4".into(), output: "no data".into() }));
        }
        let result = RunResult::new(Outcome::Completed, &spec(0).model, 4, 32, &[]);
        fs::write(dir.join("result.json"), serde_json::to_vec(&result).unwrap()).unwrap();
        Ok(Some(Exit::Success))
    }

    fn cancel(&self, _: PathBuf) -> Result<(), RunsError> {
        Ok(())
    }
}

/// Does something at the first attempt that fails.
struct Meddler<'a>(&'a (dyn Fn() + Sync));

impl Observer for Meddler<'_> {
    fn progress(&self, _: Progress<'_>) {}
}

impl Watcher for Meddler<'_> {
    fn run_event(&self, event: RunEvent<'_>) {
        if let RunEvent::Failed { .. } = event {
            (self.0)();
        }
    }
}

fn spec(seed: u64) -> RunSpec {
    RunSpec {
        recipe: "test-1".into(),
        seed,
        steps: 4,
        init_std: 0.02,
        trainer: TRAINER.into(),
        device: DeviceClass::Cpu,
        precision: Precision::F32,
        numerics: NUMERICS,
        model: ModelShape::standard(1, 8, 1, 4, 16, Head::Untied),
        data: DataSpec { name: "toy".into(), digest: "d".into(), train_tokens: 100, test_tokens: 50 },
        batch: Batch { sequences: 2, micro_sequences: 1 },
        schedule: Schedule { lr: 0.01, warmup_steps: 1, decay: Decay::Linear { final_fraction: 0.0 } },
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
        evaluation: Evaluation { first_step: 1, per_decade: 4, patience: 0 },
        training: Training::default(),
        measure: Measure::default(),
    }
}

fn work(seeds: std::ops::Range<u64>) -> Vec<Work> {
    // The first is the most expensive: it starts first.
    let work = |seed| Work { key: spec(seed).key(), spec: spec(seed), cost: 9.0 - seed as f64, memory: 1 };
    seeds.map(work).collect()
}

fn run(dir: &Path, todo: &[Work], launcher: &Pretended, on_failure: &(dyn Fn() + Sync)) -> Vec<Fate> {
    let worker = Worker {
        dir,
        host: "here",
        limits: Limits { cores: 1, memory: 100, attempts: 3 },
        lease: Duration::from_secs(60),
        launcher,
        command: &|_, _, _| Ok(Command::new("true")),
        watcher: &Meddler(on_failure),
        stop: &|| false,
    };
    worker.work(todo)
}

#[test]
fn worker_does_every_unfinished_run_once_and_then_finds_nothing_left() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = Pretended::default();
    let fates = run(dir.path(), &work(0..3), &launcher, &|| {});
    assert!(fates.iter().all(|fate| matches!(fate, Fate::Finished)), "{fates:?}");
    let keys: Vec<String> = work(0..3).into_iter().map(|work| work.key).collect();
    assert_eq!(*launcher.started.lock().unwrap(), keys);
    assert!(unfinished(dir.path(), work(0..3)).unwrap().is_empty());
    assert_eq!(unfinished(dir.path(), work(0..4)).unwrap().len(), 1);
}

#[test]
fn failing_run_is_recorded_after_three_attempts_and_tried_again_by_the_next_call() {
    let dir = tempfile::tempdir().unwrap();
    let todo = work(0..2);
    let launcher = Pretended { failing: vec![todo[0].key.clone()], ..Pretended::default() };
    let fates = run(dir.path(), &todo, &launcher, &|| {});
    assert!(matches!(&fates[0], Fate::Failed(Failure::Exit { output, .. }) if output == "no data"));
    assert!(matches!(fates[1], Fate::Finished));
    assert_eq!(launcher.started.lock().unwrap().len(), 4);
    let record = failure(&dir.path().join(&todo[0].key)).unwrap();
    assert_eq!((record.attempts, record.reason.as_str()), (3, "exit status: 4: no data"));
    let fates = run(dir.path(), &todo[..1], &Pretended::default(), &|| {});
    assert!(matches!(fates[..], [Fate::Finished]));
    assert!(failure(&dir.path().join(&todo[0].key)).is_none());
}

#[test]
fn run_that_another_worker_gave_up_meanwhile_is_not_tried_here() {
    let dir = tempfile::tempdir().unwrap();
    let todo = work(0..2);
    let second = dir.path().join(&todo[1].key);
    let launcher = Pretended { failing: vec![todo[0].key.clone()], ..Pretended::default() };
    let fates = run(dir.path(), &todo, &launcher, &|| record_failure(&second, 3, "no luck there").unwrap());
    assert!(matches!(&fates[1], Fate::Failed(Failure::Elsewhere { reason }) if reason == "no luck there"));
    assert!(!launcher.started.lock().unwrap().contains(&todo[1].key));
}
