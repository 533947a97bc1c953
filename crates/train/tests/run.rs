//! Whole runs: the same bytes for any threads and interruptions, outcomes, and a committed hash.
#![allow(clippy::unwrap_used, reason = "a test")]

use scalelaw_core::block::{Block, FeedForward, Norm, NormPlacement, Positions, QkNorm};
use scalelaw_core::observer::Silent;
use scalelaw_core::schedule::{Decay, Schedule};
use scalelaw_core::spec::{
    Batch, DataSpec, DeviceClass, Evaluation, EvaluationSet, Measure, NUMERICS, Optimizer, Precision,
    RunSpec, StepSize, TRAINER, Training,
};
use scalelaw_core::{Head, ModelShape};
use scalelaw_device_cpu::{CpuDevice, Isa};
use scalelaw_graph::SessionOptions;
use scalelaw_runs::{Outcome, RunDir, RunResult, best_state, finished_run};
use scalelaw_tokens::{Dataset, DatasetWriter, Document, Split, Vocabulary};
use scalelaw_train::{RunData, RunEnd, RunOptions, TrainError, Trainer, run};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every setting of blocks that is not the paper's.
const MODERN: Block = Block {
    norm: Norm::Rms,
    norm_placement: NormPlacement::Pre,
    positions: Positions::Rotary,
    feed_forward: FeedForward::Swiglu,
    qk_norm: QkNorm::Rms,
    n_kv_head: 1,
};

/// A dataset whose next token is mostly the last one times three plus one.
fn dataset(dir: &Path) -> Dataset {
    let n_vocab = 32u32;
    let vocabulary =
        Vocabulary { token_bytes: vec![2; n_vocab as usize], end_of_text: 0, blake3: "none".into() };
    let mut writer = DatasetWriter::create(dir, vocabulary).unwrap();
    let mut x = 1u32;
    for split in [Split::Train, Split::Valid, Split::Test] {
        for _ in 0..if split == Split::Train { 40 } else { 6 } {
            let mut token = 1;
            let tokens: Vec<u32> = (0..60)
                .map(|_| {
                    x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    token = if x >> 29 == 0 { x >> 8 } else { 3 * token + 1 } % n_vocab;
                    token
                })
                .collect();
            writer.push(split, Document { tokens: &tokens, bytes: 120, words: 60 }).unwrap();
        }
    }
    writer.finish(vec![], serde_json::Value::Null).unwrap();
    Dataset::open(dir).unwrap()
}

fn spec(dataset: &Dataset) -> RunSpec {
    RunSpec {
        recipe: "test".into(),
        seed: 3,
        steps: 60,
        init_std: 0.05,
        trainer: TRAINER.into(),
        device: DeviceClass::Cpu,
        precision: Precision::F32,
        numerics: NUMERICS,
        model: ModelShape::standard(2, 16, 2, 12, 32, Head::Untied),
        data: DataSpec { name: "toy".into(), digest: dataset.digest(), train_tokens: 2000, test_tokens: 240 },
        batch: Batch { sequences: 6, micro_sequences: 2 },
        schedule: Schedule {
            lr: 0.01,
            warmup_steps: 5,
            decay: Decay::Constant { cooldown_steps: 20, final_fraction: 0.1 },
        },
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, eps: 1e-8 },
        evaluation: Evaluation { first_step: 5, per_decade: 5, patience: 0 },
        training: Training::default(),
        measure: Measure::default(),
    }
}

fn result_of(end: RunEnd) -> RunResult {
    match end {
        RunEnd::Finished(result) => result,
        RunEnd::Interrupted { step } => panic!("interrupted at {step}"),
    }
}

fn train(spec: &RunSpec, dataset: &Dataset, dir: &Path, threads: usize) -> RunResult {
    let data = RunData::open(dataset, spec).unwrap();
    let options = RunOptions { device: &CpuDevice::new(), threads, observer: &Silent, stop: &|| false };
    result_of(run(spec, &data, dir, options).unwrap())
}

