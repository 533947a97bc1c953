//! A run directory against kills, truncation and strangers.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, Measure, NUMERICS, Optimizer, Precision, TRAINER, Training,
};
use scalelaw_core::{Head, ModelShape, RunSpec};
use scalelaw_runs::{
    EvalRecord, NamedTensor, Outcome, RunDir, RunResult, RunsError, StepRecord, finished_run, finished_runs,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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

fn step(i: u64) -> StepRecord {
    StepRecord { lr: 0.1, train_loss: i as f64, grad_sq_small: 2.0, grad_sq_big: f64::MIN_POSITIVE }
}

fn eval(step: u64) -> EvalRecord {
    EvalRecord {
        step,
        tokens: 8 * step,
        train_loss: Some(2.0),
        test_loss: 1.0 / step as f64,
        test_loss_se: Some(0.1),
        set_losses: BTreeMap::from([("books".to_owned(), 3.0 + 1.0 / step as f64)]),
        position_losses: vec![1.5, 1.0 / step as f64],
    }
}

/// Does steps `from..to` with an evaluation and a checkpoint after each.
fn advance(dir: &mut RunDir, from: u64, to: u64) {
    for i in from..to {
        dir.write_steps(i, &[step(i)]).unwrap();
        dir.write_eval(&eval(i + 1)).unwrap();
        let weight = [i as f32; 6];
        dir.save_checkpoint(i + 1, &[NamedTensor { name: "wte", shape: &[2, 3], values: &weight }]).unwrap();
    }
}

fn finish(dir: RunDir) {
    let evals: Vec<_> = (1..=4).map(eval).collect();
    dir.finish(&RunResult::new(Outcome::Completed, &spec(0).model, 4, 32, &evals)).unwrap();
}

#[test]
fn finished_run_reads_back_what_was_written() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a");
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    assert!(dir.resume().unwrap().is_none());
    advance(&mut dir, 0, 4);
    assert!(finished_run(&path).unwrap().is_none());
    finish(dir);
    let run = finished_run(&path).unwrap().unwrap();
    assert_eq!(run.spec, spec(0));
    assert_eq!(run.steps, (0..4).map(step).collect::<Vec<_>>());
    assert_eq!(run.evals, (1..=4).map(eval).collect::<Vec<_>>());
    assert_eq!((run.result.loss_min, run.result.best_step), (Some(0.25), Some(4)));
    assert_eq!(finished_runs(root.path()).unwrap().len(), 1);
    let checkpoints = fs::read_dir(&path)
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("checkpoint-"));
    assert_eq!(checkpoints.count(), 2, "only the two newest checkpoints stay");
}

#[test]
fn resume_after_a_kill_cuts_the_logs_to_the_newest_whole_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a");
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    dir.resume().unwrap();
    advance(&mut dir, 0, 3);
    // Killed while writing step 3: a torn step record and half a line.
    drop(dir);
    for (name, torn) in [("steps.bin", &b"\x01\x02"[..]), ("events.jsonl", b"{\"step\":")] {
        let mut bytes = fs::read(path.join(name)).unwrap();
        bytes.extend_from_slice(torn);
        fs::write(path.join(name), bytes).unwrap();
    }
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    let (checkpoint, evals) = dir.resume().unwrap().unwrap();
    assert_eq!((checkpoint.step, evals.len()), (3, 3));
    assert_eq!(checkpoint.tensors, [("wte".to_owned(), vec![2.0; 6])]);
    advance(&mut dir, 3, 4);
    finish(dir);
    let run = finished_run(&path).unwrap().unwrap();
    assert_eq!(run.steps, (0..4).map(step).collect::<Vec<_>>());
    assert_eq!(run.evals.len(), 4);
}