/// Trains some steps and stops, resumable.
fn interrupt(spec: &RunSpec, dataset: &Dataset, dir: &Path, steps: u64) {
    let data = RunData::open(dataset, spec).unwrap();
    let asked = AtomicU64::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) == steps;
    let options = RunOptions { device: &CpuDevice::new(), threads: 1, observer: &Silent, stop: &stop };
    assert_eq!(run(spec, &data, dir, options).unwrap(), RunEnd::Interrupted { step: steps });
}

/// Everything in a run directory that may not depend on clock, host or interruptions.
fn durable_bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    ["spec.toml", "steps.bin", "events.jsonl", "result.json"]
        .map(|name| (name.to_owned(), std::fs::read(dir.join(name)).unwrap()))
        .to_vec()
}

/// Names and values of the checkpoint that a run ended with.
fn last_checkpoint(spec: &RunSpec, dir: &Path) -> (u64, Vec<(String, Vec<f32>)>) {
    let (checkpoint, _) = RunDir::open(dir, spec).unwrap().resume().unwrap().unwrap();
    (checkpoint.step, checkpoint.tensors)
}

#[test]
fn run_learns_and_reads_back_finished() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let spec = spec(&dataset);
    let dir = tmp.path().join("run");
    let result = train(&spec, &dataset, &dir, 1);
    assert_eq!((&result.outcome, result.steps, result.tokens), (&Outcome::Completed, 60, 60 * 72));
    let finished = finished_run(&dir).unwrap().unwrap();
    let evals: Vec<u64> = finished.evals.iter().map(|e| e.step).collect();
    assert_eq!(evals, spec.evaluation_steps());
    assert!((finished.steps[0].train_loss - f64::ln(32.0)).abs() < 0.1, "{}", finished.steps[0].train_loss);
    assert!(result.loss.unwrap() < 2.5, "{:?}", result.loss);
    assert!(result.loss_se.unwrap() > 0.0);
    assert_eq!(finished.steps[0].lr, 0.002);
    // A second call trains nothing.
    let before = std::fs::metadata(dir.join("timing.jsonl")).unwrap().len();
    assert_eq!(train(&spec, &dataset, &dir, 1), result);
    assert_eq!(std::fs::metadata(dir.join("timing.jsonl")).unwrap().len(), before);
}

#[test]
fn run_on_any_number_of_threads_gives_the_same_bytes() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let spec = spec(&dataset);
    let dirs = [1, 2, 3].map(|threads| {
        let dir = tmp.path().join(threads.to_string());
        train(&spec, &dataset, &dir, threads);
        dir
    });
    for dir in &dirs[1..] {
        assert!(durable_bytes(dir) == durable_bytes(&dirs[0]), "{}", dir.display());
        assert!(last_checkpoint(&spec, dir) == last_checkpoint(&spec, &dirs[0]), "{}", dir.display());
    }
}

#[test]
fn run_interrupted_and_killed_again_and_again_gives_the_bytes_of_an_undisturbed_one() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let spec = spec(&dataset);
    let (whole, parts) = (tmp.path().join("whole"), tmp.path().join("parts"));
    train(&spec, &dataset, &whole, 1);
    let data = RunData::open(&dataset, &spec).unwrap();
    let mut done = 0;
    for more_steps in [0, 1, 3, 1, 14, 20] {
        let asked = AtomicU64::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) == more_steps;
        let options = RunOptions { device: &CpuDevice::new(), threads: 2, observer: &Silent, stop: &stop };
        done += more_steps;
        assert_eq!(run(&spec, &data, &parts, options).unwrap(), RunEnd::Interrupted { step: done });
        // What a kill leaves: logs that go on behind the newest checkpoint, and a torn line.
        for (name, rubbish) in [("steps.bin", &[7; 45][..]), ("events.jsonl", &b"{\"step\": 1"[..])] {
            let mut file = OpenOptions::new().append(true).open(parts.join(name)).unwrap();
            file.write_all(rubbish).unwrap();
        }
    }
    train(&spec, &dataset, &parts, 3);
    assert!(durable_bytes(&parts) == durable_bytes(&whole));
    assert!(last_checkpoint(&spec, &parts) == last_checkpoint(&spec, &whole));
}