#[test]
fn resume_with_a_checkpoint_damaged_at_any_byte_uses_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a");
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    dir.resume().unwrap();
    advance(&mut dir, 0, 3);
    drop(dir);
    let newest = path.join("checkpoint-3.safetensors");
    let whole = fs::read(&newest).unwrap();
    let (steps, events) =
        (fs::read(path.join("steps.bin")).unwrap(), fs::read(path.join("events.jsonl")).unwrap());
    for cut in 0..whole.len() {
        fs::write(&newest, &whole[..cut]).unwrap();
        fs::write(path.join("steps.bin"), &steps).unwrap();
        fs::write(path.join("events.jsonl"), &events).unwrap();
        let (checkpoint, _) = RunDir::open(&path, &spec(0)).unwrap().resume().unwrap().unwrap();
        assert_eq!(checkpoint.step, 2, "cut at byte {cut}");
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&newest, &flipped).unwrap();
    let (checkpoint, _) = RunDir::open(&path, &spec(0)).unwrap().resume().unwrap().unwrap();
    assert_eq!(checkpoint.step, 2, "a flipped bit");
}

#[test]
fn resume_with_logs_cut_at_any_byte_falls_back_and_never_fails() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a");
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    dir.resume().unwrap();
    advance(&mut dir, 0, 3);
    drop(dir);
    let (steps, events) =
        (fs::read(path.join("steps.bin")).unwrap(), fs::read(path.join("events.jsonl")).unwrap());
    let ends: Vec<usize> =
        events.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    for cut in 0..=events.len() {
        fs::write(path.join("steps.bin"), &steps).unwrap();
        fs::write(path.join("events.jsonl"), &events[..cut]).unwrap();
        let resumed = RunDir::open(&path, &spec(0)).unwrap().resume().unwrap();
        let whole_lines = ends.iter().filter(|end| **end <= cut).count() as u64;
        // Only the two newest checkpoints are there to fall back on.
        let expected = if whole_lines >= 2 { whole_lines } else { 0 };
        assert_eq!(resumed.map_or(0, |(c, _)| c.step), expected, "events cut at byte {cut}");
    }
}

/// Every file of a run with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: fs::DirEntry| {
        (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(dir).unwrap().map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn zombie_that_wakes_up_at_any_step_leaves_the_bytes_of_an_undisturbed_run() {
    let root = tempfile::tempdir().unwrap();
    let calm = root.path().join("calm");
    let mut dir = RunDir::open(&calm, &spec(0)).unwrap();
    dir.resume().unwrap();
    advance(&mut dir, 0, 4);
    finish(dir);
    // The zombie falls asleep after `asleep` steps and wakes up when its successor has done `awake`.
    for asleep in [0, 2, 3] {
        for awake in asleep..=4 {
            for zombie_finishes_first in [false, true] {
                let path = root.path().join(format!("{asleep}-{awake}-{zombie_finishes_first}"));
                let mut zombie = RunDir::open(&path, &spec(0)).unwrap();
                zombie.resume().unwrap();
                advance(&mut zombie, 0, asleep);
                let mut heir = RunDir::open(&path, &spec(0)).unwrap();
                let from = heir.resume().unwrap().map_or(0, |(checkpoint, _)| checkpoint.step);
                assert_eq!(from, asleep);
                advance(&mut heir, from, awake);
                let zombie_steps = |mut zombie: RunDir| {
                    advance(&mut zombie, asleep, 4);
                    finish(zombie);
                };
                if zombie_finishes_first {
                    zombie_steps(zombie);
                    assert!(
                        finished_run(&path).is_ok_and(|run| run.is_some()),
                        "never a finished run with a hole"
                    );
                    advance(&mut heir, awake, 4);
                    finish(heir);
                } else {
                    advance(&mut heir, awake, 4);
                    finish(heir);
                    zombie_steps(zombie);
                }
                assert_eq!(files(&path), files(&calm), "{}", path.display());
            }
        }
    }
}

#[test]
fn open_directory_of_another_run_is_refused() {
    let root = tempfile::tempdir().unwrap();
    RunDir::open(root.path(), &spec(0)).unwrap();
    let error = RunDir::open(root.path(), &spec(1)).unwrap_err();
    assert!(matches!(error, RunsError::OtherRun { .. }), "{error}");
}

#[test]
fn finished_run_with_missing_steps_is_an_error_that_names_the_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a");
    let mut dir = RunDir::open(&path, &spec(0)).unwrap();
    dir.resume().unwrap();
    advance(&mut dir, 0, 3);
    finish(dir);
    let error = finished_run(&path).unwrap_err().to_string();
    assert!(error.contains("steps.bin") && error.contains("3 steps, expected 4"), "{error}");
}