#[test]
fn run_with_every_optimizer_goes_on_exactly() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let factored =
        |step_size| Optimizer::Adafactor { decay_exponent: 0.8, eps: 1e-30, clip_threshold: 1.0, step_size };
    for (i, (lr, optimizer)) in [
        (0.01, Optimizer::AdamW { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1 }),
        (0.2, factored(StepSize::Relative { floor: 1e-3 })),
        (0.01, factored(StepSize::Absolute)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut spec = spec(&dataset);
        (spec.schedule.lr, spec.optimizer, spec.training.clip_norm) = (lr, optimizer, Some(0.5));
        let (whole, parts) = (tmp.path().join(format!("whole{i}")), tmp.path().join(format!("parts{i}")));
        let result = train(&spec, &dataset, &whole, 1);
        assert!(result.loss.unwrap() < 2.7, "{optimizer:?}: {result:?}");
        interrupt(&spec, &dataset, &parts, 23);
        train(&spec, &dataset, &parts, 2);
        assert!(durable_bytes(&parts) == durable_bytes(&whole), "{optimizer:?}");
        assert!(last_checkpoint(&spec, &parts) == last_checkpoint(&spec, &whole), "{optimizer:?}");
    }
}

/// The Transformer with other settings of its blocks, which are used `reuse` times.
fn with_blocks(mut shape: ModelShape, reuse: u32, block: Block) -> ModelShape {
    let transformer = shape.transformer_mut().unwrap();
    (transformer.reuse, transformer.block) = (reuse, block);
    shape
}

#[test]
fn run_with_dropout_goes_on_exactly_on_any_number_of_threads() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let lstm = ModelShape::lstm(2, 16, 12, 32, Head::Untied);
    let transformer = spec(&dataset).model;
    let modern = with_blocks(transformer, 1, MODERN);
    for model in [transformer, with_blocks(transformer, 2, Block::default()), modern, lstm] {
        let mut spec = spec(&dataset);
        (spec.model, spec.training.dropout) = (model, 0.1);
        let name = |what: &str| tmp.path().join(format!("{what}-{}", spec.key()));
        let (whole, parts) = (name("whole"), name("parts"));
        let result = train(&spec, &dataset, &whole, 1);
        assert!(result.loss.unwrap() < 3.2, "{model:?}: {result:?}");
        interrupt(&spec, &dataset, &parts, 31);
        train(&spec, &dataset, &parts, 3);
        assert!(durable_bytes(&parts) == durable_bytes(&whole), "{model:?}");
        assert!(last_checkpoint(&spec, &parts) == last_checkpoint(&spec, &whole), "{model:?}");
    }
}

#[test]
fn run_measures_every_set_and_position_along_its_curve() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut spec = spec(&dataset);
    let set = |name: &str, tokens| EvaluationSet { name: name.into(), digest: dataset.digest(), tokens };
    spec.measure = Measure { position_losses: true, sets: vec![set("same", 240), set("part", 24)] };
    let mut data = RunData::open(&dataset, &spec).unwrap();
    let refused = Trainer::new(&CpuDevice::new(), &spec, &data, 1).unwrap_err();
    assert!(matches!(refused, TrainError::OtherData { what: "evaluation sets", .. }), "{refused}");
    data.add_set(&dataset, &spec).unwrap();
    data.add_set(&dataset, &spec).unwrap();
    assert!(data.add_set(&dataset, &spec).is_err());
    let (whole, parts) = (tmp.path().join("whole"), tmp.path().join("parts"));
    let options = RunOptions { device: &CpuDevice::new(), threads: 1, observer: &Silent, stop: &|| false };
    let result = result_of(run(&spec, &data, &whole, options).unwrap());
    let asked = AtomicU64::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) == 30;
    run(&spec, &data, &parts, RunOptions { device: &CpuDevice::new(), threads: 2, stop: &stop, ..options })
        .unwrap();
    run(&spec, &data, &parts, options).unwrap();
    assert!(durable_bytes(&parts) == durable_bytes(&whole));
    let finished = finished_run(&whole).unwrap().unwrap();
    for eval in &finished.evals {
        assert_eq!(eval.set_losses["same"], eval.test_loss);
        // Two windows of twenty.
        assert!(eval.set_losses["part"] > 0.0 && eval.set_losses["part"] != eval.test_loss);
        assert_eq!(eval.position_losses.len(), 12);
        let mean = eval.position_losses.iter().sum::<f64>() / 12.0;
        assert!((mean / eval.test_loss - 1.0).abs() < 1e-12);
    }
    assert_eq!(Some(result.set_losses["same"]), result.loss);
}

#[test]
fn branches_of_one_trunk_are_the_runs_that_train_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut trunk = spec(&dataset);
    (trunk.steps, trunk.training.branch_steps) = (50, vec![16, 40]);
    trunk.schedule.decay = Decay::Constant { cooldown_steps: 0, final_fraction: 0.1 };
    let runs = tmp.path().join("runs");
    // An interruption behind the first branch point.
    interrupt(&trunk, &dataset, &runs.join(trunk.key()), 18);
    train(&trunk, &dataset, &runs.join(trunk.key()), 1);
    for (steps, cooldown_steps) in [(20, 4), (60, 20)] {
        let branch = trunk.branch(steps, cooldown_steps);
        let alone =
            RunSpec { training: Training { parent_run: None, ..branch.training.clone() }, ..branch.clone() };
        let (branched, whole) = (runs.join(branch.key()), tmp.path().join(steps.to_string()));
        // Killed before its first checkpoint, it starts from the trunk again.
        std::fs::create_dir(&branched).unwrap();
        std::fs::write(branched.join("steps.bin"), [7; 45]).unwrap();
        assert_eq!(train(&branch, &dataset, &branched, 1), train(&alone, &dataset, &whole, 1));
        assert!(durable_bytes(&branched)[1..] == durable_bytes(&whole)[1..], "{steps} steps");
        assert!(last_checkpoint(&branch, &branched) == last_checkpoint(&alone, &whole), "{steps} steps");
        let timing = std::fs::read_to_string(branched.join("timing.jsonl")).unwrap();
        assert!(timing.contains(&format!("\"from_step\":{}", steps - cooldown_steps)), "{timing}");
    }
}

#[test]
fn branch_without_its_trunk_or_of_another_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut trunk = spec(&dataset);
    (trunk.steps, trunk.training.branch_steps) = (20, vec![16]);
    trunk.schedule.decay = Decay::Constant { cooldown_steps: 0, final_fraction: 0.1 };
    let runs = tmp.path().join("runs");
    let refused = |branch: &RunSpec| {
        let data = RunData::open(&dataset, branch).unwrap();
        let options =
            RunOptions { device: &CpuDevice::new(), threads: 1, observer: &Silent, stop: &|| false };
        let error = run(branch, &data, &runs.join(branch.key()), options).unwrap_err();
        assert!(matches!(error, TrainError::Branch { .. }), "{error}");
        error.to_string()
    };
    let branch = trunk.branch(20, 4);
    assert!(refused(&branch).contains("no finished run"));
    train(&trunk, &dataset, &runs.join(trunk.key()), 1);
    assert!(refused(&trunk.branch(20, 5)).contains("kept no state of step 15"));
    let mut other = branch.clone();
    other.seed = 4;
    assert!(refused(&other).contains("another model"));
    let mut late = trunk.clone();
    late.schedule.decay = Decay::Constant { cooldown_steps: 10, final_fraction: 0.1 };
    train(&late, &dataset, &runs.join(late.key()), 1);
    assert!(refused(&late.branch(20, 4)).contains("rate at step 11"), "{}", refused(&late.branch(20, 4)));
}

#[test]
fn run_with_a_hopeless_rate_diverges_as_an_outcome() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut spec = spec(&dataset);
    spec.schedule.lr = 1e30;
    let dir = tmp.path().join("run");
    let result = train(&spec, &dataset, &dir, 1);
    assert!(matches!(result.outcome, Outcome::Diverged { .. }), "{result:?}");
    assert!(finished_run(&dir).unwrap().is_some());
}

#[test]
fn run_that_overfits_stops_when_patience_is_out_and_keeps_the_lowest_loss() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut spec = spec(&dataset);
    spec.data.train_tokens = 100;
    spec.steps = 2000;
    spec.evaluation = Evaluation { first_step: 5, per_decade: 10, patience: 3 };
    let dir = tmp.path().join("run");
    let result = train(&spec, &dataset, &dir, 1);
    assert_eq!(result.outcome, Outcome::Stopped { reason: "patience".into() });
    assert!(result.steps < 2000);
    assert!(result.loss_min.unwrap() < result.loss.unwrap());
    let best_step = result.best_step.unwrap();
    assert!(best_step < result.steps);
    // The state kept is the one that gave the lowest loss.
    let best = best_state(&dir, best_step).unwrap();
    let data = RunData::open(&dataset, &spec).unwrap();
    let mut trainer = Trainer::new(&CpuDevice::new(), &spec, &data, 1).unwrap();
    for _ in 0..best_step {
        trainer.step().unwrap();
    }
    assert_eq!(trainer.evaluate().unwrap().loss, result.loss_min.unwrap());
    let (_, state) = trainer.snapshot();
    for tensor in trainer.plan().tensors() {
        let (_, values) = best.tensors.iter().find(|(name, _)| *name == tensor.name).unwrap();
        assert_eq!(values[..], state.parameters[tensor.range.clone()], "{}", tensor.name);
    }
}

#[test]
fn run_on_the_data_of_another_spec_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let mut other = spec(&dataset);
    other.data.digest = "another".into();
    assert!(matches!(RunData::open(&dataset, &other), Err(TrainError::OtherData { what: "digest", .. })));
    let mut other = spec(&dataset);
    other.model.n_vocab = 33;
    assert!(matches!(RunData::open(&dataset, &other), Err(TrainError::OtherData { what: "n_vocab", .. })));
}

#[test]
fn trainer_on_every_instruction_set_gives_the_same_records() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let spec = spec(&dataset);
    let data = RunData::open(&dataset, &spec).unwrap();
    let records = Isa::available().into_iter().map(|isa| {
        let options = SessionOptions { threads: 1, chunk: None };
        let mut trainer = Trainer::with_options(&CpuDevice::with_isa(isa), &spec, &data, options).unwrap();
        let steps: Vec<_> = (0..20).map(|_| trainer.step().unwrap().to_bytes()).collect();
        (steps, trainer.evaluate().unwrap())
    });
    let records: Vec<_> = records.collect();
    assert!(records.iter().all(|r| *r == records[0]));
}

#[test]
fn hash_of_a_small_run_of_every_architecture_never_changes() {
    let tmp = tempfile::tempdir().unwrap();
    let dataset = dataset(&tmp.path().join("data"));
    let transformer = spec(&dataset).model;
    for ((model, dropout), want) in [
        (transformer, 0.0),
        (transformer, 0.1),
        (with_blocks(transformer, 2, Block::default()), 0.0),
        (ModelShape::lstm(2, 16, 12, 32, Head::Untied), 0.0),
        (with_blocks(transformer, 1, MODERN), 0.0),
    ]
    .into_iter()
    .zip(HASHES_OF_SMALL_RUNS)
    {
        let mut spec = spec(&dataset);
        (spec.model, spec.training.dropout) = (model, dropout);
        let dir = tmp.path().join(spec.key());
        train(&spec, &dataset, &dir, 1);
        assert_eq!(last_checkpoint(&spec, &dir).0, 60);
        let mut hasher = blake3::Hasher::new();
        for (name, bytes) in durable_bytes(&dir) {
            if name != "spec.toml" {
                hasher.update(&bytes);
            }
        }
        assert_eq!(hasher.finalize().to_hex().as_str(), want, "{model:?}");
    }
}

/// Of steps.bin, events.jsonl and result.json: Transformer, with dropout, recurrent, LSTM, modern. A change here is a
/// change of `NUMERICS`.
const HASHES_OF_SMALL_RUNS: [&str; 5] = [
    "08396587276c215cb7a02c601cfdfeedf7d73f4055161e228fb734a5d11c469e",
    "d1c033cf444d84f18ad8e524d2b4191f8fd362dc677da6b2e45024a7aa71c3cc",
    "2d3b870c6668400bae4c1fba6e6066adac78db04abfc889044fe8ea0d107d9a1",
    "96d00c585f42fd49060b192786aaf290a40e35aba4ba669759a21dc9961cd4da",
    "e010a7dd2b3538be023c0ad23378fe3f35f78fa5d770cf5d513a483fbed9fb02",
];
